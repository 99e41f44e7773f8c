"""The training of a classifier on texts in memory, in one call."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import IN_MEMORY, join_text
from textrnn.data.in_memory import Columns, InMemorySource, is_table, labelled_rows, table_rows
from textrnn.data.rows import Row
from textrnn.errors import ConfigError, DataError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.notebook import reporter_for_people
from textrnn.progress import Reporter, Silent
from textrnn.training.run.classifier import train
from textrnn.training.run.transfer import adopt_shape, with_run

__all__ = ["fit"]

_SOURCES = ("dataset", "data_dir", "text_key", "label_key", "train_file")
"""The settings that name another source than the texts in memory."""


def fit(
    texts: Any,
    labels: Any = None,
    *,
    text: str | Sequence[str] | None = None,
    label: str | Sequence[str] | None = None,
    validation: Any = None,
    config: ClassifierRunConfig | None = None,
    output: str | Path | None = None,
    keep_data: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    verbose: bool = True,
    reporter: Reporter | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> TrainedClassifier:
    """Trains a classifier on texts in memory.

    Example:
        model = textrnn.fit(["a fine film", "dull", ...], ["pos", "neg", ...])
        model.predict(["great"])
        model.save("runs/films")

        model = textrnn.fit(table, text="review", label="stars", epochs=3, units=64)

    Args:
        texts: A list, an array or a column of strings; or a table (pandas, polars, pyarrow, or a
            dictionary of columns) that has the labels too.
        labels: As many labels: strings, integers or booleans; with `multi_label=True` lists of
            them. None if `texts` is a table.
        text: The column of a table with the texts, or several, whose texts are joined by the
            setting `text_join`; None: the setting `text_column`.
        label: The column of a table with the labels, or several columns of 0 and 1, one per
            label; None: the setting `label_column`.
        validation: The texts that choose the epoch: `(texts, labels)`, a table with the same
            columns, or the share of the texts that is held out; None: a tenth.
        config: All settings; None: the defaults.
        output: The run folder; None: a temporary folder that is deleted with the classifier.
        keep_data: Whether the run folder keeps the texts, so that `evaluate` and `report` can
            measure the run on its own texts.
        resume: Whether to continue the unfinished run in `output`, with the same texts and
            settings.
        overwrite: Whether a run in the folder may be replaced.
        verbose: Whether to show messages and progress: a bar in a notebook and in a terminal.
        reporter: Receives messages and progress in place of that.
        should_stop: Called at each update; True saves a checkpoint and raises KeyboardInterrupt.
        **settings: Single settings that replace those of `config`, such as `epochs`. `init_from`,
            a run folder or a classifier, continues the training of that classifier on these texts.

    Returns:
        The classifier; its `metrics` are those of the validation texts.

    Raises:
        DataError: A text or label is missing or wrong, or there are too few. The message says the
            position.
        ConfigError: A setting is unknown or wrong, or the folder is in use.
    """
    config = _config(config, settings)
    texts_of = _Reader(config, text, label)
    try:
        splits = {"train": texts_of.rows(texts, labels, name="texts")}
        share, rows = texts_of.validation(validation, table=labels is None)
        config = texts_of.config.replace(dataset=IN_MEMORY, **share)
        if rows is not None:
            splits["validation"] = rows
        folder = Path(output) if output is not None else Path(tempfile.mkdtemp(prefix="textrnn-"))
        if reporter is None:
            reporter = reporter_for_people() if verbose else Silent()
        try:
            trained = train(
                config,
                folder,
                reporter=reporter,
                resume=resume,
                overwrite=overwrite,
                should_stop=should_stop,
                source=InMemorySource(splits),
                keep_data=keep_data,
            )
        except BaseException:
            if output is None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    except DataError as error:
        raise DataError(str(error).replace("`valid_file`", "`validation`")) from None
    if trained is None:
        raise ConfigError("`fit` trains in one process; unset TF_CONFIG, or use `train`.")
    if output is None:
        weakref.finalize(trained, shutil.rmtree, folder, ignore_errors=True)
    return trained


def _config(config: ClassifierRunConfig | None, settings: dict[str, Any]) -> ClassifierRunConfig:
    """Returns all settings.

    Raises:
        ConfigError: A setting is unknown or wrong, or names another source of texts.
    """
    named = [name for name in _SOURCES if name in settings]
    if named:
        raise ConfigError(
            f"expected texts in memory alone, got `{named[0]}` too; use textrnn.train for files "
            "and data sets."
        )
    if config is not None and not isinstance(config, ClassifierRunConfig):
        raise ConfigError(f"`config` must be a ClassifierRunConfig, got {config!r}.")
    config = (config or ClassifierRunConfig()).replace(**dict.fromkeys(_SOURCES))
    # The files of a config belong to its training file.
    config = config.replace(dataset=IN_MEMORY, valid_file=None, test_file=None)
    return adopt_shape(config.replace(**with_run(settings)), given=settings)


class _Reader:
    """Reads the texts of one call of `fit`; `config` gets the names of the columns."""

    def __init__(
        self,
        config: ClassifierRunConfig,
        text: str | Sequence[str] | None,
        label: str | Sequence[str] | None,
    ) -> None:
        self._names_given = text is not None or label is not None
        changes: dict[str, Any] = {}
        if text is not None:
            changes["text_column"] = text if isinstance(text, str) else ",".join(text)
        if isinstance(label, str):
            changes["label_column"] = label
        elif label is not None:
            changes.update(label_columns=",".join(label), multi_label=True)
        self.config = config.replace(**changes)
        data, task = self.config.data, self.config.task
        stated = task.label_columns.split(",") if task.label_columns else data.label_column
        join = join_text(data.text_join)
        self._columns = Columns(text or data.text_column, label or stated, join=join)
        self._divided = tuple(filter(None, (data.group_column, data.time_column)))

    def rows(self, texts: Any, labels: Any, *, name: str) -> list[Row]:
        """Returns the rows of a table, or of texts and labels.

        Raises:
            ConfigError: The labels are missing, or given twice.
            DataError: The texts or labels are wrong.
        """
        if labels is not None:
            if self._names_given:
                raise ConfigError(
                    "`text` and `label` name the columns of a table, got `labels` too; pass the "
                    "table alone, or leave the names out."
                )
            return labelled_rows(texts, labels, name=name)
        if not is_table(texts):
            raise ConfigError(
                f"expected `labels` beside the {name}, got none; pass them, or a table with the "
                "names of its columns as `text` and `label`."
            )
        others = self._divided if name == "texts" else ()
        return table_rows(texts, dataclasses.replace(self._columns, others=others), name=name)

    def validation(
        self, validation: Any, *, table: bool
    ) -> tuple[dict[str, float], list[Row] | None]:
        """Returns the settings that the argument `validation` of `fit` means, and its rows.

        Args:
            validation: The argument.
            table: Whether the training texts are a table.

        Raises:
            ConfigError: It is none of the forms.
        """
        if validation is None:
            return {}, None
        if self.config.data.valid_file is not None:
            raise ConfigError("give either `validation` or `valid_file`, not both.")
        if isinstance(validation, int | float) and not isinstance(validation, bool):
            return {"valid_fraction": float(validation)}, None
        if table and is_table(validation):
            return {}, self.rows(validation, None, name="validation")
        if isinstance(validation, tuple | list) and len(validation) == 2 and not table:
            return {}, self.rows(*validation, name="validation")
        form = "a table" if table else "(texts, labels)"
        raise ConfigError(
            f"`validation` must be {form} or the share of the texts that is held out, got a "
            f"{type(validation).__name__}."
        )
