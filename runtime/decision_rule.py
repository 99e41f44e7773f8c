"""The rule that turns the probabilities of labels into an answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import ConfigError

__all__ = ["DEFAULT_THRESHOLD", "DecisionRule"]

DEFAULT_THRESHOLD = 0.5
"""The probability from which on a text carries a label, if nothing else was fitted."""


@dataclass(frozen=True)
class DecisionRule:
    """Decides which labels a text gets, and whether it gets an answer at all.

    The probabilities stay what they are; the rule only says what is answered. Of probabilities
    `p` of C labels, a text with one label gets the label with the largest utility

        u_c = w_c p_c           or, with costs K,         u_c = -sum_k p_k K[k, c]

    and a text with any number of labels gets those with `p_c >= t_c`. Without weights and costs
    the most probable label is answered, without thresholds every label of at least 0.5.

    An answer whose probability is below `abstain_below` is withheld: the text gets no label.

    >>> rule = DecisionRule(objective="macro-f1", weights=(1.0, 3.0))
    >>> rule.utilities(np.array([[0.7, 0.3]])).argmax(axis=1).tolist()
    [1]
    >>> rule = DecisionRule(objective="cost", costs=((0.0, 1.0), (10.0, 0.0)))
    >>> rule.utilities(np.array([[0.8, 0.2]])).argmax(axis=1).tolist()
    [1]

    Attributes:
        objective: What the rule was chosen for, such as `accuracy` or `macro-f1`.
        weights: w, one positive number per label; () if there are none.
        costs: K: `costs[k][c]` is the cost of the answer c to a text of the label k; () if there
            are none.
        thresholds: t, one number per label; () if there are none.
        abstain_below: The probability below which an answer is withheld; 0: never.
        fitted: The figures of the texts that the rule was fitted to, ready for JSON.
    """

    objective: str = "accuracy"
    weights: tuple[float, ...] = ()
    costs: tuple[tuple[float, ...], ...] = ()
    thresholds: tuple[float, ...] = ()
    abstain_below: float = 0.0
    fitted: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def utilities(self, probabilities: Any) -> Any:
        """Returns the utility `[N, C]` of each answer to texts that have one label.

        Args:
            probabilities: `[N, C]`, a NumPy array or a tensor of float32; so is the result.
        """
        if self.costs:
            return probabilities @ -np.asarray(self.costs, np.float32)
        if self.weights:
            return probabilities * np.asarray(self.weights, np.float32)
        return probabilities

    def exceeded(self, probabilities: Any) -> Any:
        """Returns which labels reach their thresholds, `[N, C]` of bool.

        Args:
            probabilities: `[N, C]`, a NumPy array or a tensor of float32; so is the result.
        """
        if self.thresholds:
            return probabilities >= np.asarray(self.thresholds, np.float32)
        return probabilities >= DEFAULT_THRESHOLD

    @property
    def tolerance(self) -> float:
        """How much a utility can change if each probability changes by 1."""
        if self.costs:
            return float(np.sum(self.costs, axis=0).max())
        return max(self.weights, default=1.0)

    def reordered(self, places: Sequence[int]) -> DecisionRule:
        """Returns the rule for labels in another order.

        Args:
            places: For each label in the new order, its place in the order of this rule.
        """
        return dataclasses.replace(
            self,
            weights=tuple(self.weights[place] for place in places if self.weights),
            costs=tuple(
                tuple(self.costs[true][answer] for answer in places)
                for true in places
                if self.costs
            ),
            thresholds=tuple(self.thresholds[place] for place in places if self.thresholds),
        )

    @classmethod
    def mean(cls, rules: Sequence[DecisionRule]) -> DecisionRule:
        """Returns the rule for the mean of the probabilities of several classifiers.

        It has the mean of the thresholds and of the limits for answers, and the geometric mean of
        the weights.

        Args:
            rules: The rules of the classifiers, for labels in the same order.

        Raises:
            ConfigError: They have different objectives, or different costs.
        """
        first = rules[0]
        if any(rule.objective != first.objective or rule.costs != first.costs for rule in rules):
            objectives = ", ".join(dict.fromkeys(rule.objective for rule in rules))
            raise ConfigError(
                "expected classifiers whose decisions have one objective and the same costs, got "
                f"{objectives}; textrnn decide gives a run another objective."
            )
        classes = max(len(rule.weights) + len(rule.thresholds) for rule in rules)
        weights = [rule.weights or (1.0,) * classes for rule in rules]
        thresholds = [rule.thresholds or (DEFAULT_THRESHOLD,) * classes for rule in rules]
        return dataclasses.replace(
            first,
            weights=_mean(np.log(weights), np.exp) if any(r.weights for r in rules) else (),
            thresholds=_mean(thresholds) if any(r.thresholds for r in rules) else (),
            abstain_below=float(np.mean([rule.abstain_below for rule in rules])),
            fitted={} if len(rules) > 1 else first.fitted,
        )

    def to_dict(self, labels: Sequence[str]) -> dict[str, Any]:
        """Returns plain values, ready for JSON, with numbers by the names of the labels.

        Args:
            labels: The C label names.
        """
        plain: dict[str, Any] = {
            "objective": self.objective,
            "abstain_below": self.abstain_below,
        }
        if self.weights:
            plain["weights"] = dict(zip(labels, self.weights, strict=True))
        if self.thresholds:
            plain["thresholds"] = dict(zip(labels, self.thresholds, strict=True))
        if self.costs:
            plain["costs"] = {
                label: dict(zip(labels, row, strict=True))
                for label, row in zip(labels, self.costs, strict=True)
            }
        if self.fitted:
            plain["fitted"] = dict(self.fitted)
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], labels: Sequence[str]) -> DecisionRule:
        """Returns the rule that `to_dict` describes.

        Args:
            values: The plain values; further ones are ignored.
            labels: The C label names, in the order of the probabilities.

        Raises:
            KeyError: A label or a value is missing.
        """
        return cls(
            objective=str(values["objective"]),
            weights=_numbers(values.get("weights"), labels),
            costs=tuple(
                _numbers(values["costs"][label], labels) for label in labels if "costs" in values
            ),
            thresholds=_numbers(values.get("thresholds"), labels),
            abstain_below=float(values["abstain_below"]),
            fitted=values.get("fitted", {}),
        )

    def instruction(self, *, multi_label: bool) -> str:
        """Returns one or two sentences on how a program applies the rule to probabilities."""
        if multi_label:
            answer = "A text has each label whose score is at least its number in `thresholds`"
            answer += " (0.5 without them)."
        elif self.costs:
            answer = (
                "Answer the label c with the least sum over all labels k of score(k) times "
                "`costs`[k][c]."
            )
        elif self.weights:
            answer = "Answer the label with the largest product of its score and its `weights`."
        else:
            answer = "Answer the label with the largest score."
        if not self.abstain_below:
            return answer
        measure = "the score of the answered label"
        if multi_label:
            measure = "the least of the scores of its labels and of 1 - score of the others"
        return f"{answer} Give no answer if {measure} is below `abstain_below`."


def _mean(rows: Any, back: Callable[[np.ndarray], np.ndarray] = np.asarray) -> tuple[float, ...]:
    """Returns the means of the columns, each of them transformed by a function."""
    return tuple(float(value) for value in back(np.mean(rows, axis=0)))


def _numbers(values: Mapping[str, float] | None, labels: Sequence[str]) -> tuple[float, ...]:
    """Returns the number of each label, in the order of the labels; none of None."""
    return () if values is None else tuple(float(values[label]) for label in labels)
