"""The comparison of the light runtime with TensorFlow at the end of a training."""

import io

import pytest
from light_models import HARD_TEXTS, random_pair
from rich.console import Console

from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.progress import Silent
from textrnn.runtime.network.network import Network
from textrnn.runtime.run_folder import has_network
from textrnn.training.run.light_check import check_light_answers

pytestmark = pytest.mark.usefixtures("eagerly")


def test_equal_answers_are_a_figure_of_the_run(tmp_path):
    classifier = random_pair(tmp_path / "run", cell="gru", bidirectional=True).classifier
    log = io.StringIO()
    assert check_light_answers(classifier, HARD_TEXTS, TerminalReporter(Console(file=log)))
    figures = classifier.metrics["light_runtime"]
    assert figures["texts"] == len(HARD_TEXTS)
    assert 0.0 < figures["largest_difference"] < 1e-5
    assert not log.getvalue()


def test_a_run_with_other_answers_has_no_file(tmp_path, monkeypatch):
    classifier = random_pair(tmp_path / "run", cell="none").classifier
    logits = Network.logits
    monkeypatch.setattr(Network, "logits", lambda *arguments: 1.1 * logits(*arguments))
    log = io.StringIO()
    reporter = TerminalReporter(Console(file=log, width=500))
    is_light = check_light_answers(classifier, HARD_TEXTS, reporter)
    assert not is_light
    assert "differ by up to" in log.getvalue()
    run_folder.save(classifier, tmp_path / "other", is_light=is_light)
    assert not has_network(tmp_path / "other")
    assert has_network(tmp_path / "run")


def test_no_text_is_no_difference(tmp_path):
    classifier = random_pair(tmp_path / "run", cell="none").classifier
    assert check_light_answers(classifier, [], Silent())
