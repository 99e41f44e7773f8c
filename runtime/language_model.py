"""A trained language model that computes likelihoods without TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .batches import batches
from .blocks import blocks
from .errors import ConfigError
from .likelihood import Likelihood
from .network.architecture import LanguageArchitecture
from .network.language_network import LanguageNetwork
from .run_folder import NETWORK, TOKENIZER, read_language_model_files
from .surprise import Surprise, surprise_of
from .tensor_file import read_tensors
from .text.checks import as_text, as_texts
from .text.encoder import Encoder

__all__ = ["RuntimeLanguageModel", "load_language_model"]

BLOCK_TEXTS = 256
"""The number of texts that `score_stream` reads, sorts by length and answers together."""

BETWEEN = np.zeros(1, np.int64)
"""The token between two texts."""


@dataclass(frozen=True)
class RuntimeLanguageModel:
    """A trained language model that computes likelihoods without TensorFlow.

    A model never changes, and several threads may call it at the same time.

    Example:
        language_model = textrnn_runtime.load_language_model("runs/reviews_lm")
        (likelihood,) = language_model.score(["a fine film"])
        likelihood.bits_per_token

    Attributes:
        network: Maps ids to the probabilities of the next tokens.
        tokenizer: Maps texts to ids.
        digest: The digest of the model's file.
    """

    network: LanguageNetwork
    tokenizer: Encoder
    digest: str

    @classmethod
    def from_bytes(cls, network: bytes, tokenizer: bytes) -> RuntimeLanguageModel:
        """Makes a language model of the contents of its files.

        Args:
            network: The content of `runtime.safetensors`.
            tokenizer: The content of `tokenizer.model`.

        Raises:
            ModelError: One of them is the content of another file.
        """
        tensors, metadata = read_tensors(network)
        architecture = LanguageArchitecture.from_metadata(metadata)
        digest = hashlib.sha256(network).hexdigest()
        return cls(LanguageNetwork(tensors, architecture), Encoder(tokenizer), digest)

    @property
    def architecture(self) -> LanguageArchitecture:
        """The settings of the model."""
        return self.network.architecture

    @property
    def unusual_bits_per_token(self) -> float | None:
        """The bits per token that 1 % of the held-out texts exceed; None: not measured."""
        return self.architecture.unusual_bits_per_token

    def score(self, texts: Sequence[str], *, direction: int = 0) -> list[Likelihood]:
        """Returns the likelihood of each text.

        Args:
            texts: The texts.
            direction: 0 reads forwards; 1 reads from the end, if the model was trained to.

        Raises:
            TypeError: `texts` is no list of strings.
            ConfigError: The model has no such direction.
        """
        rows = as_texts(texts, call="score")
        if len(rows) == 1:  # The threads of a batch take longer to start.
            ids = [np.array(self.tokenizer.encode(rows[0]), np.int32)]
        else:
            ids = self.tokenizer.encode_batch(rows)
        scores = self.score_ids(ids, direction=direction)
        return [
            Likelihood(tuple(map(self.tokenizer.id_to_piece, row.tolist())), values)
            for row, values in zip(ids, scores, strict=True)
        ]

    def score_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Likelihood]]:
        """Yields each text with its likelihood, in order; the memory is constant."""
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.score(block), strict=True)

    def surprise(self, text: str) -> Surprise:
        """Returns how surprising each word of one text is, given the words before it.

        Args:
            text: The text.

        Raises:
            TypeError: `text` is no string.
        """
        (likelihood,) = self.score([as_text(text, call="surprise")])
        return surprise_of(
            likelihood,
            text,
            spans=self.tokenizer.spans(text),
            unusual_bits_per_token=self.unusual_bits_per_token,
        )

    def score_ids(self, texts: Sequence[np.ndarray], *, direction: int = 0) -> list[np.ndarray]:
        """Returns ln p `[T + 1]` of float32 of the ids of each text, in the order of the text.

        The last number is that of the end of the text; in direction 1 the first number is that of
        its beginning.

        Args:
            texts: The ids `[T]` of each text.
            direction: 0: each token given the tokens before it; 1: given the tokens after it.

        Raises:
            ConfigError: The model has no such direction.
        """
        if not 0 <= direction < self.architecture.directions:
            raise ConfigError(
                f"`direction` must be below {self.architecture.directions}, got {direction}."
            )
        order = slice(None, None, -1 if direction else 1)
        rows = [np.asarray(text, np.int64)[order] for text in texts]
        scores: list[np.ndarray] = [np.zeros(0, np.float32)] * len(rows)
        for places in batches(rows):
            found = self.network.token_scores(
                [np.concatenate([BETWEEN, rows[place]]) for place in places],
                [np.concatenate([rows[place], BETWEEN]) for place in places],
                direction=direction,
            )
            for place, values in zip(places, found, strict=True):
                scores[place] = values[order]
        return scores


def load_language_model(folder: str | Path) -> RuntimeLanguageModel:
    """Reads a trained language model from a run folder, without TensorFlow.

    The folder needs `runtime.safetensors`, `tokenizer.model` and `digests.json`; each file is
    compared with its digest. Nothing in it is executed.

    Args:
        folder: The folder that `textrnn pretrain` wrote, or a copy of these files.

    Raises:
        ModelError: The folder is missing, unfinished, changed, of another format version or kind,
            or without the file of the light runtime.
    """
    files = read_language_model_files(Path(folder))
    return RuntimeLanguageModel.from_bytes(files[NETWORK], files[TOKENIZER])
