"""The reference of an export: texts, and the classifier's own answers to them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from textrnn.inference.classifier import LONG_TOKENS, TrainedClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.text.cuts import LONG_TEXT

__all__ = ["LONGEST_PIECEWISE", "LONGEST_WHOLE", "Reference", "hard_texts"]

MEGABYTE = 1_000_000

SEVERAL_PARTS = LONG_TEXT * 3 // 2
"""Characters of a text that is encoded in several parts but short enough to be read whole."""

LONGEST_WHOLE = LONG_TOKENS
"""Tokens of a text that a model reads at once: memory grows with them, about 10 KB per token."""

LONGEST_PIECEWISE = 2048
"""Tokens of a text that a file for small machines is verified with."""


class Reference:
    """Texts with the classifier's answers.

    Args:
        classifier: The trained classifier.
        texts: Real texts, of the kind that the model is for.
        targets: The place of each text's label, -1 for a text without one.

    Attributes:
        texts: The real texts, followed by the hard ones, as bytes.
        targets: The place `[N]` of each text's label, -1 for a text without one.
        ids: The token ids of each text.
        real_count: The number of real texts, which come first.
    """

    def __init__(
        self, classifier: TrainedClassifier, texts: Sequence[str], *, targets: Sequence[int]
    ) -> None:
        real = [text.encode("utf-8", errors="replace") for text in texts]
        hard = hard_texts(texts)
        self.classifier = classifier
        self.texts = [*real, *hard]
        self.real_count = len(real)
        self.targets = np.array([*targets, *[-1] * len(hard)])
        self.ids = classifier.tokenizer.encode_batch(self.readable)
        self._cuts: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    @property
    def readable(self) -> list[str]:
        """The texts as `textrnn predict` reads them: U+FFFD replaces bytes that are not UTF-8."""
        return [text.decode("utf-8", errors="replace") for text in self.texts]

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """The probabilities `[N, C]` of the first `LONGEST_WHOLE` tokens of each text."""
        return self.scores_of(LONGEST_WHOLE)

    @functools.cached_property
    def whole_scores(self) -> np.ndarray:
        """The probabilities `[N, C]` of the whole texts, for a model that reads them in pieces."""
        return self.scores_of(max(map(len, self.ids)))

    def scores_of(self, length: int) -> np.ndarray:
        """Returns the probabilities `[N, C]` of texts cut after `length` tokens.

        Texts are cut earlier if the run's `max_length` is smaller.
        """
        read_tokens = self._read_tokens(length)
        return self.classifier.score_ids([ids[:read_tokens] for ids in self.ids])

    def cut(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids `[N, T]` of the texts cut and padded to T, and their scores `[N, C]`.

        Args:
            length: T, in tokens.
        """
        if length not in self._cuts:
            self._cuts[length] = self._cut(length)
        return self._cuts[length]

    def _cut(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        read_tokens = self._read_tokens(length)
        rows = np.zeros([len(self.ids), length], np.int32)
        for row, ids in zip(rows, self.ids, strict=True):
            row[: min(len(ids), read_tokens)] = ids[:read_tokens]
        return rows, self.scores_of(length)

    def _read_tokens(self, length: int) -> int:
        """Returns the tokens that are read of a text cut after `length` tokens."""
        return min(length, self.classifier.config.batches.max_length or length)

    @property
    def label_space(self) -> LabelSpace:
        """The labels and the rule of the classifier."""
        return self.classifier.label_space

    def answers(self, scores: np.ndarray) -> np.ndarray:
        """Returns the place `[N]` of the answered label, -1 for a withheld answer.

        Args:
            scores: Probabilities `[N, C]`.
        """
        best = self.label_space.best(scores)
        return np.where(self.label_space.answered(scores), best, -1)

    def accuracy(self, scores: np.ndarray) -> float | None:
        """Returns the share of labelled texts with the right label; None without such texts.

        Args:
            scores: Probabilities `[N, C]`.
        """
        labelled = self.targets >= 0
        if not labelled.any():
            return None
        return float((self.label_space.best(scores) == self.targets)[labelled].mean())


def hard_texts(texts: Sequence[str]) -> list[bytes]:
    """Returns extreme texts that a program may be given, made of real texts where they are long."""
    filling = (" ".join(texts) or "a text") + " "
    filling *= MEGABYTE // len(filling.encode("utf-8", errors="replace")) + 1
    return [
        b"",
        b" \t\r\n ",
        b"a",
        b"<br />",
        "Größe, ça, ŁÓDŹ, ИСКРА, Ελλάδα, 東京, 한국어, עברית".encode(),
        "\U0001f600\U0001f469\u200d\U0001f680 \u2764\ufe0f!!!".encode(),
        "\ufb01\ufb02 \u2460 \u00bd \uff21 e\u0301 \u00a0\u200b".encode(),
        b"caf\xe9 \xff\xfe \xc3( \xe2\x82 end",
        b"\x00 a \x07 b \x7f",
        b"word " * 5000,
        filling[:SEVERAL_PARTS].encode("utf-8", errors="replace"),
        filling.encode("utf-8", errors="replace")[:MEGABYTE],
    ]
