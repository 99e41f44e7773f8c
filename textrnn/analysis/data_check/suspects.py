"""Finds probable label errors of training data by folds of a linear model, by a run, or by both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.judge import LabelJudge
from textrnn.analysis.data_check.label_errors import LabelErrors, rank_labels
from textrnn.analysis.data_check.out_of_fold import out_of_fold_probabilities
from textrnn.analysis.data_check.repeats import Repeat
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus, Split, load_split
from textrnn.data.provenance import provenance
from textrnn.errors import ConfigError, DataError, TextRNNError
from textrnn.evaluation.labelled_data import learned_from
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.messages.wording import counted, listed
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter

__all__ = ["find_label_errors"]


def find_label_errors(
    split: CheckedSplit,
    judge: LabelJudge,
    *,
    config: ClassifierRunConfig,
    repeats: Sequence[Repeat],
    reporter: Reporter,
) -> LabelErrors:
    """Ranks the labels of the training data.

    Args:
        split: The training data.
        judge: The models.
        config: The settings of the data.
        repeats: The texts that repeat an earlier one; repeated texts are in one fold.
        reporter: Receives the progress.

    Raises:
        ConfigError: cleanlab is not installed, or only one of data and run is multi-label.
        DataError: No label has texts enough, or the run has other labels.
        ModelError: The folder is no finished run of a classifier.
    """
    opened = None if judge.run is None else OpenedRun.of(judge.run)
    groups = _groups(split, repeats)
    names = tuple(sorted({label for labels in split.labels for label in labels}))
    space = LabelSpace(names, multi_label=config.task.multi_label)
    if opened is not None:
        space = _label_space_of(opened, space)
    places = _usable_places(split, groups, space.labels, least=judge.folds)
    part = Split([split.texts[p] for p in places], [split.labels[p] for p in places])
    kept = {label for labels in part.labels for label in labels}
    different = len({groups[place] for place in places})
    if len(kept) < 2 or different < judge.folds:
        raise DataError(
            f"expected at least two labels, each on {max(judge.folds, 1)} different texts or more, "
            f"to rank labels, got {len(kept)} on {counted(different, 'text')}; add texts, or use "
            "fewer folds."
        )
    if opened is None:
        names = tuple(name for name in space.labels if name in kept)
        space = LabelSpace(names, multi_label=space.multi_label)
    answers = _answers(
        part,
        judge,
        opened=opened,
        label_space=space,
        groups=[groups[place] for place in places],
        reporter=reporter,
    )
    ranked, agreement = rank_labels(
        part.labels, np.mean(list(answers.values()), axis=0), label_space=space
    )
    used = set(places)
    return LabelErrors(
        split,
        " and ".join(answers),
        tuple(replace(suspect, place=places[suspect.place]) for suspect in ranked),
        texts=len(places),
        agreement=agreement,
        left_out=tuple(place for place in range(len(split)) if place not in used),
        caution="" if opened is None else _caution(opened, config),
    )


def _answers(
    part: Split,
    judge: LabelJudge,
    *,
    opened: OpenedRun | None,
    label_space: LabelSpace,
    groups: Sequence[int],
    reporter: Reporter,
) -> dict[str, np.ndarray]:
    """Returns the probabilities `[N, C]` of each model, by its name in messages."""
    answers = {}
    if judge.folds:
        with reporter.step("folds", total=judge.folds) as advance:
            answers[f"{judge.folds} folds of a linear model"] = out_of_fold_probabilities(
                part,
                label_space=label_space,
                folds=judge.folds,
                groups=groups,
                on_fold=advance,
            )
    if opened is not None:
        with reporter.step(opened.name, total=len(part)) as advance:
            answers[opened.name] = opened.classifier.probabilities(part.texts, on_batch=advance)
    return answers


def _label_space_of(opened: OpenedRun, data: LabelSpace) -> LabelSpace:
    """Returns the labels of a run, if it can judge the data."""
    space = opened.classifier.label_space
    if space.multi_label != data.multi_label:
        kinds = {True: "any number of labels", False: "one label"}
        raise ConfigError(
            f"{opened.name}: expected a run that gives {kinds[data.multi_label]} to a text, as the "
            f"data has, got one that gives {kinds[space.multi_label]}; set `multi_label` as the "
            "run has it."
        )
    if not set(space.labels) & set(data.labels):
        raise DataError(
            f"{opened.name}: expected a run with the labels of the data "
            f"({listed(data.labels, 10)}), got one with {listed(space.labels, 10)}; name another "
            "run, or use folds."
        )
    return space


def _groups(split: CheckedSplit, repeats: Sequence[Repeat]) -> list[int]:
    """Returns one number per text, the same for texts that repeat each other."""
    groups = list(range(len(split)))
    for repeat in repeats:
        if repeat.split is split and repeat.of_split is split:
            groups[repeat.place] = groups[repeat.of_place]
    return groups


def _usable_places(
    split: CheckedSplit, groups: Sequence[int], names: Sequence[str], *, least: int
) -> list[int]:
    """Returns the places of the texts whose labels are known and on enough different texts.

    Args:
        split: The texts.
        groups: The group of each text.
        names: The labels that are known.
        least: The least number of groups that a label must be in.
    """
    places = list(range(len(split)))
    while True:  # Texts that are left out can leave another label with too few.
        groups_of_label: dict[str, set[int]] = defaultdict(set)
        for place in places:
            for label in split.labels[place]:
                groups_of_label[label].add(groups[place])
        frequent = {name for name in names if len(groups_of_label[name]) >= max(least, 1)}
        kept = [place for place in places if frequent.issuperset(split.labels[place])]
        if len(kept) == len(places):
            return places
        places = kept


def _caution(opened: OpenedRun, config: ClassifierRunConfig) -> str:
    """Returns a sentence if the run has learned from the data that it judges, else ""."""
    if not _has_learned_from(opened, config):
        return ""
    return (
        f"{opened.name} was trained on these rows, so that it has learned their labels by heart, "
        "the wrong ones too: most label errors hide. Rank by folds instead."
    )


def _has_learned_from(opened: OpenedRun, config: ClassifierRunConfig) -> bool:
    """Returns whether the training data of a run is that of the settings, also if it was moved."""
    trained, path = opened.classifier.config, config.data.train_file
    if path is None:
        return trained.data.dataset == config.data.dataset
    if learned_from({opened.name: trained.data}, path):
        return True
    known = opened.classifier.data.get("train")
    # The run held its validation texts out by its seed, unless they were in a file.
    drawn = {"train_file": path, "dataset": None, "test_file": None}
    if trained.data.valid_file is not None:
        drawn["valid_file"] = path
    try:
        train, _ = load_split(
            config.replace(**drawn, valid_fraction=trained.data.valid_fraction),
            "train",
            seed=trained.runtime.seed,
            label_names=opened.classifier.labels,
        )
    except TextRNNError:  # Such as a label that the run does not know.
        return False
    corpus = Corpus("", train, train.take([]), None, opened.classifier.labels, ())
    return known is not None and provenance(corpus)["train"] == known
