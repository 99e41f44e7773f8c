"""The settings of the models: those of the encoder, and those that only a classifier has."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.choices import CELLS, HEADS, KERNELS
from textrnn.config.section import Section, setting
from textrnn.errors import ConfigError

__all__ = ["SHORT_TOKENS", "EncoderConfig", "ModelConfig"]


LONG_TEXTS = {"embedding_dropout": 0.5, "word_dropout": 0.2}
SHORT_TEXTS = {"embedding_dropout": 0.3, "word_dropout": 0.1}
SHORT_TOKENS = 50
"""The mean number of tokens below which texts are short."""


@dataclass(frozen=True)
class EncoderConfig(Section):
    """The embedding and the recurrence, which a classifier and a language model share."""

    cell: str = setting(
        "mingru",
        "Recurrent cell; none is a bag of embeddings. For a cell of yours: 'package>Name', and its "
        "module by --import.",
        choices=CELLS,
        common=True,
        registered=True,
    )
    imports: str | None = setting(
        None,
        "Python modules that define a cell of yours, separated by commas; each command that makes "
        "or loads the model imports them first.",
        operational=True,
    )
    units: int = setting(128, "State size H of each cell.", minimum=1, common=True)
    layers: int = setting(1, "Number of stacked recurrent layers.", minimum=1, common=True)
    bidirectional: bool = setting(True, "Read the text in both directions.", common=True)
    window: int = setting(
        3,
        "Number of tokens that each step sees: its own token and those before it (1: the plain "
        "cell).",
        minimum=1,
    )
    embedding_units: int = setting(128, "Size E of a token's embedding.", minimum=1)
    residual: bool = setting(
        False, "Add the input of each layer to its output where their sizes agree."
    )
    chrono_steps: int = setting(
        0,
        "Longest dependency, in steps, for chrono initialization of the gates' biases (0: off).",
        minimum=0,
    )
    kernel: str = setting(
        "auto",
        "Implementation of the recurrence; all of them give the same numbers.",
        choices=KERNELS,
    )
    recompute: int = setting(
        0,
        "For long texts: keep the activations of this many steps at a time and recompute the "
        "others in the backward pass (0: keep all).",
        minimum=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.modules:
            parts = name.split(".")
            if parts[-1] == "py" or not all(part.isidentifier() for part in parts):
                raise ConfigError(
                    f"`imports` must be names of modules, such as my_cells, got {name!r}; leave "
                    "out the folder and the .py, and set PYTHONPATH to the folder."
                )

    @property
    def modules(self) -> tuple[str, ...]:
        """The names in `imports`."""
        return tuple(name.strip() for name in (self.imports or "").split(",") if name.strip())


@dataclass(frozen=True)
class ModelConfig(EncoderConfig):
    """The classifier: the encoder, the head, and dropout."""

    head: str = setting(
        "attention", "Pooling of the states into one vector.", choices=HEADS, common=True
    )
    ngrams: int | None = setting(
        None,
        "Number of tokens of the longest n-grams of the linear classifier that is added to the "
        "recurrence (0: none), or auto: 2 or 3, whichever suits the validation texts better; 3 if "
        "there are 2 million tokens.  [default: auto]",
        minimum=0,
        below=6,
        common=True,
    )
    separate_directions: bool = setting(
        False,
        "With --bidirectional: run one stack of layers for each direction and join them after the "
        "last layer, as a language model needs it. Otherwise each layer sees both directions of "
        "the layer below.",
    )
    layer_norm: bool = setting(False, "Normalize the output of each layer.")
    pyramid: bool = setting(
        False,
        "Join pairs of neighbouring states between layers, so that each layer reads half as many "
        "steps as the one below.",
    )
    embedding_dropout: float | None = setting(
        None,
        "Share of the embedding values that are dropped, or auto: 0.5, and 0.3 if the texts have "
        "fewer than 50 tokens on average.  [default: auto]",
        minimum=0.0,
        below=1.0,
        chosen=True,
    )
    dropout: float = setting(
        0.5,
        "Share of the pooled vector, and of the values between layers, that is dropped.",
        minimum=0.0,
        below=1.0,
    )
    recurrent_dropout: float = setting(
        0.0,
        "Share of the state's units that are dropped; the same units at each step.",
        minimum=0.0,
        below=1.0,
    )
    word_dropout: float | None = setting(
        None,
        "Share of the tokens that training replaces by the unknown token, or auto: 0.2, and 0.1 if "
        "the texts have fewer than 50 tokens on average.  [default: auto]",
        minimum=0.0,
        below=1.0,
        chosen=True,
    )

    @property
    def embedding_rate(self) -> float:
        """The share of the embedding values that are dropped."""
        return _or_default(self.embedding_dropout, LONG_TEXTS["embedding_dropout"])

    @property
    def word_rate(self) -> float:
        """The share of the tokens that training replaces by the unknown token."""
        return _or_default(self.word_dropout, LONG_TEXTS["word_dropout"])

    def choices(self, mean_tokens: float) -> dict[str, float]:
        """Returns the values of the settings that are left to the data.

        Short texts lose too much if many of their tokens are dropped. Validation accuracy of one
        run with the rates of long and of short texts, in percent: SST-2 (25 tokens) 82.7, 83.5;
        TREC-6 (16 tokens) 87.6, 88.9; Chinese reviews (58 tokens) 85.4, 85.5.

        >>> ModelConfig(word_dropout=0.0).choices(20.0)
        {'embedding_dropout': 0.3}

        Args:
            mean_tokens: The mean number of tokens of the training texts.
        """
        rates = SHORT_TEXTS if mean_tokens < SHORT_TOKENS else LONG_TEXTS
        return {name: rate for name, rate in rates.items() if getattr(self, name) is None}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.separate_directions and self.pyramid:
            raise ConfigError(
                "`separate_directions` and `pyramid` exclude each other; turn one of them off."
            )


def _or_default(value: float | None, default: float) -> float:
    return default if value is None else value
