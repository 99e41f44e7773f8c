import dataclasses
import json

import pytest

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference import run_folder


@pytest.fixture
def latin(pretrained, home):
    """A copy of the language model whose own texts are a column of a Latin-1 table."""
    trained = run_folder.load_language_model(pretrained.folder)
    config = trained.config.replace(text_column="Wörter", encoding="latin-1")
    run_folder.save_language_model(dataclasses.replace(trained, config=config), home / "latin")
    return home / "latin"


def test_a_line_has_figures_and_text(textrnn, pretrained):
    result = textrnn("score", pretrained.folder, "a b c", "", "c a\tb")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[-1] for line in lines] == ["a b c", "", "c a b"]
    for likelihood, bits, perplexity, _ in lines:
        assert float(likelihood) < 0 < float(bits)
        assert float(perplexity) == pytest.approx(2 ** float(bits), rel=0.01)


def test_the_log_probabilities_of_the_tokens_sum_to_that_of_the_text(textrnn, pretrained):
    scored = json.loads(textrnn("score", pretrained.folder, "--per-token", "a b").stdout)
    assert sum(scored["log_probabilities"]) == pytest.approx(scored["log_likelihood"], abs=1e-4)
    assert len(scored["log_probabilities"]) == len(scored["pieces"]) + 1 == scored["tokens"] + 1


def test_files_are_read_as_the_model_s_own_texts(textrnn, latin, home):
    (home / "b.csv").write_text("id;Wörter\n1;x ü\n2;y;z\n3;y\n", encoding="latin-1")
    result = textrnn("score", latin, "--file", "b.csv", "--json", code=1)
    assert json.loads(result.stdout)["text"] == "x ü"
    assert "b.csv:3: expected 2 columns, got 3" in result.stderr
    (line,) = textrnn("score", latin, "-", input="x ü\n".encode("latin-1")).stdout.splitlines()
    assert line.endswith("\tx ü")


def test_a_bad_row_is_skipped_on_demand(textrnn, latin, home):
    (home / "b.csv").write_text("id;Wörter\n1;x ü\n2;y;z\n3;y\n", encoding="latin-1")
    arguments = ("score", latin, "--file", "b.csv", "--skip-bad-rows")
    rows = [json.loads(line) for line in textrnn(*arguments, "--json").stdout.splitlines()]
    assert [row["text"] for row in rows] == ["x ü", None, "y"]
    assert "expected 2 columns" in rows[1]["error"]
    assert textrnn(*arguments).stdout.splitlines()[1].startswith("\t\t\tb.csv:3: expected")


def test_a_missing_run_is_named_with_its_command(textrnn):
    message = textrnn("score", "nowhere", "a", code=1).stderr
    assert "nowhere: expected a run folder, found none; make one by textrnn pretrain." in message


def test_an_unfinished_run_is_named_with_its_command(textrnn, home):
    run_folder.begin(home / "lm", LanguageModelRunConfig())
    (home / "lm" / "checkpoints" / "1").mkdir(parents=True)
    result = textrnn("score", "lm", "a", code=1)
    assert "continue with: textrnn pretrain --resume --output lm" in result.stderr
