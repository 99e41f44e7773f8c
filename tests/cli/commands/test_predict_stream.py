import json
import os
import subprocess
import sys

import numpy as np
import pytest
from cases import few
from tiny import labelled_texts, not_none, run_config, without_graphs, write_csv

import textrnn as package
from textrnn.progress import Silent
from textrnn.runtime.following import follow_sentences, follow_tokens
from textrnn.training.run.classifier import train

pytestmark = pytest.mark.usefixtures("eagerly")

TEXT = 'a x b. "c d!" e\n\nf y? 3.5 g e.g. h'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that reads forwards only."""
    folder = tmp_path_factory.mktemp("forwards")
    data = write_csv(folder / "letters.csv", labelled_texts(40))
    settings = {"cell": "gru", "bidirectional": False, "head": "mean"}
    with pytest.MonkeyPatch.context() as patch, without_graphs():
        patch.setenv("TEXTRNN_CACHE_DIR", str(folder / "cache"))
        train(run_config(data, **settings), folder / "run", reporter=Silent())
    return folder / "run"


@pytest.mark.parametrize("size", few([3, 1, 1000]))
def test_sentences_are_followed_however_they_arrive(run, size):
    classifier = package.load(run)
    content = TEXT.encode()
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    answers = list(follow_sentences(classifier.stream(), pieces))
    assert [text for text, _ in answers] == [
        "a x b. ",
        '"c d!" ',
        "e\n",
        "\nf y? ",
        "3.5 g e.g. ",
        "h",
    ]
    so_far = ""
    for text, prediction in answers:
        so_far += text
        expected = classifier.predict([so_far])[0]
        assert prediction.score == pytest.approx(expected.score, abs=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("size", few([7, 1, 1000]))
def test_a_line_every_so_many_tokens(run, size):
    classifier = package.load(run)
    content = (TEXT * 5).encode()
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    ids = classifier.tokenizer.encode(TEXT * 5)
    answers = list(follow_tokens(classifier.stream(), pieces, every=10))
    counts = [tokens for tokens, _ in answers]
    assert counts[:-1] == list(range(10, len(ids) + 1, 10))[: len(counts) - 1]
    for tokens, prediction in answers[:-1]:
        score = classifier.score_ids([np.asarray(ids[:tokens])])[0].max()
        assert prediction.score == pytest.approx(score, abs=1e-5)
    assert counts[-1] == len(ids)
    expected = classifier.predict([TEXT * 5])[0]
    assert answers[-1][1].score == pytest.approx(expected.score, abs=1e-5)


@pytest.mark.process
def test_the_command_answers_before_stdin_ends(run):
    command = [sys.executable, "-m", "textrnn", "predict", str(run), "--stream"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.write(not_none(process.stdin).fileno(), b"a x b. c ")
    first = json.loads(not_none(process.stdout).readline())
    assert first["text"] == "a x b."
    rest, _ = process.communicate(b"y d")
    (last,) = [json.loads(line) for line in rest.splitlines()]
    assert last["text"] == "c y d"
    encode = package.load(run).tokenizer.encode
    assert first["tokens"] == len(encode("a x b. "))
    assert last["tokens"] == len(encode("a x b. c y d"))
    assert process.returncode == 0
    expected = package.load(run).predict(["a x b. c y d"])[0]
    assert last["score"] == pytest.approx(expected.score, abs=1e-5)
    assert last["label"] == expected.label


def test_long_texts_are_read_in_pieces_and_none_is_cut(run, monkeypatch):
    from textrnn.inference import classifier as inference

    classifier = package.load(run)
    texts = ["a x b " * 30, "c y"]
    whole = classifier.predict(texts)
    monkeypatch.setattr(inference, "LONG_TOKENS", 20)
    in_pieces = classifier.predict(texts)
    for first, second in zip(whole, in_pieces, strict=True):
        assert first.score == pytest.approx(second.score, abs=1e-5)
    assert classifier.cut_tokens == 0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--stream", "a text"], "--stream reads stdin, as one text, and nothing else"),
        (["--stream", "--skip-bad-rows"], "--stream reads stdin, as one text, and nothing else"),
        (["--stream", "--confident", "0.9"], "--stream reads stdin, as one text, and nothing"),
        (["--stream", "--with-likelihood"], "--stream reads stdin, as one text, and nothing else"),
        (["--every", "3", "a text"], "--every needs --stream"),
    ],
)
def test_options_that_exclude_each_other(textrnn, run, arguments, match):
    assert match in textrnn("predict", run, *arguments, code=2).stderr


def test_a_bidirectional_run_says_what_to_train(textrnn, finished):
    result = textrnn("predict", finished.folder, "--stream", code=1)
    assert "must be off to read a text piece by piece" in result.stderr
    assert "train another model with --no-bidirectional." in result.stderr


def test_early_answers_tell_how_much_was_read(textrnn, run):
    result = textrnn(
        "predict",
        run,
        "a x b c d e f",
        "c y",
        "--confident",
        0.51,
        "--confident-tokens",
        1,
        "--json",
    )
    first, second = [json.loads(line) for line in result.stdout.splitlines()]
    assert first["text"] == "a x b c d e f"
    assert 0 < first["tokens_read"] <= first["tokens"]
    assert set(second) >= {"label", "score", "tokens_read", "tokens"}
