"""The probability of a text, token by token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Likelihood"]


@dataclass(frozen=True)
class Likelihood:
    """The probability of a text by the chain rule.

    >>> likelihood = Likelihood(("a",), np.log([0.5, 0.125]))
    >>> round(likelihood.bits_per_token, 6), round(likelihood.perplexity, 6)
    (2.0, 4.0)

    Attributes:
        pieces: The T tokens; U+2581 stands for a space.
        log_probabilities: `[T + 1]`, ln p of each token given the tokens before it, and of the end
            of the text, in nats.
    """

    pieces: tuple[str, ...]
    log_probabilities: np.ndarray

    @property
    def log_likelihood(self) -> float:
        """`ln p(x) = sum_t ln p(x_t | x_1 .. x_{t-1})`, in nats."""
        return float(self.log_probabilities.sum(dtype=np.float64))

    @property
    def bits_per_token(self) -> float:
        """`-log2 p(x) / (T + 1)`: the end counts as a token."""
        return -self.log_likelihood / len(self.log_probabilities) / math.log(2.0)

    @property
    def perplexity(self) -> float:
        """`2 ** bits_per_token`."""
        return math.exp(-self.log_likelihood / len(self.log_probabilities))

    def to_dict(self, *, per_token: bool = False) -> dict[str, Any]:
        """Returns plain values, ready for JSON.

        Args:
            per_token: Whether the values include each token; the last one is the end of the text.
        """
        values: dict[str, Any] = {
            "log_likelihood": self.log_likelihood,
            "tokens": len(self.pieces),
            "bits_per_token": self.bits_per_token,
            "perplexity": self.perplexity,
        }
        if per_token:
            values["pieces"] = list(self.pieces)
            values["log_probabilities"] = [float(p) for p in self.log_probabilities]
        return values
