"""The settings of decisions: which answer the probabilities lead to, and when there is none."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.section import Section, setting
from textrnn.errors import ConfigError

__all__ = ["DecisionsConfig", "Objective"]

_PLAIN = ("accuracy", "balanced-accuracy", "macro-f1", "cost")
_WITH_LEVEL = ("precision", "recall")


@dataclass(frozen=True)
class Objective:
    """What decisions are to achieve.

    >>> Objective.parse("precision@0.9")
    Objective(name='precision', level=0.9)
    >>> str(Objective.parse("precision@0.9")), str(Objective.parse("macro-f1"))
    ('precision@0.9', 'macro-f1')

    Attributes:
        name: `accuracy`, `balanced-accuracy`, `macro-f1`, `cost`, `precision` or `recall`.
        level: With `precision` the least recall, with `recall` the least precision; else None.
    """

    name: str
    level: float | None = None

    def __str__(self) -> str:
        return self.name if self.level is None else f"{self.name}@{self.level:g}"

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Returns the objective that a setting names.

        Raises:
            ConfigError: The text is no objective.
        """
        name, at, level = text.partition("@")
        if not at and name in _PLAIN:
            return cls(name)
        if at and name in _WITH_LEVEL:
            try:
                number = float(level)
            except ValueError:
                number = -1.0
            if 0.0 < number <= 1.0:
                return cls(name, number)
        raise ConfigError(
            f"`objective` must be one of {', '.join(_PLAIN)}, precision@R with a recall R of more "
            f"than 0 and at most 1, such as precision@0.9, or recall@P with a precision P, got "
            f"{text!r}."
        )


@dataclass(frozen=True)
class DecisionsConfig(Section):
    """The decisions, which are fitted to the validation texts after the training."""

    objective: str | None = setting(
        None,
        "What the answers are to achieve: accuracy, balanced-accuracy (the mean recall), macro-f1, "
        "cost, precision@R (the most precise answers that find the share R of a label's texts) or "
        "recall@P.  [default: auto, accuracy, or the answers as they were trained if the training "
        "makes up for the frequencies of the classes]",
        operational=True,
    )
    objective_label: str | None = setting(
        None,
        "Label that precision@R or recall@P is about; with --multi-label all labels by default.",
        operational=True,
    )
    cost_matrix: str | None = setting(
        None,
        "CSV file of the costs of answers, for --objective cost: the header names the answered "
        "labels, the first column the true ones.",
        path=True,
        operational=True,
    )
    abstain_below: float = setting(
        0.0,
        "Give no answer if its calibrated probability is below this (0: always answer).",
        minimum=0.0,
        below=1.0,
        operational=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        objective = self.parsed
        name = None if objective is None else objective.name
        if (name == "cost") != (self.cost_matrix is not None):
            raise ConfigError(
                "`objective` cost and `cost_matrix` need each other, got only one of them; set "
                "both, or neither."
            )
        if self.objective_label is not None and name not in _WITH_LEVEL:
            raise ConfigError(
                "`objective_label` needs `objective` precision@R or recall@P, got "
                f"{self.objective or 'none'}; leave it out, or set one of these."
            )

    @property
    def parsed(self) -> Objective | None:
        """The objective; None if it is left to the training.

        Raises:
            ConfigError: It is no objective.
        """
        return None if self.objective is None else Objective.parse(self.objective)
