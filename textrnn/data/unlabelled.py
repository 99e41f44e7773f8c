"""Texts without labels, which are streamed because there may be very many."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import join_text, separator
from textrnn.config.language_model import TextConfig
from textrnn.data.bbc_news import BbcNewsSource
from textrnn.data.file_format import FileFormat
from textrnn.data.paths import stem
from textrnn.data.text_files import read_texts
from textrnn.data.tfds import TfdsSource
from textrnn.errors import ConfigError

__all__ = ["UnlabelledTexts", "load_unlabelled", "text_format"]


def text_format(config: TextConfig) -> FileFormat:
    """Returns the file format that the settings of a language model describe."""
    return FileFormat(
        text_column=config.text_column,
        encoding=config.encoding,
        delimiter=None if config.delimiter is None else separator(config.delimiter),
        text_join=join_text(config.text_join),
    )


class UnlabelledTexts:
    """The texts that a language model is trained on; they can be iterated over repeatedly.

    In a data set these are the split `train` and the splits that TFDS has for texts without labels
    (`unsupervised`), and in a folder of splits they are the split `train`; they are never
    validation or test texts. Each iteration reads a file or a TFDS data set from disk.

    Args:
        config: The settings of the texts.
        seed: The seed of the random sample.

    Attributes:
        name: The name of the data set, or the stem of the file.
        count: The number of texts; None for a file, which must be read to know it.

    Raises:
        DataError: The data cannot be read.
        ConfigError: The settings do not fit the data set.
    """

    def __init__(self, config: TextConfig, *, seed: int) -> None:
        self._config, self._seed = config, seed
        self.count: int | None = None
        self._source: TfdsSource | list[str] | None = None
        if config.text_file is not None:
            self.name = stem(config.text_file)
        elif config.dataset in (None, "bbc_news"):
            bbc_news = BbcNewsSource()
            self.name = bbc_news.name
            self._source = [str(row.text) for row in bbc_news.read("train") or ()]
            self.count = len(self._source)
        else:
            keys = ("dataset", "data_dir", "text_key", "label_key")
            data = ClassifierRunConfig.of(**{key: getattr(config, key) for key in keys})
            source = TfdsSource(data, labelled=False)
            self.name, self._source = source.name, source
            self.count = sum(source.sizes()[split] for split in self._splits())

    def __iter__(self) -> Iterator[str]:
        if isinstance(self._source, list):
            yield from self._source
        elif self._source is not None:
            for split in self._splits():
                yield from self._source.read_texts(split)
        else:
            form = text_format(self._config)
            yield from read_texts(str(self._config.text_file), form, split="train")

    def _splits(self) -> list[str]:
        sizes = self._source.sizes() if isinstance(self._source, TfdsSource) else {}
        return [split for split in sizes if split == "train" or split.startswith("unsup")]

    def sample(self, chars: int) -> list[str]:
        """Draws a random sample of the texts with `chars` characters or slightly more.

        Each text gets a random key, and the texts with the smallest keys are the sample. Memory
        holds no texts other than these.
        """
        import numpy as np

        rng = np.random.default_rng([self._seed, len("sample")])
        sample: list[tuple[float, int, str]] = []  # A heap with the largest key first.
        total = 0
        for place, text in enumerate(self):
            heapq.heappush(sample, (-rng.random(), place, text))
            total += len(text)
            while total - len(sample[0][2]) >= chars:
                total -= len(heapq.heappop(sample)[2])
        return [text for _, _, text in sorted(sample, key=lambda item: item[1])]


def load_unlabelled(config: ClassifierRunConfig) -> Iterator[str]:
    """Reads the texts without labels that the settings of a classifier name, in order.

    The texts of the data set's split `unsupervised` come first, then those of `unlabelled_file`.
    Blank texts are left out. Without these settings, there are no texts.

    Args:
        config: The settings of the data.

    Raises:
        ConfigError: The data set is not a TFDS data set.
        DataError: The data set has no such split, or the texts cannot be read.
    """
    if config.data.unlabelled:
        if config.data.train_file is not None or config.data.dataset in (None, "bbc_news"):
            raise ConfigError(
                "`unlabelled` needs a TFDS data set with a split `unsupervised`, such as imdb, got "
                f"{config.data.train_file or 'bbc_news'}; name a file of texts by "
                "`unlabelled_file`."
            )
        yield from filter(str.strip, TfdsSource(config).read_texts("unsupervised"))
    if config.data.unlabelled_file is not None:
        form = FileFormat.of(config)
        texts = read_texts(config.data.unlabelled_file, form, split="train")
        yield from filter(str.strip, texts)
