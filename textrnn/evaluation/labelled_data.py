"""The labelled texts to measure a run on: a split of its own data, other data, or given texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import DataConfig
from textrnn.data import Split, load_split
from textrnn.data.paths import missing_file, same_files, stem
from textrnn.errors import ConfigError, DataError
from textrnn.evaluation.opened_run import RunRecord
from textrnn.inference.run_folder import CONFIG
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent
from textrnn.runtime.text.checks import as_texts

__all__ = ["SOURCES", "LabelledData", "SplitName", "learned_from"]

SplitName = Literal["train", "validation", "test"]

SOURCES = frozenset({"dataset", "train_file", "valid_file", "test_file"})
"""The settings that name other data than that of the run."""

_FILES = {"train": "train_file", "validation": "valid_file", "test": "test_file"}


@dataclass(frozen=True)
class LabelledData:
    """Names the labelled texts that a run is measured on.

    Without `texts` they are a split of the run's own data, unless `settings` name other data.

    >>> data = LabelledData(texts=["good film"], labels=["pos"])
    >>> data.is_other_data
    True
    >>> LabelledData(settings={"text_column": "review"}).is_other_data
    False

    Attributes:
        split: Which part of the data is read.
        texts: Texts in memory.
        labels: The label of each of these texts, or its labels.
        settings: Settings of the data and of its labels that replace those of the run.

    Raises:
        ConfigError: The split is unknown, or there are texts together with other data.
        DataError: There are texts without as many labels.
        TypeError: `texts` is no list of strings.
    """

    split: SplitName = "test"
    texts: Sequence[str] | None = None
    labels: Sequence[str | Sequence[str]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split not in get_args(SplitName):
            raise ConfigError(
                f"`split` must be one of {', '.join(get_args(SplitName))}, got {self.split!r}."
            )
        if self.texts is None and self.labels is None:
            return
        if self.settings:
            raise ConfigError(
                "give either `texts` with `labels` or settings of the data, not both."
            )
        texts, labels = len(self.texts or ()), len(self.labels or ())
        if texts != labels:
            raise DataError(
                f"expected texts with as many labels, got {counted(texts, 'text')} and "
                f"{counted(labels, 'label')}."
            )
        as_texts(self.texts or [], call="LabelledData")

    @property
    def is_other_data(self) -> bool:
        """Returns whether the texts come from another source than the run's own data."""
        return self.texts is not None or bool(SOURCES & set(self.settings))

    def config(self, run: RunRecord) -> ClassifierRunConfig:
        """Returns the run's settings with those of the data replaced.

        Another source of data replaces all sources of the run.

        Args:
            run: The run whose settings are the default.

        Raises:
            ConfigError: A setting is unknown or wrong, or does not belong to the data.
        """
        homes = ClassifierRunConfig.section_of()
        for name in self.settings:
            if homes.get(name, "data") not in ("data", "task"):
                raise ConfigError(
                    f"expected settings of the data, got `{name}`, a setting of `{homes[name]}`."
                )
        changes = dict(self.settings)
        if SOURCES & set(changes):
            changes = {"fold": None, **changes}
        if {"dataset", "train_file"} & set(changes):
            changes = {**dict.fromkeys(SOURCES), **changes}
        config = run.config.replace(**changes)
        if config.data.dataset is None and config.data.train_file is None:
            config = config.replace(dataset="bbc_news")
        return config

    def name(self, run: RunRecord) -> str:
        """Returns what to call the texts, such as `bbc_news, test`."""
        if self.texts is not None:
            return "given texts"
        data = self.config(run).data
        return f"{stem(data.train_file) if data.train_file else data.dataset}, {self.split}"

    def read(self, run: RunRecord, *, reporter: Reporter | None = None) -> Split:
        """Returns the texts and their labels.

        Args:
            run: The run that is measured.
            reporter: Receives the notices about the data.

        Raises:
            DataError: The data cannot be read, or does not fit the labels of the run. The message
                says so if its path is that of the run.
            ConfigError: A setting is unknown or wrong.
        """
        if self.texts is not None:
            return self._given(multi_label=run.config.task.multi_label)
        reporter, config, trained = reporter or Silent(), self.config(run), run.config
        self._check_paths(config.data, run)
        is_own = config.with_absolute_paths() == trained.with_absolute_paths()
        split, notices = load_split(
            config,
            self.split,
            seed=trained.runtime.seed,
            label_names=run.labels,
            trained_on=run.provenance if is_own else None,
        )
        if self.split == "test" and not is_own:
            notices = (*notices, *learned_from({run.name: trained.data}, config.data.test_file))
        for notice in notices:
            reporter.message(f"note: {notice}")
        return split

    def _given(self, *, multi_label: bool) -> Split:
        labels = [
            (names,) if isinstance(names, str) else tuple(names) for names in self.labels or ()
        ]
        for names in labels:
            if not multi_label and len(names) != 1:
                raise DataError(
                    f"expected one label per text for this run, got {counted(len(names), 'label')}."
                )
        return Split(list(self.texts or ()), labels)

    def _check_paths(self, data: DataConfig, run: RunRecord) -> None:
        """Raises DataError if a file that the run was trained with no longer exists."""
        needed = _FILES[self.split]
        drawn = data.valid_file is None if self.split == "validation" else data.fold is not None
        if drawn:
            needed = "train_file"
        path = getattr(data, needed)
        if path is None or needed in self.settings:
            return
        if missing_file(path)[0] or path.startswith(("/dev/", "/proc/")):
            source = "its settings" if run.folder is None else run.folder / CONFIG
            raise DataError(
                f"{run.name}: expected the {self.split} data that the run was trained with, {path} "
                f"(from {source}), got no such file; put it back, or name the data by "
                f"`{_FILES[self.split]}`."
            )


def learned_from(trained: Mapping[str, DataConfig], test_file: str | None) -> list[str]:
    """Returns a sentence for each run that was trained on the file that it is tested on.

    Args:
        trained: The data settings of each run, by the name of the run.
        test_file: The file of the test data.
    """
    return [
        f"{test_file} is what {name} learned from: its figures say nothing about other texts."
        for name, data in trained.items()
        if same_files(data.train_file, test_file) or same_files(data.valid_file, test_file)
    ]
