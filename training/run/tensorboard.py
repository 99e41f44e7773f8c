"""What a run tells TensorBoard: its figures, how far its gates are open, some of its answers."""

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
"""Of each text."""
SAMPLE_CHARACTERS = 300


class TensorBoardWriter:
    """Writes events, one step an epoch.

    Args:
        folder: Where.
        ids: Token ids of some validation texts, for the gates.
        texts: The same texts.
        labels: What they are labelled with.
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
        probabilities: np.ndarray,
        names: Sequence[str],
    ) -> None:
        """The figures of one epoch, with the gates and the answers after it.

        Args:
            row: The figures, and `epoch`.
            model: The model.
            probabilities: `[N, C]`, of the validation texts.
            names: Of the classes.
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
        """Finishes the file."""
        self._writer.close()

    def _table(self, probabilities: np.ndarray, names: Sequence[str]) -> str:
        """Texts with their labels and the most probable class, as Markdown."""
        lines = ["label | predicted | probability | text", "--- | --- | --- | ---"]
        for text, labels, scores in zip(self._texts, self._labels, probabilities, strict=False):
            best = int(np.argmax(scores))
            given = ", ".join(map(markdown, labels))
            start = markdown(text[:SAMPLE_CHARACTERS])
            lines.append(f"{given} | {markdown(names[best])} | {scores[best]:.3f} | {start}")
        return "\n".join(lines)


def gate_activations(model: TextClassifier, ids: np.ndarray) -> dict[str, np.ndarray]:
    """How far each gate is open at each real token, 0 to 1, in the layers that read forwards.

    Of a pyramid that is the first, whose steps are tokens.

    Args:
        model: The model.
        ids: `[B, T]`, 0 for padding on the right.

    Returns:
        Maps `layer1/forget` to values `[N, H]`. `decay` is what a minimal cell keeps of its state.
    """
    if model.stack is None:
        return {}
    found: dict[str, np.ndarray] = {}
    real = tf.transpose(tf.not_equal(ids, 0))
    for each in recurrences(model, ids):
        if each.direction == "forward" and each.tokens_per_step == 1:
            for name, values in gate_values(each.cell, each.gates).items():
                found[f"layer{each.layer}/{name}"] = tf.boolean_mask(values, real).numpy()
    return found
