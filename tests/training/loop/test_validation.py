"""Which texts are measured on where a time budget does not leave time for all."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny import QUIET, fit, labelled_ids, labelled_texts, not_none, run_config, trainer

from textrnn.data import Split
from textrnn.data.batching import BatchPlan
from textrnn.evaluation import sampling
from textrnn.evaluation.decide import decide_on
from textrnn.evaluation.decision_fitting import DecisionRequest
from textrnn.evaluation.measurement import measure
from textrnn.evaluation.sampling import (
    blocks,
    drawn,
    spread_batches,
    stratified_order,
    texts_an_epoch,
)
from textrnn.training.devices.scoring import ReplicaScorer
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.loop.validation import choose_validation
from textrnn.training.run.classifier import train

CLASSES = [0] * 600 + [1] * 300 + [2] * 99 + [3]


@pytest.mark.parametrize("count", [10, 100, 500, 1000])
def test_each_class_has_its_share(count):
    rows = drawn(CLASSES, count, seed=3)
    assert len(set(rows.tolist())) == len(rows) == count
    assert rows.tolist() == sorted(rows)
    counts = np.bincount(np.array(CLASSES)[rows], minlength=4)
    assert np.abs(counts - np.array([0.6, 0.3, 0.099, 0.001]) * count).max() <= 2


def test_the_seed_draws():
    assert drawn(CLASSES, 50, seed=1).tolist() == drawn(CLASSES, 50, seed=1).tolist()
    assert drawn(CLASSES, 50, seed=1).tolist() != drawn(CLASSES, 50, seed=2).tolist()
    names = np.array(["a", "b", "c", "d"])[CLASSES]
    assert stratified_order(names, seed=1).tolist() == stratified_order(CLASSES, seed=1).tolist()


def test_the_parts_are_all_texts_once(monkeypatch):
    monkeypatch.setattr(sampling, "FEWEST_TEXTS", 30)
    split = Split(["text"] * 1000, [("abcd"[class_number],) for class_number in CLASSES])
    parts = list(blocks(split, seed=0))
    assert sorted(row for part in parts for row in part) == list(range(1000))
    assert [len(part) for part in parts[:-1]] == [30, *[50] * 19]
    assert np.bincount(np.array(CLASSES)[parts[0]]).tolist()[:3] == pytest.approx([18, 9, 3], abs=1)


@pytest.mark.parametrize(
    ("texts", "seconds", "left", "expected"),
    [
        (100_000, 10.0, 100.0, 100_000),  # A tenth of the time.
        (100_000, 50.0, 100.0, 20_000),
        (100_000, 44.0, 50.0, 10_000),
        (100_000, 5000.0, 50.0, 1000),
        (100_000, 5000.0, -3.0, 1000),
        (900, 5000.0, 50.0, 900),
    ],
)
def test_a_long_validation_is_that_of_a_sample(texts, seconds, left, expected):
    assert texts_an_epoch(texts, seconds=seconds, left=left) == expected


def test_batches_of_all_lengths_are_timed():
    texts = [np.ones(16 * (1 + i // 25), int) for i in range(100)]
    plan = BatchPlan(texts, batch_tokens=64)
    chosen = spread_batches(plan, 4)
    assert len(chosen) == 4
    assert len({batch.length for batch in chosen}) >= 3
    assert len(spread_batches(BatchPlan(texts[:1], batch_tokens=64), 4)) == 1


# Training


@pytest.fixture
def slow(monkeypatch):
    """Measuring on all validation texts seems to take longer than there is time for."""
    monkeypatch.setattr(sampling, "FEWEST_TEXTS", 8)
    monkeypatch.setattr(ReplicaScorer, "estimate", lambda self, plan: 1e5)


def with_budget(folder, **settings):
    # A budget that is not met here: the training ends by its epochs.
    budget = TimeBudget(1e6, time.monotonic(), lambda validation: 0.0)
    return trainer(folder, valid=labelled_ids(40, seed=1), budget=budget, **settings)


def test_epochs_are_measured_on_a_sample_and_continue_with_it(tmp_path, monkeypatch, slow):
    monkeypatch.setattr(ReplicaScorer, "estimate", lambda self, plan: 5e5)
    ours = with_budget(tmp_path, epochs=1)
    choose_validation(ours, QUIET)
    assert len(ours.valid.targets) == ours.state.valid_texts == len(ours.valid_rows) == 8
    assert ours.valid.targets.sum(axis=0).tolist() == [4, 4]
    fit(ours)
    assert ours.valid_probabilities.shape == (8, 2)
    monkeypatch.setattr(ReplicaScorer, "estimate", lambda self, plan: 0.1)
    again = with_budget(tmp_path, epochs=1)
    again.resume(QUIET)
    choose_validation(again, QUIET)
    assert again.valid_rows.tolist() == ours.valid_rows.tolist()


def test_a_short_validation_is_that_of_all_texts(tmp_path):
    ours = with_budget(tmp_path, epochs=1)
    choose_validation(ours, QUIET)
    assert ours.state.valid_texts == len(ours.valid.targets) == 40


def test_without_a_budget_all_texts_are_measured_on(tmp_path, slow):
    ours = trainer(tmp_path)
    choose_validation(ours, QUIET)
    assert ours.state.valid_texts == 0
    assert len(ours.valid.targets) == len(ours.valid_rows)


# The final figures


@pytest.mark.thorough
def test_measuring_ends_when_the_time_is_up(finished, monkeypatch, capsys):
    monkeypatch.setattr(sampling, "FEWEST_TEXTS", 6)
    rows = labelled_texts(40, seed=3)
    split = Split([text for text, _ in rows], [(label,) for _, label in rows])
    options: dict[str, Any] = {"name": "test", "reporter": QUIET}
    now = time.monotonic()
    whole = measure(finished.classifier, split, **options)
    later = measure(finished.classifier, split, until=now + 1e6, **options)
    assert later.keys() == whole.keys()
    assert later["per_class"] == whole["per_class"]
    assert later["log_loss"] == pytest.approx(whole["log_loss"], rel=1e-4)
    part = measure(finished.classifier, split, until=now, **options)
    assert part["texts"] == 6
    assert {figures["support"] for figures in part["per_class"].values()} == {3}
    metrics = decide_on(
        replace(finished.classifier), split, request=DecisionRequest(), until=now, reporter=QUIET
    )
    assert metrics == part


@pytest.mark.thorough
@pytest.mark.usefixtures("cache")
def test_a_run_whose_validation_takes_too_long_says_so(data, tmp_path, slow, capsys):
    from rich.console import Console

    from textrnn.messages.terminal import TerminalReporter

    reporter = TerminalReporter(Console(highlight=False, width=500))
    run_settings = run_config(data, epochs=2, time_budget="2h", valid_fraction=0.5)
    classifier = train(run_settings, tmp_path / "run", reporter=reporter)
    output = capsys.readouterr().out
    assert "validation of each epoch on 8 of 20 texts, drawn by the seed: all would take" in output
    assert not_none(classifier).metrics["validation"]["texts"] == 20
