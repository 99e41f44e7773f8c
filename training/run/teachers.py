"""The targets that a run gets from its teachers.

The target of a labelled text mixes its label y with the mean answer q of the teachers:

    t = (1 - w) y + w q

Texts without labels join the training texts with t = q. There the teachers say something new: they
have learned the labelled texts by heart already (Sun et al. 2020, "Neural Semi-supervised Learning
for Text Classification Under Large-Scale Pretraining").
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.ensemble import check_same_labels
from textrnn.messages.wording import counted
from textrnn.runtime.blocks import blocks
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.strategy import Distribution
from textrnn.training.run.folder import TARGETS
from textrnn.training.run.preparation import RunContext, encode_unlabelled, unlabelled_texts
from textrnn.training.update.losses import class_weights

__all__ = ["load_targets", "save_targets", "soft_targets", "taught", "taught_by_chief"]


def taught_by_chief(
    labelled: LabelledBatches,
    *,
    context: RunContext,
    distribution: Distribution,
    stored_in: Path | None,
    until: float | None,
) -> LabelledBatches:
    """Returns the texts with the targets of the chief's teachers, on every worker.

    Args:
        labelled: The labelled texts.
        context: The settings and the texts.
        distribution: The devices.
        stored_in: The folder of the run that resumes, which has the targets: the answers of the
            teachers may differ in their last digits. None: the teachers are asked.
        until: As in `soft_targets`.
    """
    content = b""
    if distribution.is_chief:
        if stored_in is None:
            targets = soft_targets(labelled, context=context, until=until)
        else:
            targets = load_targets(stored_in)
        stream = io.BytesIO()
        np.save(stream, targets)
        content = stream.getvalue()
    targets = np.load(io.BytesIO(distribution.broadcast(content)))
    return taught(labelled, targets, context=context)


def taught(
    labelled: LabelledBatches, targets: np.ndarray, *, context: RunContext
) -> LabelledBatches:
    """Returns the labelled texts and the unlabelled ones of the settings, all with targets.

    Args:
        labelled: The labelled texts.
        targets: `[N, C]`, those of the labelled texts, then those of the others.
        context: The settings.

    Raises:
        DataError: The unlabelled texts cannot be read, or there are not as many targets as texts.
    """
    ids = encode_unlabelled(context)
    count = len(labelled.targets)
    if targets.shape != (count + len(ids), labelled.targets.shape[1]):
        raise DataError(
            "expected the training data that the run began with, got other data; train again with "
            "`overwrite`."
        )
    more = np.ones(len(ids), np.float32)
    if context.config.regularization.class_weights:
        more = class_weights(
            labelled.targets, label_space=context.label_space, answers=targets[count:]
        )
    plan = context.plan([*labelled.plan.texts, *ids])
    return LabelledBatches(plan, targets, np.concatenate([labelled.weights, more]))


def soft_targets(
    labelled: LabelledBatches, *, context: RunContext, until: float | None = None
) -> np.ndarray:
    """Returns the targets `[N, C]` of all texts, as `taught` takes them; see the module.

    Args:
        labelled: The labelled texts.
        context: The settings and the texts.
        until: The moment, by `time.monotonic`, at which the answers must be there; None: none.

    Raises:
        ModelError: A teacher is no finished run.
        DataError: A teacher has other labels than the data.
        ConfigError: The teachers take too long.
    """
    config, reporter = context.config, context.reporter
    texts = context.corpus.train.texts
    teachers = _teachers(context)
    weight, count = config.distillation.teacher_weight, len(labelled.targets)
    targets = []
    with reporter.step("teachers", total=count) as advance:
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            answers = _mean_answer(teachers, texts[block], until=until)
            targets.append((1.0 - weight) * labelled.targets[block] + weight * answers)
            advance(len(answers))
    more = 0
    with reporter.step("teachers, texts without labels", total=0) as advance:
        for pairs in blocks(unlabelled_texts(context), _BLOCK):
            targets.append(_mean_answer(teachers, [text for text, _ in pairs], until=until))
            more += len(pairs)
            advance(len(pairs))
    reporter.message(
        f"{counted(len(teachers), 'teacher')} answered {counted(count, 'labelled text')} and "
        f"{counted(more, 'text')} without labels"
    )
    return np.concatenate(targets).astype(np.float32)


def _mean_answer(
    teachers: Sequence[Teacher], texts: Sequence[str], *, until: float | None
) -> np.ndarray:
    if until is not None and time.monotonic() > until:
        raise ConfigError(
            "`time_budget` was used up before the `teachers` had answered all texts; give more "
            "time, fewer texts without labels, or fewer teachers."
        )
    answers = [teacher(texts) for teacher in teachers]
    return np.asarray(sum(answers) / len(answers))


def save_targets(folder: Path, targets: np.ndarray) -> None:
    """Writes the targets `[N, C]` into a run folder, for a training that is resumed.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    content = io.BytesIO()
    np.save(content, targets)
    try:
        write_atomically(folder / TARGETS, content.getvalue())
    except OSError as error:
        raise ConfigError(
            f"{folder}: the teachers' answers were not written ({error.strerror}); make room, or "
            "choose another `output`."
        ) from None


def load_targets(folder: Path) -> np.ndarray:
    """Returns the targets `[N, C]` that `save_targets` wrote.

    Raises:
        ModelError: They are missing or damaged.
    """
    path = folder / TARGETS
    try:
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(
            f"{path}: the teachers' answers cannot be read ({error}); train again with `overwrite`."
        ) from None


_BLOCK = 4096
"""The number of texts that a teacher answers at a time."""


Teacher = Callable[[Sequence[str]], np.ndarray]
"""Returns the probabilities `[N, C]` of the labels of the data for some texts."""


def _teachers(context: RunContext) -> list[Teacher]:
    config, corpus, label_space = context.config, context.corpus, context.label_space
    teachers: list[Teacher] = []
    for run in config.distillation.runs:
        _note_other_split(run, context)
        classifier = run_folder.load(run)
        check_same_labels(classifier.label_space, label_space, name=run, expected_name=corpus.name)
        columns = [classifier.labels.index(label) for label in label_space.labels]
        teachers.append(partial(_answers, classifier.probabilities, columns))
    if config.distillation.linear_teacher:
        with context.reporter.wait("fitting the linear teacher"):
            baseline = LinearBaseline(
                corpus.train, label_space=label_space, seed=config.runtime.seed
            )
        teachers.append(baseline.probabilities)
    return teachers


def _answers(answer: Teacher, columns: list[int], texts: Sequence[str]) -> np.ndarray:
    return np.asarray(answer(texts)[:, columns])


def _note_other_split(run: str, context: RunContext) -> None:
    """Reports that a teacher may have learned the validation texts, which choose the epoch."""
    ours, theirs = context.config, run_folder.load_config(Path(run) / run_folder.CONFIG)
    same = ours.data.valid_fraction == theirs.data.valid_fraction
    if ours.data.valid_file is None and not (same and ours.runtime.seed == theirs.runtime.seed):
        context.reporter.message(
            f"note: {run} held out other texts, so it has learned validation texts of this run: "
            "the validation figures are too good."
        )
