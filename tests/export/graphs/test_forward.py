"""The forward pass for other programs gives the model's own logits."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close, make_cell
from tiny import WORD, every_pair, random_classifier, with_ngrams

from textrnn.config.choices import CELLS, EXPORT_FORMS, HEADS
from textrnn.errors import ConfigError
from textrnn.export.graphs import recurrence_forms
from textrnn.export.graphs.forward import count_tokens, forward, plain_copy
from textrnn.export.graphs.recurrence_forms import choose_form

LENGTH = 7


def forms_of(cell: str) -> list[str]:
    """The forms that a cell can be exported in."""
    if cell == "none":
        return ["auto"]
    forms = []
    for form in EXPORT_FORMS:
        with contextlib.suppress(ConfigError):
            forms.append(choose_form(make_cell(cell), form))
    return sorted(set(forms))


FORMS = [(cell, form) for cell in CELLS for form in forms_of(cell)]
FAST = {("gru", "loop"), ("lstm", "fused"), ("mingru", "parallel"), ("none", "auto")}
SHAPES: list[dict[str, Any]] = [
    {"bidirectional": True, "window": 3},
    {"bidirectional": False, "layers": 2, "pyramid": True, "layer_norm": True},
    {"bidirectional": True, "layers": 2, "residual": True, "units": 2},
    {"bidirectional": True, "layers": 2, "separate_directions": True},
]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the length is no multiple of a chunk."""
    monkeypatch.setattr(recurrence_forms, "LOOP_STEPS", 3)
    monkeypatch.setattr(recurrence_forms, "PARALLEL_STEPS", 2)


def texts(rng: np.random.Generator) -> np.ndarray:
    """Ids `[N, T]` of texts of every kind of length, padded at the right."""
    ids = rng.integers(1, WORD + 1, (5, LENGTH)).astype(np.int32)
    ids[np.arange(LENGTH) >= np.array([0, 1, 4, LENGTH - 1, LENGTH])[:, np.newaxis]] = 0
    return ids


def traced(model: Any, form: str) -> Any:
    @tf.function(
        input_signature=[tf.TensorSpec([1, LENGTH], tf.int32, name="ids")], autograph=False
    )
    def logits(ids: tf.Tensor) -> tf.Tensor:
        return forward(model, ids, lengths=count_tokens(ids), form=form)

    return logits


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cell", "form"),
    [pytest.param(*pair, marks=() if pair in FAST else pytest.mark.thorough) for pair in FORMS],
)
def test_every_form_gives_the_models_logits(cell: str, form: str, rng: np.random.Generator) -> None:
    for i, shape in enumerate(SHAPES):
        model = random_classifier(cell, HEADS[i], **shape)
        logits = traced(model, form)
        ids = texts(rng)
        row_logits = tf.concat([logits(row[np.newaxis]) for row in ids], axis=0)
        assert_close(row_logits, model(ids), atol=1e-5)


@every_pair
def test_every_head_gives_the_models_logits(cell: str, head: str, rng: np.random.Generator) -> None:
    model = random_classifier(cell, head, bidirectional=True, window=2)
    logits = traced(model, "auto")
    ids = texts(rng)
    row_logits = tf.concat([logits(row[np.newaxis]) for row in ids], axis=0)
    assert_close(row_logits, model(ids), atol=1e-5)


def test_the_logits_of_n_grams_are_added(rng: np.random.Generator) -> None:
    model = with_ngrams(random_classifier("mingru", "mean", layers=2, pyramid=True))
    logits = traced(model, "auto")
    ids = texts(rng)
    row_logits = tf.concat([logits(row[np.newaxis]) for row in ids], axis=0)
    assert_close(row_logits, model(ids), atol=1e-5)


def test_an_id_that_is_none_reads_as_the_unknown_token() -> None:
    model = random_classifier("mingru", "mean")
    strange = np.array([[3, WORD + 1, -7, 2**30, 4, 0, 0]], np.int32)
    known = np.array([[3, 1, 1, 1, 4, 0, 0]], np.int32)
    assert_close(traced(model, "auto")(strange), model(known), atol=1e-5)


def test_a_plain_copy_has_the_same_logits(rng: np.random.Generator) -> None:
    model = with_ngrams(random_classifier("gru", "attention", bidirectional=True))
    copy = plain_copy(model)
    assert copy.config.kernel == "unroll"
    assert_close(copy(texts(rng)), model(texts(np.random.default_rng(0))), atol=1e-5)


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        pytest.param(*pair, marks=() if pair in FAST else pytest.mark.thorough)
        for pair in FORMS
        if pair[1] in {"fused", "parallel"} or pair[0] == "simple"
    ],
)
def test_a_converted_file_forgets_the_text_before(
    cell: str, form: str, rng: np.random.Generator
) -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    model = random_classifier(cell, "last", bidirectional=True)
    module = tf.Module()
    module.weights_of_model = [weight.value for weight in model.variables]
    concrete = traced(model, form).get_concrete_function()
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()
    run = interpreter.Interpreter(model_content=content, num_threads=1)
    run.allocate_tensors()
    (place,), (result,) = run.get_input_details(), run.get_output_details()
    ids = texts(rng)
    wanted = model(ids)
    for row in [4, 3, 4, 0, 1, 2, 0]:
        run.set_tensor(place["index"], ids[row : row + 1])
        run.invoke()
        assert_close(run.get_tensor(result["index"]), wanted[row : row + 1], atol=1e-5)
