"""Texts without labels: streamed, as there may be very many."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import separator
from textrnn.config.language_model import TextConfig
from textrnn.data.bbc_news import BundledSource
from textrnn.data.text_files import FileFormat, read_texts, stem
from textrnn.data.tfds import TfdsSource
from textrnn.errors import ConfigError

__all__ = ["UnlabelledTexts", "load_unlabelled", "text_format"]


def text_format(config: TextConfig) -> FileFormat:
    """How the settings of a language model say that a file is to be read."""
    return FileFormat(
        text_column=config.text_column,
        encoding=config.encoding,
        delimiter=None if config.delimiter is None else separator(config.delimiter),
    )


class UnlabelledTexts:
    """The texts that a language model may read, from first to last, any number of times.

    Of a data set these are the splits `train` and those that TFDS keeps for texts without labels
    (`unsupervised`), never validation or test texts. They are read from disk each time.

    Args:
        config: Where they come from.
        seed: Of what is drawn from them.

    Attributes:
        name: The data set's name, or the stem of the file.
        count: How many there are; None if that is known only at the end.

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
            bundled = BundledSource()
            self.name = bundled.name
            self._source = [str(record.text) for record in bundled.read("train") or ()]
            self.count = len(self._source)
        else:
            keys = ("dataset", "data_dir", "text_key", "label_key")
            own = ClassifierRunConfig.of(**{key: getattr(config, key) for key in keys})
            source = TfdsSource(own, labelled=False)
            self.name, self._source = source.name, source
            self.count = sum(source.sizes()[split] for split in self._splits())

    def __iter__(self) -> Iterator[str]:
        if isinstance(self._source, list):
            yield from self._source
        elif self._source is not None:
            for split in self._splits():
                yield from self._source.read_texts(split)
        else:
            yield from read_texts(str(self._config.text_file), text_format(self._config))

    def _splits(self) -> list[str]:
        sizes = self._source.sizes() if isinstance(self._source, TfdsSource) else {}
        return [split for split in sizes if split == "train" or split.startswith("unsup")]

    def sample(self, chars: int) -> list[str]:
        """Some of the texts, drawn at random, of about so many characters.

        Each text has a random key, and those with the smallest keys stay, so that they are all that
        is held in memory.
        """
        import numpy as np

        rng = np.random.default_rng([self._seed, len("sample")])
        kept: list[tuple[float, int, str]] = []  # The largest key first.
        held = 0
        for place, text in enumerate(self):
            heapq.heappush(kept, (-rng.random(), place, text))
            held += len(text)
            while held - len(kept[0][2]) >= chars:
                held -= len(heapq.heappop(kept)[2])
        return [text for _, _, text in sorted(kept, key=lambda item: item[1])]


def load_unlabelled(config: ClassifierRunConfig) -> Iterator[str]:
    """Reads the texts without labels that the settings name, in order; none if they name none.

    Those of the data set's split `unsupervised` come first, then those of `unlabelled_file`. Blank
    texts are left out.

    Raises:
        ConfigError: The data set is none of TFDS's.
        DataError: It has no such split, or the texts cannot be read.
    """
    if config.data.unlabelled:
        if config.data.train_file is not None or config.data.dataset in (None, "bbc_news"):
            raise ConfigError(
                "`unlabelled` needs a TFDS data set with a split `unsupervised`, such as imdb, got "
                f"{config.data.train_file or 'bbc_news'}; give own texts by `unlabelled_file`."
            )
        yield from filter(str.strip, TfdsSource(config).read_texts("unsupervised"))
    if config.data.unlabelled_file is not None:
        texts = read_texts(config.data.unlabelled_file, FileFormat.of(config))
        yield from filter(str.strip, texts)
