"""Saved models, loaded in fresh processes that import no module of textrnn by its name."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import textrnn.layers
from textrnn import layers
from textrnn.config.model import EncoderConfig, ModelConfig
from textrnn.layers.cells import CELLS
from textrnn.registration import HOMES, LateClass
from textrnn.training.update.lazy_adam import LazyAdam

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)
SEQUENCE = RNG.normal(size=(2, 5, 4)).astype("float32")
IDS = np.array([[2, 3, 4], [5, 0, 0]], "int32")
SHAPE: dict[str, Any] = {"units": 2, "embedding_units": 3}
TO_DERIVE_FROM = {"LSTMState", "LinearRNNCell", "NonlinearRNNCell", "RNNCell"}
"""Public names of layers that no file states."""
POOLINGS = (
    layers.LastState(bidirectional=True),
    layers.MeanPooling(),
    layers.MaxPooling(),
    layers.AttentionPooling(),
)

LOAD = """
import json, pathlib, numpy as np
folder = pathlib.Path({folder!r})
paths = sorted(folder.glob("{files}.keras"), reverse={reverse})
for path in paths + sorted(folder.glob("*.h5")):
    model = keras.models.load_model(path)
    saved = np.load(path.with_suffix(".npz"))
    copies = [keras.models.clone_model(model)] if isinstance(model, keras.Sequential) else []
    for again in [model, *copies]:
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again(saved["given"]), saved["result"], atol=1e-6)
"""


def sequence_models() -> dict[str, keras.Model]:
    outputs = {}
    for name, cell in CELLS.items():
        rnn = layers.RNN(cell(2), return_sequences=True)
        outputs[name] = keras.Sequential([keras.Input((None, 4)), rnn])
        both = layers.Bidirectional(layers.RNN(cell(2), window=2))
        outputs[f"both_{name}"] = keras.Sequential([keras.Input((None, 4)), both])
    for pooling in POOLINGS:
        outputs[pooling.name] = keras.Sequential([keras.Input((None, 4)), pooling])
    inputs = keras.Input((None, 4))
    states, _ = layers.RNNStack([CELLS["gru"](2), CELLS["mingru"](2)], bidirectional=True)(inputs)
    inner = keras.Model(inputs, layers.AttentionPooling()(states), name="inner")
    outside = keras.Input((None, 4))
    outputs["nested"] = keras.Model(outside, keras.layers.Dense(2)(inner(outside)))
    return outputs


def token_models() -> dict[str, keras.Model]:
    embedding = layers.TokenEmbedding(6, 3)
    classifier = layers.TextClassifier(6, 2, config=ModelConfig(cell="minlstm", **SHAPE))
    ids = keras.Input((None,), dtype="int32")
    within = layers.TextClassifier(6, 2, config=ModelConfig(cell="lstm", **SHAPE))
    compiled = keras.Sequential([keras.Input((None,), dtype="int32"), layers.TokenEmbedding(6, 3)])
    compiled.compile(LazyAdam(0.1), "mse")
    return {
        "embedding": keras.Sequential([keras.Input((None,), dtype="int32"), embedding]),
        "classifier": classifier,
        "language_model": layers.LanguageModel(6, config=EncoderConfig(cell="gru", **SHAPE)),
        "model_in_model": keras.Model(ids, keras.layers.Softmax()(within(ids))),
        "compiled": compiled,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file per model, and the outputs of the model."""
    path = tmp_path_factory.mktemp("models")
    for name, model in {**sequence_models(), **token_models()}.items():
        given = IDS if name in token_models() else SEQUENCE
        result = model(given)
        model.save(path / f"{name}.keras")
        np.savez(path / f"{name}.npz", given=given, result=result)
    model = keras.Sequential([keras.Input((None, 4)), layers.RNN(CELLS["lstm"](2))])
    model.save(path / "old_form.h5")
    np.savez(path / "old_form.npz", given=SEQUENCE, result=model(SEQUENCE))
    return path


def run_fresh(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.process
def test_every_layer_loads_in_a_fresh_process(folder):
    load = LOAD.format(folder=str(folder), files="*", reverse=True)
    done = run_fresh("import textrnn\nimport tensorflow as tf\nkeras = tf.keras" + load)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.process
def test_a_layer_loads_whatever_is_imported_first(folder):
    for imports in (
        "import keras, textrnn",
        "import textrnn\nfrom keras.models import load_model\nimport keras",
        "import textrnn\ntextrnn.RNN\nimport keras",
    ):
        done = run_fresh(imports + LOAD.format(folder=str(folder), files="c*", reverse=False))
        assert done.returncode == 0, imports + done.stderr[-2000:]


@pytest.mark.process
def test_settings_make_models_and_cells_in_a_fresh_process(tmp_path):
    stated = {name: model.to_json() for name, model in sequence_models().items()}
    cells = [keras.saving.serialize_keras_object(cell(2)) for cell in CELLS.values()]
    classifier = token_models()["classifier"].get_config()
    (tmp_path / "all.json").write_text(json.dumps([stated, cells, classifier]))
    code = f"""
import textrnn.layers, json, keras
models, cells, classifier = json.load(open({str(tmp_path / "all.json")!r}))
found = [type(keras.saving.deserialize_keras_object(cell)).__name__ for cell in cells]
assert found == [cell["class_name"] for cell in cells], found
for stated in models.values():
    model = keras.models.model_from_json(stated)
    config = json.loads(json.dumps(model.get_config()))
    assert type(model).from_config(config).to_json() == stated
assert textrnn.TextClassifier.from_config(classifier).classes == 2
"""
    done = run_fresh(code)
    assert done.returncode == 0, done.stderr[-2000:]


def test_all_that_is_saved_by_name_is_known_in_advance():
    decorated = {}
    for top, package in {"textrnn": "textrnn", "training": "textrnn.training"}.items():
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                    continue
                marks = map(ast.unparse, node.decorator_list)
                if any("register_keras_serializable" in mark for mark in marks):
                    parts = path.relative_to(ROOT / top).with_suffix("").parts
                    decorated[node.name] = ".".join([package, *parts])
    assert decorated == HOMES


def test_a_class_takes_the_place_of_what_stands_for_it():
    known = keras.saving.get_custom_objects()
    for name in set(textrnn.layers.__all__) - TO_DERIVE_FROM:
        layer = getattr(textrnn.layers, name)  # The models are imported by this.
        assert known[f"textrnn>{name}"] is layer
    assert keras.saving.get_registered_name(layers.RNN) == "textrnn>RNN"


def test_what_stands_for_a_class_makes_its_objects():
    cell = LateClass("GRUCell").from_config({"units": 2})
    assert isinstance(cell, layers.GRUCell)
    assert (
        repr(LateClass("GRUCell")) == "<class 'textrnn.layers.cells.gru.GRUCell', not imported yet>"
    )


def test_the_layers_are_public_names():
    assert set(textrnn.layers.__all__) == set(HOMES) - {"LazyAdam"} | TO_DERIVE_FROM


@pytest.mark.process
def test_the_import_is_light_and_leaves_keras_as_it_is():
    code = """
import sys, textrnn
assert not {"keras", "tensorflow", "numpy"} & set(sys.modules)
import keras
assert type(keras.__spec__.loader).__name__ == "SourceFileLoader"
assert keras.__loader__ is keras.__spec__.loader
assert not {"textrnn.layers", "textrnn.models", "textrnn.training"} & set(sys.modules)
"""
    done = run_fresh(code)
    assert done.returncode == 0, done.stderr[-2000:]
