import shutil
import time
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import LABELS, QUIET, labelled_texts, not_none, run_config, stop_after, write_csv

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.inference import run_folder
from textrnn.inference.run_files import check_finished
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Silent
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.run.classifier import train
from textrnn.training.run.folder import TARGETS
from textrnn.training.run.preparation import RunContext, encode_split
from textrnn.training.run.teachers import load_targets, save_targets, soft_targets, taught
from textrnn.training.update.losses import BatchLoss

pytestmark = pytest.mark.usefixtures("cache")
UNLABELLED = ["a b x", "c c y", "e x", "d y a a"]


class Messages(Silent):
    """Keeps all messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "letters.csv", labelled_texts(40))


@pytest.fixture
def unlabelled(tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("\n".join(UNLABELLED), encoding="utf-8")
    return path


def labelled_data(config) -> tuple[LabelledBatches, RunContext]:
    corpus = load_corpus(config, seed=0)
    tokenizer = Tokenizer.train(corpus.train.texts, config.tokenizer)
    context = RunContext(config, corpus, tokenizer, QUIET)
    return encode_split(corpus.train, context=context), context


@pytest.mark.usefixtures("eagerly")
def test_targets_mix_labels_and_the_mean_answer(data, unlabelled, finished):
    config = run_config(
        data,
        teachers=str(finished.folder),
        linear_teacher=True,
        teacher_weight=0.25,
        unlabelled_file=str(unlabelled),
    )
    labelled, context = labelled_data(config)
    targets = soft_targets(labelled, context=context)
    texts = [*context.corpus.train.texts, *UNLABELLED]
    linear = LinearBaseline(context.corpus.train, label_space=context.label_space)
    run = textrnn.load(finished.folder)
    answers = (run.probabilities(texts) + linear.probabilities(texts)) / 2
    labels = context.label_space.targets(context.corpus.train.labels)
    count = len(labels)
    np.testing.assert_allclose(targets[:count], 0.75 * labels + 0.25 * answers[:count], rtol=1e-5)
    np.testing.assert_allclose(targets[count:], answers[count:], rtol=1e-5)
    batches = taught(labelled, targets, context=context)
    assert len(batches.plan.texts) == len(batches.weights) == count + len(UNLABELLED)
    assert list(batches.plan.texts[-1]) == context.tokenizer.encode(UNLABELLED[-1])


def test_class_weights_reach_the_unlabelled_texts(unlabelled, tmp_path):
    texts = labelled_texts(40)
    rows = [row for row in texts if row[1] == "neg"] + [row for row in texts if row[1] == "pos"][:8]
    rare = write_csv(tmp_path / "rare.csv", rows)
    config = run_config(
        rare, unlabelled_file=str(unlabelled), linear_teacher=True, class_weights=True
    )
    labelled, context = labelled_data(config)
    by_label = {
        tuple(target): weight
        for target, weight in zip(labelled.targets[:], labelled.weights, strict=True)
    }
    count = len(labelled.targets)
    targets = np.concatenate([labelled.targets, [[1, 0], [0, 1], [0.5, 0.5], [1, 0]]])
    weights = taught(labelled, targets, context=context).weights[count:]
    neg, pos = by_label[1.0, 0.0], by_label[0.0, 1.0]
    assert pos > 2 * neg
    np.testing.assert_allclose(weights, [neg, pos, (neg + pos) / 2, neg], rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_labels_may_have_another_order(data, finished, tmp_path, unlabelled):
    turned = textrnn.load(finished.folder)
    answers = turned.probabilities(UNLABELLED)
    turned.labels = LABELS[::-1]
    run_folder.save(turned, tmp_path / "turned")
    config = run_config(data, teachers=str(tmp_path / "turned"), unlabelled_file=str(unlabelled))
    labelled, context = labelled_data(config)
    targets = soft_targets(labelled, context=context)[-len(UNLABELLED) :]
    np.testing.assert_allclose(targets, answers[:, ::-1], rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_several_labels_of_a_text_are_taught_too(tmp_path, unlabelled):
    rows = [("a x", "first"), ("b y", "second"), ("a b x y", "first,second"), ("c", "")] * 6
    more = [(f"{text} {number}", labels) for number, (text, labels) in enumerate(rows)]
    config = run_config(
        write_csv(tmp_path / "several.csv", more),
        multi_label=True,
        linear_teacher=True,
        unlabelled_file=str(unlabelled),
        piece_type="char",
    )
    student = not_none(train(config, tmp_path / "student", reporter=QUIET))
    assert student.labels == ("first", "second")
    assert 0.0 <= student.metrics["validation"]["micro_f1"] <= 1.0


def test_targets_are_not_smoothed():
    space = LabelSpace(LABELS, multi_label=False)
    logits, targets = np.array([[0.0, 2.0]], np.float32), np.array([[0.25, 0.75]], np.float32)
    settings: dict[str, Any] = {"label_smoothing": 0.5, "linear_teacher": True}
    loss = BatchLoss.from_config(
        ClassifierRunConfig.of(**settings), label_space=space, mean_rows=1.0
    )
    log_p = logits - np.log(np.exp(logits).sum())
    expected = -(targets * log_p).sum()
    actual = loss.of(tf.constant(logits), targets=tf.constant(targets), weights=tf.ones([1]))
    assert float(actual) == pytest.approx(expected, rel=1e-5)


@pytest.mark.thorough
def test_a_student_learns_from_its_teachers_alone(data, unlabelled, finished, tmp_path):
    """Every label is wrong, and has no weight: what is right comes from the teacher."""
    wrong = {"neg": "pos", "pos": "neg"}
    rows = [(text, wrong[label]) for text, label in labelled_texts(40)]
    lies = write_csv(tmp_path / "lies.csv", rows)
    truth = write_csv(tmp_path / "truth.csv", labelled_texts(20, seed=2))
    config = run_config(
        lies,
        valid_file=str(truth),
        teachers=str(finished.folder),
        teacher_weight=1.0,
        unlabelled_file=str(unlabelled),
        epochs=3,
    )
    student = not_none(train(config, tmp_path / "student", reporter=QUIET))
    assert student.metrics["validation"]["accuracy"] == 1.0
    assert student.metrics["ngrams"]["validation_accuracy"]["ngrams"] == 1.0
    assert not (tmp_path / "student" / TARGETS).exists()


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_resumed_student_does_not_need_its_teacher(data, finished, tmp_path):
    teacher = shutil.copytree(finished.folder, tmp_path / "teacher")
    config = run_config(data, teachers=str(teacher), epochs=2)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "student", reporter=QUIET, should_stop=stop_after(3))
    whole = not_none(train(config, tmp_path / "whole", reporter=QUIET))
    shutil.rmtree(teacher)
    resumed = not_none(train(config, tmp_path / "student", reporter=QUIET, resume=True))
    pairs = zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_lost_or_damaged_targets_are_an_error(tmp_path):
    for content in (None, b"", b"damaged"):
        if content is not None:
            (tmp_path / TARGETS).write_bytes(content)
        with pytest.raises(ModelError, match="overwrite"):
            load_targets(tmp_path)
    with pytest.raises(ConfigError, match="make room"):
        save_targets(tmp_path / "missing", np.zeros([1, 2]))


def test_targets_of_other_data_are_an_error(data):
    labelled, context = labelled_data(run_config(data, linear_teacher=True))
    with pytest.raises(DataError, match="other data"):
        taught(labelled, labelled.targets[1:], context=context)


def test_teachers_that_take_too_long_are_an_error(data):
    labelled, context = labelled_data(run_config(data, linear_teacher=True))
    with pytest.raises(ConfigError, match="`time_budget`"):
        soft_targets(labelled, context=context, until=time.monotonic() - 1)


@pytest.mark.usefixtures("eagerly")
def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(data, finished, tmp_path):
    config = run_config(data, teachers=str(finished.folder))

    def killed() -> bool:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        train(config, tmp_path / "student", reporter=QUIET, should_stop=killed)
    with pytest.raises(ModelError, match="no checkpoint to continue from"):
        check_finished(tmp_path / "student")


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_teacher_of_other_validation_texts_is_reported(data, finished, tmp_path):
    for seed, noted in ((0, False), (1, True)):
        reporter = Messages()
        config = run_config(data, teachers=str(finished.folder), seed=seed)
        train(config, tmp_path / f"student{seed}", reporter=reporter)
        assert any("the validation figures are too good" in m for m in reporter.messages) == noted


def test_a_teacher_must_exist(data, tmp_path):
    config = run_config(data, teachers=str(tmp_path / "missing"))
    with pytest.raises(ModelError, match="missing: expected a run folder"):
        train(config, tmp_path / "student", reporter=QUIET)
    assert not (tmp_path / "student").exists()


def test_a_teacher_must_have_the_labels_of_the_data(finished, tmp_path):
    rows = [(text, f"not {label}") for text, label in labelled_texts(40)]
    config = run_config(write_csv(tmp_path / "o.csv", rows), teachers=str(finished.folder))
    with pytest.raises(DataError, match=r"expected the labels of o \(not neg, not pos\)"):
        train(config, tmp_path / "student", reporter=QUIET)


def test_texts_without_labels_need_a_teacher_or_another_use(data, unlabelled):
    with pytest.raises(ConfigError, match="`teachers`"):
        run_config(data, unlabelled_file=str(unlabelled))
    with pytest.raises(ConfigError, match="at most 1"):
        run_config(data, teacher_weight=1.5)
    for wrong in ("runs/a,", "runs/a,runs/../runs/a"):
        with pytest.raises(ConfigError, match="`teachers` must be"):
            run_config(data, teachers=wrong)
