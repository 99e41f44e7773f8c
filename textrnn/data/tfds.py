"""Data sets of TensorFlow Datasets (TFDS): found, prepared where possible, and read."""

from __future__ import annotations

import difflib
import re
import socket
import sys
import urllib.request
from collections.abc import Collection, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.rows import Record
from textrnn.errors import ConfigError, DataError

__all__ = ["TfdsSource"]

_ALIASES = {"imdb": "imdb_reviews/plain_text"}
_OWN_NAMES = ("bbc_news", *_ALIASES)
_OWN_FILES = "own files (--train-file; to pretrain, --text-file)"
_WAYS_OUT = (
    f"prepare it on a machine with network and pass --data-dir, use {_OWN_FILES}, or --dataset "
    "bbc_news, which needs no download"
)
_BATCH = 1024
_PROBE_SECONDS = 5.0


class TfdsSource:
    """One TFDS data set with a text and a label feature.

    Args:
        config: Names the data set (`imdb`, or TFDS's own name and config), its folder and features.
        labelled: Whether it must have labels; if not, there are only `sizes` and `read_texts`.

    Raises:
        DataError: The data set is unknown, or neither prepared nor to be had.
        ConfigError: It is not clear which feature is the text or the label.
    """

    def __init__(self, config: ClassifierRunConfig, *, labelled: bool = True) -> None:
        dataset = config.data.dataset or ""
        self.name = re.sub(r"\W+", "_", _ALIASES.get(dataset, dataset))
        if dataset in _ALIASES:
            self.name = _ALIASES[dataset].partition("/")[0]
        self.notices: list[str] = []
        self._builder = _prepared(_ALIASES.get(dataset, dataset), config.data.data_dir)
        self._multi_label = config.task.multi_label
        features = _features(self._builder)
        self.label_order: Sequence[str] | None = None
        if labelled:
            self._label_key = _label_key(features, config, dataset)
            self.label_order = getattr(_element(features[self._label_key]), "names", None)
        else:
            self._label_key = config.data.label_key or "label"
        self._text_key = _text_key(features, config, dataset, other_than=self._label_key)

    def read(self, which: str) -> list[Record] | None:
        """The rows of a split; None if there is none, or if it has no labels (-1 in TFDS)."""
        if which not in self._builder.info.splits:
            return None
        records: list[Record] = []
        unlabelled = 0
        for text, label in self._rows(which):
            record = self._record(text, label, f"{self.name} {which}, text {len(records) + 1}")
            unlabelled += label == -1
            records.append(record)
        if records and unlabelled == len(records):
            self.notices.append(
                f"{self.name}: the split {which} ({unlabelled} texts) left out, having no labels."
            )
            return None
        return records

    def sizes(self) -> dict[str, int]:
        """How many rows each split has."""
        return {name: int(split.num_examples) for name, split in self._builder.info.splits.items()}

    def read_texts(self, which: str) -> Iterator[str]:
        """The texts of a split, one by one.

        Raises:
            DataError: There is no such split, or it cannot be read.
        """
        splits = list(self._builder.info.splits)
        if which not in splits:
            raise DataError(
                f"{self.name}: expected a split {which!r}, got {', '.join(splits)}; give texts "
                "without labels with --unlabelled-file."
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

    def _rows(self, which: str) -> Iterator[tuple[bytes, Any]]:
        import tensorflow_datasets as tfds

        keys = (self._text_key, self._label_key)
        several = isinstance(_features(self._builder)[self._label_key], tfds.features.Sequence)
        # Batches of TFDS pad label lists with 0, which is a label.
        for batch in self._batches(which, keys, batch_size=None if several else _BATCH):
            texts, labels = (batch[key] for key in keys)
            as_list = labels.to_list if hasattr(labels, "to_list") else labels.tolist
            yield from zip(texts.tolist(), as_list(), strict=True)

    def _batches(
        self, which: str, keys: Sequence[str], *, batch_size: int | None
    ) -> Iterator[dict[str, Any]]:
        """Some features of a split's rows, in batches: seven times as fast as single ones.

        Args:
            which: The split.
            keys: The features.
            batch_size: For TFDS, which pads lists; None: of lists as long as they are.
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
                f"{path}: expected readable TFRecords, got: {_one_line(error)}; delete the "
                "data set's folder and prepare it again."
            ) from error

    def _record(self, text: bytes, label: Any, origin: str) -> Record:
        values = label if isinstance(label, list) else [label]
        if self.label_order is not None and -1 in values:
            return Record(origin, problem="expected a label, got -1, which is none; use other data")
        # The name of a class may hold the separator of labels.
        as_list = isinstance(label, list) or (self._multi_label and self.label_order is not None)
        try:
            names = [self._label_name(value) for value in values]
            return Record(origin, text.decode("utf-8"), names if as_list else names[0])
        except UnicodeDecodeError as error:
            return Record(origin, problem=f"expected UTF-8 text, got: {error}; prepare it again")

    def _label_name(self, value: bytes | int) -> str | int:
        if isinstance(value, bytes):
            return value.decode("utf-8")
        return value if self.label_order is None else self.label_order[value]


def _prepared(dataset: str, data_dir: str | None) -> Any:
    import tensorflow_datasets as tfds

    folder = None if data_dir is None else str(Path(data_dir).expanduser())
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    # TFDS prints to stdout, which is for results.
    with redirect_stdout(sys.stderr):
        try:
            builder = tfds.builder(dataset, data_dir=folder, try_gcs=False)
        except tfds.core.DatasetNotFoundError:
            names = [*_OWN_NAMES, *tfds.list_builders(with_community_datasets=False)]
            matches = difflib.get_close_matches(dataset.partition("/")[0], dict.fromkeys(names))
            close = ", ".join(matches) or "nothing"
            raise DataError(
                f"data set {dataset}: expected a name that TFDS knows, got none such (close: "
                f"{close}); see "
                f"https://www.tensorflow.org/datasets/catalog, or use {_OWN_FILES}."
            ) from None
        except Exception as error:  # Each data set's code fails in its own way.
            configs = ""
            if "BuilderConfig" in str(error):
                known = tfds.builder_cls(dataset.partition("/")[0]).builder_configs
                configs = f" (configs: {', '.join(list(known)[:20])})"
            raise DataError(
                f"data set {dataset!r}: expected NAME or NAME/CONFIG of a TFDS data set, got: "
                f"{_one_line(error)}{configs}; correct --dataset or --data-dir."
            ) from error
        if not builder.data_path.exists():
            _download(builder, dataset)
    return builder


def _download(builder: Any, dataset: str) -> None:
    where = f"data set {dataset}: expected it prepared in {builder.data_path}"
    # TFDS itself gives up after 200 s.
    if not _any_reachable(builder.url_infos or ()):
        raise DataError(f"{where}, got nothing there and no network to fetch it; {_WAYS_OUT}.")
    try:
        builder.download_and_prepare()
    except Exception as error:  # Each data set's code fails in its own way.
        raise DataError(
            f"{where}, got nothing there and no download: {_one_line(error)}; {_WAYS_OUT}."
        ) from error


def _any_reachable(urls: Collection[str]) -> bool:
    """Whether a host answers that the data set comes from; True where that cannot be told."""
    if urllib.request.getproxies():
        return True
    addresses = dict.fromkeys(
        (url.hostname, url.port or {"http": 80, "ftp": 21}.get(url.scheme, 443))
        for url in map(urlsplit, urls)
        if url.scheme in ("http", "https", "ftp")
    )
    for address in list(addresses)[:3]:
        try:
            socket.create_connection(address, timeout=_PROBE_SECONDS).close()
            return True
        except OSError:
            continue
    return not addresses


def _features(builder: Any) -> Any:
    import tensorflow_datasets as tfds

    features = builder.info.features
    return features if isinstance(features, tfds.features.FeaturesDict) else {}


def _element(feature: Any) -> Any:
    """A list's element, or the feature itself."""
    import tensorflow_datasets as tfds

    return feature.feature if isinstance(feature, tfds.features.Sequence) else feature


def _is_scalar(feature: Any, kinds: str) -> bool:
    """Whether the feature is one value of these NumPy kinds (O is a string)."""
    import numpy as np
    import tensorflow_datasets as tfds

    return (
        isinstance(feature, tfds.features.Tensor)
        and feature.shape == ()
        and np.dtype(feature.np_dtype).kind in kinds
    )


def _label_key(features: Any, config: ClassifierRunConfig, dataset: str) -> str:
    import tensorflow_datasets as tfds

    usable = [key for key in features if _is_scalar(_element(features[key]), "Oiub")]
    likely = [
        key for key in usable if isinstance(_element(features[key]), tfds.features.ClassLabel)
    ] or [key for key in usable if key in ("label", "labels")]
    key = _choose("label", config.data.label_key, usable, likely, features, dataset)
    if isinstance(features[key], tfds.features.Sequence) and not config.task.multi_label:
        raise ConfigError(
            f"data set {dataset}: the feature {key!r} holds any number of labels, expected one; "
            "pass --multi-label."
        )
    return key


def _text_key(features: Any, config: ClassifierRunConfig, dataset: str, *, other_than: str) -> str:
    import tensorflow_datasets as tfds

    usable = [key for key in features if key != other_than and _is_scalar(features[key], "O")]
    likely = [key for key in usable if isinstance(features[key], tfds.features.Text)] or usable
    return _choose("text", config.data.text_key, usable, likely, features, dataset)


def _choose(
    role: str,
    wanted: str | None,
    usable: Sequence[str],
    likely: Sequence[str],
    features: Any,
    dataset: str,
) -> str:
    if wanted is None and len(likely) == 1:
        return likely[0]
    if wanted is not None and wanted in usable:
        return wanted
    choices = usable if wanted is not None or not likely else likely
    raise ConfigError(
        f"data set {dataset}: expected one feature that can be the {role}, got "
        f"{wanted or ', '.join(likely) or 'none'}; "
        + (
            f"pass --{role}-key with one of {', '.join(choices)}."
            if choices
            else f"its features are {', '.join(features) or 'none'}; use another data set."
        )
    )


def _damaged_file(paths: Sequence[Any]) -> str:
    import tensorflow as tf

    for path in paths:
        try:
            for _ in tf.data.TFRecordDataset(str(path)):
                pass
        except tf.errors.OpError:
            return str(path)
    return ", ".join(map(str, paths))


def _one_line(error: Exception) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    return (line if len(line) <= 200 else line[:197] + "...").rstrip(".;: ")
