"""`textrnn.train` and `textrnn.pretrain` as a user of the library calls them."""

from typing import Any

import keras
import pytest
from tiny import MODEL, TRAINING, labelled_texts, not_none, write_csv

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.training.run.folder import default_folder

SMALL = {"vocab_size": 60, **MODEL, **TRAINING, "epochs": 1}


@pytest.fixture
def reviews(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    return str(write_csv(tmp_path / "reviews.csv", labelled_texts(40)))


@pytest.mark.usefixtures("eagerly")
def test_single_settings_are_enough_and_nothing_is_printed(reviews, tmp_path, capsys):
    trained = textrnn.train(train_file=reviews, **SMALL)
    assert trained is not None
    assert trained.config == ClassifierRunConfig.of(train_file=reviews, **SMALL)
    assert (tmp_path / "runs" / "reviews" / "config.yaml").is_file()
    assert capsys.readouterr() == ("", "")


def test_settings_replace_those_of_a_config(reviews, tmp_path):
    config = ClassifierRunConfig.of(train_file=reviews, **SMALL)
    with pytest.raises(ConfigError, match=r"^unknown setting epoch; did you mean epochs\?$"):
        textrnn.train(config, epoch=3)
    assert not (tmp_path / "runs").exists()


def test_a_file_in_the_place_of_the_config_is_an_error(reviews):
    with pytest.raises(ConfigError, match=r"`config` must be a ClassifierRunConfig, got .*csv'; "):
        textrnn.train(reviews)


@keras.saving.register_keras_serializable(package="test_train_for_python")
class Registered(textrnn.NonlinearRNNCell):
    def combine(self, gates, recurrent, states):
        return (keras.ops.tanh(gates + recurrent),), (gates, recurrent)


class Unregistered(Registered):
    pass


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_registered_cell_is_recorded_by_its_name(reviews, tmp_path):
    trained = textrnn.train(train_file=reviews, output="run", **{**SMALL, "cell": Registered})
    assert trained is not None
    assert trained.config.model.cell == "test_train_for_python>Registered"
    assert trained.config.model.imports == Registered.__module__
    again = textrnn.load("run")
    assert isinstance(not_none(again.model.stack).cells[0], Registered)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Unregistered, "Unregistered must be registered with Keras, .* decorate it with"),
        (keras.layers.LSTMCell, "`cell` must be a name or a subclass of RNNCell"),
        ("rnn", "`cell` must be one of simple, gru"),
        ("mine>Forgotten", "got 'mine>Forgotten'; in Python, import the module that defines"),
    ],
)
def test_another_cell_is_an_error_that_says_what_to_do(reviews, cell, message):
    with pytest.raises(ConfigError, match=message):
        textrnn.train(train_file=reviews, **{**SMALL, "cell": cell})


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_language_model_is_trained_and_its_shape_adopted(reviews, tmp_path):
    shape: dict[str, Any] = {"units": 4, "embedding_units": 4, "cell": "gru", "window": 1}
    batches: dict[str, Any] = {"streams": 2, "segment": 8, "negatives": 8, "held_out": 0.2}
    trained = textrnn.pretrain(text_file=reviews, epochs=1, vocab_size=40, **shape, **batches)
    assert trained.config.model.cell == "gru"
    classifier = textrnn.train(
        train_file=reviews, init_from="runs/reviews_lm", epochs=1, learning_rate=0.01
    )
    assert classifier is not None
    assert (classifier.config.model.cell, classifier.config.model.dropout) == ("gru", 0.3)


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({"train_file": "data/reviews.csv.gz"}, "runs/reviews"),
        ({"dataset": "glue/sst2"}, "runs/glue_sst2"),
    ],
)
def test_a_run_is_called_after_its_data(settings, folder):
    assert str(default_folder(ClassifierRunConfig.of(**settings).data)) == folder
