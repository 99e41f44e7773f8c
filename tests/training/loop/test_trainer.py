"""A training learns, ends at the right time, and reports its progress."""

import contextlib
import time

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

from textrnn.progress import Silent
from textrnn.training.loop import schedule
from textrnn.training.loop import trainer as loop
from textrnn.training.loop.schedule import TimeBudget

# Learning


@pytest.mark.thorough
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"cell": "none"}, id="none"),
        pytest.param(
            {"cell": "gru", "bidirectional": False, "head": "last"},
            marks=pytest.mark.thorough,
            id="gru",
        ),
        pytest.param({"cell": "mingru", "window": 2}, marks=pytest.mark.thorough, id="mingru"),
    ],
)
def test_it_learns_whether_a_word_is_there(tmp_path, settings):
    ours = trainer(tmp_path, model=classifier(**settings), epochs=6, learning_rate=0.1, patience=0)
    history = fit(ours)
    assert history[0]["train_loss"] > 0.5
    assert history[-1]["train_loss"] < 0.1
    assert history[-1]["valid_accuracy"] == history[-1]["train_accuracy"] == 1.0


@pytest.mark.thorough
def test_it_learns_several_labels_a_text(tmp_path):
    ours = trainer(tmp_path, multi_label=True, epochs=6, learning_rate=0.2, patience=0)
    history = fit(ours)
    assert history[0]["valid_score"] < 0.9
    assert history[-1]["valid_score"] == history[-1]["valid_accuracy"] == 1.0
    probabilities = ours.probabilities(ours.valid.plan, name="")
    assert ((probabilities >= 0.5) == (ours.valid.targets[:] > 0)).all()
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
    assert_same_bits(ours.model.get_weights(), weights[1])
    assert weights[1][0].tobytes() != weights[3][0].tobytes()


def test_a_score_that_is_too_low_ends_the_training(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.5, 0.9, 0.7, 0.8], stop_below="0.25:0.4,0.5:0.95"
    )
    assert [row["progress"] for row in ours.state.history] == [0.25, 0.5]
    assert_same_bits(ours.model.get_weights(), weights[1])


def test_without_patience_it_trains_to_the_end(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.5, 0.6, 0.7, 0.8], patience=0
    )
    assert ours.state.epoch == 5
    assert_same_bits(ours.model.get_weights(), weights[0])


def test_the_last_weights_are_kept_if_asked_for_and_patience_waits_for_them(tmp_path, monkeypatch):
    ours, weights = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.5, 0.6, 0.7, 0.8], patience=1, final_weights="last"
    )
    assert ours.state.epoch == ours.state.best_epoch == 5
    assert_same_bits(ours.model.get_weights(), weights[4])
    assert weights[4][0].tobytes() != weights[0][0].tobytes()


def test_of_equal_scores_the_lower_loss_is_better_and_the_earlier_epoch(tmp_path, monkeypatch):
    ours, _ = scripted_training(
        tmp_path, monkeypatch, scores=[0.9, 0.9, 0.9], losses=[0.3, 0.2, 0.2], patience=0
    )
    assert ours.state.best_epoch == 2


def test_with_a_time_budget_a_later_epoch_is_better_if_chance_explains_it(tmp_path, monkeypatch):
    budget = TimeBudget(1e6, time.monotonic(), lambda validation: 0.0)
    ours, weights = scripted_training(tmp_path, monkeypatch, scores=[0.6, 0.59], budget=budget)
    assert ours.state.best_epoch == 2
    assert_same_bits(ours.model.get_weights(), weights[1])


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


@pytest.mark.parametrize(
    ("updates", "class_updates", "epochs"), [(10, 1, 5), (36, 1, 6), (70, 1, 10), (10, 35, 10)]
)
def test_a_training_of_no_stated_length_is_long_enough(
    tmp_path, monkeypatch, updates, class_updates, epochs
):
    monkeypatch.setattr(schedule, "FEWEST_EPOCHS", 5)
    monkeypatch.setattr(schedule, "FEWEST_UPDATES", updates)
    monkeypatch.setattr(schedule, "CLASS_UPDATES", class_updates)
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
