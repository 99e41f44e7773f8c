"""The targets that a run gets from its teachers.

The target of a labelled text mixes its label y with the mean answer q of the teachers:

    t = (1 - w) y + w q

Texts without labels join the training texts with t = q. There the teachers say something new: they
have learned the labelled texts by heart already (Sun et al. 2020, "Neural Semi-supervised Learning
for Text Classification Under Large-Scale Pretraining").
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from textrnn.errors import ModelError
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.ensemble import check_same_labels
from textrnn.messages.wording import counted
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.loop.checkpoints import CHECKPOINTS
from textrnn.training.run.preparation import RunContext, unlabelled_texts

__all__ = ["Lessons", "load_targets", "read_lessons", "save_targets", "soft_targets"]

TARGETS = "targets.npy"
"""The file of the targets, beside the checkpoints of the run that learns them."""

Teacher = Callable[[Sequence[str]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Lessons:
    """The texts that the teachers answer: the labelled ones, then those without labels.

    Attributes:
        labelled: The labelled texts.
        texts: The texts without labels.
        ids: The token ids of each of these.
    """

    labelled: LabelledBatches
    texts: Sequence[str]
    ids: Sequence[np.ndarray]

    def taught(self, targets: np.ndarray, *, context: RunContext) -> LabelledBatches:
        """Returns all texts as labelled ones.

        Args:
            targets: `[N, C]`, those of the labelled texts, then those of the others.
            context: The settings.
        """
        plan = context.plan([*self.labelled.plan.texts, *self.ids])
        weights = np.concatenate([self.labelled.weights, np.ones(len(self.ids), np.float32)])
        return LabelledBatches(plan, targets, weights)


def save_targets(folder: Path, targets: np.ndarray) -> None:
    """Writes the targets `[N, C]` into a run folder, for a training that is resumed."""
    content = io.BytesIO()
    np.save(content, targets)
    write_atomically(folder / CHECKPOINTS / TARGETS, content.getvalue())


def load_targets(folder: Path) -> np.ndarray:
    """Returns the targets `[N, C]` that `save_targets` wrote.

    Raises:
        ModelError: They are missing or damaged.
    """
    path = folder / CHECKPOINTS / TARGETS
    try:
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: the teachers' answers cannot be read ({error}); train again with `overwrite`."
        ) from None


def read_lessons(labelled: LabelledBatches, *, context: RunContext) -> Lessons:
    """Returns the labelled texts and the unlabelled ones of the settings.

    Raises:
        DataError: The unlabelled texts cannot be read.
    """
    texts, ids = unlabelled_texts(context)
    return Lessons(labelled, texts, ids)


def soft_targets(lessons: Lessons, *, context: RunContext) -> np.ndarray:
    """Returns the targets `[N, C]` of all texts; see the module.

    Raises:
        ModelError: A teacher is no finished run.
        DataError: A teacher has other labels than the data.
    """
    reporter, labelled = context.reporter, lessons.labelled
    texts = [*context.corpus.train.texts, *lessons.texts]
    teachers = _teachers(context)
    total = np.zeros([len(texts), labelled.targets.shape[1]], np.float32)
    for name, answer in teachers:
        with reporter.step(f"answers of {name}", total=len(texts)) as advance:
            for block in _blocks(len(texts)):
                total[block] += answer(texts[block])
                advance(block.stop - block.start)
    answers = total / len(teachers)
    weight = context.config.distillation.teacher_weight
    labels = len(labelled.targets)
    reporter.message(
        f"{counted(len(teachers), 'teacher')} answered {counted(labels, 'labelled text')} and "
        f"{counted(len(texts) - labels, 'text')} without labels"
    )
    answers[:labels] = (1.0 - weight) * labelled.targets + weight * answers[:labels]
    return answers


_BLOCK = 4096
"""The number of texts that a teacher answers at a time."""


def _blocks(count: int) -> list[slice]:
    starts = range(0, count, _BLOCK)
    return [slice(start, min(start + _BLOCK, count)) for start in starts]


def _teachers(context: RunContext) -> list[tuple[str, Teacher]]:
    """Returns the name of each teacher, and the function that returns its answers `[N, C]`."""
    config, corpus, label_space = context.config, context.corpus, context.label_space
    teachers: list[tuple[str, Teacher]] = []
    for run in config.distillation.runs:
        classifier = run_folder.load(run)
        check_same_labels(classifier.label_space, label_space, name=run, expected_name=corpus.name)
        columns = [classifier.labels.index(label) for label in label_space.labels]
        teachers.append((run, partial(_answers, classifier.probabilities, columns)))
    if config.distillation.linear_teacher:
        with context.reporter.wait("fitting the linear teacher"):
            baseline = LinearBaseline(
                corpus.train, label_space=label_space, seed=config.runtime.seed
            )
        teachers.append((baseline.name, baseline.probabilities))
    return teachers


def _answers(answer: Teacher, columns: list[int], texts: Sequence[str]) -> np.ndarray:
    return np.asarray(answer(texts)[:, columns])
