import time

import pytest

from textrnn.data import Corpus, Split
from textrnn.training.run.time_limits import SAVING_SECONDS, TimeLimits


def corpus(*, train: int, validation: int, test: int | None) -> Corpus:
    def split(count: int) -> Split:
        return Split(["a"] * count, [("x",)] * count)

    return Corpus(
        "it", split(train), split(validation), None if test is None else split(test), ("x",), ()
    )


def test_without_a_budget_there_is_no_limit():
    limits = TimeLimits(None, started=0.0)
    assert limits.budget(corpus(train=8, validation=2, test=2), 1.0) is None
    assert limits.deadline(0.5) is None


def test_the_budget_leaves_time_to_measure_and_to_write():
    limits = TimeLimits("1h", started=time.monotonic())
    budget = limits.budget(corpus(train=80, validation=20, test=40), token_seconds=10.0)
    assert budget is not None
    # A second for the validation texts is three for both sets; 6 s encode their texts.
    assert budget.finish(1.0) == pytest.approx(3.0 + 6.0 + SAVING_SECONDS)


def test_the_figures_take_half_of_what_is_left_at_most():
    limits = TimeLimits("100s", started=time.monotonic())
    budget = limits.budget(corpus(train=80, validation=20, test=None), token_seconds=0.0)
    assert budget is not None
    assert budget.finish(1000.0) == pytest.approx(45.0 + SAVING_SECONDS, abs=2.0)


def test_earlier_time_counts():
    limits = TimeLimits("100s", started=time.monotonic())
    budget = limits.budget(corpus(train=8, validation=2, test=2), 0.0, earlier=70.0)
    assert budget is not None
    assert budget.left(0.0) == pytest.approx(100 - 70 - SAVING_SECONDS, abs=2.0)


def test_a_part_is_a_share_of_what_is_left():
    limits = TimeLimits("110s", started=time.monotonic() - 20.0)
    budget = limits.budget(corpus(train=8, validation=2, test=2), 0.0)
    assert budget is not None
    part = budget.part(0.5)
    assert part.left(0.0) == pytest.approx((110 - 20 - SAVING_SECONDS) / 2, abs=2.0)
    assert part.left(7.0) == pytest.approx((110 - 20 - SAVING_SECONDS) / 2 - 7.0, abs=2.0)


def test_a_deadline_is_a_share_of_the_remaining_time():
    limits = TimeLimits("1h", started=time.monotonic())
    first, whole = limits.deadline(0.25), limits.deadline(1.0)
    assert first is not None
    assert whole is not None
    now = time.monotonic()
    assert (first - now) / (whole - now) == pytest.approx(0.25, abs=0.01)


def test_a_deadline_leaves_time_for_what_follows():
    limits = TimeLimits("200s", started=time.monotonic())
    deadline = limits.deadline(1.0, later=60.0)
    assert deadline is not None
    left = deadline - time.monotonic()
    assert left == pytest.approx(200 - 60 - SAVING_SECONDS, abs=2.0)
