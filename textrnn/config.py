"""The settings of a run: four frozen dataclasses, validated when they are made.

Each field is stated once, with its help text and bounds. The command line makes its options from
these fields, `--config FILE` and a run's `config.yaml` hold them by section, and `from_dict`
reads them back.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from textrnn.errors import ConfigError

__all__ = [
    "CELLS",
    "EXPORT_FORMS",
    "EXPORT_KINDS",
    "EXPORT_PRECISIONS",
    "HEADS",
    "KERNELS",
    "PRECISIONS",
    "DataConfig",
    "ModelConfig",
    "RunConfig",
    "TokenizerConfig",
    "TrainingConfig",
]

CELLS = ("simple", "gru", "lstm", "mingru", "minlstm", "none")
KERNELS = ("auto", "unroll", "chunked", "scan")
PRECISIONS = ("float32", "bfloat16", "float16")
HEADS = ("last", "mean", "max", "attention")
EXPORT_KINDS = ("saved_model", "tflite", "mediapipe", "stream", "onnx")
EXPORT_FORMS = ("auto", "fused", "parallel", "loop", "unrolled")
EXPORT_PRECISIONS = ("float32", "float16", "dynamic_int8", "int4", "full_int8")
PIECE_TYPES = ("unigram", "bpe", "char", "byte", "word")
NORMALIZATIONS = ("nfkc", "plain")

S = TypeVar("S", bound="_Section")


def _setting(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    minimum: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field that carries its help text and bounds."""
    bounds = {"help": help, "choices": choices, "minimum": minimum, "below": below}
    return field(default=default, metadata=bounds)


def field_types(section: type[_Section]) -> dict[str, tuple[type, bool]]:
    """Maps each field's name to its plain type and whether None is allowed."""
    types: dict[str, tuple[type, bool]] = {}
    for name, hint in typing.get_type_hints(section).items():
        members = [m for m in typing.get_args(hint) if m is not type(None)]
        types[name] = (members[0], True) if members else (hint, False)
    return types


@dataclass(frozen=True)
class _Section:
    """A group of settings that checks its own fields."""

    def __post_init__(self) -> None:
        types = field_types(type(self))
        for setting in dataclasses.fields(self):
            expected, optional = types[setting.name]
            value = getattr(self, setting.name)
            if value is None and optional:
                continue
            if expected is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
                object.__setattr__(self, setting.name, value)
            if not isinstance(value, expected) or (
                isinstance(value, bool) and expected is not bool
            ):
                raise ConfigError(
                    f"`{setting.name}` must be {_article(expected.__name__)}, got {value!r}."
                )
            self._check_bounds(setting.name, value, setting.metadata)

    @staticmethod
    def _check_bounds(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
        choices, minimum, below = bounds["choices"], bounds["minimum"], bounds["below"]
        if choices is not None and value not in choices:
            raise ConfigError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}.")
        # The comparisons are negated so that NaN fails them.
        if minimum is not None and not value >= minimum:
            raise ConfigError(f"`{name}` must be at least {minimum}, got {value}.")
        if below is not None and not value < below:
            raise ConfigError(f"`{name}` must be less than {below}, got {value}.")

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, ready for YAML."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[S], values: Mapping[str, Any]) -> S:
        """Makes the section from plain values.

        Raises:
            ConfigError: A name is unknown, or a value has the wrong type or is out of bounds.
        """
        known = {setting.name for setting in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            raise ConfigError(
                f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(known))}."
            )
        return cls(**{str(name): value for name, value in values.items()})


def _article(type_name: str) -> str:
    names = {"int": "an integer", "float": "a number", "str": "a text", "bool": "true or false"}
    return names.get(type_name, type_name)


@dataclass(frozen=True)
class DataConfig(_Section):
    """Where the texts and labels come from."""

    dataset: str | None = _setting(
        None, "Data set: bbc_news, imdb, or any TFDS name such as glue/sst2."
    )
    data_dir: str | None = _setting(None, "Folder of prepared TFDS data sets.")
    text_key: str | None = _setting(None, "TFDS feature that holds the text.")
    label_key: str | None = _setting(None, "TFDS feature that holds the label.")
    train_file: str | None = _setting(
        None, "Training data: .csv, .tsv or .jsonl (perhaps .gz), or a folder per class."
    )
    valid_file: str | None = _setting(
        None, "Validation data; a tenth of the training data if not given."
    )
    test_file: str | None = _setting(None, "Test data, looked at once, after training.")
    text_column: str = _setting("text", "Column or JSON key of the text.")
    label_column: str = _setting("label", "Column or JSON key of the label.")
    encoding: str = _setting("utf-8", "Character encoding of the files.")
    skip_bad_rows: bool = _setting(
        False, "Count and skip rows that cannot be used instead of stopping at the first."
    )
    multi_label: bool = _setting(False, "A text may carry any number of labels.")
    label_separator: str = _setting(",", "Between the labels of one text, with --multi-label.")
    valid_fraction: float = _setting(
        0.1,
        "Share of the training data held out when there is no validation set.",
        minimum=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.train_file is not None:
            raise ConfigError("give either `dataset` or `train_file`, not both.")
        if self.train_file is None and (self.valid_file or self.test_file) and not self.dataset:
            raise ConfigError("`valid_file` and `test_file` need `train_file` beside them.")
        if not self.label_separator:
            raise ConfigError("`label_separator` must be at least one character, got ''.")
        if self.valid_fraction == 0.0:
            raise ConfigError("`valid_fraction` must be more than 0, got 0.0.")


@dataclass(frozen=True)
class TokenizerConfig(_Section):
    """How texts become ids."""

    piece_type: str = _setting(
        "unigram", "SentencePiece model: unigram, bpe, char, byte or word.", choices=PIECE_TYPES
    )
    normalization: str = _setting(
        "nfkc",
        "What texts are brought to: Unicode's NFKC, or plain: ASCII case and white space alone, "
        "which a graph can do without TF Text.",
        choices=NORMALIZATIONS,
    )
    vocab_size: int = _setting(
        16000,
        "Number of pieces, at the most; a small corpus gets fewer (one for 20 words).",
        minimum=8,
    )
    lowercase: bool = _setting(True, "Fold upper and lower case together.")
    sample_chars: int = _setting(
        10_000_000,
        "Characters of training text that the tokenizer is trained on, at the most.",
        minimum=1,
    )


@dataclass(frozen=True)
class ModelConfig(_Section):
    """The shape of the classifier."""

    cell: str = _setting("mingru", "Recurrent cell; none is a bag of embeddings.", choices=CELLS)
    units: int = _setting(128, "State size H of each cell.", minimum=1)
    layers: int = _setting(1, "Recurrent layers, one above the other.", minimum=1)
    bidirectional: bool = _setting(True, "Read the text in both directions.")
    head: str = _setting("attention", "How the states become one vector.", choices=HEADS)
    window: int = _setting(
        3, "Tokens each step sees: its own and its predecessors (1: the plain cell).", minimum=1
    )
    embedding_units: int = _setting(128, "Size E of a token's vector.", minimum=1)
    residual: bool = _setting(False, "Add each layer's input to its output where sizes agree.")
    layer_norm: bool = _setting(False, "Normalise each layer's output.")
    halve: bool = _setting(
        False, "Join neighbouring states between layers: each layer reads half the steps."
    )
    embedding_dropout: float = _setting(
        0.5, "Share dropped of the embeddings.", minimum=0.0, below=1.0
    )
    dropout: float = _setting(
        0.5, "Share dropped of the pooled vector, and between layers.", minimum=0.0, below=1.0
    )
    recurrent_dropout: float = _setting(
        0.0, "Share of the state dropped, the same units at each step.", minimum=0.0, below=1.0
    )
    word_dropout: float = _setting(
        0.2, "Share of tokens replaced by the unknown token in training.", minimum=0.0, below=1.0
    )
    chrono_steps: int = _setting(
        0, "Longest dependency for chrono initialisation of the gates' biases (0: off).", minimum=0
    )
    kernel: str = _setting(
        "auto", "How the recurrence is computed; all give the same numbers.", choices=KERNELS
    )
    recompute: int = _setting(
        0,
        "For long texts: hold what the steps compute for so many of them at a time, and compute it "
        "again for the gradient (0: hold all).",
        minimum=0,
    )


@dataclass(frozen=True)
class TrainingConfig(_Section):
    """How the weights are fitted."""

    epochs: int | None = _setting(
        None,
        "Passes over the training data.  [default: 5, or as many as make 2,000 updates]",
        minimum=1,
    )
    batch_tokens: int = _setting(8192, "Tokens of a batch, padding included.", minimum=1)
    batch_texts: int = _setting(32, "Texts of a batch, at the most.", minimum=1)
    max_length: int = _setting(
        0, "Longest text in tokens; the rest is cut (0: no limit).", minimum=0
    )
    learning_rate: float = _setting(3e-3, "Highest learning rate.", minimum=0.0)
    warmup: float = _setting(
        0.1, "Share of the steps in which the learning rate rises.", minimum=0.0, below=1.0
    )
    weight_decay: float = _setting(0.0, "Decoupled weight decay (AdamW).", minimum=0.0)
    clip_norm: float = _setting(1.0, "Largest global norm of the gradient (0: off).", minimum=0.0)
    label_smoothing: float = _setting(
        0.1, "Probability spread over the other labels.", minimum=0.0, below=1.0
    )
    class_weights: bool = _setting(False, "Weigh each class by the inverse of its frequency.")
    patience: int = _setting(
        3, "Epochs without a better validation score before training stops (0: never).", minimum=0
    )
    precision: str = _setting(
        "float32",
        "Of matrix products and embeddings; weights, gates and states are float32 in any case.",
        choices=PRECISIONS,
    )
    seed: int = _setting(0, "Seed of every random choice.", minimum=0, below=2**31)
    deterministic: bool = _setting(
        False, "Give the same weights, bit for bit, each time on one machine (slower)."
    )


_SECTIONS: dict[str, type[_Section]] = {
    "data": DataConfig,
    "tokenizer": TokenizerConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}


@dataclass(frozen=True)
class RunConfig:
    """All settings of one run."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The settings by section, as plain values."""
        return {name: getattr(self, name).to_dict() for name in _SECTIONS}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Makes the config from settings by section; a section left out keeps its defaults.

        Raises:
            ConfigError: A section or setting is unknown or has a wrong value.
        """
        unknown = sorted(str(name) for name in values if name not in _SECTIONS)
        if unknown:
            raise ConfigError(
                f"unknown section {', '.join(unknown)}; known: {', '.join(_SECTIONS)}."
            )
        sections: dict[str, Any] = {}
        for name, section in _SECTIONS.items():
            settings = values.get(name) or {}
            if not isinstance(settings, Mapping):
                raise ConfigError(f"section `{name}` must map names to values, got {settings!r}.")
            sections[name] = section.from_dict(settings)
        return cls(**sections)

    @classmethod
    def sections(cls) -> dict[str, type[_Section]]:
        """Maps each section's name to its dataclass, in the order of the file."""
        return dict(_SECTIONS)
