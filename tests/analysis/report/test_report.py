import pytest
from reported import tiny_summary
from tiny import finished_run

import textrnn
from textrnn.analysis.report import report as reports
from textrnn.analysis.report.report import Report
from textrnn.errors import DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished_run(tmp_path_factory)


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return tiny_summary(tmp_path_factory, cell="none")


@pytest.fixture
def calls(monkeypatch, summary):
    """Replaces the analyses, which take seconds, and records their arguments."""
    calls = []

    def summarize(run, split, **settings):
        calls.append({"run": run, "texts": len(split), **settings})
        return summary

    monkeypatch.setattr(reports, "summarize", summarize)
    return calls


def test_the_report_is_about_the_run_s_own_test_texts(run, calls):
    report = textrnn.report(run.folder, samples=7)
    (call,) = calls
    assert (call["texts"], call["data"], call["sample"].documents) == (10, "letters, test", 7)
    assert report.is_own_data
    assert report.to_dict()["texts"] == 16
    assert any(name.startswith("accuracy on 16 texts") for name in report.key_figures)


def test_the_report_may_be_about_given_texts(run, calls):
    report = textrnn.report(run.classifier, texts=["a x"], labels=["pos"])
    assert (calls[0]["texts"], calls[0]["data"]) == (1, "given texts")
    assert not report.is_own_data


def test_without_test_texts_the_validation_texts_are_used(run, calls, monkeypatch):
    monkeypatch.delitem(run.classifier.metrics, "test")
    textrnn.report(run.classifier)
    assert calls[0]["data"] == "letters, validation"


@pytest.mark.thorough
def test_the_page_is_written(summary, tmp_path):
    report = Report(summary, is_own_data=True)
    report.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert len(page) == len(report.html())
    with pytest.raises(DataError, match="the report was not written"):
        report.save(tmp_path / "none" / "page.html")
