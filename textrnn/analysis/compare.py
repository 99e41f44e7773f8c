"""Compares runs on the same labelled texts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from textrnn.analysis.comparison import Answers, Comparison, ask, compare_answers, mean_answers
from textrnn.data import Split, load_corpus
from textrnn.errors import ConfigError
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.evaluation.labelled_data import LabelledData, learned_from
from textrnn.evaluation.opened_run import OpenedRun, RunRecord
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.ensemble import check_same_labels
from textrnn.inference.run_files import check_finished
from textrnn.progress import Reporter, Silent

__all__ = ["Run", "compare", "compare_on"]

Run = str | Path | TrainedClassifier


def compare(
    runs: Sequence[Run],
    *,
    texts: Sequence[str] | None = None,
    labels: Sequence[str | Sequence[str]] | None = None,
    split: Literal["validation", "test"] = "test",
    baseline: bool = False,
    average: bool = False,
    reporter: Reporter | None = None,
    **settings: Any,
) -> Comparison:
    """Compares runs on the same labelled texts: those of the first run's data, or other ones.

    Example:
        comparison = textrnn.compare(["runs/mingru", "runs/lstm"])
        for run in comparison.runs:
            print(run.name, run.accuracy)
        comparison.pairs[0].adjusted  # the corrected p-value of McNemar's test

    Args:
        runs: Run folders, or classifiers that were loaded from them. All need the same labels.
        texts: Texts to compare on, together with `labels`, in the place of a data set.
        labels: The label of each text, or its labels.
        split: Which part of the data is read: `validation` or `test`.
        baseline: Whether a linear model of word pairs is compared too. It learns from the training
            texts of the first run, which must be readable; then one run suffices.
        average: Whether the mean of the runs' probabilities is compared too; see `Ensemble`.
        reporter: Receives the progress and the notices; None: nothing is reported.
        **settings: Settings of the data and of its labels that replace those of the first run,
            such as `test_file`.

    Raises:
        ModelError: A folder is no finished run of a classifier.
        DataError: The data cannot be read, or the labels of the runs differ.
        ConfigError: A setting is unknown or wrong, fewer than two runs are given, or the runs
            cannot be compared on their validation texts.
    """
    if isinstance(runs, (str, Path, TrainedClassifier)):
        raise ConfigError(f'expected a list of runs, such as ["runs/a", "runs/b"], got {runs!r}.')
    if len(runs) < (1 if baseline else 2):
        raise ConfigError(
            f"expected at least two runs to compare, or one with `baseline`, got {len(runs)}."
        )
    reporter = reporter or Silent()
    for run in runs:
        if not isinstance(run, TrainedClassifier):
            check_finished(run)
    source = LabelledData(split=split, texts=texts, labels=labels, settings=settings)
    first = RunRecord.of(runs[0])
    labelled = source.read(first, reporter=reporter)
    if split == "test" and texts is None:
        records = map(RunRecord.of, runs[1:])
        trained = {
            name: record.config.data for name, record in zip(_names(runs)[1:], records, strict=True)
        }
        for notice in learned_from(trained, source.config(first).data.test_file):
            reporter.message(f"note: {notice}")
    held_out = split == "validation" and not _has_other_validation(source)
    of_fold = split == "test" and not source.is_other_data and first.config.data.fold is not None
    train = None
    if baseline:
        config = source.config(first)
        corpus = load_corpus(config, seed=config.runtime.seed, earlier_labels=first.labels)
        train = corpus.train
    return compare_on(
        labelled,
        runs,
        held_out=held_out or of_fold,
        baseline=train,
        average=average,
        reporter=reporter,
    )


def compare_on(
    split: Split,
    runs: Sequence[Run],
    *,
    held_out: bool = False,
    baseline: Split | None = None,
    average: bool = False,
    reporter: Reporter | None = None,
) -> Comparison:
    """Has runs answer the same texts, and compares their answers.

    Args:
        split: The texts and their labels.
        runs: Run folders, or classifiers that were loaded from them.
        held_out: Whether the texts were held out from the first run's training data.
        baseline: The texts that a linear model learns from, which answers too; None: there is none.
        average: Whether the mean of the runs' probabilities is compared too.
        reporter: Receives the progress and the notices; None: nothing is reported.

    Raises:
        ModelError: A folder is no finished run of a classifier.
        DataError: The labels of the runs differ, or there is no text.
        ConfigError: Only some runs are multi-label, or a run may have been trained on the texts.
    """
    reporter, names = reporter or Silent(), _short_names(runs)
    first = OpenedRun.of(runs[0])
    label_names = first.classifier.labels
    lengths = np.array(list(map(len, first.classifier.tokenizer.encode_batch(split.texts))))
    answers = []
    for place, (run, name) in enumerate(zip(runs, names, strict=True)):
        opened = OpenedRun.of(run) if place else first
        _check_comparable(opened, first, held_out=held_out)
        answered = _answers(opened, split.texts, name=name, reporter=reporter)
        columns = [opened.classifier.labels.index(label) for label in label_names]
        probabilities = answered.probabilities[:, columns]
        rule = answered.rule.reordered(columns)
        answers.append(dataclasses.replace(answered, probabilities=probabilities, rule=rule))
    if average and len(answers) > 1:
        answers.append(mean_answers(answers, name="average" if "average" not in names else "mean"))
    if baseline is not None:
        answers.append(_baseline_answers(baseline, split.texts, run=first, reporter=reporter))
    return compare_answers(
        answers,
        first.classifier.label_space.targets(split.labels),
        lengths=lengths,
        label_space=first.classifier.label_space,
    )


def _baseline_answers(
    train: Split, texts: Sequence[str], *, run: OpenedRun, reporter: Reporter
) -> Answers:
    """Fits a linear model to texts with the labels of a run, and returns its answers."""
    classifier = run.classifier
    with reporter.wait("fitting the linear model"):
        model = LinearBaseline(
            train, label_space=classifier.label_space, seed=classifier.config.runtime.seed
        )
    start = time.monotonic()
    probabilities = model.probabilities(texts)
    seconds = time.monotonic() - start
    tokens = sum(map(len, classifier.tokenizer.encode_batch(texts)))
    return Answers("linear", probabilities, model.weights, None, tokens / max(seconds, 1e-9))


def _names(runs: Sequence[Run]) -> list[str]:
    """Returns the path of each run, or its number for a classifier without a folder."""
    return [
        f"classifier {number}" if isinstance(run, TrainedClassifier) else str(run)
        for number, run in enumerate(runs, start=1)
    ]


def _short_names(runs: Sequence[Run]) -> list[str]:
    """Returns the name of each folder, or the whole paths if two folders have the same name."""
    paths = _names(runs)
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else paths


def _has_other_validation(source: LabelledData) -> bool:
    """Returns whether the validation texts do not come from the first run's data."""
    named = {"dataset", "train_file", "valid_file"} & set(source.settings)
    return source.texts is not None or bool(named)


def _check_comparable(run: OpenedRun, first: OpenedRun, *, held_out: bool) -> None:
    """Raises DataError or ConfigError if a run cannot be compared with the first run."""
    check_same_labels(
        run.classifier.label_space,
        first.classifier.label_space,
        name=run.name,
        expected_name=first.name,
    )
    if held_out and _held_out_by(run) != _held_out_by(first):
        raise ConfigError(
            f"{run.name} was trained with another seed or other data than {first.name}, whose "
            "held-out texts may be among its training texts; compare on other test data."
        )


def _held_out_by(run: OpenedRun) -> tuple[Any, ...]:
    """Returns the settings that determine which texts are held out of the training data."""
    config = run.classifier.config
    data = config.data
    divided = (data.valid_fraction, data.fold, data.group_column, data.time_column)
    seed = config.runtime.seed if data.valid_file is None or data.fold is not None else None
    return (data.dataset, data.train_file, data.valid_file, *divided, seed)


def _answers(run: OpenedRun, texts: Sequence[str], *, name: str, reporter: Reporter) -> Answers:
    """Returns the answers of one run, and reports which share of the tokens it cut off."""
    classifier = run.classifier
    ids = classifier.tokenizer.encode_batch(texts)
    cut = classifier.cut_tokens
    with reporter.step(name, total=len(ids)) as advance:
        answers = ask(classifier, ids, name=name, folder=run.folder, on_batch=advance)
    if classifier.cut_tokens > cut:
        share = (classifier.cut_tokens - cut) / sum(map(len, ids))
        reporter.message(f"note: {name}: `max_length` cuts off {share:.1%} of the tokens.")
    return answers
