"""The language model's loss that is added to the classifier's."""

import numpy as np
import pytest
import tensorflow as tf
from tiny import QUIET, classifier, fit, labelled_ids, not_none, stop_after, trainer

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.data.batching import BatchPlan
from textrnn.errors import ConfigError
from textrnn.models.language_model import LanguageModel
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.update.language_model_loss import NEGATIVES, LanguageModelLoss

TEXTS = [np.array([2, 3, 4, 5])]
UNITS = {"cell": "mingru", "units": 3, "embedding_units": 4}


def model_and_source(**settings):
    """A classifier of random weights, and the language model that has the same ones."""
    model = classifier(
        **{"layers": 2, "bidirectional": True, "separate_directions": True, **UNITS, **settings}
    )
    shape = EncoderConfig(
        **{name: getattr(model.config, name) for name in EncoderConfig().to_dict()}
    )
    source = LanguageModel(model.vocab_size, config=shape)
    source.build((None, None))
    rng = np.random.default_rng(3)
    for weight in [*model.weights, *source.weights]:
        if "seed" not in weight.path:
            weight.assign(rng.normal(size=weight.shape))
    source.embedding.set_weights(model.embedding.get_weights())
    for i, layer in enumerate(not_none(model.stack).rnns):
        both = model.config.bidirectional
        layers = [layer.forward_layer, layer.backward_layer] if both else [layer]
        for stack, rnn in zip(source.stacks, layers, strict=True):
            stack.cells[i].set_weights(rnn.cell.get_weights())
    return model, source


def language_model_loss(model, *, weight=0.5, texts=TEXTS):
    return LanguageModelLoss(model, weight=weight, texts=texts, seed=0)


def read(objective, ids, counted=None, update=0):
    counted = np.ones(len(ids), np.float32) if counted is None else counted
    negatives, offsets = map(tf.constant, objective.draw(update))
    logits, loss = objective.read(
        tf.constant(ids), tf.constant(counted), negatives=negatives, offsets=offsets
    )
    return logits.numpy(), float(loss)


@pytest.mark.parametrize(
    "settings",
    [{}, {"cell": "lstm", "window": 2}, {"bidirectional": False, "separate_directions": False}],
    ids=["both", "lstm", "forwards"],
)
def test_it_is_the_language_model_s_loss_of_each_text(settings):
    model, source = model_and_source(**settings)
    objective = language_model_loss(model)
    objective.take_over(source)
    ids = np.array([[2, 3, 4, 5, 2], [4, 3, 2, 0, 0], [5, 0, 0, 0, 0]], np.int32)
    logits, loss = read(objective, ids)
    np.testing.assert_allclose(logits, model(ids), atol=1e-5)
    drawn, offsets = objective.draw(0)
    means = []
    for row, length in ((0, 5), (1, 3)):
        for direction in range(source.directions):
            text = ids[row : row + 1, :length]
            text = text[:, ::-1] if direction else text
            memory = source.start(1, direction=direction)
            vectors, _ = source.read(memory, tf.constant(text[:, :-1]), direction=direction)
            losses = source.sampled_losses(vectors, tf.constant(text[:, 1:]), drawn, offsets)
            means.append(float(tf.reduce_mean(losses)))
    assert loss == pytest.approx(0.5 * sum(means) / source.directions, rel=1e-4)


def test_rows_that_fill_and_padding_do_not_count():
    model, _ = model_and_source()
    objective = language_model_loss(model)
    ids = np.array([[2, 3, 4]], np.int32)
    _, alone = read(objective, ids)
    more = np.array([[2, 3, 4, 0, 0], [5, 6, 7, 8, 2]], np.int32)
    _, filled = read(objective, more, counted=np.array([1.0, 0.0], np.float32))
    assert alone > 0.0
    assert filled == pytest.approx(alone, rel=1e-5)


def test_as_many_tokens_are_drawn_each_time_and_anew():
    objective = language_model_loss(classifier(bidirectional=False))
    (first, offsets), (repeated, _), (different, _) = map(objective.draw, (1, 1, 2))
    assert first.shape == different.shape == offsets.shape == (NEGATIVES,)
    assert np.array_equal(first, repeated)
    assert not np.array_equal(offsets, objective.draw(2)[1])


def begin(folder, **settings):
    model = classifier(bidirectional=False, **UNITS)
    train = labelled_ids(12)
    loss = language_model_loss(model, texts=train.plan.texts)
    return trainer(folder, model=model, train=train, language_model_loss=loss, **settings), loss


@pytest.mark.thorough
def test_tokens_that_follow_from_those_before_are_learned(tmp_path):
    counting = [2 + (begin + np.arange(6)) % 7 for begin in range(7)] * 4
    data = LabelledBatches(
        BatchPlan(counting, batch_tokens=128, batch_texts=7),
        np.eye(2, dtype=np.float32)[[text[0] % 2 for text in counting]],
        np.ones(len(counting), np.float32),
    )
    model = classifier(bidirectional=False, **UNITS)
    loss = language_model_loss(model, weight=1.0, texts=counting)
    once = np.array(counting[:7], np.int32)
    before = read(loss, once)[1] / 7
    fit(
        trainer(
            tmp_path,
            model=model,
            train=data,
            valid=labelled_ids(4),
            language_model_loss=loss,
            epochs=40,
            patience=0,
            final_weights="last",
        )
    )
    assert before > 1.5
    assert read(loss, once)[1] / 7 < 0.5


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "settings",
    [
        {"ema": 0.9, "layer_rate": 0.5, "unfreeze": 1.0},
        *(
            pytest.param(settings, marks=pytest.mark.thorough)
            for settings in ({}, {"layer_rate": 0.5, "unfreeze": 1.0})
        ),
    ],
)
def test_a_training_continues_to_the_same_bits(tmp_path, settings):
    whole, loss = begin(tmp_path / "whole", **settings)
    history = fit(whole)
    before, _ = begin(tmp_path / "parts", should_stop=stop_after(3), **settings)
    with pytest.raises(KeyboardInterrupt):
        fit(before)
    after, resumed = begin(tmp_path / "parts", **settings)
    after.resume(QUIET)
    assert fit(after) == history
    for first, different in zip(loss.variables, resumed.variables, strict=True):
        assert np.array_equal(first.numpy(), different.numpy())
    for first, different in zip(whole.model.get_weights(), after.model.get_weights(), strict=True):
        assert np.array_equal(first, different)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "settings", [{"accumulate": 2}, {"layer_rate": 0.5, "unfreeze": 1.0}], ids=str
)
def test_it_learns_with_other_settings_too(tmp_path, settings):
    ours, loss = begin(tmp_path, **settings)
    before = [variable.numpy() for variable in loss.variables]
    assert np.isfinite([row["train_loss"] for row in fit(ours)]).all()
    for variable, value in zip(loss.variables, before, strict=True):
        assert not np.array_equal(variable.numpy(), value)


@pytest.mark.thorough
def test_accumulated_parts_make_the_same_update(tmp_path):
    histories = [
        fit(begin(tmp_path / str(parts), accumulate=parts, epochs=2)[0]) for parts in (1, 3)
    ]
    for first, different in zip(*histories, strict=True):
        assert first == pytest.approx(different, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"language_weight": 0.1}, "`language_weight` needs `init_from`"),
        ({"language_weight": 0.1, "init_from": "lm", "vat": 0.1}, "leave either out"),
        ({"language_weight": 0.1, "init_from": "lm", "tbptt": "8,8"}, "leave either out"),
        ({"language_weight": -1.0, "init_from": "lm"}, "language_weight"),
    ],
)
def test_settings_that_do_not_fit_are_reported(settings, message):
    with pytest.raises(ConfigError, match=message):
        ClassifierRunConfig.of(**settings)
