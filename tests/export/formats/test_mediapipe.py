"""The TFLite file for MediaPipe."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close
from tiny import LABELS, random_classifier

from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.mediapipe import MediaPipeFormat, stage_mediapipe
from textrnn.export.manifest import Artefact
from textrnn.export.reference import Reference
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.models.label_space import LabelSpace

ARTEFACT = Artefact("model_mediapipe", "mediapipe", "tflite/model_mediapipe.tflite", length=4)


def test_the_two_ids_of_the_runtime_are_not_read(tmp_path: Path) -> None:
    model = random_classifier("mingru", "max")
    space = LabelSpace(LABELS, multi_label=False)
    stage_mediapipe(model, tmp_path, length=4, form="parallel", label_space=space)
    classify = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    inputs = {
        "ids": [[0, 5, 9, 2, 1, 0]],
        "mask": [[1, 1, 1, 1, 1, 0]],
        "segment_ids": [[0] * 6],
    }
    outputs = classify(**{name: tf.constant(rows, tf.int32) for name, rows in inputs.items()})
    assert_close(outputs["scores"], space.activation(model(np.array([[5, 9, 2]]))), atol=1e-5)


def test_a_model_that_tells_cases_apart_is_unsuitable(
    context: Callable[..., ExportContext],
) -> None:
    classifier = context().classifier
    assert MediaPipeFormat().unsuitable(classifier) is None
    tokenizer = dataclasses.replace(classifier.config.tokenizer, lowercase=False)
    config = dataclasses.replace(classifier.config, tokenizer=tokenizer)
    cased = dataclasses.replace(classifier, config=config)
    assert "without `lowercase`" in str(MediaPipeFormat().unsuitable(cased))


def test_texts_that_the_interface_cannot_take_are_left_out(
    context: Callable[..., ExportContext],
) -> None:
    export = context()
    job = MediaPipeFormat().question(ARTEFACT, ProbeContext(export.reference, export.scratch))
    texts = json.loads(Path(job["texts"]).read_text("utf-8"))
    assert not any("\0" in text for text in texts)
    usable = [row for row, text in enumerate(export.reference.texts) if b"\0" not in text]
    assert len(texts) == len(usable) < len(export.reference.texts)
    answer = ProbeAnswer(export.reference, {}, export.reference.cut(4)[1][usable])
    assert all(check.passed for check in MediaPipeFormat().checks(ARTEFACT, answer))


@pytest.mark.process
def test_the_file_cuts_texts_where_the_classifier_does(
    context: Callable[..., ExportContext],
) -> None:
    export = context()
    config = export.classifier.config.replace(max_length=3)
    short = dataclasses.replace(export.classifier, config=config)
    texts = Reference(short, ["a x b", "y"], targets=[1, 0])
    (artefact,) = MediaPipeFormat().make(dataclasses.replace(export, reference=texts))
    assert artefact.length == 3
