import json
import shutil

import pytest

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def run(finished, home):
    return shutil.copytree(finished.folder, home / "run")


def test_the_decisions_change_and_are_obeyed(textrnn, run, home):
    (home / "costs.csv").write_text("true,neg,pos\nneg,0,0\npos,5,0\n")
    printed = textrnn("decide", run, "--objective", "cost", "--cost-matrix", "costs.csv").stdout
    assert f"decisions of {run} for cost: the answer of the least expected cost; figures" in printed
    assert "mean cost" in printed
    assert textrnn("predict", run, "y", "x").stdout.splitlines()[0].startswith("pos\t")


def test_the_model_card_tells_the_new_decisions(textrnn, run):
    before = (run / "README.md").read_text()
    textrnn("decide", run, "--objective", "balanced-accuracy")
    card = (run / "README.md").read_text()
    assert "The objective of the decisions is balanced-accuracy. Answer the label" in card
    assert "| label | precision | recall | F1 | texts | weight |" in card
    assert card.partition("## Use")[2] == before.partition("## Use")[2]


def test_json_has_the_interval_of_the_accuracy(textrnn, run):
    decided = json.loads(textrnn("decide", run, "--objective", "accuracy", "--json").stdout)
    measured = json.loads(textrnn("evaluate", run, "--json").stdout)
    interval = measured["accuracy_interval"]
    assert interval == decided["test"]["accuracy_interval"]
    assert interval["low"] < measured["accuracy"] <= interval["high"] == 1.0
    assert interval["confidence"] == 0.95


def test_a_limit_for_answers(textrnn, run):
    result = json.loads(textrnn("decide", run, "--abstain-below", "0.9999999", "--json").stdout)
    assert result["rule"]["abstain_below"] == 0.9999999
    assert result["test"]["abstention"]["coverage"] < 1.0
    answer = json.loads(textrnn("predict", run, "a", "--json").stdout)
    assert (answer["label"], answer["reason"]) == (None, "abstained")
    assert textrnn("predict", run, "a").stdout.startswith("-\t")
    # The option of the other commands has the last word.
    assert "no text that is less probable than 1:" in textrnn("predict", run, "a").stderr
    printed = textrnn("decide", run, "--objective", "accuracy").stdout
    assert "the default decisions, no answer below 1 (--abstain-below 0" in printed
    answered = textrnn("predict", run, "a", "--json", "--abstain-below", "0")
    assert answered.stderr == ""
    answer = json.loads(answered.stdout)
    assert answer["label"] is not None
    measured = textrnn("evaluate", run, "--abstain-below", "0.5").stdout
    assert "share answered, from 0.5 on" in measured
    assert "accuracy of these answers" in measured


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "cost"], "--objective cost and --cost-matrix need each other"),
        (["--objective", "f1"], "must be one of accuracy"),
        (["--objective", "precision@0.9"], "label that it is about"),
        (["--objective", "cost", "--cost-matrix", "none.csv"], "got: No such file"),
    ],
)
def test_a_wrong_request_is_one_line(textrnn, run, arguments, message):
    result = textrnn("decide", run, *arguments, code=1)
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_something_must_be_asked_for(textrnn, run):
    assert "name an --objective" in textrnn("decide", run, code=2).stderr


def test_a_stream_abstains_too(textrnn, run):
    # A bidirectional run cannot stream; the option is read before that is found.
    result = textrnn("predict", run, "--stream", "--abstain-below", "0.9", code=1, input="x")
    assert "a text piece by piece" in result.stderr
