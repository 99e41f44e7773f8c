"""Texts without labels, beside the labelled ones: streamed, as there may be very many."""

from __future__ import annotations

from collections.abc import Iterator

from textrnn.config import DataConfig
from textrnn.data.files import read_texts
from textrnn.data.tfds import TfdsSource
from textrnn.errors import ConfigError

__all__ = ["load_unlabelled"]


def load_unlabelled(config: DataConfig) -> Iterator[str]:
    """Reads the texts without labels that the settings name, in order; none if they name none.

    Those of the data set's split `unsupervised` come first, then those of `unlabelled_file`. Blank
    texts are left out.

    Raises:
        ConfigError: The data set is none of TFDS's.
        DataError: It has no such split, or the texts cannot be read.
    """
    if config.unlabelled:
        if config.train_file is not None or config.dataset in (None, "bbc_news"):
            raise ConfigError(
                "`unlabelled` needs a TFDS data set with a split `unsupervised`, such as imdb, got "
                f"{config.train_file or 'bbc_news'}; give own texts by `unlabelled_file`."
            )
        yield from filter(str.strip, TfdsSource(config).read_texts("unsupervised"))
    if config.unlabelled_file is not None:
        texts = read_texts(
            config.unlabelled_file, text_column=config.text_column, encoding=config.encoding
        )
        yield from filter(str.strip, texts)
