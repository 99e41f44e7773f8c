"""The shape of a network, as its file describes it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ModelError

__all__ = ["Architecture"]

_KEY = "architecture"


@dataclass(frozen=True)
class Architecture:
    """The settings of a trained model that its computation depends on.

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
        head: `last`, `mean`, `max` or `attention`.
        ngram_once_in: W, the number of tokens within which a repeated n-gram counts once; None:
            there are no n-grams.
        max_length: The number of tokens after which a text is cut off if the model needs the whole
            text at once; 0: no limit.
        multi_label: Whether a text may carry any number of labels.
        label_separator: The separator of several labels in a line of output.
    """

    cell: str
    layers: int
    bidirectional: bool
    separate_directions: bool
    window: int
    residual: bool
    layer_norm: bool
    pyramid: bool
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
        return {"format": "textrnn runtime 1", _KEY: json.dumps(dataclasses.asdict(self))}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Architecture:
        """Returns the architecture that the metadata of a file describes.

        Raises:
            ModelError: The metadata are those of another file, or of another version.
        """
        try:
            if metadata["format"] != "textrnn runtime 1":
                raise ModelError(
                    f"expected the format textrnn runtime 1, got {metadata['format']!r}; use the "
                    "version of the runtime that belongs to the textrnn that wrote the file."
                )
            return cls(**json.loads(metadata[_KEY]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"expected a file of the runtime, got one without its settings ({error}); write "
                "it again."
            ) from None
