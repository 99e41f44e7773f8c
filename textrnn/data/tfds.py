"""Reads data sets of TensorFlow Datasets (TFDS)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.rows import Row
from textrnn.data.tfds_features import element, features_of, find_label_key, find_text_key, is_list
from textrnn.data.tfds_preparation import ALIASES, error_line, prepared_builder
from textrnn.errors import DataError

__all__ = ["TfdsSource"]

_BATCH = 1024


class TfdsSource:
    """A TFDS data set with a text feature and a label feature.

    Args:
        config: Names the data set (`imdb`, or TFDS's name and config), its folder and features.
        labelled: Whether the data set must have labels; without, call only `sizes` and
            `read_texts`.

    Attributes:
        name: The name of the data set.
        label_order: The names of the classes; None if the labels are numbers or strings.
        notices: One sentence for each split that is left out.

    Raises:
        DataError: The data set is unknown, or neither prepared nor downloadable.
        ConfigError: It is unclear which feature is the text or the label.
    """

    def __init__(self, config: ClassifierRunConfig, *, labelled: bool = True) -> None:
        dataset = config.data.dataset or ""
        full_name = ALIASES.get(dataset, dataset)
        self.name = re.sub(r"\W+", "_", full_name)
        if dataset in ALIASES:
            self.name = full_name.partition("/")[0]
        self.notices: list[str] = []
        self._builder = prepared_builder(full_name, config.data.data_dir)
        self._multi_label = config.task.multi_label
        features = features_of(self._builder)
        self.label_order: Sequence[str] | None = None
        if labelled:
            self._label_key = find_label_key(features, config, dataset=dataset)
            self.label_order = getattr(element(features[self._label_key]), "names", None)
        else:
            self._label_key = config.data.label_key or "label"
        self._text_key = find_text_key(features, config, dataset=dataset, label_key=self._label_key)

    def read(self, which: str) -> list[Row] | None:
        """Returns the rows of a split; None if it is missing or has no labels (-1 in TFDS)."""
        if which not in self._builder.info.splits:
            return None
        rows: list[Row] = []
        unlabelled = 0
        for text, label in self._examples(which):
            rows.append(self._row(text, label, f"{self.name} {which}, text {len(rows) + 1}"))
            unlabelled += label == -1
        if rows and unlabelled == len(rows):
            self.notices.append(
                f"{self.name}: the split {which} ({unlabelled} texts) left out, because it has no "
                "labels."
            )
            return None
        return rows

    def sizes(self) -> dict[str, int]:
        """Returns the number of rows of each split."""
        return {name: int(split.num_examples) for name, split in self._builder.info.splits.items()}

    def read_texts(self, which: str) -> Iterator[str]:
        """Reads the texts of a split one by one.

        Raises:
            DataError: The split is missing or cannot be read.
        """
        splits = list(self._builder.info.splits)
        if which not in splits:
            raise DataError(
                f"{self.name}: expected a split {which!r}, got {', '.join(splits)}; name a "
                "file of texts without labels by `unlabelled_file`."
            )
        batches = self._batches(which, [self._text_key], batch_size=_BATCH)
        texts = (text for batch in batches for text in batch[self._text_key].tolist())
        for number, text in enumerate(texts, start=1):
            try:
                yield text.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.name} {which}, text {number}: expected UTF-8 text, got: {error}; "
                    "prepare it again."
                ) from None

    def _examples(self, which: str) -> Iterator[tuple[bytes, Any]]:
        """Yields each text and its label as TFDS stores them."""
        keys = (self._text_key, self._label_key)
        label_lists = is_list(features_of(self._builder)[self._label_key])
        # TFDS would pad lists of labels with 0, which is a label.
        for batch in self._batches(which, keys, batch_size=None if label_lists else _BATCH):
            texts, labels = (batch[key] for key in keys)
            as_list = labels.to_list if hasattr(labels, "to_list") else labels.tolist
            yield from zip(texts.tolist(), as_list(), strict=True)

    def _batches(
        self, which: str, keys: Sequence[str], *, batch_size: int | None
    ) -> Iterator[dict[str, Any]]:
        """Yields batches of some features; this is seven times as fast as reading single rows.

        Args:
            which: The split.
            keys: The features.
            batch_size: The batch size of TFDS, which pads lists; None does not pad them.
        """
        import tensorflow as tf
        import tensorflow_datasets as tfds

        try:
            rows = self._builder.as_dataset(
                split=which,
                batch_size=batch_size,
                decoders=tfds.decode.PartialDecoding(dict.fromkeys(keys, True)),
                read_config=tfds.ReadConfig(try_autocache=False),
            )
            if batch_size is None:
                rows = rows.ragged_batch(_BATCH)
            yield from tfds.as_numpy(rows)
        except tf.errors.OpError as error:
            path = _damaged_file(self._builder.info.splits[which].filepaths)
            raise DataError(
                f"{path}: expected readable TFRecords, got: {error_line(error)}; delete the "
                "data set's folder and prepare it again."
            ) from error

    def _row(self, text: bytes, label: Any, origin: str) -> Row:
        values = label if isinstance(label, list) else [label]
        if self.label_order is not None and -1 in values:
            problem = "expected a label, got -1, which means no label; use other data"
            return Row(origin, problem=problem)
        # The name of a class may contain the separator of labels.
        as_list = isinstance(label, list) or (self._multi_label and self.label_order is not None)
        try:
            names = [self._label_name(value) for value in values]
            return Row(origin, text.decode("utf-8"), names if as_list else names[0])
        except UnicodeDecodeError as error:
            return Row(origin, problem=f"expected UTF-8 text, got: {error}; prepare it again")

    def _label_name(self, value: bytes | int) -> str | int:
        if isinstance(value, bytes):
            return value.decode("utf-8")
        return value if self.label_order is None else self.label_order[value]


def _damaged_file(paths: Sequence[Any]) -> str:
    """Returns the first file that cannot be read, or all of them if each one can."""
    import tensorflow as tf

    for path in paths:
        try:
            for _ in tf.data.TFRecordDataset(str(path)):
                pass
        except tf.errors.OpError:
            return str(path)
    return ", ".join(map(str, paths))
