"""The TFLite file that reads a text piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close
from tiny import LABELS, random_classifier, with_ngrams

from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.stream import StreamFormat, stage_stream
from textrnn.export.graphs.streaming_state import STREAM_TOKENS
from textrnn.export.manifest import Artefact
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.models.label_space import LabelSpace

ARTEFACT = Artefact("model_stream", "stream", "tflite/model_stream.tflite", length=4)


@pytest.mark.thorough
def test_pieces_give_the_probabilities_of_the_whole(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model = with_ngrams(random_classifier("gru", "attention", bidirectional=False))
    space = LabelSpace(LABELS, multi_label=False)
    stage_stream(model, tmp_path, length=4, form="loop", label_space=space)
    signatures = tf.saved_model.load(str(tmp_path)).signatures
    ids = rng.integers(1, 9, (1, 2 * STREAM_TOKENS)).astype(np.int32)
    states = signatures["init"]()
    for piece in np.split(ids, 2, axis=1):
        states = dict(signatures["step"](ids=tf.constant(piece), **states))
        scores = states.pop("scores")
    assert_close(scores, space.activation(model(ids)), atol=1e-5)
    first_scores = signatures["classify"](ids=tf.constant(ids[:, :4]))["scores"]
    assert_close(first_scores, space.activation(model(ids[:, :4])), atol=1e-5)


def test_a_bidirectional_model_has_no_stream(context: Callable[..., ExportContext]) -> None:
    assert "`bidirectional` must be off" in str(StreamFormat().unsuitable(context().classifier))


def test_whole_pieces_are_asked_for_and_compared(context: Callable[..., ExportContext]) -> None:
    export = context()
    job = StreamFormat().question(ARTEFACT, ProbeContext(export.reference, export.scratch))
    length = np.load(job["stream_texts"]).shape[1]
    assert length % STREAM_TOKENS == 0
    classified, streamed = (export.reference.cut(size)[1] for size in (4, length))
    report = {"operations": ["WHILE"], "subgraphs": 3}
    answer = ProbeAnswer(export.reference, report, np.concatenate([classified, streamed]))
    assert all(check.passed for check in StreamFormat().checks(ARTEFACT, answer))
    wrong = ProbeAnswer(export.reference, report, np.concatenate([classified, streamed + 0.1]))
    failed = [check.name for check in StreamFormat().checks(ARTEFACT, wrong) if not check.passed]
    assert failed == ["drift piece by piece"]
