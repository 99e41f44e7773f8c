"""All settings of a language model's run; a classifier's are in `classifier`."""

from __future__ import annotations

from dataclasses import dataclass, field

from textrnn.config.choices import TABLES
from textrnn.config.data import separator
from textrnn.config.model import EncoderConfig
from textrnn.config.section import Section, Settings, check_file, setting
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.config.training import OptimizerConfig, RuntimeConfig, ScheduleConfig
from textrnn.errors import ConfigError

__all__ = [
    "LanguageModelBatchesConfig",
    "LanguageModelObjectiveConfig",
    "LanguageModelOptimizerConfig",
    "LanguageModelRegularizationConfig",
    "LanguageModelRunConfig",
    "LanguageModelScheduleConfig",
    "TextConfig",
]


@dataclass(frozen=True)
class TextConfig(Section):
    """The source of the unlabelled texts."""

    dataset: str | None = setting(
        None,
        "Data set: bbc_news, imdb, or any TFDS name; its training and unsupervised texts are read, "
        "never validation or test texts.",
        common=True,
    )
    data_dir: str | None = setting(
        None, "Folder of prepared TFDS data sets.", path=True, common=True
    )
    text_key: str | None = setting(None, "TFDS feature that holds the text.")
    label_key: str | None = setting(None, "TFDS feature that holds the label, which is not read.")
    text_file: str | None = setting(
        None,
        f"Your texts: one per line, or a column of a {TABLES} file. Several files: a pattern such "
        "as 'data/*.parquet', or names with commas between them.",
        path=True,
        several=True,
        common=True,
    )
    text_column: str = setting(
        "text",
        "Column or JSON key of the text, or several, such as title,body, whose texts are joined.",
        common=True,
    )
    text_join: str = setting(
        r"\n",
        r"Characters between the texts of several columns; \n stands for a line end, \t for a tab.",
    )
    delimiter: str | None = setting(
        None,
        "Separator of a table's columns: one character, or tab.  [default: found from the header]",
        common=True,
    )
    encoding: str = setting("utf-8", "Character encoding of the file.", common=True)
    held_out: float = setting(
        0.01,
        "Share of the texts that are not learned and measure the model.",
        minimum=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.text_file is not None:
            raise ConfigError("give either `dataset` or `text_file`, not both.")
        check_file("text_file", self.text_file)
        if self.delimiter is not None:
            separator(self.delimiter)
        if self.held_out == 0.0:
            raise ConfigError("`held_out` must be more than 0, got 0.0.")


@dataclass(frozen=True)
class LanguageModelBatchesConfig(Section):
    """The rows and columns of the batches into which texts are cut."""

    streams: int = setting(
        64,
        "Number of places in the text that are read side by side: the rows of a batch.",
        minimum=1,
        common=True,
    )
    segment: int = setting(
        64,
        "Tokens between two updates; gradients stop at the segment's start, states do not.",
        minimum=1,
        common=True,
    )
    negatives: int = setting(
        512,
        "Number of tokens, drawn for each batch, that replace the whole vocabulary in the loss "
        "(0: use the whole vocabulary).",
        minimum=0,
    )


@dataclass(frozen=True)
class LanguageModelOptimizerConfig(OptimizerConfig):
    """The optimizer."""

    learning_rate: float = setting(4e-3, "Highest learning rate.", minimum=0.0, common=True)


@dataclass(frozen=True)
class LanguageModelScheduleConfig(ScheduleConfig):
    """The length of the training, and the schedule of the learning rate."""

    epochs: int | None = setting(
        None,
        "Passes over the texts, or auto: 3; with --time-budget, as many as fit.  [default: auto]",
        minimum=1,
        common=True,
    )
    warmup: float = setting(
        0.02, "Share of the training in which the learning rate rises.", minimum=0.0, below=1.0
    )


@dataclass(frozen=True)
class LanguageModelObjectiveConfig(Section):
    """The words that a state predicts."""

    bag_weight: float = setting(
        0.0,
        "Weight of predicting the bag of the next content words, in any order; the rest is the "
        "weight of the next token (0: the next token alone).",
        minimum=0.0,
        below=1.0,
        common=True,
    )
    bag_tokens: int = setting(
        5, "Number of next tokens that --bag-weight predicts.", minimum=1, below=65
    )


@dataclass(frozen=True)
class LanguageModelRegularizationConfig(Section):
    """The means against memorizing the texts."""

    dropout: float = setting(
        0.0,
        "Share of the embedding values, and of the values between layers, that is dropped.",
        minimum=0.0,
        below=1.0,
        common=True,
    )


@dataclass(frozen=True)
class LanguageModelRunConfig(Settings):
    """All settings of the training of one language model.

    >>> config = LanguageModelRunConfig.of(text_file="texts.txt", cell="minlstm")
    >>> config.model.cell, config.batches.streams
    ('minlstm', 64)
    """

    data: TextConfig = field(default_factory=TextConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: EncoderConfig = field(default_factory=EncoderConfig)
    batches: LanguageModelBatchesConfig = field(default_factory=LanguageModelBatchesConfig)
    objective: LanguageModelObjectiveConfig = field(default_factory=LanguageModelObjectiveConfig)
    optimizer: LanguageModelOptimizerConfig = field(default_factory=LanguageModelOptimizerConfig)
    schedule: LanguageModelScheduleConfig = field(default_factory=LanguageModelScheduleConfig)
    regularization: LanguageModelRegularizationConfig = field(
        default_factory=LanguageModelRegularizationConfig
    )
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)

    def __post_init__(self) -> None:
        if self.objective.bag_weight and not self.batches.negatives:
            raise ConfigError("`bag_weight` needs `negatives`, got 0; leave one of them out.")
        if self.model.cell == "none":
            raise ConfigError("`cell` must name a recurrent cell for a language model, got none.")
