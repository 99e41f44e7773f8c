import contextlib

import keras
import numpy as np
import pytest
from tiny import (
    QUIET,
    WORD,
    classifier,
    fit,
    labelled_ids,
    stop_after,
    trainer,
)

from textrnn.data.batching import BatchPlan
from textrnn.errors import ModelError
from textrnn.progress import Silent
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.loop import trainer as loop
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.trainer import Trainer

BATCHES = 7
"""Batches of an epoch of `labelled_ids`: 40 texts, 6 a batch."""


def assert_equal(arrays, other_variables) -> None:
    """Bit for bit."""
    assert [a.tobytes() for a in arrays] == [b.tobytes() for b in other_variables]


def some_batches(texts, classes, *, rows: int, weights=None) -> LabelledBatches:
    plan = BatchPlan([np.array(text) for text in texts], batch_tokens=999, batch_texts=rows)
    plan.bucket_rows = [rows]  # Even where the texts are fewer.
    weights = np.ones(len(texts)) if weights is None else np.array(weights)
    return LabelledBatches(plan, np.eye(2, dtype=np.float32)[classes], weights.astype(np.float32))


# Learning


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "none"},
        {"cell": "gru", "bidirectional": False, "head": "last"},
        {"cell": "mingru", "window": 2},
    ],
    ids=lambda settings: settings["cell"],
)
def test_it_learns_whether_a_word_is_there(tmp_path, settings):
    ours = trainer(tmp_path, model=classifier(**settings), epochs=6, learning_rate=0.1, patience=0)
    history = fit(ours)
    assert history[0]["train_loss"] > 0.5
    assert history[-1]["train_loss"] < 0.1
    assert history[-1]["valid_accuracy"] == history[-1]["train_accuracy"] == 1.0


def test_it_learns_several_labels_a_text(tmp_path):
    ours = trainer(tmp_path, multi_label=True, epochs=6, learning_rate=0.2, patience=0)
    history = fit(ours)
    assert history[0]["valid_score"] < 0.9
    assert history[-1]["valid_score"] == history[-1]["valid_accuracy"] == 1.0
    probabilities = ours.probabilities(ours.valid.plan, name="")
    assert ((probabilities >= 0.5) == (ours.valid.targets > 0)).all()
    assert (probabilities.sum(axis=1) > 1.2).any()


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_figures_of_training_are_those_of_validation(tmp_path, multi_label):
    """Nothing is learned, and both data sets are the same, with and without fillers."""
    data = labelled_ids(multi_label=multi_label)
    ours = trainer(
        tmp_path, train=data, valid=data, multi_label=multi_label, learning_rate=0, epochs=1
    )
    (row,) = fit(ours)
    assert row["train_loss"] == pytest.approx(row["valid_loss"], rel=1e-5)
    assert row["train_accuracy"] == row["valid_accuracy"]
    assert 0 < row["valid_accuracy"] < 1


def test_dropout_is_for_training_only(tmp_path):
    data = labelled_ids()
    ours = trainer(
        tmp_path,
        model=classifier(dropout=0.9, word_dropout=0.9),
        train=data,
        valid=data,
        learning_rate=0,
        epochs=2,
    )
    first, second = fit(ours)
    assert first["train_loss"] != second["train_loss"]
    assert first["valid_loss"] == second["valid_loss"]


# One update


def update(tmp_path, train: LabelledBatches, **settings) -> list[np.ndarray]:
    """Returns the change of the weights by one epoch of one batch."""
    model = classifier(head="mean")
    before = model.get_weights()
    settings = {"warmup": 0.0, "epochs": 1, "learning_rate": 1.0, **settings}
    fit(trainer(tmp_path, model=model, train=train, **settings))
    return [new - old for new, old in zip(model.get_weights(), before, strict=True)]


def test_rows_that_only_fill_the_shape_change_nothing(tmp_path):
    texts, classes = [[2, 3], [4, WORD], [5]], [0, 1, 0]
    bare = update(tmp_path, some_batches(texts, classes, rows=3))
    filled = update(tmp_path, some_batches(texts, classes, rows=8))
    assert any(np.abs(change).max() > 0.01 for change in bare)
    for first, second in zip(bare, filled, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_padding_is_no_token_that_is_learned(tmp_path):
    embedding, *_ = update(tmp_path, some_batches([[2], [3, WORD]], [0, 1], rows=2))
    changed = np.flatnonzero(np.abs(embedding).max(axis=1))
    assert changed.tolist() == [2, 3, WORD]


def test_a_text_of_weight_zero_changes_nothing(tmp_path):
    texts, classes = [[2], [3, WORD], [4]], [0, 1, 1]
    embedding, *_ = update(tmp_path, some_batches(texts, classes, rows=3, weights=[1, 1, 0]))
    changed = np.flatnonzero(np.abs(embedding).max(axis=1))
    assert changed.tolist() == [2, 3, WORD]


@pytest.fixture
def plain_descent(monkeypatch):
    """Weights change by the gradient itself."""
    monkeypatch.setattr(loop, "make_optimizer", lambda config: keras.optimizers.SGD(1.0))


def norm(changes) -> float:
    return float(np.sqrt(sum((change**2).sum() for change in changes)))


@pytest.mark.usefixtures("plain_descent")
def test_a_text_counts_as_much_as_its_weight(tmp_path):
    texts, classes = [[2], [3, WORD], [4]], [0, 1, 1]
    single = update(tmp_path, some_batches(texts, classes, rows=3), clip_norm=0)
    double = update(tmp_path, some_batches(texts, classes, rows=3, weights=[2, 2, 2]), clip_norm=0)
    for first, two in zip(single, double, strict=True):
        np.testing.assert_allclose(2 * first, two, rtol=1e-4, atol=1e-7)


@pytest.mark.usefixtures("plain_descent")
def test_the_gradient_is_clipped_to_its_global_norm(tmp_path):
    data = some_batches([[2, 3, 2], [3, WORD, 3]], [0, 1], rows=2)
    free = update(tmp_path, data, clip_norm=0)
    assert norm(free) > 0.02
    clipped = update(tmp_path, data, clip_norm=0.01)
    assert norm(clipped) == pytest.approx(0.01, rel=1e-3)
    for first, second in zip(free, clipped, strict=True):
        np.testing.assert_allclose(first * 0.01 / norm(free), second, atol=1e-6)
    for first, second in zip(free, update(tmp_path, data, clip_norm=50.0), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-7)


# The same again


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


def test_one_seed_gives_the_same_weights_bit_for_bit(tmp_path, undisturbed):
    history, weights, optimizer, _ = finished(trainer(tmp_path / "same", **noisy_settings()))
    assert history == undisturbed[0]
    assert_equal(weights, undisturbed[1])
    assert_equal(optimizer, undisturbed[2])
    second = fit(trainer(tmp_path / "other", seed=1, **noisy_settings()))
    assert second != history


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param(1, marks=pytest.mark.thorough, id="first"),
        pytest.param(3, id="within"),
        pytest.param(BATCHES, id="last of an epoch"),
        pytest.param(BATCHES + 1, marks=pytest.mark.thorough, id="first of the next"),
        pytest.param(3 * BATCHES, id="very last"),
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
    assert_equal(weights, undisturbed[1])
    assert_equal(optimizer, undisturbed[2])
    assert best_epoch == undisturbed[3]


@pytest.mark.usefixtures("eagerly")
def test_a_recurrent_training_continues_too(tmp_path):
    def make(folder, **more):
        model = classifier(cell="simple", bidirectional=False, recurrent_dropout=0.4, **NOISY)
        return trainer(tmp_path / folder, model=model, epochs=2, **more)

    whole = make("whole")
    fit(whole)
    first = make("parts", should_stop=stop_after(BATCHES + 2))
    with pytest.raises(KeyboardInterrupt):
        fit(first)
    second = make("parts")
    second.resume(QUIET)
    assert (second.state.epoch, second.state.batch) == (1, 2)
    fit(second)
    assert_equal(second.model.get_weights(), whole.model.get_weights())


def test_a_training_killed_after_its_last_epoch_still_gives_the_best_weights(tmp_path):
    first = trainer(tmp_path)
    fit(first)
    second = trainer(tmp_path)
    second.resume(QUIET)
    assert fit(second) == fit(first)
    assert_equal(second.model.get_weights(), first.model.get_weights())


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
    assert_equal(second.model.get_weights(), before)


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(ModelError, match="nothing to resume from"):
        trainer(tmp_path).resume(QUIET)


# When it goes wrong


def test_a_loss_that_is_no_number_is_reported_with_a_remedy(tmp_path):
    model = classifier()
    model.set_weights([np.full_like(weight, np.inf) for weight in model.get_weights()])
    with pytest.raises(
        ModelError,
        match=r"^the loss is nan in batch 1 of epoch 1; lower `learning_rate` \(now 0\.05\)",
    ):
        fit(trainer(tmp_path, model=model))


def test_a_learning_rate_without_measure_is_noticed_at_the_next_batch(tmp_path):
    ours = trainer(tmp_path, learning_rate=1e30, warmup=0.0)
    with pytest.raises(
        ModelError,
        match=r"the loss (is|has exploded to) \S+ (nats a text )?in batch [2-7] of epoch 1; lower",
    ):
        fit(ours)


def test_it_is_noticed_after_the_last_batch_too(tmp_path):
    data = some_batches([[2], [3, WORD]], [0, 1], rows=2)
    ours = trainer(tmp_path, train=data, learning_rate=1e30, warmup=0.0)
    with pytest.raises(ModelError, match="probabilities are no numbers after the last batch of ep"):
        fit(ours)
    assert not Checkpoints(tmp_path / CHECKPOINTS).paths()


# When to stop


def scripted_training(tmp_path, monkeypatch, *, scores, losses=None, **settings):
    """Trains while the validation is made up; gives the trainer and the weights of each epoch."""
    left = iter(zip(scores, losses or [1.0] * len(scores), strict=True))

    def evaluate(*_, **__):
        score, loss = next(left)
        return {"log_loss": loss, "accuracy": score, "macro_f1": score}

    monkeypatch.setattr(loop, "evaluate", evaluate)
    ours = trainer(tmp_path, epochs=len(scores), **settings)
    weights = []
    ours.fit(on_epoch=lambda row: weights.append(ours.model.get_weights()))
    return ours, weights


def test_patience_ends_the_training_and_keeps_the_best_weights(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.5, 0.9, 0.7, 0.8, 0.95, 1.0], patience=2
    )
    assert ours.state.epoch == len(weights) == 4
    assert ours.state.best_epoch == 2
    assert_equal(ours.model.get_weights(), weights[1])
    assert weights[1][0].tobytes() != weights[3][0].tobytes()


def test_without_patience_it_trains_to_the_end(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.5, 0.6, 0.7, 0.8], patience=0
    )
    assert ours.state.epoch == 5
    assert_equal(ours.model.get_weights(), weights[0])


def test_the_last_weights_are_kept_if_asked_for_and_patience_waits_for_them(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.5, 0.6, 0.7, 0.8], patience=1, final_weights="last"
    )
    assert ours.state.epoch == ours.state.best_epoch == 5
    assert_equal(ours.model.get_weights(), weights[4])
    assert weights[4][0].tobytes() != weights[0][0].tobytes()


def test_of_equal_scores_the_lower_loss_is_better_and_the_earlier_epoch(tmp_path, monkeypatch):
    ours, _ = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.9, 0.9], losses=[0.3, 0.2, 0.2], patience=0
    )
    assert ours.state.best_epoch == 2


def test_patience_is_remembered_across_an_interruption(tmp_path, monkeypatch):
    scores = [0.9, 0.5, 0.6, 0.7]
    with pytest.raises(KeyboardInterrupt):
        scripted_training(
            tmp_path,
            monkeypatch,
            scores=scores,
            patience=3,
            should_stop=stop_after(2 * BATCHES + 1),
        )
    ours = trainer(tmp_path, epochs=9, patience=3)
    ours.resume(QUIET)
    assert (ours.state.epoch, ours.state.best_epoch) == (2, 1)
    ours.state.epoch = 4
    assert len(fit(ours)) == 2, "three epochs without a better one: it is over"


@pytest.mark.parametrize(("updates", "epochs"), [(10, 5), (36, 6), (70, 10)])
def test_a_training_of_no_stated_length_is_long_enough(tmp_path, monkeypatch, updates, epochs):
    monkeypatch.setattr(loop, "FEWEST_EPOCHS", 5)
    monkeypatch.setattr(loop, "FEWEST_UPDATES", updates)
    assert trainer(tmp_path, epochs=None).epochs == epochs
    assert trainer(tmp_path, epochs=2).epochs == 2


# What it is given


def test_each_epoch_has_its_own_order(tmp_path, monkeypatch):
    data, orders = labelled_ids(), []
    deal = data.plan.batches

    def note(**settings):
        batches = deal(**settings)
        orders.append([batch.rows.tolist() for batch in batches])
        return batches

    monkeypatch.setattr(data.plan, "batches", note)
    ours = trainer(tmp_path, train=data, epochs=2)
    orders.clear()
    fit(ours)
    assert len(orders) == 2
    assert orders[0] != orders[1]


def test_the_figures_are_shown_while_it_trains(tmp_path):
    rows = []

    class Listener(Silent):
        def step(self, name, *, total):
            return contextlib.nullcontext(lambda count, text="": rows.append((name, text)))

    trainer(tmp_path, epochs=1).fit(reporter=Listener())
    epochs = [text for name, text in rows if name == "epoch 1/1"]
    assert len(epochs) == 1 + BATCHES
    assert all(text.startswith("loss 0.") and "tokens/s" in text for text in epochs[1:])
    assert {name for name, _ in rows} == {"epoch 1/1", "validation"}
