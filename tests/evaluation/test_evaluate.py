import json
from pathlib import Path

import numpy as np
import pytest
from tiny import finished_run, not_none, run_config

import textrnn
from textrnn.errors import DataError
from textrnn.evaluation import metrics
from textrnn.evaluation.evaluate import Evaluation
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.label_space import LabelSpace


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished_run(tmp_path_factory)


def test_a_run_is_measured_on_its_own_test_texts(run):
    evaluation = textrnn.evaluate(run.folder)
    expected = run.classifier.metrics["test"]
    assert (evaluation.texts, evaluation.accuracy) == (10, expected["accuracy"])
    assert evaluation.log_loss == pytest.approx(expected["log_loss"], rel=1e-4, abs=1e-6)
    assert set(evaluation.to_dict()) == set(expected)


def test_a_classifier_is_measured_on_given_texts(run):
    evaluation = textrnn.evaluate(
        run.classifier, texts=["a x", "b y", "x"], labels=["pos", "neg", "neg"]
    )
    assert evaluation.accuracy == pytest.approx(2 / 3)
    assert evaluation.per_class["neg"]["support"] == 2
    assert not_none(evaluation.confusion).top() == [("neg", "pos", 1)]


def test_the_labels_must_be_known(run):
    with pytest.raises(DataError, match="expected the labels neg, pos, got 'odd'"):
        textrnn.evaluate(run.classifier, texts=["a"], labels=["odd"])


def test_several_labels_per_text(run):
    config = run_config(Path("letters.csv"), multi_label=True)
    classifier = TrainedClassifier(
        run.classifier.model, run.classifier.tokenizer, run.classifier.labels, config
    )
    evaluation = textrnn.evaluate(classifier, texts=["a x", "b"], labels=[["pos"], []])
    assert evaluation.confusion is None
    assert evaluation.micro_f1 is not None


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_figures_are_plain_values_and_read_back(multi_label):
    targets = np.eye(3)[[0, 1, 2, 2]]
    figures = metrics.evaluate(
        np.eye(3)[[0, 1, 2, 1]],
        targets,
        label_space=LabelSpace(tuple("abc"), multi_label=multi_label),
    )
    evaluation = Evaluation.from_metrics(figures)
    plain = json.loads(json.dumps(evaluation.to_dict()))
    assert plain == figures
    assert list(plain) == list(figures)
    assert Evaluation.from_metrics(plain).to_dict() == figures
