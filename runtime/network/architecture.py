"""The shapes of networks, as their files describe them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ..errors import ModelError

__all__ = ["Architecture", "LanguageArchitecture", "StackArchitecture"]

A = TypeVar("A")

_KEY = "architecture"
_CLASSIFIER, _LANGUAGE_MODEL = "textrnn runtime 1", "textrnn language model 1"
"""The values of `format` in the metadata of the two kinds of files."""


@dataclass(frozen=True)
class StackArchitecture:
    """The settings of a stack of recurrent layers that its computation depends on.

    `textrnn.config.model.ModelConfig` explains each of them.

    Attributes:
        cell: `simple`, `gru`, `lstm`, `mingru`, `minlstm`, or `none` for a bag of embeddings.
        layers: The number of recurrent layers.
        bidirectional: Whether each layer reads in both directions.
        separate_directions: Whether the directions are two stacks that do not see each other.
        window: The number of inputs that a step sees.
        residual: Whether a layer's input is added to its output where their sizes agree.
        layer_norm: Whether the output of each layer is normalised.
        pyramid: Whether pairs of neighbouring states are joined between layers.
    """

    cell: str
    layers: int
    bidirectional: bool
    separate_directions: bool
    window: int
    residual: bool
    layer_norm: bool
    pyramid: bool


@dataclass(frozen=True)
class Architecture(StackArchitecture):
    """The settings of a trained classifier that its computation depends on.

    Attributes:
        head: `last`, `mean`, `max` or `attention`.
        ngram_once_in: W, the number of tokens within which a repeated n-gram counts once; None:
            there are no n-grams.
        max_length: The number of tokens after which a text is cut off if the model needs the whole
            text at once; 0: no limit.
        multi_label: Whether a text may carry any number of labels.
        label_separator: The separator of several labels in a line of output.
    """

    head: str
    ngram_once_in: int | None
    max_length: int
    multi_label: bool
    label_separator: str

    @property
    def forwards(self) -> bool:
        """Whether the model can read a text in pieces: it reads forwards only, or is a bag."""
        return self.cell == "none" or not (self.bidirectional or self.pyramid)

    @property
    def cut_at(self) -> int:
        """The number of tokens after which a text is cut off; 0: never."""
        return self.max_length if self.bidirectional or self.pyramid else 0

    def to_metadata(self) -> dict[str, str]:
        """Returns the metadata of a file of arrays, for `from_metadata`."""
        return {"format": _CLASSIFIER, _KEY: json.dumps(dataclasses.asdict(self))}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Architecture:
        """Returns the architecture that the metadata of a file describes.

        Raises:
            ModelError: The metadata are those of another file, or of another version.
        """
        return _described(cls, metadata, expected=_CLASSIFIER)


@dataclass(frozen=True)
class LanguageArchitecture:
    """The settings of a trained language model that its computation depends on.

    `textrnn.config.model.EncoderConfig` explains each of them.

    Attributes:
        cell: `simple`, `gru`, `lstm`, `mingru` or `minlstm`.
        layers: The number of recurrent layers of each direction.
        directions: 1: the model reads forwards; 2: a second stack reads backwards.
        window: The number of inputs that a step sees.
        residual: Whether a layer's input is added to its output where their sizes agree.
        unusual_bits_per_token: The bits per token that 1 % of the texts that were held out of the
            training exceed; None: they were not measured.
    """

    cell: str
    layers: int
    directions: int
    window: int
    residual: bool
    unusual_bits_per_token: float | None

    @property
    def stack(self) -> StackArchitecture:
        """The settings of the stack of one direction."""
        return StackArchitecture(
            cell=self.cell,
            layers=self.layers,
            bidirectional=False,
            separate_directions=False,
            window=self.window,
            residual=self.residual,
            layer_norm=False,
            pyramid=False,
        )

    def to_metadata(self) -> dict[str, str]:
        """Returns the metadata of a file of arrays, for `from_metadata`."""
        return {"format": _LANGUAGE_MODEL, _KEY: json.dumps(dataclasses.asdict(self))}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> LanguageArchitecture:
        """Returns the architecture that the metadata of a file describes.

        Raises:
            ModelError: The metadata are those of another file, or of another version.
        """
        return _described(cls, metadata, expected=_LANGUAGE_MODEL)


def _described(kind: type[A], metadata: Mapping[str, str], *, expected: str) -> A:
    """Returns the settings in the metadata of a file of the expected format."""
    try:
        if metadata["format"] != expected:
            raise ModelError(
                f"expected the format {expected}, got {metadata['format']!r}; use the version of "
                "the runtime that belongs to the textrnn that wrote the file."
            )
        return kind(**json.loads(metadata[_KEY]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"expected a file of the runtime, got one without its settings ({error}); write it "
            "again."
        ) from None
