"""The size of a batch that the device decides."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import QUIET, classifier, labelled_ids, run_config, stop_after, trainer, write_csv
from tiny import labelled_texts as texts

from textrnn.config.training import BATCH_TOKENS
from textrnn.inference import run_folder
from textrnn.training.loop import batch_size
from textrnn.training.loop.batch_size import BatchSize, find_batch_tokens, grow, needs_search
from textrnn.training.run.classifier import train


def exhausted_at(most: int, speeds: dict[int, float]):
    def speed(tokens: int) -> float:
        if tokens > most:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return speeds[tokens]

    return speed


def test_a_batch_grows_as_long_as_it_is_read_faster():
    speeds = {BATCH_TOKENS * 2**i: float(speed) for i, speed in enumerate((10, 19, 30, 31))}
    assert grow(speeds.get).tokens == 4 * BATCH_TOKENS
    assert "1.03 times as fast" in grow(speeds.get).reason
    assert grow(exhausted_at(2 * BATCH_TOKENS, speeds)).tokens == 2 * BATCH_TOKENS
    assert "memory" in grow(exhausted_at(2 * BATCH_TOKENS, speeds)).reason


def test_an_epoch_keeps_its_updates():
    few = BatchSize(BATCH_TOKENS, "with more, an epoch has fewer than 200 updates")
    assert grow({BATCH_TOKENS: 1.0}.get) == few
    assert grow(lambda tokens: None) == few


def one_gpu(monkeypatch) -> None:
    monkeypatch.setattr(batch_size, "has_accelerator", lambda: True)


def test_only_one_gpu_is_measured(tmp_path, monkeypatch):
    ours = trainer(tmp_path, batch_tokens=None)
    assert not needs_search(ours)  # A CPU.
    one_gpu(monkeypatch)
    assert needs_search(ours)
    assert not needs_search(trainer(tmp_path, batch_tokens=8192))
    assert not needs_search(trainer(tmp_path, batch_tokens=None, deterministic=True))


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_real_updates_are_timed_and_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_size, "LEAST_UPDATES", 2)
    ours = trainer(tmp_path, train=labelled_ids(200), batch_tokens=None, batch_texts=None)
    before = ours.model.get_weights()
    sizes = []
    time_update = ours.time_update

    def timed(values):
        sizes.append(len(values[0]))
        result = time_update(values)
        return dataclasses.replace(result, later=1.0 if len(sizes) % 2 else 1e-3)

    monkeypatch.setattr(ours, "time_update", timed)
    assert find_batch_tokens(ours, QUIET) == 4 * BATCH_TOKENS  # More texts make no two batches.
    assert sizes == [32, 32, 64, 64, 128, 128]
    for first, second in zip(before, ours.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_run_keeps_the_size_that_it_chose(tmp_path, monkeypatch):
    one_gpu(monkeypatch)
    monkeypatch.setattr(batch_size, "grow", lambda speed: BatchSize(2 * BATCH_TOKENS, "said so"))
    data = write_csv(tmp_path / "letters.csv", texts(160))
    config = run_config(data, batch_tokens=None, batch_texts=None, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", reporter=QUIET, should_stop=stop_after(1))
    monkeypatch.setattr(batch_size, "grow", lambda speed: pytest.fail("chosen already"))
    train(config, tmp_path / "run", reporter=QUIET, resume=True)
    saved = run_folder.read_settings(tmp_path / "run" / run_folder.CONFIG, type(config))
    assert (saved.batches.batch_tokens, saved.batches.most_texts) == (2 * BATCH_TOKENS, 64)


def test_the_model_learns_at_the_scaled_rate(tmp_path):
    settings: dict[str, Any] = {
        "batch_tokens": 2 * BATCH_TOKENS,
        "rate_scaling": "linear",
        "warmup": 0.0,
    }
    ours = trainer(tmp_path, model=classifier(), learning_rate=0.01, epochs=1, **settings)
    rates = []
    values = next(iter(ours.train.dataset(ours.train.plan.batches())))
    ours.schedule.start(elapsed=0.0)
    ours._callbacks = type("None", (), {"on_train_batch_begin": lambda self, batch: None})()
    ours._start_update(values, ours.train.plan.batches()[0])
    rates.append(float(ours.optimizer.learning_rate))
    assert rates == [pytest.approx(0.02, rel=0.1)]
