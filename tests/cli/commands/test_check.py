import csv
import json
import re
import subprocess
import sys

import pytest
from planted_tickets import planted_tickets

from textrnn.cli.commands.check import SHOWN_SUSPECTS


@pytest.fixture
def tickets(home):
    (home / "tickets.csv").write_text(planted_tickets(200).csv())
    return "tickets.csv"


def test_tables_for_people(textrnn, tickets):
    result = textrnn("check", tickets)
    for word in ("billing", "words (median)", "exact_duplicates", "warning", "Latin 100.0%"):
        assert (word in result.stdout) is (word != "exact_duplicates")
    assert " warnings, " in result.stdout.splitlines()[-1]


def test_json_is_one_object(textrnn, tickets):
    result = textrnn("check", tickets, "--json")
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout)["texts"] == {"train": 200}


def test_the_page_and_the_tables_are_written_on_demand(textrnn, tickets, home):
    result = textrnn("check", tickets, "--html", "page.html", "--output", "tables")
    assert "page page.html" in result.stderr
    assert (home / "page.html").read_text().startswith("<!doctype html>")
    assert (home / "tables" / "repeats.csv").is_file()


def test_strict_makes_warnings_an_exit_code(textrnn, home):
    rows = "".join(f"a text of number {'i' * n},{'xy'[n % 2]}\n" for n in range(1, 121))
    (home / "clean.csv").write_text("text,label\n" + rows)
    textrnn("check", "clean.csv", "--strict", "--no-near-duplicates")
    (home / "bad.csv").write_text("text,label\n" + rows + "no label,\n")
    textrnn("check", "bad.csv")
    textrnn("check", "bad.csv", "--strict", code=1)


def test_other_columns_and_files(textrnn, home):
    (home / "a.tsv").write_text("body\tkind\none\tx\ntwo\ty\n")
    (home / "b.tsv").write_text("body\tkind\none\tx\n")
    result = textrnn(
        *("check", "a.tsv", "--test-file", "b.tsv", "--text-column", "body"),
        *("--label-column", "kind", "--json"),
    )
    kinds = {finding["kind"] for finding in json.loads(result.stdout)["findings"]}
    assert "exact_leaks" in kinds


@pytest.mark.parametrize("files", ["a.csv,b.csv", "?.csv"])
def test_several_files_are_read_as_one(textrnn, home, files):
    for name in "ab":
        (home / f"{name}.csv").write_text(f"text,label\none {name},x\ntwo {name},y\n")
    assert json.loads(textrnn("check", files, "--json").stdout)["texts"] == {"train": 4}


def test_the_settings_of_a_file(textrnn, tickets, home):
    (home / "c.yaml").write_text("data:\n  train_file: tickets.csv\n")
    assert json.loads(textrnn("check", "--config", "c.yaml", "--json").stdout)["name"] == "tickets"


def test_folds_rank_the_labels(textrnn, tickets):
    result = textrnn("check", tickets, "--folds", 3)
    assert "probable label errors, by 3 folds of a linear model" in result.stdout


def test_probable_errors_are_marked(textrnn, tickets, home):
    printed = textrnn("check", tickets, "--folds", 3, "--output", "found").stdout
    with (home / "found/label_errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:SHOWN_SUSPECTS]
    marked = re.findall(r"(\d+)\W+\w+\W+\w+\W+[\d.]+ \*", printed)
    assert marked == [row["row"] for row in rows if row["probable_error"] == "True"]
    assert 0 < len(marked) < len(rows)
    assert "* counted as probably wrong" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name the data"),
        (["a.csv", "--train-file", "b.csv"], 2, "give either FILE or"),
        (["none.csv"], 1, "none.csv: expected a file, got none"),
        (["tickets.csv", "--test-file", "none.csv"], 1, "none.csv: expected a file"),
        (["tickets.csv", "--model", "none"], 1, "none: expected a run folder"),
        (["tickets.csv", "--text-column", "body"], 1, "'body'"),
        (["tickets.csv", "--folds", "1"], 2, "--folds"),
        (["tickets.csv", "--html", "none/page.html"], 1, "cannot write the page"),
    ],
)
def test_wrong_use_is_one_line(textrnn, tickets, arguments, code, message):
    result = textrnn("check", *arguments, code=code)
    assert message in result.stderr
    assert result.stdout == ""


def test_a_check_without_a_ranking_needs_no_tensorflow(tickets):
    code = (
        "import sys; from textrnn.cli.main import main\n"
        f"main(['check', {tickets!r}], standalone_mode=False)\n"
        "print({'tensorflow', 'keras', 'cleanlab', 'sklearn'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "set()"
