import json
import shutil

import pytest
from reported import charts_drawn_once, tiny_summary
from tiny import labelled_texts, write_csv

from textrnn.analysis.report import report as reports


@pytest.fixture
def run(finished, home):
    """A copy of the finished run, which a report may be written into."""
    return shutil.copytree(finished.folder, home / "run")


@pytest.fixture
def asked(monkeypatch, tmp_path_factory):
    """Replaces the analyses, which take seconds, and records their arguments."""
    summary = tiny_summary(tmp_path_factory, cell="none")
    calls = []

    def summarize(run, split, **settings):
        calls.append({"texts": len(split), **settings})
        return summary

    monkeypatch.setattr(reports, "summarize", summarize)
    with charts_drawn_once():
        yield calls


def test_the_page_and_the_card_are_written(textrnn, run, asked):
    before = (run / "README.md").read_text()
    result = textrnn("report", run)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "What to look at first" in page
    assert result.stdout.splitlines()[-1] == f"report {run / 'report.html'}"
    assert "accuracy on 16 texts" in result.stdout
    card = (run / "README.md").read_text()
    assert "| accuracy on 16 texts" in card
    assert "[report.html](report.html)" in card
    assert before.split("## Use")[1] == card.split("## Use")[1]
    (call,) = asked
    assert (call["texts"], call["sample"].documents, call["sample"].seed) == (10, 2000, 0)
    assert call["data"] == "letters, test"


def test_a_card_that_was_changed_in_another_encoding_keeps_its_bytes(textrnn, run, asked):
    (run / "README.md").write_bytes("# Größe\n".encode("latin-1"))
    textrnn("report", run)
    card = (run / "README.md").read_bytes()
    assert card.startswith("# Größe\n".encode("latin-1"))
    assert b"| accuracy on 16 texts" in card


def test_the_run_is_still_whole(textrnn, run, asked):
    textrnn("report", run)
    assert textrnn("predict", run, "x").stdout


def test_other_data_leave_the_card_as_it_is(textrnn, run, asked, home):
    card = (run / "README.md").read_text()
    write_csv(home / "other.csv", labelled_texts(6))
    result = textrnn("report", run, "--test-file", "other.csv", "--output", "page.html")
    assert (home / "page.html").is_file()
    assert not (run / "report.html").exists()
    assert result.stdout.endswith("report page.html\n")
    assert (run / "README.md").read_text() == card
    assert asked[0]["texts"] == 6


def test_the_run_s_own_data_from_another_folder_are_its_own(textrnn, run, asked):
    textrnn("report", run, "--data-dir", "elsewhere")
    assert "| accuracy on 16 texts" in (run / "README.md").read_text()
    assert asked[0]["data"] == "letters, test"


def test_a_page_elsewhere_is_not_linked_in_the_card(textrnn, run, asked):
    textrnn("report", run, "--output", "page.html")
    card = (run / "README.md").read_text()
    assert "| accuracy on 16 texts" in card
    assert "report.html" not in card


@pytest.mark.parametrize(("split", "texts"), [("validation", 4), ("test", 10)])
def test_parts_of_the_data(textrnn, run, asked, split, texts):
    textrnn("report", run, "--split", split, "--samples", "3")
    assert (asked[0]["texts"], asked[0]["sample"].documents) == (texts, 3)
    assert asked[0]["data"] == f"letters, {split}"


def test_one_json_object(textrnn, run, asked):
    figures = json.loads(textrnn("report", run, "--json").stdout)
    assert figures["report"] == str(run / "report.html")
    assert figures["texts"] == 16
    assert figures["lyapunov"]["value"] is None
    assert "bag of embeddings" in figures["lyapunov"]["reason"]


def test_a_page_that_cannot_be_written_is_one_line(textrnn, run, asked):
    result = textrnn("report", run, "--output", "none/page.html", code=1)
    assert result.stderr.splitlines()[-1].startswith("textrnn: error: none/page.html: the report")


@pytest.mark.slow
def test_a_report_is_really_made(textrnn, run):
    result = textrnn("report", run, "--samples", "5")
    assert "largest Lyapunov exponent" in result.stdout
    assert "5 of 10 labelled" in " ".join((run / "report.html").read_text().split())
