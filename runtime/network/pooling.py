"""The heads in NumPy, in the form that adds states to a summary; see `textrnn.layers.pooling`.

Sums are in float64, so that the mean of a very long text does not drift.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from .architecture import Architecture

__all__ = ["Pooling", "Summary", "make_pooling"]

Summary = tuple[np.ndarray, ...]
"""What a head remembers of the states of B texts: arrays `[B, ...]`."""

CHUNK_STEPS = 256
"""The number of states that are added at once in float32."""

LOWEST = np.finfo(np.float32).min


class Pooling(ABC):
    """Pools the states of each text into one vector.

    Args:
        units: The size of the states.
    """

    def __init__(self, units: int) -> None:
        self.units = units

    @abstractmethod
    def start(self, texts: int) -> Summary:
        """Returns the summary of texts without a state."""

    @abstractmethod
    def add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        """Returns the summary after more states.

        Args:
            summary: The summary of all states before.
            states: `[T, B, H]`.
            lengths: The number `[B]` of states of each text.
        """

    @abstractmethod
    def finish(self, summary: Summary) -> np.ndarray:
        """Returns the pooled vectors `[B, H]`; zeros for a text without a state."""

    @abstractmethod
    def weights(self, states: np.ndarray) -> np.ndarray:
        """Returns the weight of each unit of each state of one text in the pooled vector.

        Args:
            states: `[T, H]`.

        Returns:
            `[T, H]`; the weights of each unit sum to 1 over time.
        """


class LastState(Pooling):
    """The last state; see `textrnn.LastState`.

    Args:
        units: The size of the states.
        bidirectional: Whether the second half of the units reads backwards.
    """

    def __init__(self, units: int, *, bidirectional: bool) -> None:
        super().__init__(units)
        self.half = units // 2 if bidirectional else units

    def start(self, texts: int) -> Summary:
        """See `Pooling.start`."""
        return (np.zeros([texts, self.units], np.float32),)

    def add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        """See `Pooling.add`."""
        last = states[np.maximum(lengths - 1, 0), np.arange(len(lengths))]  # [B, H]
        last[:, self.half :] = states[0, :, self.half :]
        return (np.where(lengths[:, np.newaxis] > 0, last, summary[0]),)

    def finish(self, summary: Summary) -> np.ndarray:
        """See `Pooling.finish`."""
        return summary[0]

    def weights(self, states: np.ndarray) -> np.ndarray:
        """See `Pooling.weights`."""
        weights = np.zeros(states.shape)
        weights[-1, : self.half] = 1.0
        weights[0, self.half :] = 1.0
        return weights


class MeanPooling(Pooling):
    """The mean; see `textrnn.MeanPooling`."""

    def start(self, texts: int) -> Summary:
        """See `Pooling.start`: the sum of the states, and their number."""
        return np.zeros([texts, self.units]), np.zeros([texts, 1], np.int64)

    def add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        """See `Pooling.add`."""
        total, count = summary
        real = np.arange(len(states))[:, np.newaxis] < lengths
        if not real.all():
            states = np.where(real[:, :, np.newaxis], states, np.float32(0.0))
        return total + states.sum(axis=0, dtype=np.float64), count + lengths[:, np.newaxis]

    def finish(self, summary: Summary) -> np.ndarray:
        """See `Pooling.finish`."""
        total, count = summary
        return np.asarray((total / np.maximum(count, 1)).astype(np.float32))

    def weights(self, states: np.ndarray) -> np.ndarray:
        """See `Pooling.weights`."""
        return np.full(states.shape, 1.0 / len(states))


class MaxPooling(Pooling):
    """The largest value of each unit; see `textrnn.MaxPooling`."""

    def start(self, texts: int) -> Summary:
        """See `Pooling.start`: the largest values."""
        return (np.full([texts, self.units], LOWEST, np.float32),)

    def add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        """See `Pooling.add`."""
        real = np.arange(len(states))[:, np.newaxis] < lengths
        if not real.all():
            states = np.where(real[:, :, np.newaxis], states, LOWEST)
        return (np.maximum(summary[0], states.max(axis=0, initial=LOWEST)),)

    def finish(self, summary: Summary) -> np.ndarray:
        """See `Pooling.finish`."""
        return np.where(summary[0] > LOWEST, summary[0], np.float32(0.0))

    def weights(self, states: np.ndarray) -> np.ndarray:
        """See `Pooling.weights`."""
        weights = np.zeros(states.shape)
        weights[states.argmax(axis=0), np.arange(states.shape[1])] = 1.0
        return weights


class AttentionPooling(Pooling):
    """A mean with learned weights; see `textrnn.AttentionPooling`.

    Args:
        kernel: K, `[H, A]`.
        bias: b, `[A]`.
        query: q, `[A]`.
    """

    def __init__(self, kernel: np.ndarray, *, bias: np.ndarray, query: np.ndarray) -> None:
        super().__init__(len(kernel))
        self._kernel, self._bias, self._query = kernel, bias, query

    def _logits(self, states: np.ndarray) -> np.ndarray:
        """Returns `u_t . q`, `[...]`, for states `[..., H]`."""
        u = states.reshape(-1, self.units) @ self._kernel
        u += self._bias
        np.tanh(u, out=u)
        return np.asarray((u @ self._query).reshape(states.shape[:-1]))

    def start(self, texts: int) -> Summary:
        """See `Pooling.start`: the largest logit, and the sums of the weights and of the states."""
        largest = np.full([texts, 1], LOWEST, np.float32)
        return largest, np.zeros([texts, 1]), np.zeros([texts, self.units])

    def add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        """See `Pooling.add`."""
        for start in range(0, len(states), CHUNK_STEPS):
            part = states[start : start + CHUNK_STEPS]
            summary = self._add(summary, part, lengths - start)
        return summary

    def _add(self, summary: Summary, states: np.ndarray, lengths: np.ndarray) -> Summary:
        largest, total, weighted = summary
        real = np.arange(len(states))[:, np.newaxis] < lengths  # [T, B]
        logits = np.full(real.shape, LOWEST, np.float32)
        logits[real] = self._logits(states[real])
        new = np.maximum(largest, logits.max(axis=0)[:, np.newaxis])  # [B, 1]
        shares = np.where(real, np.exp(logits - new[:, 0]), np.float32(0.0))
        more = np.matmul(shares.T[:, np.newaxis], states.transpose(1, 0, 2))[:, 0]  # [B, H]
        # A text without a state yet has the sums 0, whatever they are multiplied by.
        scale = np.exp(np.where(largest > LOWEST, largest - new, np.float32(0.0)))
        total = scale * total + shares.sum(axis=0, dtype=np.float64)[:, np.newaxis]
        return new, total, scale * weighted + more

    def finish(self, summary: Summary) -> np.ndarray:
        """See `Pooling.finish`."""
        _, total, weighted = summary
        return np.asarray((weighted / np.where(total > 0.0, total, 1.0)).astype(np.float32))

    def weights(self, states: np.ndarray) -> np.ndarray:
        """See `Pooling.weights`."""
        logits = self._logits(states).astype(np.float64)
        shares = np.exp(logits - logits.max())
        return np.repeat((shares / shares.sum())[:, np.newaxis], states.shape[1], axis=1)


def make_pooling(
    tensors: Mapping[str, np.ndarray], architecture: Architecture, *, units: int
) -> Pooling:
    """Returns the head of a model.

    Args:
        tensors: The arrays of the file.
        architecture: The settings of the model.
        units: The size of the states.
    """
    if architecture.head == "attention":
        bias, query = tensors["pooling/bias"], tensors["pooling/query"]
        return AttentionPooling(tensors["pooling/kernel"], bias=bias, query=query)
    if architecture.head == "last":
        both = architecture.bidirectional and architecture.cell != "none"
        return LastState(units, bidirectional=both)
    return {"mean": MeanPooling, "max": MaxPooling}[architecture.head](units)
