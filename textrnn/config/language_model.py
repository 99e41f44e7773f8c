"""The settings of the training of a language model; a classifier's are in `classifier`."""

from __future__ import annotations

from dataclasses import dataclass, field

from textrnn.config.classifier import FittingConfig, ShapeConfig, TokenizerConfig
from textrnn.config.data import separator
from textrnn.config.section import Section, Settings, check_file, setting
from textrnn.errors import ConfigError

__all__ = ["PretrainConfig", "PretrainingConfig", "TextConfig"]


@dataclass(frozen=True)
class TextConfig(Section):
    """Where the unlabelled texts come from."""

    dataset: str | None = setting(
        None,
        "Data set: bbc_news, imdb, or any TFDS name; its training and unsupervised texts are read, "
        "never validation or test texts.",
    )
    data_dir: str | None = setting(None, "Folder of prepared TFDS data sets.", path=True)
    text_key: str | None = setting(None, "TFDS feature that holds the text.")
    label_key: str | None = setting(None, "TFDS feature that holds the label, which is not read.")
    text_file: str | None = setting(
        None,
        "Own texts of any number, one a line, or a column of a .csv, .tsv or .jsonl; each perhaps "
        ".gz.",
        path=True,
    )
    text_column: str = setting("text", "Column or JSON key of the text.")
    delimiter: str | None = setting(
        None,
        "Between the columns of a table: one character, or tab.  [default: found from the header]",
    )
    encoding: str = setting("utf-8", "Character encoding of the file.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.text_file is not None:
            raise ConfigError("give either `dataset` or `text_file`, not both.")
        check_file("text_file", self.text_file)
        if self.delimiter is not None:
            separator(self.delimiter)


@dataclass(frozen=True)
class PretrainingConfig(FittingConfig):
    """How the weights of a language model are fitted."""

    epochs: int | None = setting(
        None,
        "Passes over the texts, or auto: 3; with --time-budget, as many as fit.  [default: auto]",
        minimum=1,
    )
    streams: int = setting(
        64, "Places in the text that are read side by side: rows of a batch.", minimum=1
    )
    segment: int = setting(
        64, "Tokens between two updates; gradients go no further back, states do.", minimum=1
    )
    negatives: int = setting(
        512,
        "Tokens drawn for each batch that the next token is told from, in place of the whole "
        "vocabulary (0: the whole vocabulary).",
        minimum=0,
    )
    dropout: float = setting(
        0.0, "Share dropped of the embeddings, and between layers.", minimum=0.0, below=1.0
    )
    learning_rate: float = setting(4e-3, "Highest learning rate.", minimum=0.0)
    warmup: float = setting(
        0.02, "Share of the training in which the learning rate rises.", minimum=0.0, below=1.0
    )
    held_out: float = setting(
        0.01, "Share of the texts that measure the model and are not learned.", minimum=0.0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.held_out == 0.0:
            raise ConfigError("`held_out` must be more than 0, got 0.0.")


@dataclass(frozen=True)
class PretrainConfig(Settings):
    """All settings of the training of one language model."""

    data: TextConfig = field(default_factory=TextConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ShapeConfig = field(default_factory=ShapeConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)

    def __post_init__(self) -> None:
        if self.model.cell == "none":
            raise ConfigError("a language model needs a recurrence; choose a --cell, not none.")
