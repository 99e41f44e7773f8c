import shutil

import numpy as np
import pytest
from tiny import LABELS, QUIET, labelled_texts, not_none, run_config, stop_after, write_csv

import textrnn
from textrnn.data import load_corpus
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.inference import run_folder
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.run.classifier import train
from textrnn.training.run.preparation import RunContext, encode_split
from textrnn.training.run.teachers import Lessons, load_targets, read_lessons, soft_targets

pytestmark = pytest.mark.usefixtures("cache")
UNLABELLED = ["a b x", "c c y", "e x", "d y a a"]


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "letters.csv", labelled_texts(40))


@pytest.fixture
def unlabelled(tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("\n".join(UNLABELLED), encoding="utf-8")
    return path


def lessons(config) -> tuple[Lessons, RunContext]:
    corpus = load_corpus(config, seed=0)
    tokenizer = Tokenizer.train(corpus.train.texts, config.tokenizer)
    context = RunContext(config, corpus, tokenizer, QUIET)
    labelled = encode_split(corpus.train, context=context)
    return read_lessons(labelled, context=context), context


def test_targets_mix_labels_and_the_mean_answer(data, unlabelled, finished):
    config = run_config(
        data,
        teachers=str(finished.folder),
        linear_teacher=True,
        teacher_weight=0.25,
        unlabelled_file=str(unlabelled),
    )
    read, context = lessons(config)
    targets = soft_targets(read, context=context)
    texts = [*context.corpus.train.texts, *UNLABELLED]
    linear = LinearBaseline(context.corpus.train, label_space=context.label_space)
    run = textrnn.load(finished.folder)
    answers = (run.probabilities(texts) + linear.probabilities(texts)) / 2
    labels = context.label_space.targets(context.corpus.train.labels)
    count = len(labels)
    np.testing.assert_allclose(targets[:count], 0.75 * labels + 0.25 * answers[:count], rtol=1e-5)
    np.testing.assert_allclose(targets[count:], answers[count:], rtol=1e-5)
    taught = read.taught(targets, context=context)
    assert len(taught.plan.texts) == len(taught.weights) == count + len(UNLABELLED)
    assert list(taught.plan.texts[-1]) == context.tokenizer.encode(UNLABELLED[-1])


def test_labels_may_have_another_order(data, finished, tmp_path):
    turned = textrnn.load(finished.folder)
    answers = turned.probabilities(UNLABELLED)
    turned.labels = LABELS[::-1]
    run_folder.save(turned, tmp_path / "turned")
    config = run_config(data, teachers=str(tmp_path / "turned"), teacher_weight=1.0)
    read, context = lessons(config)
    read = Lessons(read.labelled, UNLABELLED, context.tokenizer.encode_batch(UNLABELLED))
    targets = soft_targets(read, context=context)[-len(UNLABELLED) :]
    np.testing.assert_allclose(targets, answers[:, ::-1], rtol=1e-5)


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
    assert "targets.npy" not in {path.name for path in (tmp_path / "student").rglob("*")}


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


def test_lost_targets_are_an_error(tmp_path):
    with pytest.raises(ModelError, match="overwrite"):
        load_targets(tmp_path)


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
