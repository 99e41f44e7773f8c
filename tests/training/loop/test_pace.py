"""The estimated time of the next validation."""

import pytest

from textrnn.training.loop.pace import FORWARD_SHARE, STEADY, Pace


def test_nothing_is_known_before_the_updates_are_steady():
    pace = Pace(valid_tokens=1000.0)
    for _ in range(STEADY - 1):
        pace.updated(10.0, seconds=1.0)
    assert pace.validation_seconds == 0.0


def test_the_fastest_update_tells_but_for_the_first():
    pace = Pace(valid_tokens=1000.0)
    pace.updated(10.0, seconds=0.001)
    for seconds in (1.0, 0.5, *[2.0] * STEADY):
        pace.updated(10.0, seconds=seconds)
    assert pace.validation_seconds == pytest.approx(FORWARD_SHARE * 1000.0 * 0.05)


def test_the_last_validation_tells_better():
    pace = Pace(valid_tokens=1000.0)
    pace.validated(9.0)
    pace.validated(7.0)
    pace.validated(8.0)
    assert pace.validation_seconds == pace.whole_seconds == 8.0


def test_before_the_first_validation_an_estimate_tells():
    pace = Pace(valid_tokens=1000.0)
    pace.estimated(40.0)
    assert pace.validation_seconds == pace.whole_seconds == 40.0


def test_a_sample_takes_its_share_of_the_time():
    pace = Pace(valid_tokens=1000.0)
    pace.sampled(0.1)
    pace.estimated(40.0)
    assert pace.validation_seconds == pytest.approx(4.0)
    assert pace.whole_seconds == pytest.approx(40.0)
    pace.validated(5.0)
    assert pace.whole_seconds == pytest.approx(50.0)


def test_updates_without_a_token_do_no_harm():
    pace = Pace(valid_tokens=1000.0)
    for _ in range(STEADY):
        pace.updated(0.0, seconds=1.0)
    assert pace.validation_seconds == FORWARD_SHARE * 1000.0
