"""The settings of decisions."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.decisions import DecisionsConfig, Objective
from textrnn.errors import ConfigError


@pytest.mark.parametrize("text", ["accuracy", "macro-f1", "cost", "precision@0.9", "recall@1"])
def test_an_objective_is_read_and_written(text):
    assert str(Objective.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "f1", "accuracy@0.5", "precision", "precision@", "recall@0", "recall@1.1", "@1"]
)
def test_what_is_no_objective_is_refused(text):
    with pytest.raises(ConfigError, match=r"`objective` must be one of accuracy, .*, got"):
        DecisionsConfig(objective=text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "cost"}, "`objective` cost and `cost_matrix` need each other"),
        ({"cost_matrix": "a.csv"}, "`objective` cost and `cost_matrix` need each other"),
        ({"objective_label": "a"}, "`objective_label` needs `objective` precision@R"),
        ({"objective": "precision@0.5"}, "precision@0.5 needs `objective_label`"),
        (
            {"objective": "cost", "cost_matrix": "a", "multi_label": True},
            "needs one label per text",
        ),
        ({"abstain_below": 1.0}, "`abstain_below` must be less than 1"),
        ({"loss": "logit-adjusted", "multi_label": True}, "logit-adjusted needs one label"),
        ({"loss": "logit-adjusted", "class_weights": True}, "make up for the same frequencies"),
        ({"balanced_batches": "sqrt", "class_weights": True}, "make up for the same frequencies"),
        ({"balanced_batches": "equal", "multi_label": True}, "needs one label per text"),
    ],
)
def test_settings_that_do_not_fit_each_other(settings, message):
    with pytest.raises(ConfigError, match=message):
        ClassifierRunConfig.of(**settings)


def test_settings_that_fit_each_other():
    assert ClassifierRunConfig.of(objective="recall@0.5", multi_label=True).decisions.parsed
    assert ClassifierRunConfig.of(loss="focal", class_weights=True).regularization.loss == "focal"
