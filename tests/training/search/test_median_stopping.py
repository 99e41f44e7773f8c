import pytest

from textrnn.training.search.median_stopping import FEWEST_TRIALS, stop_below


def curve(*scores: float, shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)):
    """The figures of a trial that has these scores after these shares of its training."""
    points = zip(shares, scores, strict=False)
    return [{"progress": share, "valid_score": score} for share, score in points]


def parsed(scores: str | None) -> dict[float, float]:
    pairs = [pair.split(":") for pair in (scores or "").split(",") if pair]
    return {float(share): float(score) for share, score in pairs}


def test_the_median_of_the_best_scores_so_far_is_needed():
    curves = [curve(score, score - 0.1, score + 0.1, 1.0) for score in (0.3, 0.4, 0.5, 0.6, 0.7)]
    assert parsed(stop_below(curves)) == {
        **dict.fromkeys((0.3, 0.4), 0.5),
        **dict.fromkeys((0.5, 0.6, 0.7), 0.5),
        **dict.fromkeys((0.8, 0.9), 0.6),
    }


def test_a_trial_that_was_stopped_counts_with_its_best_score():
    curves = [curve(0.1, 0.2, 0.9, 1.0)] * 2 + [curve(0.05)] * 3
    assert set(parsed(stop_below(curves)).values()) == {0.05}


@pytest.mark.parametrize("late", [[], curve(0.5, shares=(0.8,)), [{"valid_score": 0.5}]])
def test_enough_trials_must_have_been_measured_by_then(late):
    curves = [curve(0.5, 0.6, 0.7, 0.8)] * (FEWEST_TRIALS - 1)
    assert stop_below(curves) is None
    shares = set(parsed(stop_below([*curves, late])))
    assert shares == ({0.8, 0.9} if late and "progress" in late[0] else set())
