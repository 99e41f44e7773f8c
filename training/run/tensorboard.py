"""Events for TensorBoard: the figures of each epoch, gate activations and sample predictions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.systems import gate_values, recurrences
from textrnn.messages.shown import markdown
from textrnn.models.classifier import TextClassifier

__all__ = ["TENSORBOARD", "TensorBoardWriter", "gate_activations"]

TENSORBOARD = "tensorboard"
"""The folder of the events in a run folder."""

SAMPLE_TEXTS = 16
SAMPLE_TOKENS = 64
"""The number of tokens of a text that the gates are computed for."""
SAMPLE_CHARACTERS = 300


class TensorBoardWriter:
    """Writes events; an epoch is one step.

    Args:
        folder: The folder of the events.
        ids: Token ids of some validation texts, for the gates.
        texts: These texts as strings.
        labels: The labels of each text.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ids: Sequence[np.ndarray],
        texts: Sequence[str],
        labels: Sequence[tuple[str, ...]],
    ) -> None:
        self._writer = tf.summary.create_file_writer(os.fsencode(folder))
        self._texts, self._labels = texts[:SAMPLE_TEXTS], labels
        rows = [np.asarray(row)[:SAMPLE_TOKENS] for row in ids[:SAMPLE_TEXTS]]
        self._ids = np.zeros([len(rows), max(1, *map(len, rows))], np.int32)
        for place, row in enumerate(rows):
            self._ids[place, : len(row)] = row

    def write(
        self,
        row: Mapping[str, float],
        model: TextClassifier,
        *,
        probabilities: np.ndarray,
        names: Sequence[str],
    ) -> None:
        """Writes the figures, the gate activations and the predictions after one epoch.

        Args:
            row: The figures, and `epoch`.
            model: The model.
            probabilities: The probabilities of the validation texts, `[N, C]`.
            names: The names of the classes.
        """
        with self._writer.as_default(step=int(row["epoch"])):
            for name, value in row.items():
                if name != "epoch":
                    tf.summary.scalar(name, value)
            for name, values in gate_activations(model, self._ids).items():
                tf.summary.histogram(f"gates/{name}", values)
            tf.summary.text("validation texts", self._table(probabilities, names))
        self._writer.flush()

    def close(self) -> None:
        """Closes the file of events."""
        self._writer.close()

    def _table(self, probabilities: np.ndarray, names: Sequence[str]) -> str:
        """Returns a Markdown table of texts, their labels and their most probable class."""
        lines = ["label | predicted | probability | text", "--- | --- | --- | ---"]
        for text, labels, scores in zip(self._texts, self._labels, probabilities, strict=False):
            best = int(np.argmax(scores))
            label_cell = ", ".join(map(markdown, labels))
            start = markdown(text[:SAMPLE_CHARACTERS])
            lines.append(f"{label_cell} | {markdown(names[best])} | {scores[best]:.3f} | {start}")
        return "\n".join(lines)


def gate_activations(model: TextClassifier, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the value of each gate, 0 (closed) to 1 (open), at each token.

    Only layers that read forwards and whose steps are single tokens are included: of a pyramid,
    the first layer.

    Args:
        model: The model.
        ids: Token ids `[B, T]`, with padding 0 on the right.

    Returns:
        Maps names such as `layer1/forget` to values `[N, H]`, N tokens without padding. `decay` is
        the share of the old state that a minimal cell keeps.
    """
    if model.stack is None:
        return {}
    activations: dict[str, np.ndarray] = {}
    real = tf.transpose(tf.not_equal(ids, 0))
    for recurrence in recurrences(model, ids):
        if recurrence.direction == "forward" and recurrence.tokens_per_step == 1:
            for name, values in gate_values(recurrence.cell, recurrence.gates).items():
                key = f"layer{recurrence.layer}/{name}"
                activations[key] = tf.boolean_mask(values, real).numpy()
    return activations
