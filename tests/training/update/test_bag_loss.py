"""The loss of the bag of the next content words."""

import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.models.language_model import BETWEEN, LanguageModel
from textrnn.training.update.bag_loss import BagLoss, content_weights
from textrnn.training.update.language_model_step import LanguageModelStep
from textrnn.training.update.lazy_adam import LazyAdam

VOCAB, TOKENS = 7, 3
COUNTS = np.array([4, 9000, 800, 70, 6, 5, 0])
EVERY_TOKEN = (np.arange(VOCAB, dtype=np.int32), np.zeros(VOCAB, np.float32))


def model_and_bag(**shape) -> tuple[LanguageModel, BagLoss]:
    config = EncoderConfig(**{"cell": "mingru", "units": 3, "embedding_units": 4, **shape})
    model = LanguageModel(VOCAB, config=config)
    model.build((None, None))
    bag = BagLoss(model, counts=COUNTS, tokens=TOKENS)
    rng = np.random.default_rng(1)
    for weight in [*model.trainable_variables, *bag.variables]:
        weight.assign(rng.normal(size=weight.shape))
    return model, bag


def test_frequent_tokens_hardly_count():
    weights = content_weights(COUNTS)
    share = COUNTS / COUNTS.sum()
    np.testing.assert_allclose(weights[1:4], np.sqrt(1e-4 / share[1:4]), rtol=1e-5)
    assert weights[6] == 1
    assert weights[BETWEEN] == 0
    assert content_weights(np.zeros(3)).tolist() == [0, 1, 1]


def test_it_is_the_mean_over_the_content_of_the_next_tokens_of_the_same_text():
    model, bag = model_and_bag()
    states = np.random.default_rng(2).normal(size=[1, 4, 3]).astype(np.float32)
    following = np.array([[2, 3, 0, 4, 5, 6]], np.int32)  # A text ends after 3.
    total, weight_sum = 0.0, 0.0
    weights, table = content_weights(COUNTS), model.embedding.embeddings.numpy()
    (kernel, offset, _, _, bias) = (variable.numpy() for variable in bag.variables)
    for step, bag_of_step in enumerate([[2, 3], [3], [], [4, 5, 6]]):
        scores = table @ (states[0, step] @ kernel + offset) + bias
        log_q = scores - np.log(np.exp(scores).sum())
        total += sum(-weights[token] * log_q[token] for token in bag_of_step)
        weight_sum += sum(weights[token] for token in bag_of_step)
    negatives = tuple(map(tf.constant, EVERY_TOKEN))
    loss = bag.of(tf.constant(states), tf.constant(following), negatives, direction=0)
    assert float(loss) == pytest.approx(total / weight_sum, rel=1e-5)


def test_without_any_content_it_is_zero():
    _, bag = model_and_bag()
    following = tf.zeros([1, 3], tf.int32)
    negatives = tuple(map(tf.constant, EVERY_TOKEN))
    assert float(bag.of(tf.zeros([1, 1, 3]), following, negatives, direction=1)) == 0


def step_of(model: LanguageModel, bag: BagLoss | None, rate: float, **settings):
    optimizer = LazyAdam(rate)
    step = LanguageModelStep(
        model,
        optimizer,
        config=LanguageModelRunConfig.of(negatives=8, **settings),
        streams=2,
        segment=4,
        bag=bag,
    )
    optimizer.build(step.variables)
    return step


@pytest.mark.thorough
def test_an_update_mixes_both_losses():
    ids = np.random.default_rng(0).integers(1, VOCAB, size=[2, 2, 4 + TOKENS]).astype(np.int32)
    losses = {}
    for weight in (0.0, 0.25, 0.75):
        model, bag = model_and_bag()
        step = step_of(model, bag, 0.0, bag_weight=weight)
        losses[weight] = float(step(ids, EVERY_TOKEN)[0])
    model, _ = model_and_bag()
    alone = step_of(model, None, 0.0)
    assert float(alone(ids[:, :, :5], EVERY_TOKEN)[0]) == pytest.approx(losses[0.0], rel=1e-5)
    slope = (losses[0.25] - losses[0.0]) / 0.25
    assert losses[0.75] == pytest.approx(losses[0.0] + 0.75 * slope, rel=1e-4)
    assert abs(slope) > 0.01


@pytest.mark.thorough
@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_it_learns_which_words_come_soon(jit):
    model, bag = model_and_bag(bidirectional=False)
    step = step_of(model, bag, 0.05, bag_weight=0.9)
    step.compile(jit=jit)
    ids = np.tile(np.array([4, 5, 6]), 9)[: 2 * (4 + TOKENS)].reshape(1, 2, -1).astype(np.int32)
    losses = [float(step(ids, EVERY_TOKEN)[0]) for _ in range(100)]
    # Three words come soon, and each is as likely as the others: ln 3 nats.
    assert losses[0] > 1.5
    assert min(losses) < 0.9 * np.log(3) + 0.15
