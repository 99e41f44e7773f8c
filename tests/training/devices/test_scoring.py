import numpy as np
import pytest
from tiny import labelled_ids, random_classifier

from textrnn.inference.classifier import Scorer
from textrnn.models.label_space import LabelSpace
from textrnn.training.devices.scoring import ReplicaScorer
from textrnn.training.devices.strategy import Distribution

SPACE = LabelSpace(("a", "b"), multi_label=False)
PLAN = labelled_ids().plan


def scorer(model) -> ReplicaScorer:
    return ReplicaScorer(model, label_space=SPACE, distribution=Distribution.choose("single"))


@pytest.mark.thorough
def test_the_probabilities_are_those_of_one_device():
    model = random_classifier("gru", "mean")
    counts: list[int] = []
    scores = scorer(model)(PLAN, on_batch=counts.append)
    np.testing.assert_allclose(scores, Scorer(model, label_space=SPACE)(PLAN), atol=1e-6)
    assert sum(counts) == len(PLAN.texts)


def test_the_time_of_a_pass_is_known_and_estimated():
    ours = scorer(random_classifier("none", "mean"))
    assert ours.seconds == 0.0
    ours(PLAN)
    assert ours.seconds > 0.0
    assert ours.estimate(PLAN) > 0.0
