"""All settings of a classifier's run.

Each field is stated once, with its help text and bounds. The command line makes its options from
these fields, `--config FILE` and a run's `config.yaml` hold them by section, and `from_dict`
reads them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from textrnn.config.data import DataConfig
from textrnn.config.decisions import DecisionsConfig
from textrnn.config.model import SHORT_TOKENS, ModelConfig
from textrnn.config.regularization import RegularizationConfig
from textrnn.config.section import Settings, listed_names, seconds
from textrnn.config.task import TaskConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.config.training import (
    BATCH_TOKENS,
    BatchesConfig,
    ClassifierOptimizerConfig,
    ClassifierRuntimeConfig,
    ClassifierScheduleConfig,
    DistillationConfig,
    StartConfig,
)
from textrnn.errors import ConfigError

__all__ = ["ClassifierRunConfig"]

PRETRAINING_TOKENS = (2_000_000, 50_000_000)
"""The least and the most tokens of texts that a language model reads first by default."""

PRETRAINING_EPOCHS = 2

PRETRAINING_SECONDS = 80.0
"""The least time budget with which it reads by default, for each million tokens."""


@dataclass(frozen=True)
class ClassifierRunConfig(Settings):
    """All settings of the training of one classifier.

    >>> config = ClassifierRunConfig.of(train_file="reviews.csv", cell="lstm", epochs=3)
    >>> config.model.cell, config.schedule.epochs, config.optimizer.learning_rate
    ('lstm', 3, 0.003)
    """

    data: DataConfig = field(default_factory=DataConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    batches: BatchesConfig = field(default_factory=BatchesConfig)
    optimizer: ClassifierOptimizerConfig = field(default_factory=ClassifierOptimizerConfig)
    schedule: ClassifierScheduleConfig = field(default_factory=ClassifierScheduleConfig)
    regularization: RegularizationConfig = field(default_factory=RegularizationConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    decisions: DecisionsConfig = field(default_factory=DecisionsConfig)
    start: StartConfig = field(default_factory=StartConfig)
    runtime: ClassifierRuntimeConfig = field(default_factory=ClassifierRuntimeConfig)

    @property
    def scaled_rate(self) -> float:
        """The highest learning rate, with `rate_scaling` for batches larger than the default.

        >>> ClassifierRunConfig.of(batch_tokens=4 * 8192, rate_scaling="sqrt").scaled_rate
        0.006
        """
        growth = max(1.0, self.batches.most_tokens / BATCH_TOKENS)
        factors = {"none": 1.0, "sqrt": math.sqrt(growth), "linear": growth}
        return self.optimizer.learning_rate * factors[self.optimizer.rate_scaling]

    def choices(self, *, tokens: int, texts: int) -> dict[str, float]:
        """Returns the values of the settings that are left to the data.

        A language model reads long texts first if there are enough of them. docs/accuracy.md has
        what it gains.

        >>> ClassifierRunConfig.of(word_dropout=0.1).choices(tokens=6_000_000, texts=20_000)
        {'embedding_dropout': 0.5, 'pretrain_epochs': 2}

        Args:
            tokens: The number of tokens of the training texts.
            texts: The number of training texts.
        """
        choices = self.model.choices(tokens / texts)
        if self.start.pretrain_epochs is None:
            least, most = PRETRAINING_TOKENS
            suits = (
                least <= tokens <= most
                and tokens / texts >= SHORT_TOKENS
                and not (self.start.init_from or self.start.vectors or self.distillation.active)
                and self._has_time(tokens)
                and _pretraining_hindrance(self.model) is None
            )
            choices["pretrain_epochs"] = PRETRAINING_EPOCHS if suits else 0
        return choices

    def _has_time(self, tokens: int) -> bool:
        """Returns whether a language model has the time to read the tokens."""
        budget = self.schedule.time_budget
        return budget is None or seconds(budget) >= PRETRAINING_SECONDS * tokens / 1e6

    def __post_init__(self) -> None:
        data = self.data
        if self.start.pretrain_epochs and (hindrance := _pretraining_hindrance(self.model)):
            raise ConfigError(
                "`pretrain_epochs` needs a classifier that can start from a language model, but "
                f"{hindrance}; or set it to 0."
            )
        text_columns = (data.text_column, *listed_names(data.text_column))
        if data.label_column in text_columns and self.task.label_columns is None:
            raise ConfigError(
                f"`text_column` and `label_column` must differ, got {data.label_column!r} for both."
            )
        terms = self.regularization
        if terms.loss == "logit-adjusted" and self.task.multi_label:
            raise ConfigError(
                "`loss` logit-adjusted needs one label per text, got `multi_label`; choose focal, "
                "or leave it out."
            )
        if terms.balance and self.task.multi_label:
            raise ConfigError(
                "`balanced_batches` needs one label per text, got `multi_label`; set it to off."
            )
        smoothed = terms.adversarial or terms.vat or terms.entropy
        learned = terms.vat or terms.entropy or self.distillation.active
        if (data.unlabelled or data.unlabelled_file) and not learned:
            raise ConfigError(
                "texts without labels need `vat`, `entropy` or `teachers`, got none; set "
                "`vat=0.02`, or leave the texts out."
            )
        if terms.vat_every > 1 and not terms.vat:
            raise ConfigError(
                f"`vat_every` needs `vat`, got {terms.vat_every} without it; set `vat=0.02`, or "
                "leave it out."
            )
        objective = self.decisions.parsed
        named = self.decisions.objective_label is not None or self.task.multi_label
        if objective is not None and objective.level is not None and not named:
            raise ConfigError(
                f"`objective` {objective} needs `objective_label`, the label that it is about."
            )
        if objective is not None and objective.name == "cost" and self.task.multi_label:
            raise ConfigError(
                "`objective` cost needs one label per text, got `multi_label`; choose another "
                "objective."
            )
        if terms.language_weight and not self.start.init_from:
            raise ConfigError(
                "`language_weight` needs `init_from`, a language model whose training it continues."
            )
        if terms.language_weight and (self.optimizer.tbptt or smoothed):
            raise ConfigError(
                "`language_weight` excludes `tbptt`, `adversarial`, `vat` and `entropy`; leave "
                "either out."
            )
        if self.runtime.jit == "on" and self.optimizer.tbptt_random:
            raise ConfigError(
                "`jit` on excludes `tbptt_random`, whose segments have another length in each "
                "update; leave either out."
            )
        if self.optimizer.tbptt is not None and smoothed:
            raise ConfigError(
                "`adversarial`, `vat` and `entropy` need each text as a whole, expected no "
                f"`tbptt`, got {self.optimizer.tbptt!r}; leave it out, and set `max_length`."
            )


def _pretraining_hindrance(model: ModelConfig) -> str | None:
    """Returns the reason why no language model can give its weights; None: it can."""
    if model.cell == "none":
        return "a bag of embeddings has no recurrence"
    deep = model.layers > 1
    if model.bidirectional and not model.separate_directions and (deep or model.residual):
        return (
            "its directions are not separate; set `separate_directions`, or 1 layer without "
            "`residual`"
        )
    return (
        "its layers do not read every step; turn `pyramid` off" if model.pyramid and deep else None
    )
