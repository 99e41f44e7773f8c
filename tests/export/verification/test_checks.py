"""The checks that several formats share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textrnn.export.verification.checks import (
    accuracy_check,
    drift_check,
    label_check,
    none_check,
    score_checks,
)
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

SPACE = LabelSpace(("a", "b"), multi_label=False)
SCORES = np.array([[0.6, 0.4], [0.1, 0.9]], np.float32)


def reference(accuracies: dict[int, float | None]) -> Any:
    """A reference whose accuracy depends on the array that it is asked for."""
    return SimpleNamespace(
        accuracy=lambda scores: accuracies[id(scores)],
        answers=lambda scores: scores.argmax(axis=1),
        label_space=SPACE,
    )


def test_the_largest_difference_counts() -> None:
    check = drift_check(SCORES, SCORES + np.array([[0.0, 0.2], [0.0, 0.0]]), bound=0.1)
    assert check.measured == pytest.approx(0.2)
    assert (check.passed, check.wanted) == (False, "at most 0.1")
    assert drift_check(SCORES, SCORES).passed


def test_another_label_counts_as_the_same_where_the_scores_tie() -> None:
    assert label_check(SCORES, np.array([0, 1]), label_space=SPACE).passed
    assert label_check(SCORES, np.array([1, 1]), label_space=SPACE).measured == 0.5
    tied = np.array([[0.500004, 0.499996]])
    assert label_check(tied, np.array([1]), label_space=SPACE).passed


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        (DecisionRule(weights=(1.0, 2.0)), [1, 1], [0, 1]),
        (DecisionRule(costs=((0.0, 1.0), (1.0, 0.0))), [0, 1], [1, 1]),
        (DecisionRule(thresholds=(0.7, 0.3)), [1, 1], [0, 1]),
        (DecisionRule(abstain_below=0.7), [-1, 1], [0, 1]),
        (DecisionRule(abstain_below=0.7), [-1, 1], [-1, -1]),
    ],
)
def test_the_rule_says_which_label_is_right(
    rule: DecisionRule, right: list[int], wrong: list[int]
) -> None:
    space = LabelSpace(("a", "b"), multi_label=bool(rule.thresholds), rule=rule)
    assert label_check(SCORES, np.array(right), label_space=space).passed
    assert label_check(SCORES, np.array(wrong), label_space=space).measured == 0.5


def test_an_answer_on_the_limit_may_be_withheld_or_not() -> None:
    rule = DecisionRule(abstain_below=0.600004)
    space = LabelSpace(("a", "b"), multi_label=False, rule=rule)
    for first in (0, -1):
        assert label_check(SCORES, np.array([first, 1]), label_space=space).passed


@pytest.mark.parametrize(("after", "passed"), [(0.9, True), (0.895, True), (0.894, False)])
def test_little_accuracy_may_be_lost(after: float, passed: bool) -> None:
    expected, scores = SCORES, SCORES.copy()
    asked = reference({id(expected): 0.9, id(scores): after})
    check = accuracy_check(expected, scores, reference=asked)
    assert check is not None
    assert (check.passed, check.wanted) == (passed, "at least 0.9000 - 0.005")


def test_without_labels_there_is_no_accuracy() -> None:
    asked = reference({id(SCORES): None})
    assert accuracy_check(SCORES, SCORES, reference=asked) is None


def test_quantised_files_may_have_other_labels_within_their_bounds() -> None:
    asked = reference({id(SCORES): None})
    full = score_checks(SCORES, SCORES, precision="float32", reference=asked)
    assert [check.name for check in full] == ["drift", "same labels"]
    (drift,) = score_checks(SCORES, SCORES, precision="int4", reference=asked)
    assert drift.wanted == "at most 0.2"


def test_nothing_is_wanted() -> None:
    assert none_check("foreign operations", []).passed
    assert not none_check("foreign operations", ["PyFunc"]).passed
