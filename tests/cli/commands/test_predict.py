import dataclasses
import gzip
import json
import os
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_bytes_that_are_no_text_are_shown_as_such(textrnn, run, form):
    """A shell passes them on; Python makes lone surrogates of them."""
    result = textrnn("predict", run, *form, os.fsdecode(b"\xff x"), "y\ud83d", "😀")
    first, second, third = result.stdout.splitlines()
    assert "\ufffd x" in first
    assert "y\ufffd" in second
    assert "😀" in third


def test_no_line_on_stdin_gives_no_line(textrnn, run):
    assert textrnn("predict", run, "-", input=b"").stdout == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.txt", "\n".join(TEXTS) + "\n"),
        ("texts.csv", "id,text\n" + "".join(f'{i},"{t}"\n' for i, t in enumerate(TEXTS))),
        ("texts.tsv", "text\tid\n" + "".join(f"{t}\t{i}\n" for i, t in enumerate(TEXTS))),
        ("texts.jsonl", "".join(json.dumps({"text": t}) + "\n" for t in TEXTS)),
        ("texts.txt.gz", "\n".join(TEXTS)),
    ],
)
def test_texts_from_a_file(textrnn, run, home, name, content):
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
    (home / name).write_bytes(packed)
    result = textrnn("predict", run, "--file", name)
    assert labels(result) == LABELS
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == TEXTS


def test_another_column_and_encoding(textrnn, run, home):
    (home / "texts.csv").write_bytes("wörter\né x\n".encode("latin-1"))
    arguments = ("--file", "texts.csv", "--text-column", "wörter", "--encoding", "latin-1")
    result = textrnn("predict", run, *arguments)
    assert result.stdout.endswith("\té x\n")


def test_a_text_on_several_lines_stays_on_one(textrnn, run):
    result = textrnn("predict", run, "a\nb\t x\n")
    assert result.stdout.endswith("\ta b x\n")
    assert result.stdout.count("\n") == 1


def test_a_text_that_is_cut_is_noted(textrnn, run, monkeypatch):
    from textrnn.config.classifier import TrainingConfig
    from textrnn.inference import run_folder

    load = run_folder.load

    def load_short(folder):
        classifier = load(folder)
        object.__setattr__(classifier.config, "training", TrainingConfig(max_length=1))
        return classifier

    monkeypatch.setattr(run_folder, "load", load_short)
    result = textrnn("predict", run, "x b c d")
    assert labels(result) == ["pos"]
    assert result.stderr == "note: the run's --max-length cut off 75.0% of the tokens given.\n"


@pytest.mark.parametrize("arguments", [[], ["x", "--file", "texts.txt"]])
def test_texts_come_from_one_place(textrnn, run, arguments):
    result = textrnn("predict", run, *arguments, code=2)
    assert "give either TEXTS, or - for stdin, or --file" in result.stderr


def test_errors_are_one_line(textrnn, run, home):
    (home / "texts.csv").write_text("id\n1\n")
    for arguments, message in [
        (("none", "x"), "textrnn: error: none: expected a run folder, found none"),
        ((home, "x"), f"textrnn: error: {home}: expected a run folder, got one without"),
        ((run, "--file", "none.txt"), "textrnn: error: none.txt: expected a file"),
        ((run, "--file", "texts.csv"), "textrnn: error: texts.csv:1: expected one column named"),
        ((run, "-", "--encoding", "utf-5"), "textrnn: settings: `encoding` must be"),
    ]:
        result = textrnn("predict", *arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1


def test_what_was_answered_before_a_bad_row_is_kept(textrnn, run, home, monkeypatch):
    monkeypatch.setattr("textrnn.inference.classifier.BLOCK_TEXTS", 2)
    (home / "texts.jsonl").write_text('{"text": "x"}\n{"text": "y"}\n{"text": 3}\n')
    result = textrnn("predict", run, "--file", "texts.jsonl", code=1)
    assert labels(result) == ["pos", "neg"]
    assert result.stderr.startswith("textrnn: error: texts.jsonl:3: expected a string as text")


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


@pytest.fixture
def renamed(finished, home):
    """A copy of the run with other labels, and other settings of its data."""
    from textrnn.inference import run_folder
    from textrnn.inference.classifier import TrainedClassifier

    def save(*labels, **data):
        ours = finished.classifier
        changed = dataclasses.replace(ours.config.data, **data)
        config = dataclasses.replace(ours.config, data=changed)
        run_folder.save(
            TrainedClassifier(ours.model, ours.tokenizer, labels, config), home / "renamed"
        )
        return home / "renamed"

    return save


def test_a_tab_in_a_label_shifts_no_column(textrnn, renamed):
    result = textrnn("predict", renamed("a\tb", "c d"), "y", "x")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [(row[0], row[2]) for row in rows] == [("a b", "y"), ("c d", "x")]


def test_each_of_several_labels_has_its_score(textrnn, renamed):
    run = renamed("good, old", "new", multi_label=True)
    texts = ("x", "y", "a b")
    found = list(map(json.loads, textrnn("predict", run, "--json", *texts).stdout.splitlines()))
    rows = [line.split("\t") for line in textrnn("predict", run, *texts).stdout.splitlines()]
    for row, answer in zip(rows, found, strict=True):
        assert len(row) == 3
        # The labels hold the separator of the data, ",": another one stands between them.
        assert row[0] == (";".join(answer["labels"]) or "-")
        scores = [f"{answer['scores'][label]:.4f}" for label in answer["labels"]]
        assert row[1] == (";".join(scores) or f"{answer['score']:.4f}")


def test_blank_texts_are_answered_with_a_note(textrnn, run):
    result = textrnn("predict", run, "-", input=b"x\n\n  \n")
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == (
        "note: 2 texts are blank; the answer to a blank text is that of no words at all.\n"
    )


def test_an_answer_without_a_label_names_none(textrnn, renamed):
    run = renamed("old", "new", multi_label=True)
    (answer,) = map(json.loads, textrnn("predict", run, "--json", "a b").stdout.splitlines())
    assert (answer["label"] is None) == (answer["labels"] == [])


def test_a_text_that_is_the_name_of_a_file_is_noted(textrnn, run, home):
    (home / "texts.txt").write_text("x")
    result = textrnn("predict", run, "texts.txt")
    assert result.stderr == (
        "note: the text is the name of a file; to read it, pass --file texts.txt.\n"
    )


def test_no_text_at_all_is_noted(textrnn, run, home):
    (home / "texts.txt").write_text("")
    assert textrnn("predict", run, "--file", "texts.txt").stderr == (
        "note: there is no text to answer.\n"
    )


def test_stdin_may_be_named_as_the_file(textrnn, run):
    assert labels(textrnn("predict", run, "--file", "-", input=b"x\n")) == ["pos"]
    assert "give either TEXTS" in textrnn("predict", run, "-", "more", code=2).stderr
