import dataclasses

import numpy as np
import pytest
from tiny import LABELS, labelled_ids

from textrnn.models.label_space import LabelSpace
from textrnn.training.loop.divergence import most_loss
from textrnn.training.loop.training_data import TrainingData


def data() -> TrainingData:
    return TrainingData(
        labelled_ids(40), labelled_ids(20), LabelSpace(LABELS, multi_label=False), digest=""
    )


def test_an_average_batch_is_that_of_an_epoch():
    assert data().epoch_updates == 7
    assert data().mean_rows == pytest.approx(40 / 7)


@pytest.mark.parametrize(
    ("labels", "weight", "expected"),
    [(2, 1.0, 100.0), (100, 1.0, 100 * np.log(100)), (2, 3.0, 300.0), (2, 0.5, 100.0)],
)
def test_a_loss_explodes_far_above_that_of_chance(labels, weight, expected):
    train = dataclasses.replace(labelled_ids(), weights=np.full(40, weight, np.float32))
    label_space = LabelSpace(tuple(map(str, range(labels))), multi_label=False)
    ours = dataclasses.replace(data(), train=train, label_space=label_space)
    assert most_loss(ours) == pytest.approx(expected)
