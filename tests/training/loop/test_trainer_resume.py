"""A training that is repeated or continued ends with the same bits."""

import dataclasses

import keras
import pytest
from tiny import (
    BATCHES,
    QUIET,
    assert_same_bits,
    classifier,
    fit,
    labelled_ids,
    stop_after,
    trainer,
)

from textrnn.errors import ModelError
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.trainer import Trainer

NOISY = {"dropout": 0.3, "word_dropout": 0.3}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A noisy training from beginning to end: its history, weights and optimizer."""
    return finished(trainer(tmp_path_factory.mktemp("undisturbed"), **noisy_settings()))


def noisy_settings():
    return {"model": classifier(**NOISY), "weight_decay": 0.01, "label_smoothing": 0.1}


def finished(ours: Trainer):
    history = fit(ours)
    optimizer = [variable.numpy() for variable in ours.optimizer.variables]
    return history, ours.model.get_weights(), optimizer, ours.state.best_epoch


@pytest.mark.thorough
def test_one_seed_gives_the_same_weights_bit_for_bit(tmp_path, undisturbed):
    history, weights, optimizer, _ = finished(trainer(tmp_path / "same", **noisy_settings()))
    assert history == undisturbed[0]
    assert_same_bits(weights, undisturbed[1])
    assert_same_bits(optimizer, undisturbed[2])
    second = fit(trainer(tmp_path / "other", seed=1, **noisy_settings()))
    assert second != history


@pytest.mark.thorough
@pytest.mark.parametrize(
    "batches",
    [
        pytest.param(1, marks=pytest.mark.thorough, id="first"),
        pytest.param(3, id="within"),
        pytest.param(BATCHES, marks=pytest.mark.thorough, id="last of an epoch"),
        pytest.param(BATCHES + 1, marks=pytest.mark.thorough, id="first of the next"),
        pytest.param(3 * BATCHES, marks=pytest.mark.thorough, id="very last"),
    ],
)
def test_an_interrupted_training_continues_as_if_it_had_not_been(tmp_path, undisturbed, batches):
    first = trainer(tmp_path, should_stop=stop_after(batches), **noisy_settings())
    with pytest.raises(KeyboardInterrupt):
        fit(first)
    epoch, batch = divmod(batches - 1, BATCHES)
    assert (first.state.epoch, first.state.batch) == (epoch, batch + 1)
    second = trainer(tmp_path, **noisy_settings())
    keras.utils.set_random_seed(999)  # The resumed training depends on the checkpoint alone.
    second.resume(QUIET)
    history, weights, optimizer, best_epoch = finished(second)
    assert history == undisturbed[0]
    assert_same_bits(weights, undisturbed[1])
    assert_same_bits(optimizer, undisturbed[2])
    assert best_epoch == undisturbed[3]


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_recurrent_training_continues_too(tmp_path):
    def make(folder, **more):
        model = classifier(cell="simple", bidirectional=False, recurrent_dropout=0.4, **NOISY)
        three_batches = labelled_ids(18)
        return trainer(tmp_path / folder, model=model, train=three_batches, epochs=2, **more)

    whole = make("whole")
    fit(whole)
    first = make("parts", should_stop=stop_after(3 + 2))
    with pytest.raises(KeyboardInterrupt):
        fit(first)
    second = make("parts")
    second.resume(QUIET)
    assert (second.state.epoch, second.state.batch) == (1, 2)
    fit(second)
    assert_same_bits(second.model.get_weights(), whole.model.get_weights())


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_balanced_batches_continue_too(tmp_path):
    def make(folder, **more):
        texts = labelled_ids()
        targets = texts.targets[:].copy()
        targets[:32] = [1, 0]
        train = dataclasses.replace(texts, targets=targets, balance=1.0)
        return trainer(tmp_path / folder, train=train, epochs=2, **more)

    whole = make("whole")
    fit(whole)
    first = make("parts", should_stop=stop_after(BATCHES + 2))
    with pytest.raises(KeyboardInterrupt):
        fit(first)
    second = make("parts")
    second.resume(QUIET)
    fit(second)
    assert_same_bits(second.model.get_weights(), whole.model.get_weights())
    plain = trainer(tmp_path / "plain", train=dataclasses.replace(whole.train, balance=0.0))
    assert plain.train.batches(seed=[0, 0])[0].rows.tolist() != (
        whole.train.batches(seed=[0, 0])[0].rows.tolist()
    )


def test_a_training_killed_after_its_last_epoch_still_gives_the_best_weights(tmp_path):
    first = trainer(tmp_path)
    fit(first)
    second = trainer(tmp_path)
    second.resume(QUIET)
    assert fit(second) == fit(first)
    assert_same_bits(second.model.get_weights(), first.model.get_weights())


@pytest.mark.thorough
def test_checkpoints_are_written_within_an_epoch(tmp_path):
    places = []

    def look() -> bool:
        files = Checkpoints(tmp_path / CHECKPOINTS)
        if files.paths():
            state = files.load()[0].state
            places.append((state.epoch, state.batch))
        return False

    fit(trainer(tmp_path, should_stop=look, epochs=2, checkpoint_minutes=0))
    # Each is seen at the next update; the one of a whole epoch stands before the next epoch's.
    first = [(0, batch) for batch in range(1, BATCHES)]
    assert places == [*first, (1, 0), *((1, batch) for batch in range(1, BATCHES))]


def test_other_data_is_not_resumed(tmp_path):
    fit(trainer(tmp_path, epochs=1))
    second = trainer(tmp_path, data_digest="another digest")
    with pytest.raises(ModelError, match=r"checkpoints: made with other training data; put"):
        second.resume(QUIET)


def test_another_model_is_not_resumed(tmp_path):
    fit(trainer(tmp_path, epochs=1))
    second = trainer(tmp_path, model=classifier(embedding_units=5))
    before = second.model.get_weights()
    with pytest.raises(ModelError, match=r"checkpoints: made with other settings"):
        second.resume(QUIET)
    assert_same_bits(second.model.get_weights(), before)


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(ModelError, match="nothing to resume from"):
        trainer(tmp_path).resume(QUIET)
