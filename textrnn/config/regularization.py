"""The settings of the loss: its form, its further terms, and what is done for rare classes."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.choices import LOSSES
from textrnn.config.section import Section, setting
from textrnn.errors import ConfigError

__all__ = ["BALANCES", "RegularizationConfig"]

BALANCES = {"off": 0.0, "sqrt": 0.5, "equal": 1.0}
"""How far the classes become equally frequent, by the values of `balanced_batches`."""


@dataclass(frozen=True)
class RegularizationConfig(Section):
    """Further terms and weights of the loss; dropout belongs to the model."""

    label_smoothing: float = setting(
        0.1, "Probability that is spread over the other labels.", minimum=0.0, below=1.0
    )
    class_weights: bool = setting(False, "Weight each class by the inverse of its frequency.")
    loss: str = setting(
        "cross-entropy",
        "Loss of a text; for rare classes: focal, which counts texts less that are answered well "
        "(Lin et al. 2017), or logit-adjusted, which demands more of rare classes (Menon et al. "
        "2021).",
        choices=LOSSES,
    )
    balanced_batches: str = setting(
        "off",
        "Frequency of the classes in the batches: as in the data (off), by the square root of it, "
        "or equal; texts of rare classes are then read several times in an epoch.",
        choices=tuple(BALANCES),
    )
    focal_gamma: float = setting(
        2.0, "Power of the focal loss: how little texts count that are answered well.", minimum=0.0
    )
    logit_tau: float = setting(
        1.0,
        "Factor of the logarithms of the classes' frequencies in the logit-adjusted loss.",
        minimum=0.0,
    )
    adversarial: float = setting(
        0.0,
        "Adversarial training: the share of a text's norm by which its embeddings are moved to "
        "raise the loss, such as 0.02 (0: off).",
        minimum=0.0,
    )
    vat: float = setting(
        0.0,
        "Virtual adversarial training: the share of a text's norm by which its embeddings are "
        "moved to change the prediction, such as 0.02; it also uses unlabelled texts (0: off).",
        minimum=0.0,
    )
    vat_every: int = setting(
        1,
        "Only every K-th update has the term of --vat, K times as strong, and reads texts without "
        "labels; the others are plain.",
        minimum=1,
    )
    adversarial_weight: float = setting(
        1.0, "Weight of the losses of --adversarial and --vat.", minimum=0.0
    )
    entropy: float = setting(
        0.0,
        "Weight of entropy minimization, which makes predictions certain, also those of unlabelled "
        "texts (0: off).",
        minimum=0.0,
    )
    language_weight: float = setting(
        0.0,
        "Weight of the language model's loss, added to the classifier's, such as 0.1; needs "
        "--init-from (0: off).",
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen = {
            "`loss` logit-adjusted": self.loss == "logit-adjusted",
            "`class_weights`": self.class_weights,
            "`balanced_batches`": self.balance > 0,
        }
        if sum(chosen.values()) > 1:
            names = " and ".join(name for name, is_on in chosen.items() if is_on)
            raise ConfigError(
                f"{names} make up for the same frequencies of classes; leave out all but one."
            )

    @property
    def balance(self) -> float:
        """How far the classes become equally frequent in an epoch, from 0 to 1."""
        return BALANCES[self.balanced_batches]
