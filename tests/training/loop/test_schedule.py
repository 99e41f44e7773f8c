import time

import numpy as np
import pytest

from textrnn.errors import ConfigError
from textrnn.training.loop.schedule import Schedule, TimeBudget, rate_factor


def factors(updates: int, *, warmup: float) -> list[float]:
    """The rates of all updates, and of one more after the last."""
    ours = Schedule(updates, budget=None, warmup=warmup)
    return [ours.factor(update, 0.0) for update in range(updates + 1)]


def test_the_learning_rate_rises_then_falls_to_zero():
    rates = factors(20, warmup=0.25)
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[5 + 5] == pytest.approx((1 + np.cos(np.pi / 3)) / 2)
    assert rates[-1] == pytest.approx(0.0)


def test_without_warmup_the_highest_rate_comes_first():
    rates = factors(20, warmup=0.0)
    assert rates[0] == 1.0
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("warmup", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("updates", [1, 2, 3])
def test_the_shortest_trainings(updates, warmup):
    rates = factors(updates, warmup=warmup)
    assert all(0 < rate <= 1 for rate in rates[:-1])
    assert rates[-1] == pytest.approx(0.0, abs=1e-7)
    assert max(rates) == 1.0


class Clock:
    """A clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def budget(seconds: float, *, started: float = 1000.0) -> TimeBudget:
    """Half as long again as a validation is left for what comes after training."""
    return TimeBudget(seconds, started, lambda validation: 1.5 * validation)


def test_the_rate_follows_the_clock(clock):
    clock.now += 10  # To read the data.
    ours = Schedule(None, budget=budget(100.0), warmup=0.1)
    shares = []
    for _ in range(9):
        shares.append(ours.time_share(validation=6.0))
        clock.now += 10
    # 90 seconds are left when training begins; 9 of them are for what comes after.
    assert shares == pytest.approx([i * 10 / 81 for i in range(9)])
    assert ours.time_share(validation=6.0) == 1.0
    assert ours.factor(10**6, 1.0) == pytest.approx(0.0)
    assert ours.factor(0, shares[4]) == pytest.approx(rate_factor(40 / 81, warmup=0.1))


def test_the_time_before_an_interruption_counts(clock):
    ours = Schedule(None, budget=budget(100.0), warmup=0.0)
    ours.start(elapsed=60.0)
    clock.now += 10
    assert ours.elapsed() == 70.0
    assert ours.time_share(validation=0.0) == pytest.approx(70 / 100)


def test_with_a_number_of_updates_too_the_first_limit_ends_it(clock):
    ours = Schedule(10, budget=budget(100.0), warmup=0.0)
    assert ours.progress(5, 0.2) == 0.5
    assert ours.progress(5, 0.7) == 0.7


def test_no_time_from_the_beginning_is_an_error(clock):
    clock.now += 30
    with pytest.raises(ConfigError, match=r"^the `time_budget` of 20 s is used up before training"):
        budget(20.0).check()
    budget(31.0).check()


def test_little_time_for_training_is_reported(clock):
    clock.now += 30
    assert budget(100.0).short_message(10.0) == ""
    assert (
        budget(100.0).short_message(20.0).startswith("note: 40 s of the time budget of 100 s are")
    )
    assert budget(100.0).short_message(60.0).startswith("note: 0 s of")


def test_what_is_left_is_reported(clock):
    ours = Schedule(10, budget=None, warmup=0.0)
    assert ours.left_seconds(0, 0.0) is None
    clock.now += 30
    assert ours.left_seconds(3, 0.0) == pytest.approx(70.0)


@pytest.mark.parametrize("before", [0.0, 500.0])
def test_the_first_update_says_nothing_of_what_is_left(clock, before):
    ours = Schedule(10, budget=None, warmup=0.0)
    ours.start(elapsed=before)
    clock.now += 100  # To trace the graph.
    assert ours.left_seconds(4, 0.0) is None
    clock.now += 6
    assert ours.left_seconds(6, 0.0) == pytest.approx(12.0)
    assert ours.left_message(6, 0.0) == ", 0:00:12 to the end"
