import pytest

from textrnn.training.loop.checkpoints import TrainingState
from textrnn.training.loop.epoch_figures import epoch_row, running_figures

STATE = TrainingState(
    epoch=1, loss_sum=6.0, correct_sum=3.0, row_sum=4.0, token_sum=3000.0, seconds=2.0
)


def test_the_running_figures_are_one_line():
    text = running_figures(STATE, left=", 0:00:12 to the end")
    assert text == "loss 1.500 accuracy 0.750, 0:00:12 to the end, 1,500 tokens/s"


@pytest.mark.parametrize(("more", "score"), [({}, 0.8), ({"micro_f1": 0.9}, 0.9)])
def test_the_row_of_an_epoch_counts_from_one(more, score):
    measured = {"log_loss": 0.5, "accuracy": 0.8, "macro_f1": 0.7, **more}
    row = epoch_row(STATE, measured, progress=0.25)
    assert row == {
        "epoch": 2,
        "train_loss": 1.5,
        "train_accuracy": 0.75,
        "valid_loss": 0.5,
        "valid_accuracy": 0.8,
        "valid_macro_f1": 0.7,
        "valid_score": score,
        "seconds": 2.0,
        "tokens_per_second": 1500.0,
        "progress": 0.25,
    }
