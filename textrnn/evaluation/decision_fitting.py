"""Fits the rule that decides to labelled texts that the model has not learned from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from textrnn.config.decisions import DecisionsConfig, Objective
from textrnn.errors import DataError
from textrnn.evaluation.class_figures import macro_f1
from textrnn.evaluation.cost_matrix import read_cost_matrix
from textrnn.evaluation.label_weights import fit_label_weights, log_ratios
from textrnn.evaluation.thresholds import Sweep
from textrnn.messages.wording import counted, listed
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DEFAULT_THRESHOLD, DecisionRule

__all__ = ["DecisionRequest", "FittedRule", "fit_rule"]

AS_TRAINED = "as trained"
"""The objective of a rule whose answers are those of the logits before a prior was given back."""

FOLDS = 5
"""The number of parts of the texts, each of which tests what was fitted to the others."""

SURE, SAMPLES = 5 / 6, 300
"""The share of bootstrap samples in which a fit must help, and the number of samples."""

FEW_TEXTS = 10
"""The texts of a label below which a note says that its decision cannot be relied on."""

WEIGHT_TEXTS, THRESHOLD_TEXTS = 40, 10
"""The texts of a label at which a fitted weight or threshold counts as much as the default one.

On other texts of Ohsumed (23 classes) a fit to 300, 1,000 and 2,000 texts raises the macro F1 by
0.3, 0.7 and 1.1 points with weights by 40 texts, and by 0.1, 0.2 and 1.0 points with 10, which also
loses up to 0.6. Thresholds are fitted one by one, not together, and need fewer texts.
"""

MOST_TEXTS = 20_000
"""The largest number of texts that a rule is fitted to."""


@dataclass(frozen=True)
class DecisionRequest:
    """The rule that is wanted for some labels.

    Attributes:
        objective: What the answers are to achieve; None: what the training aims at.
        label: The place of the label that the objective is about; None: all labels.
        costs: The cost matrix; () if the objective is another one.
        abstain_below: The probability below which an answer is withheld.
        lost_prior: `[C]`, what the training has taken from the logits for the sake of rare classes,
            and the calibration has given back; without an objective the answers remain those of
            the trained logits. None: nothing.
    """

    objective: Objective | None = None
    label: int | None = None
    costs: tuple[tuple[float, ...], ...] = ()
    abstain_below: float = 0.0
    lost_prior: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        config: DecisionsConfig,
        label_space: LabelSpace,
        *,
        lost_prior: np.ndarray | None = None,
    ) -> DecisionRequest:
        """Returns the request of some settings, and reads the file of the costs.

        Args:
            config: The settings.
            label_space: The labels.
            lost_prior: See the attribute.

        Raises:
            DataError: There is no such label, or the cost matrix is wrong.
        """
        label, labels = config.objective_label, label_space.labels
        if label is not None and label not in labels:
            raise DataError(
                f"expected `objective_label` to be one of {listed(labels)}, got {label!r}."
            )
        costs: tuple[tuple[float, ...], ...] = ()
        if config.cost_matrix is not None:
            costs = read_cost_matrix(config.cost_matrix, labels)
        return cls(
            config.parsed,
            None if label is None else labels.index(label),
            costs,
            config.abstain_below,
            lost_prior,
        )


@dataclass(frozen=True)
class FittedRule:
    """A rule, and what there is to say about it.

    Attributes:
        rule: The rule; its `fitted` has the figures of the fit.
        notes: Sentences for the user.
    """

    rule: DecisionRule
    notes: tuple[str, ...] = ()


def fit_rule(
    probabilities: np.ndarray,
    targets: np.ndarray,
    *,
    label_space: LabelSpace,
    request: DecisionRequest,
    seed: int = 0,
) -> FittedRule:
    """Fits a rule to labelled texts.

    Numbers that are fitted to few texts of a label are moved towards the default. Weights and
    thresholds for the macro F1 are kept only if they raise it on texts that they were not fitted to
    (five-fold cross-validation) in five of six bootstrap samples.

    Args:
        probabilities: `[N, C]`, calibrated.
        targets: `[N, C]` of 0 and 1.
        label_space: The labels.
        request: The rule that is wanted.
        seed: The seed of the folds, and of the sample of very many texts.
    """
    if len(targets) > MOST_TEXTS:
        rows = np.sort(np.random.default_rng(seed).permutation(len(targets))[:MOST_TEXTS])
        probabilities, targets = probabilities[rows], targets[rows]
    probabilities, targets = np.asarray(probabilities, np.float32), targets > 0.5
    objective = request.objective or Objective("accuracy")
    plain = DecisionRule(objective=str(objective), abstain_below=request.abstain_below)
    if request.objective is None and request.lost_prior is not None:
        weights = np.exp(request.lost_prior.max() - np.asarray(request.lost_prior, np.float64))
        rule = dataclasses.replace(plain, objective=AS_TRAINED, weights=_numbers(weights))
        return FittedRule(rule)
    if not len(targets) or objective.name == "accuracy":
        return FittedRule(plain)
    if objective.name == "cost":
        return FittedRule(dataclasses.replace(plain, costs=request.costs))
    if objective.name == "balanced-accuracy":
        return FittedRule(_balanced(plain, targets, label_space))
    fit = _multi_label_fit if label_space.multi_label else _single_label_fit
    if objective.name == "macro-f1":
        return _fit_macro_f1(plain, probabilities, targets, label_space, fit=fit, seed=seed)
    return _fit_level(plain, probabilities, targets, label_space, objective, request.label)


Fit = Callable[[DecisionRule, np.ndarray, np.ndarray], DecisionRule]
"""Returns a rule with numbers that are fitted to probabilities and targets `[N, C]`."""


def _balanced(rule: DecisionRule, targets: np.ndarray, label_space: LabelSpace) -> DecisionRule:
    """Returns the rule of the largest mean recall, if the probabilities are right.

    A label counts by its probability over its frequency.
    """
    counts = targets.sum(axis=0) + 1.0
    if label_space.multi_label:
        return dataclasses.replace(rule, thresholds=_numbers(counts / (len(targets) + 2)))
    return dataclasses.replace(rule, weights=_numbers(counts.max() / counts))


def _fit_macro_f1(
    plain: DecisionRule,
    probabilities: np.ndarray,
    targets: np.ndarray,
    label_space: LabelSpace,
    *,
    fit: Fit,
    seed: int,
) -> FittedRule:
    folds = _folds(targets, seed=seed)
    held_out = np.zeros(targets.shape, bool)
    for fold in range(FOLDS):
        test, train = folds == fold, folds != fold
        if test.any() and train.any():
            rule = fit(plain, probabilities[train], targets[train])
            space = dataclasses.replace(label_space, rule=rule)
            held_out[test] = space.decide(probabilities[test])
    before = dataclasses.replace(label_space, rule=plain).decide(probabilities)
    figures = {
        "texts": len(targets),
        "macro_f1_by_default": macro_f1(targets, before),
        "macro_f1_cross_validated": macro_f1(targets, held_out),
    }
    if _share_of_gains(targets, before, held_out, seed=seed) < SURE:
        note = (
            f"the default decisions stay: on texts that they were not fitted to, fitted ones have "
            f"a macro F1 of {figures['macro_f1_cross_validated']:.2%}, the default ones "
            f"{figures['macro_f1_by_default']:.2%} ({counted(len(targets), 'validation text')})."
        )
        return FittedRule(dataclasses.replace(plain, fitted=figures), (note,))
    rule = fit(plain, probabilities, targets)
    decided = dataclasses.replace(label_space, rule=rule).decide(probabilities)
    figures["macro_f1_fitted"] = macro_f1(targets, decided)
    note = (
        f"decisions fitted to {counted(len(targets), 'validation text')}: on texts that they were "
        f"not fitted to, their macro F1 is {figures['macro_f1_cross_validated']:.2%}, that of the "
        f"default decisions {figures['macro_f1_by_default']:.2%}."
    )
    return FittedRule(dataclasses.replace(rule, fitted=figures), (note,))


def _folds(targets: np.ndarray, *, seed: int) -> np.ndarray:
    """Returns the fold of each text `[N]`; the texts of each combination of labels are spread."""
    order = np.random.default_rng(seed).permutation(len(targets))
    by_labels = order[np.lexsort(targets[order].T)]
    folds = np.empty(len(targets), np.int64)
    folds[by_labels] = np.arange(len(targets)) % FOLDS
    return folds


def _share_of_gains(
    targets: np.ndarray, before: np.ndarray, after: np.ndarray, *, seed: int
) -> float:
    """Returns the share of bootstrap samples of the texts in which the macro F1 rises.

    Args:
        targets: `[N, C]` of bool.
        before: The decisions `[N, C]` that are compared with.
        after: The other decisions `[N, C]`.
        seed: The seed of the samples.
    """
    rng, total = np.random.default_rng(seed), len(targets)
    counts = rng.multinomial(total, np.full(total, 1 / total), size=SAMPLES).astype(np.float32)

    def figures(decided: np.ndarray) -> np.ndarray:
        right = counts @ (targets & decided).astype(np.float32)
        either = counts @ (targets.astype(np.float32) + decided)
        return np.asarray((2 * right / np.maximum(either, 1)).mean(axis=1))

    return float((figures(after) > figures(before) + 1e-6).mean())


def _single_label_fit(
    plain: DecisionRule, probabilities: np.ndarray, targets: np.ndarray
) -> DecisionRule:
    """Returns a rule with weights for the macro F1, moved towards 1 for labels of few texts."""
    counts = targets.sum(axis=0)
    logs = fit_label_weights(probabilities, targets.argmax(axis=1))
    weights = np.exp(logs * counts / (counts + WEIGHT_TEXTS))
    return dataclasses.replace(plain, weights=_numbers(weights))


def _multi_label_fit(
    plain: DecisionRule, probabilities: np.ndarray, targets: np.ndarray
) -> DecisionRule:
    """Returns a rule with thresholds for the macro F1, moved to 0.5 for labels of few texts."""
    thresholds = []
    for label in range(targets.shape[1]):
        count = int(targets[:, label].sum())
        threshold = DEFAULT_THRESHOLD
        if count:
            sweep = Sweep.of_probabilities(probabilities[:, label], targets[:, label])
            place = sweep.best(Objective("macro-f1"), near=DEFAULT_THRESHOLD)
            threshold = float(sweep.thresholds[place])
        share = count / (count + THRESHOLD_TEXTS)
        thresholds.append(share * threshold + (1 - share) * DEFAULT_THRESHOLD)
    return dataclasses.replace(plain, thresholds=tuple(thresholds))


def _fit_level(
    plain: DecisionRule,
    probabilities: np.ndarray,
    targets: np.ndarray,
    label_space: LabelSpace,
    objective: Objective,
    label: int | None,
) -> FittedRule:
    """Fits the decision about one label, or about each label of a multi-label space."""
    names, notes, figures = label_space.labels, [], {}
    places = range(len(names)) if label is None else [label]
    numbers = np.full(len(names), DEFAULT_THRESHOLD if label_space.multi_label else 1.0)
    for place in places:
        positive = targets[:, place]
        if not positive.any():
            notes.append(f"no validation text has the label {names[place]!r}: it stays as it is.")
            continue
        if label_space.multi_label:
            sweep, near = Sweep.of_probabilities(probabilities[:, place], positive), 0.5
        else:
            utilities = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-12))
            scores, _ = log_ratios(utilities, place)
            sweep, near = Sweep.of(scores, positive, (scores.min() - 1, scores.max() + 1)), 0.0
        best = sweep.best(objective, near=near)
        threshold = float(sweep.thresholds[best])
        numbers[place] = threshold if label_space.multi_label else np.exp(-threshold)
        precision, recall = float(sweep.precision[best]), float(sweep.recall[best])
        figures[names[place]] = {"precision": precision, "recall": recall}
        notes += _level_notes(sweep, best, objective, names[place])
    rule = dataclasses.replace(plain, fitted={"texts": len(targets), "labels": figures})
    if label_space.multi_label:
        return FittedRule(dataclasses.replace(rule, thresholds=_numbers(numbers)), tuple(notes))
    return FittedRule(dataclasses.replace(rule, weights=_numbers(numbers)), tuple(notes))


def _level_notes(sweep: Sweep, best: int, objective: Objective, name: str) -> list[str]:
    notes = []
    if not sweep.attained(objective)[best]:
        figure, value = "precision", float(sweep.precision[best])
        notes.append(
            f"{name!r} attains no {figure} of {objective.level:.0%} on the validation texts; its "
            f"decisions have the highest, {value:.0%}."
        )
    if sweep.positives < FEW_TEXTS:
        notes.append(
            f"{name!r} has {counted(sweep.positives, 'validation text')}: too few for a decision "
            "to rely on."
        )
    return notes


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
