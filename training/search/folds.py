"""Measures settings on every text: one run per fold, each measured on what it has not seen."""

from __future__ import annotations

import csv
import io
import json
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textrnn.analysis.statistics import Interval, bootstrap, wilson
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Split, load_corpus, load_split
from textrnn.errors import ConfigError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.run_files import read_provenance
from textrnn.progress import Reporter, Silent
from textrnn.training.run.origin import earlier_labels
from textrnn.training.search.runner import Runner
from textrnn.training.search.vary import train_all

__all__ = ["Fold", "Folds", "train_folds"]

TABLE, FIGURES = "folds.csv", "folds.json"
"""The files beside the runs: the answer to each text, and all figures."""


@dataclass(frozen=True)
class Fold:
    """The figures of one run on its fold.

    Attributes:
        run: The run folder.
        texts: The number of texts in the fold.
        accuracy: The accuracy on them.
        macro_f1: The mean F1 of the labels.
    """

    run: Path
    texts: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class Folds:
    """The figures of all folds.

    Attributes:
        folds: The figures of each fold.
        texts: The number of texts that were measured.
        accuracy: The accuracy on all of these texts, with its 95 % interval. It comes from the
            texts alone, and not from the choice of the training texts.
        macro_f1: The mean F1 of the labels on all of these texts, with its interval.
        table: The file with the answer to each text.
    """

    folds: tuple[Fold, ...]
    texts: int
    accuracy: Interval
    macro_f1: Interval
    table: Path

    def mean(self, figure: str) -> tuple[float, float]:
        """Returns the mean and the standard deviation over the folds.

        Args:
            figure: `accuracy` or `macro_f1`.
        """
        values = [getattr(fold, figure) for fold in self.folds]
        return statistics.fmean(values), statistics.stdev(values)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        means = {
            f"{figure}_of_folds": dict(zip(("mean", "sd"), self.mean(figure), strict=True))
            for figure in ("accuracy", "macro_f1")
        }
        folds = [{**asdict(fold), "run": str(fold.run)} for fold in self.folds]
        return {**asdict(self), **means, "folds": folds, "table": str(self.table)}


class _Answered(NamedTuple):
    """The texts of one fold with the answers of its run: `probabilities` and `decided` `[N, C]`."""

    split: Split
    targets: np.ndarray
    probabilities: np.ndarray
    decided: np.ndarray


def train_folds(
    config: ClassifierRunConfig,
    output: str | Path,
    *,
    count: int,
    reporter: Reporter | None = None,
    overwrite: bool = False,
    runner: Runner | None = None,
) -> Folds:
    """Trains one run per fold, each in its own process, and measures each on its fold.

    The runs are `output`/fold-1, fold-2 and so on. A finished run is not trained again, and an
    unfinished run is resumed. The answers to all texts are written to folds.csv, with the number of
    the row in the training data, from 0 on; all figures are written to folds.json.

    Args:
        config: All settings. `group_column` keeps groups together; with `time_column`, each run
            learns from what came before its fold. Test data is not read.
        output: The folder of the run folders.
        count: The number of folds.
        reporter: Receives messages and progress; None: nothing is reported.
        overwrite: Whether runs in the folder may be replaced.
        runner: Carries out the trainings; None: one after the other.

    Raises:
        TextRNNError: The data or the settings are wrong, or a training failed.
    """
    output, reporter = Path(output), reporter or Silent()
    if count < 2:
        raise ConfigError(f"expected at least 2 folds, got {count}.")
    if config.data.fold is not None:
        raise ConfigError("`fold` trains one run of several folds; leave it out to train all.")
    config = config.replace(test_file=None).with_absolute_paths()
    configs = {f"fold-{k}": config.replace(fold=f"{k}/{count}") for k in range(1, count + 1)}
    # A fault in the data must come before the first training.
    load_corpus(configs["fold-1"], seed=config.runtime.seed, earlier_labels=earlier_labels(config))
    if overwrite:
        _remove_runs(output)
    runs = train_all(configs, output, reporter=reporter, runner=runner)
    classifiers = [run_folder.load(run) for run in runs]
    answered = [
        _answer(classifier, fold_config, run, reporter=reporter)
        for classifier, fold_config, run in zip(classifiers, configs.values(), runs, strict=True)
    ]
    result = _figures(runs, answered, table=output / TABLE)
    label_space = classifiers[0].label_space
    write_atomically(
        result.table,
        _table(answered, labels=label_space.labels, multi_label=label_space.multi_label),
    )
    write_atomically(output / FIGURES, json.dumps(result.to_dict(), indent=2) + "\n")
    return result


def _remove_runs(output: Path) -> None:
    """Deletes the runs of earlier folds."""
    for run in output.glob("fold-*"):
        if (run / run_folder.CONFIG).is_file():
            shutil.rmtree(run)


def _answer(
    classifier: TrainedClassifier, config: ClassifierRunConfig, run: Path, *, reporter: Reporter
) -> _Answered:
    """Returns the texts that a run has not seen, with its answers."""
    split, _ = load_split(
        config,
        "test",
        seed=config.runtime.seed,
        label_names=classifier.labels,
        trained_on=read_provenance(run),
    )
    with reporter.step(run.name, total=len(split)) as advance:
        probabilities = classifier.probabilities(split.texts, on_batch=advance)
    label_space = classifier.label_space
    return _Answered(
        split,
        label_space.targets(split.labels),
        probabilities,
        label_space.decide(probabilities),
    )


def _figures(runs: Sequence[Path], answered: Sequence[_Answered], *, table: Path) -> Folds:
    targets = np.concatenate([fold.targets for fold in answered])
    decided = np.concatenate([fold.decided for fold in answered])
    folds = []
    for run, fold in zip(runs, answered, strict=True):
        accuracy, macro_f1 = bootstrap(fold.decided, fold.targets)
        folds.append(Fold(run, len(fold.split), accuracy.value, macro_f1.value))
    groups = [group for fold in answered for group in fold.split.groups or ()] or None
    accuracy, macro_f1 = bootstrap(decided, targets, groups=groups)
    if groups is None:
        right = ((targets > 0) == decided).all(axis=1)
        accuracy = wilson(int(right.sum()), len(right))
    return Folds(tuple(folds), len(targets), accuracy, macro_f1, table)


def _table(answered: Sequence[_Answered], *, labels: Sequence[str], multi_label: bool) -> str:
    """Returns a CSV table with one line per text, in the order of the training data."""

    def named(chosen: np.ndarray) -> str:
        names = [labels[int(place)] for place in np.flatnonzero(chosen)]
        return json.dumps(names, ensure_ascii=False) if multi_label else names[0]

    lines = []
    for number, fold in enumerate(answered, start=1):
        places = fold.split.places
        for place, row in enumerate(range(len(fold.split)) if places is None else places):
            given, decided = named(fold.targets[place]), named(fold.decided[place])
            scores = [f"{p:.6g}" for p in fold.probabilities[place]]
            lines.append((row, [row, number, fold.split.texts[place], given, decided, *scores]))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = [f"score of {label}" for label in labels]
    writer.writerow(["row", "fold", "text", "label", "predicted", *names])
    writer.writerows(line for _, line in sorted(lines, key=lambda item: item[0]))
    return stream.getvalue()
