import dataclasses
import json
import os
import subprocess
import sys

import pytest

from textrnn.inference import run_folder

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = ["a x b", "y", "c c x", "b y"]
LABELS = ["pos", "neg", "pos", "neg"]


@pytest.fixture
def run(finished):
    return finished.folder


def labels(result) -> list[str]:
    return [line.split("\t")[0] for line in result.stdout.splitlines()]


def test_texts_from_the_command_line(textrnn, run):
    result = textrnn("predict", run, *TEXTS)
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[0] for row in rows] == LABELS
    assert [row[2] for row in rows] == TEXTS
    assert all(0.5 < float(score) <= 1 for _, score, _ in rows)
    assert result.stderr == ""


def test_json_is_one_object_a_line(textrnn, run, finished):
    result = textrnn("predict", run, "--json", *TEXTS, "é x\ny")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row.pop("text") for row in rows] == [*TEXTS, "é x\ny"]
    assert "é" in result.stdout
    expected = finished.classifier.predict([*TEXTS, "é x\ny"])
    for row, prediction in zip(rows, expected, strict=True):
        assert list(row) == ["label", "score", "labels", "scores"]
        assert row["label"] == prediction.label
        assert row["scores"] == pytest.approx(prediction.scores, abs=1e-6)


def test_texts_from_stdin(textrnn, run):
    content = "\n".join(TEXTS).encode() + b"\r\n\n x\n"
    result = textrnn("predict", run, "-", "--json", input=content)
    texts = [json.loads(line)["text"] for line in result.stdout.splitlines()]
    assert texts == [*TEXTS, "", " x"]
    assert "note: 1 text is blank" in result.stderr


@pytest.mark.parametrize("engine", ["auto", "tensorflow"])
def test_a_text_that_is_cut_is_noted(textrnn, changed, engine):
    result = textrnn("predict", changed(max_length=1), "x b c d", "--engine", engine)
    assert labels(result) == ["pos"]
    assert result.stderr == "note: the run's --max-length cut off 75.0% of the tokens.\n"


def test_errors_are_one_line(textrnn, run, home):
    (home / "texts.csv").write_text("id\n1\n")
    for arguments, message in [
        (("none", "x"), "textrnn: error: none: expected a run folder, found none"),
        ((home, "x"), f"textrnn: error: {home}: expected a run folder, got one without"),
        ((run, "--file", "none.txt"), "textrnn: error: none.txt: expected a file"),
        ((run, "--file", "texts.csv"), "textrnn: error: texts.csv:1: expected one column named"),
        ((run, "-", "--encoding", "utf-5"), "textrnn: error: --encoding must be"),
    ]:
        result = textrnn("predict", *arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1


def test_what_was_answered_before_a_bad_row_is_kept(textrnn, run, home, monkeypatch):
    monkeypatch.setattr("textrnn.runtime.model.BLOCK_TEXTS", 2)
    (home / "texts.jsonl").write_text('{"text": "x"}\n{"text": "y"}\n{"text": 3}\n')
    result = textrnn("predict", run, "--file", "texts.jsonl", code=1)
    assert labels(result) == ["pos", "neg"]
    assert result.stderr.startswith("textrnn: error: texts.jsonl:3: expected a string as text")


@pytest.mark.process
def test_the_installed_command_writes_nothing_but_its_answer(run):
    """The whole program, TensorFlow's own start-up notes included."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", "from textrnn.cli.main import main; main()", "predict", run, "-"],
        input=b"a x b\n\xc3\xa9 y\n",
        capture_output=True,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [(row[0], row[2]) for row in rows] == [("pos", "a x b"), ("neg", "é y")]


# Files, several labels, likelihoods


@pytest.fixture
def changed(finished, home):
    """Saves a copy of the run with other labels and settings."""

    def save(*labels, **settings):
        config = finished.classifier.config.replace(**settings)
        copy = dataclasses.replace(
            finished.classifier, labels=labels or finished.classifier.labels, config=config
        )
        run_folder.save(copy, home / "changed")
        return home / "changed"

    return save


def test_a_file_is_read_as_the_run_s_own(textrnn, changed, home):
    run = changed(text_column="Wörter", encoding="latin-1")
    (home / "a.csv").write_text("id;Wörter\n0;x ü\n1;y\n", encoding="latin-1")
    result = textrnn("predict", run, "--file", "a.csv")
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == ["x ü", "y"]


def test_bytes_that_are_no_text_are_shown_as_such(textrnn, run):
    """A shell passes them on; Python makes lone surrogates of them."""
    result = textrnn("predict", run, os.fsdecode(b"\xff x"), "y\ud83d", "😀")
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == [
        *("\ufffd x", "y\ufffd", "😀")
    ]


def test_each_of_several_labels_has_its_score(textrnn, changed):
    run = changed("good, old", "new", multi_label=True)
    texts = ("x", "y", "a b")
    answers = list(map(json.loads, textrnn("predict", run, "--json", *texts).stdout.splitlines()))
    rows = [line.split("\t") for line in textrnn("predict", run, *texts).stdout.splitlines()]
    for row, answer in zip(rows, answers, strict=True):
        assert len(row) == 3
        # The labels contain the separator of the data, ",": another one stands between them.
        assert row[0] == (";".join(answer["labels"]) or "-")
        scores = [f"{answer['scores'][label]:.4f}" for label in answer["labels"]]
        assert row[1] == (";".join(scores) or f"{answer['score']:.4f}")


def test_texts_have_likelihoods(textrnn, changed, pretrained):
    run = changed(init_from=str(pretrained.folder))
    result = textrnn("predict", run, "--with-likelihood", "--json", "a x", "q q q q")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(answer["bits_per_token"] > 0 for answer in answers)
    assert {answer["unusual"] for answer in answers} <= {True, False}


def test_another_language_model_may_be_named(textrnn, run, pretrained):
    assert " bits" in textrnn("predict", run, "--language-model", pretrained.folder, "a x").stdout


def test_likelihoods_need_a_language_model(textrnn, run):
    result = textrnn("predict", run, "--with-likelihood", "a", code=1)
    assert "by --language-model" in result.stderr
    result = textrnn("predict", run, "--language-model", run, "a", code=1)
    assert "expected the run of a language model, got that of a classifier" in result.stderr
