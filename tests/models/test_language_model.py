"""The language model against the chain rule, one step at a time."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import each_family, few

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.inference import language_model as likelihood
from textrnn.inference.language_model import Likelihood, LikelihoodScorer
from textrnn.models.language_model import BETWEEN, LanguageModel

VOCAB = 5
TEXT = [3, 4, 2, 2, 1]


def language_model(cell: str = "mingru", **settings) -> LanguageModel:
    """Built, all its weights random; always the same."""
    shape = {"units": 3, "embedding_units": 4, "window": 1, "layers": 1, **settings}
    model = LanguageModel(VOCAB, config=EncoderConfig(cell=cell, **shape))
    model.build((None, None))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return model


def step_by_step(model: LanguageModel, text: list[int], direction: int = 0) -> list[float]:
    """ln p of each token and of the end, each by a step of its own."""
    order = text[::-1] if direction else text
    memory = model.start(1, direction=direction)
    log_probabilities = []
    for token, following in itertools.pairwise([BETWEEN, *order, BETWEEN]):
        vectors, memory = model.read(memory, tf.constant([[token]]), direction=direction)
        log_probabilities.append(float(tf.nn.log_softmax(model.logits(vectors))[0, 0, following]))
    return log_probabilities[::-1] if direction else log_probabilities


@each_family
@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("shape", few([{"window": 3, "layers": 2}, {}]), ids=["deep", "plain"])
def test_the_likelihood_is_that_of_the_steps(cell_name, shape, direction):
    model = language_model(cell_name, **shape)
    log_probabilities = LikelihoodScorer(model, direction=direction)([TEXT])[0]
    np.testing.assert_allclose(log_probabilities, step_by_step(model, TEXT, direction), atol=1e-4)


@pytest.mark.thorough
def test_texts_do_not_see_each_other_and_long_ones_are_read_in_pieces(monkeypatch):
    model = language_model(window=2, layers=2)
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, VOCAB, size=size) for size in (5, 0, 11, 1, 23)]
    alone = [step_by_step(model, list(text)) for text in texts]
    for piece in (512, 4, 1):
        monkeypatch.setattr(likelihood, "PIECE_TOKENS", piece)
        for log_probabilities, expected in zip(LikelihoodScorer(model)(texts), alone, strict=True):
            np.testing.assert_allclose(log_probabilities, expected, atol=1e-4)


@pytest.mark.thorough
def test_all_texts_together_have_probability_one():
    model = language_model("gru")
    total = 0.0
    for length in range(3):
        texts = list(itertools.product(range(1, VOCAB), repeat=length))
        scores = LikelihoodScorer(model)(texts)
        total += sum(np.exp(score.sum()) for score in scores)
    longer = LikelihoodScorer(model)(list(itertools.product(range(1, VOCAB), repeat=3)))
    total += sum(np.exp(score[:-1].sum()) for score in longer)
    assert total == pytest.approx(1.0, abs=1e-5)


def test_the_call_gives_the_logits_of_the_next_token():
    model = language_model()
    ids = tf.constant([[BETWEEN, *TEXT]])
    log_probabilities = tf.nn.log_softmax(model(ids))[0]
    expected = step_by_step(model, TEXT)
    for place, token in enumerate([*TEXT, BETWEEN]):
        assert float(log_probabilities[place, token]) == pytest.approx(expected[place], abs=1e-5)


def test_keras_files_hold_the_whole_model(tmp_path: Path):
    model = language_model("lstm", layers=2)
    ids = np.array([[0, 1, 2, 3]], np.int32)
    model(ids)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(ids), model(ids))


def test_a_model_needs_a_recurrence_and_the_direction_asked_for():
    with pytest.raises(ConfigError, match="needs a recurrence"):
        LanguageModel(VOCAB, config=EncoderConfig(cell="none"))
    with pytest.raises(ConfigError, match="`direction` must be below 1, got 1"):
        LikelihoodScorer(language_model(bidirectional=False), direction=1)


def test_bits_and_perplexity_count_the_end():
    log_probabilities = Likelihood(
        ("a", "b", "c"), np.log(np.array([0.5, 0.5, 0.25, 0.25], np.float32))
    )
    assert log_probabilities.log_likelihood == pytest.approx(np.log(1 / 64))
    assert log_probabilities.bits_per_token == pytest.approx(1.5)
    assert log_probabilities.perplexity == pytest.approx(2**1.5)
    assert len(log_probabilities.to_dict(per_token=True)["log_probabilities"]) == 4
