import json

import pytest
from tiny import QUIET, labelled_texts, run_config, without_graphs, write_csv

from textrnn.config.choices import ATTRIBUTIONS

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def run(finished):
    return finished.folder


@pytest.fixture(scope="module")
def forward(tmp_path_factory):
    """A run that reads forwards only, with the head that sees the last state."""
    from textrnn.training.run.classifier import train

    home = tmp_path_factory.mktemp("forward")
    data = write_csv(home / "letters.csv", labelled_texts(40))
    config = run_config(data, cell="mingru", head="last", bidirectional=False)
    with pytest.MonkeyPatch.context() as patch, without_graphs():
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        train(config, home / "run", reporter=QUIET)
    return home / "run"


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_the_deciding_word_leads_the_table(textrnn, run, method):
    result = textrnn("explain", run, "a b x c", "--method", method)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("The label is pos (")
    assert "'x'" in lines[0]
    assert "a b x c" in lines
    rows = [line.split("│")[1:3] for line in lines if line.startswith("│")]
    word, score = (cell.strip() for cell in rows[0])
    assert word == "x"
    assert float(score) > 0
    assert f"{method}: the scores" in result.stdout
    assert ("against" in result.stdout) == (method != "head")
    assert result.stderr == ""


def test_all_labels_have_their_scores(textrnn, run, finished):
    scores = finished.classifier.predict(["a x"])[0].scores
    printed = textrnn("explain", run, "a x").stdout
    for label, score in scores.items():
        assert f"│ {label}   │ {score:.4f}" in printed
    assert json.loads(textrnn("explain", run, "a x", "--json").stdout)["scores"] == pytest.approx(
        scores, abs=1e-6
    )


def test_json_is_one_object(textrnn, run, finished):
    result = textrnn("explain", run, "é x", "--json", "--label", "neg")
    values = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert (values["label"], values["predicted"], values["running"]) == ("neg", "pos", None)
    expected = finished.classifier.predict(["é x"])[0].scores["neg"]
    assert values["probability"] == pytest.approx(expected, abs=1e-6)
    assert values["completeness_error"] <= 0.01
    for word in values["words"]:
        assert "é x"[word["start"] : word["end"]] == word["text"]


def test_a_run_that_reads_forwards_shows_how_its_answer_came_about(textrnn, forward):
    values = json.loads(textrnn("explain", forward, "a x b", "--json").stdout)
    assert len(values["running"]) == 3
    assert values["running"][-1] == pytest.approx(values["probability"], abs=1e-5)
    last_line = textrnn("explain", forward, "a x b").stdout.splitlines()[-1]
    label, blocks = last_line.split(" after each word: ")
    assert label == values["label"]
    assert len(blocks) == 3


def test_text_from_stdin_is_one_text(textrnn, run):
    values = json.loads(textrnn("explain", run, "-", "--json", input=b"a\nx b\n").stdout)
    assert values["text"] == "a\nx b"


def test_stdin_is_read_in_its_encoding(textrnn, run):
    arguments = ("explain", run, "-", "--json", "--encoding", "latin-1")
    assert json.loads(textrnn(*arguments, input=b"x \xe9").stdout)["text"] == "x é"
    result = textrnn("explain", run, "-", input=b"x \xe9", code=1)
    assert "expected utf-8 text, got the byte 0xe9" in result.stderr
    assert "name its encoding by --encoding" in result.stderr


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_answered_and_reported(textrnn, run, text):
    assert "Warning: the text is empty." in textrnn("explain", run, text).stdout
    assert json.loads(textrnn("explain", run, text, "--json").stdout)["words"] == []


def test_brackets_are_shown_as_they_are(textrnn, run):
    assert "[bold]x[/] :smile:" in textrnn("explain", run, "[bold]x[/] :smile:").stdout


def test_a_page_is_written(textrnn, run, home):
    result = textrnn("explain", run, "a <b> x", "--html", "page.html")
    assert result.stdout
    page = (home / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert 'class="for"' in page
    assert "<b>" not in page


def test_errors_are_one_line(textrnn, run, forward):
    for arguments, message in [
        (("none", "x"), "textrnn: error: none: expected a run folder, found none"),
        ((run, "x", "--label", "no"), "textrnn: error: --label must be one of neg, pos, got"),
        ((run, "x", "--html", "no/page.html"), "textrnn: error: no/page.html: cannot write"),
        (
            (forward, "x", "--method", "additive"),
            "textrnn: error: expected a pooling head that sums",
        ),
    ]:
        result = textrnn("explain", *arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1
    assert (
        "Invalid value for '--method'"
        in textrnn("explain", run, "x", "--method", "magic", code=2).stderr
    )
