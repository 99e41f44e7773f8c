import json

import pytest
from planted_tickets import planted_tickets

from textrnn.analysis.data_check.check import check_data
from textrnn.analysis.data_check.page import check_page
from textrnn.analysis.data_check.tables import write_tables
from textrnn.config.classifier import ClassifierRunConfig


def checked(tmp_path, *, test=False, **settings):
    table = planted_tickets(200)
    path = tmp_path / "tickets.csv"
    path.write_text(table.csv())
    if test:
        (tmp_path / "new.csv").write_text(table.csv())
        settings["test_file"] = str(tmp_path / "new.csv")
    return check_data(ClassifierRunConfig.of(train_file=str(path)).replace(**settings))


def test_everything_is_found_in_one_call(tmp_path):
    check = checked(tmp_path, test=True)
    kinds = {(finding.kind, finding.split) for finding in check.findings}
    assert {("exact_duplicates", "train"), ("exact_contradictions", "train")} <= kinds
    assert ("exact_leaks", "test") in kinds
    assert check.findings[0].severity == "error"
    assert check.name == "tickets"
    assert check.counts["error"] >= 1


def test_the_results_are_plain_values_without_texts(tmp_path):
    values = checked(tmp_path).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert "Best regards" not in json.dumps(values)
    assert values["texts"] == {"train": 200}


@pytest.mark.thorough
def test_a_data_set_that_is_not_in_files():
    check = check_data(ClassifierRunConfig.of(dataset="bbc_news"), near_duplicates=False)
    assert [split.name for split in check.splits] == ["train", "validation", "test"]


def test_the_page_and_the_tables_need_no_ranking(tmp_path):
    check = checked(tmp_path)
    page = check_page(check)
    assert page.startswith("<!doctype html>")
    assert "Probable label errors" not in page
    names = [path.name for path in write_tables(check, tmp_path / "out")]
    assert names == ["findings.csv", "classes.csv", "repeats.csv"]
