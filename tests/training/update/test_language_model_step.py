import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.models.language_model import LanguageModel
from textrnn.training.update.language_model_step import LanguageModelStep
from textrnn.training.update.lazy_adam import LazyAdam
from textrnn.training.update.negatives import Negatives

VOCAB = 7


def language_step(
    *, segment: int, sampled: bool = False, **shape
) -> tuple[LanguageModel, LanguageModelStep]:
    config = EncoderConfig(**{"units": 3, "embedding_units": 4, "window": 2, "layers": 2, **shape})
    model = LanguageModel(VOCAB, config=config)
    model.build((None, None))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    optimizer = LazyAdam(0.0)
    optimizer.build(model.trainable_variables)
    step = LanguageModelStep(
        model,
        optimizer,
        config=LanguageModelRunConfig.of(negatives=8 if sampled else 0, clip_norm=1.0),
        streams=2,
        segment=segment,
    )
    return model, step


NOTHING = (np.zeros(0, np.int32), np.zeros(0, np.float32))


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_the_state_continues_from_segment_to_segment(cell_name):
    ids = np.random.default_rng(0).integers(0, VOCAB, size=[2, 2, 9]).astype(np.int32)
    _, whole = language_step(segment=8, cell=cell_name)
    _, parts = language_step(segment=4, cell=cell_name)
    expected = float(whole(ids, NOTHING)[0])
    losses = [float(parts(ids[:, :, start : start + 5], NOTHING)[0]) for start in (0, 4)]
    assert np.mean(losses) == pytest.approx(expected, abs=1e-5)
    parts.reset_states()
    assert float(parts(ids[:, :, :5], NOTHING)[0]) == pytest.approx(losses[0], abs=1e-6)
    assert float(parts(ids[:, :, :5], NOTHING)[0]) != pytest.approx(losses[0], abs=1e-6)


@pytest.mark.thorough
def test_the_loss_is_the_mean_of_both_directions():
    model, step = language_step(segment=3)
    ids = np.random.default_rng(0).integers(0, VOCAB, size=[2, 2, 4]).astype(np.int32)
    losses = []
    for direction in (0, 1):
        memory = model.start(2, direction=direction)
        vectors, _ = model.read(memory, tf.constant(ids[direction, :, :-1]), direction=direction)
        losses.append(model.losses(vectors, tf.constant(ids[direction, :, 1:])))
    assert float(step(ids, NOTHING)[0]) == pytest.approx(float(tf.reduce_mean(losses)), abs=1e-5)


def test_it_learns_what_follows_what():
    _, step = language_step(segment=6, sampled=True, bidirectional=False)
    step._optimizer.learning_rate = 0.05
    negatives = Negatives(np.ones(VOCAB), size=8, seed=0)
    ids = np.tile(np.arange(1, 4), 20)[: 2 * 13].reshape(1, 2, 13).astype(np.int32)
    losses = [float(step(ids[:, :, :7], negatives.draw(i))[0]) for i in range(150)]
    assert losses[0] > 1.0
    assert min(losses) < 0.2
