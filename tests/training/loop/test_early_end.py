import pytest

from textrnn.config.training import ClassifierScheduleConfig
from textrnn.errors import ConfigError
from textrnn.training.loop.checkpoints import TrainingState
from textrnn.training.loop.early_end import behind_message, end_message, ends_early

SCORES = "0.3:0.7,0.6:0.8"


def state(*points: tuple[float, float], best_epoch: int = 0) -> TrainingState:
    """A training after epochs of the given shares and scores."""
    history = [{"progress": share, "valid_score": score} for share, score in points]
    best = best_epoch or len(points)
    updates = 10 * len(points)
    return TrainingState(epoch=len(points), history=history, best_epoch=best, update=updates)


@pytest.mark.parametrize(
    "points",
    [
        [(0.3, 0.69)],
        [(0.5, 0.6)],
        [(0.5, 0.75), (0.7, 0.6)],
        [(0.97, 0.79)],
    ],
)
def test_a_training_ends_if_its_best_score_is_below(points):
    config = ClassifierScheduleConfig(stop_below=SCORES)
    for has_budget in (True, False):
        assert ends_early(state(*points), config, has_budget=has_budget)
    assert end_message(state(*points), config, epochs=9, epoch_updates=10).startswith(
        "stopped early: after "
    )


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0.2, 0.1)],
        [(0.3, 0.7)],
        [(0.5, 0.7)],
        [(0.5, 0.85), (0.7, 0.6)],
        [(1.0, 0.1)],
    ],
)
def test_a_training_goes_on_otherwise(points):
    config = ClassifierScheduleConfig(stop_below=SCORES)
    assert not ends_early(state(*points), config, has_budget=True)


def test_a_training_that_an_earlier_version_began_goes_on():
    history = [{"valid_score": 0.1}]
    assert behind_message(history, ClassifierScheduleConfig(stop_below=SCORES)) == ""


def test_patience_counts_without_a_budget_alone():
    config = ClassifierScheduleConfig(patience=2)
    waited = state((0.1, 0.9), (0.2, 0.8), (0.3, 0.8), best_epoch=1)
    assert ends_early(waited, config, has_budget=False)
    assert not ends_early(waited, config, has_budget=True)
    assert not ends_early(waited, ClassifierScheduleConfig(patience=3), has_budget=False)
    assert end_message(waited, config, epochs=9, epoch_updates=10) == (
        "stopped early: no epoch after 1 was better, so its weights are kept"
    )
    assert not end_message(waited, config, epochs=3, epoch_updates=10).startswith("stopped")


def test_a_training_says_that_it_had_no_time_for_an_epoch():
    partial = TrainingState(epoch=1, history=[{"valid_score": 0.9}], best_epoch=1, update=22)
    config = ClassifierScheduleConfig()
    assert end_message(partial, config, epochs=None, epoch_updates=88) == (
        "ended after 25 % of the first epoch; the other training texts were not read"
    )
    assert end_message(partial, config, epochs=None, epoch_updates=22) == ""


@pytest.mark.parametrize("value", ["0.5", "a:b", "0.5:", "0.5:0.7,", "0:0.5", "1:0.5", "nan:1"])
def test_a_wrong_setting_has_a_message(value):
    with pytest.raises(ConfigError, match="stop_below"):
        ClassifierScheduleConfig(stop_below=value)


def test_shares_rise():
    with pytest.raises(ConfigError, match="between 0 and 1 and rise"):
        ClassifierScheduleConfig(stop_below="0.5:0.7,0.4:0.6")
