"""Rules that are fitted to labelled texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textrnn.config.decisions import DecisionsConfig, Objective
from textrnn.errors import DataError
from textrnn.evaluation.decision_fitting import DecisionRequest, fit_rule
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

LABELS = ("common", "rare")
SINGLE = LabelSpace(LABELS, multi_label=False)
MULTI = LabelSpace(LABELS, multi_label=True)


def drawn(space: LabelSpace, *, texts: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities of a common and of a rare label, and labels drawn by them."""
    rng = np.random.default_rng(0)
    rare = rng.beta(0.3, 2.0, texts)
    if space.multi_label:
        p = np.stack([rng.beta(2.0, 1.0, texts), rare], axis=1)
        return p.astype(np.float32), (rng.random(p.shape) < p).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[(rng.random(texts) < rare).astype(int)]
    return np.stack([1 - rare, rare], axis=1).astype(np.float32), targets


def fitted(space: LabelSpace, objective: str, *, texts: int = 2000, **request) -> DecisionRule:
    probabilities, targets = drawn(space, texts=texts)
    wanted = DecisionRequest(Objective.parse(objective), **request)
    return fit_rule(probabilities, targets, label_space=space, request=wanted).rule


def macro_f1(space: LabelSpace, rule: DecisionRule) -> float:
    probabilities, targets = drawn(space)
    decided = LabelSpace(LABELS, multi_label=space.multi_label, rule=rule).decide(probabilities)
    right = (decided & (targets > 0)).sum(axis=0)
    return float((2 * right / (decided.sum(axis=0) + targets.sum(axis=0))).mean())


@pytest.mark.parametrize("space", [SINGLE, MULTI], ids=["single", "multi"])
def test_the_macro_f1_rises(space: LabelSpace) -> None:
    rule = fitted(space, "macro-f1")
    assert macro_f1(space, rule) > macro_f1(space, DecisionRule()) + 0.02
    assert rule.fitted["macro_f1_fitted"] == pytest.approx(macro_f1(space, rule))
    assert rule.fitted["macro_f1_cross_validated"] > rule.fitted["macro_f1_by_default"]
    numbers = rule.thresholds if space.multi_label else rule.weights
    assert numbers[1] < 0.4 if space.multi_label else numbers[1] > 1.5 * numbers[0]


def test_what_does_not_help_on_other_texts_is_not_kept() -> None:
    # One text that only looks like the other label.
    probabilities = np.array([[0.9, 0.1]] * 20 + [[0.2, 0.8]] * 10 + [[0.6, 0.4]], np.float32)
    targets = np.eye(2)[[0] * 20 + [1] * 11]
    request = DecisionRequest(Objective("macro-f1"), abstain_below=0.2)
    result = fit_rule(probabilities, targets, label_space=SINGLE, request=request)
    assert result.rule == DecisionRule("macro-f1", abstain_below=0.2)
    assert "the default decisions stay" in result.notes[0]


@pytest.mark.parametrize("space", [SINGLE, MULTI], ids=["single", "multi"])
def test_a_level_is_attained_with_the_best_of_the_other_figure(space: LabelSpace) -> None:
    precise = fitted(space, "precision@0.8", label=1).fitted["labels"]["rare"]
    found = fitted(space, "recall@0.6", label=1).fitted["labels"]["rare"]
    assert precise["recall"] >= 0.8
    assert found["precision"] >= 0.6
    assert found["recall"] < 0.8


@pytest.mark.parametrize("space", [SINGLE, MULTI], ids=["single", "multi"])
def test_the_figures_of_a_level_are_those_of_the_decisions(space: LabelSpace) -> None:
    rule = fitted(space, "precision@0.7", label=1)
    probabilities, targets = drawn(space)
    decided = LabelSpace(LABELS, multi_label=space.multi_label, rule=rule).decide(probabilities)
    right = (decided & (targets > 0))[:, 1].sum()
    assert rule.fitted["labels"]["rare"] == {
        "precision": pytest.approx(right / decided[:, 1].sum()),
        "recall": pytest.approx(right / targets[:, 1].sum()),
    }


def test_all_labels_of_a_multi_label_run_have_a_threshold() -> None:
    rule = fitted(MULTI, "recall@0.7")
    assert set(rule.fitted["labels"]) == set(LABELS)
    assert rule.thresholds[0] < rule.thresholds[1]


def test_what_cannot_be_attained_or_relied_on_is_told() -> None:
    probabilities = np.array([[0.4, 0.6], [0.3, 0.7], [0.9, 0.1]], np.float32)
    targets = np.eye(2)[[0, 0, 1]]
    request = DecisionRequest(Objective("recall", 0.9), label=1)
    result = fit_rule(probabilities, targets, label_space=SINGLE, request=request)
    assert "'rare' attains no precision of 90%" in result.notes[0]
    assert "'rare' has 1 validation text" in result.notes[1]
    none = fit_rule(probabilities, np.eye(2)[[0, 0, 0]], label_space=SINGLE, request=request)
    assert "no validation text has the label 'rare'" in none.notes[0]
    assert none.rule.weights == (1.0, 1.0)


def test_the_mean_recall_counts_labels_by_their_frequency() -> None:
    weights = fitted(SINGLE, "balanced-accuracy").weights
    _, targets = drawn(SINGLE)
    counts = targets.sum(axis=0) + 1
    assert weights == pytest.approx((1.0, counts[0] / counts[1]))
    thresholds = fitted(MULTI, "balanced-accuracy").thresholds
    assert thresholds == pytest.approx(tuple((drawn(MULTI)[1].sum(axis=0) + 1) / 2002))


def test_a_training_that_makes_up_for_frequencies_answers_as_trained() -> None:
    probabilities, targets = drawn(SINGLE)
    request = DecisionRequest(lost_prior=np.log([0.8, 0.2]))
    rule = fit_rule(probabilities, targets, label_space=SINGLE, request=request).rule
    assert rule.objective == "as trained"
    assert rule.weights == pytest.approx((1.0, 4.0))
    plain = fit_rule(probabilities, targets, label_space=SINGLE, request=DecisionRequest()).rule
    assert plain == DecisionRule()


def test_costs_need_no_fit(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("true,common,rare\ncommon,0,1\nrare,7,0\n")
    config = DecisionsConfig(objective="cost", cost_matrix=str(path))
    request = DecisionRequest.of(config, SINGLE)
    rule = fit_rule(*drawn(SINGLE), label_space=SINGLE, request=request).rule
    assert rule == DecisionRule("cost", costs=((0, 1), (7, 0)))


def test_the_label_of_an_objective_must_be_known() -> None:
    config = DecisionsConfig(objective="precision@0.5", objective_label="x")
    with pytest.raises(DataError, match="`objective_label` to be one of common, rare, got 'x'"):
        DecisionRequest.of(config, SINGLE)


def test_no_text_is_no_error() -> None:
    empty = np.zeros([0, 2], np.float32)
    for objective in ("macro-f1", "precision@0.5", "accuracy"):
        request = DecisionRequest(Objective.parse(objective))
        rule = fit_rule(empty, empty, label_space=MULTI, request=request).rule
        assert rule == DecisionRule(objective)
