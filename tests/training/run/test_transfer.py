"""The settings and weights that a classifier takes from a language model."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny import not_none

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig, ModelConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.models.classifier import TextClassifier
from textrnn.models.language_model import LanguageModel
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape, transfer

SHAPE = EncoderConfig(units=3, layers=2, embedding_units=4, window=2)
DROPOUT_SETTINGS = ("dropout", "embedding_dropout", "word_dropout")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(["a b c d e"] * 9, TokenizerConfig(vocab_size=20), cache=False)


def language_model(tokenizer: Tokenizer, shape: EncoderConfig = SHAPE) -> TrainedLanguageModel:
    model = LanguageModel(tokenizer.vocab_size, config=shape)
    model.build((None, None))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return TrainedLanguageModel(model, tokenizer, LanguageModelRunConfig(model=shape))


def classifier(tokenizer: Tokenizer, shape: EncoderConfig = SHAPE, **settings) -> TextClassifier:
    encoder_settings = {
        **shape.to_dict(),
        "separate_directions": shape.bidirectional,
        **dict.fromkeys(DROPOUT_SETTINGS, 0.0),
    }
    model = TextClassifier(
        tokenizer.vocab_size, 2, config=ModelConfig(**{**encoder_settings, **settings})
    )
    model.build((None, None))
    return model


def states_of(model: TextClassifier, ids: np.ndarray) -> np.ndarray:
    mask = tf.constant(ids != 0)
    return not_none(model.stack)(model.embedding(ids), mask=mask)[0].numpy()


@pytest.mark.parametrize(
    "shape",
    [
        {"cell": "mingru"},
        {"cell": "lstm"},
        {"residual": True, "units": 4},
        {"residual": True, "units": 4, "layers": 1},
        {"residual": True, "units": 2},
    ],
    ids=["mingru", "lstm", "residual", "residual-one-layer", "residual-above"],
)
def test_the_states_are_the_language_model_s_in_both_directions(tokenizer, shape):
    trained = language_model(tokenizer, dataclasses.replace(SHAPE, **shape))
    model = classifier(tokenizer, trained.config.model)
    transfer(trained, model)
    ids = np.array([[2, 3, 4, 5, 2], [4, 3, 2, 0, 0]], np.int32)
    states, units = states_of(model, ids), trained.config.model.units
    for row, length in ((0, 5), (1, 3)):
        for direction, half in ((0, slice(0, units)), (1, slice(units, 2 * units))):
            text = ids[row : row + 1, :length]
            order = text[:, ::-1] if direction else text
            stack = trained.model.stacks[direction]
            expected, _ = stack.advance(
                trained.model.start(1, direction=direction), trained.model.embedding(order), None
            )
            expected = expected[0, ::-1] if direction else expected[0]
            np.testing.assert_allclose(states[row, :length, half], expected, atol=1e-5)


def test_a_classifier_may_take_the_forward_direction_alone(tokenizer):
    trained = language_model(tokenizer)
    model = classifier(tokenizer, bidirectional=False, separate_directions=False)
    transfer(trained, model)
    for layer, cell in zip(not_none(model.stack).rnns, trained.model.stacks[0].cells, strict=True):
        for first, second in zip(layer.cell.get_weights(), cell.get_weights(), strict=True):
            assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ({}, {"units": 5}, "`units` must be that of the language model, 3, got 5"),
        ({}, {"separate_directions": False}, "`separate_directions` must be on"),
        (
            {},
            {"bidirectional": False, "separate_directions": False, "pyramid": True},
            "`pyramid` must be off",
        ),
        (
            {"bidirectional": False},
            {"bidirectional": True, "separate_directions": True},
            "both directions",
        ),
    ],
)
def test_another_shape_is_reported(tokenizer, shape, settings, message):
    trained = language_model(tokenizer, dataclasses.replace(SHAPE, **shape))
    with pytest.raises(ConfigError, match=message):
        transfer(trained, classifier(tokenizer, trained.config.model, **settings))


def test_settings_follow_the_language_model_but_for_those_that_are_given(tokenizer, tmp_path):
    trained = language_model(tokenizer)
    run_folder.save_language_model(trained, tmp_path)
    config = ClassifierRunConfig.of(init_from=str(tmp_path))
    adopted = adopt_shape(config)
    assert {name: getattr(adopted.model, name) for name in SHAPE.to_dict()} == SHAPE.to_dict()
    assert adopted.model.separate_directions
    assert adopted.tokenizer == trained.config.tokenizer
    assert {
        name: getattr(adopted.model, name) for name in FINE_TUNING_DROPOUT
    } == FINE_TUNING_DROPOUT
    assert adopt_shape(config, given={"dropout"}).model.dropout == ModelConfig().dropout
    strong = dataclasses.replace(config, model=ModelConfig(dropout=0.7))
    assert adopt_shape(strong).model.dropout == 0.7

    forwards = dataclasses.replace(config, model=ModelConfig(bidirectional=False))
    for given in (set(), {"bidirectional"}):  # A config file may say so too.
        adopted = adopt_shape(forwards, given=given)
        assert (adopted.model.bidirectional, adopted.model.separate_directions) == (False, False)
        assert adopt_shape(adopted) == adopted
    wider = dataclasses.replace(config, model=ModelConfig(units=9))
    assert adopt_shape(wider).model.units == 3
    with pytest.raises(ConfigError, match=r"`units` must be that of .*, 3, got 9; leave it out"):
        adopt_shape(wider, given={"units"})
    assert adopt_shape(ClassifierRunConfig()) == ClassifierRunConfig()


def test_the_modules_of_the_cell_are_the_language_model_s_unless_others_are_given(
    tokenizer, tmp_path
):
    trained = language_model(tokenizer, dataclasses.replace(SHAPE, imports="theirs"))
    run_folder.save_language_model(trained, tmp_path)
    config = ClassifierRunConfig.of(init_from=str(tmp_path))
    assert adopt_shape(config).model.imports == "theirs"
    moved = config.replace(imports="moved")
    assert adopt_shape(moved, given={"imports"}).model.imports == "moved"
    transfer(trained, classifier(tokenizer, trained.config.model, imports="moved"))


def test_a_direction_that_was_not_learned_is_reported(tokenizer, tmp_path):
    trained = language_model(tokenizer, dataclasses.replace(SHAPE, bidirectional=False))
    run_folder.save_language_model(trained, tmp_path)
    config = ClassifierRunConfig.of(init_from=str(tmp_path))
    assert not adopt_shape(config).model.bidirectional
    with pytest.raises(ConfigError, match="reads forwards only"):
        adopt_shape(config, given={"bidirectional"})


@pytest.mark.thorough
def test_a_run_of_the_other_kind_is_reported(tokenizer, tmp_path):
    run_folder.save_language_model(language_model(tokenizer), tmp_path)
    with pytest.raises(ModelError, match="the run of a classifier, got that of a language model"):
        run_folder.load(tmp_path)
    again = run_folder.load_language_model(tmp_path)
    assert again.score(["a b"])[0].log_likelihood == pytest.approx(
        language_model(tokenizer).score(["a b"])[0].log_likelihood, abs=1e-5
    )
    with pytest.raises(ModelError, match="expected the run folder of a language model or"):
        adopt_shape(ClassifierRunConfig.of(init_from=str(tmp_path / "none")))
