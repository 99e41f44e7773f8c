"""The choice of the best epoch."""

import pytest

from textrnn.config.training import ClassifierScheduleConfig
from textrnn.training.loop.best_epoch import is_best
from textrnn.training.loop.checkpoints import TrainingState


def best(*rows: tuple[float, float], budget=False, texts=100, **settings) -> int:
    """Returns the number of the epoch whose weights stay, of rows with a score and a loss."""
    state, kept = TrainingState(), 0
    config = ClassifierScheduleConfig(**settings)
    for number, (score, loss) in enumerate(rows, 1):
        state.history.append({"valid_score": score, "valid_loss": loss})
        if is_best(state, config, has_budget=budget, texts=texts):
            state.best_quality, kept = [score, -loss], number
    return kept


def test_the_score_decides_and_the_loss_among_equals():
    assert best((0.8, 0.5), (0.9, 0.6), (0.89, 0.1)) == 2
    assert best((0.9, 0.5), (0.9, 0.4), (0.9, 0.4)) == 2


@pytest.mark.parametrize("budget", [False, True])
def test_the_last_epoch_is_the_best_if_asked_for(budget):
    assert best((0.9, 0.1), (0.1, 0.9), budget=budget, final_weights="last") == 2


def test_with_a_time_budget_a_later_epoch_may_be_lower_by_one_standard_error():
    # The standard error of 0.9 is 0.03 for 100 texts.
    assert best((0.9, 0.5), (0.871, 0.5), budget=True) == 2
    assert best((0.9, 0.5), (0.869, 0.1), budget=True) == 1


def test_small_steps_downwards_do_not_add_up():
    assert best((0.9, 0.5), (0.88, 0.5), (0.86, 0.5), budget=True) == 2


def test_few_texts_or_a_perfect_score():
    assert best((1.0, 0.5), (0.99, 0.4), (1.0, 0.6), budget=True) == 3
    assert best((0.0, 0.5), (0.0, 0.6), budget=True) == 2
