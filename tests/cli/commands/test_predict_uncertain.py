"""`textrnn predict --uncertain`."""

import csv
import dataclasses
import json
import shutil

import pytest
from tiny import LABELS

from textrnn.inference import run_folder
from textrnn.inference.ensemble import Ensemble
from textrnn.inference.uncertainty import uncertainties

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = ["x x x", "a b", "y y", "a x b", "b a", "c", "x", "y"]


@pytest.fixture
def run(finished):
    return finished.folder


@pytest.fixture
def pool(home):
    with (home / "pool.csv").open("w", newline="") as file:
        rows = [(str(number), text) for number, text in enumerate(TEXTS)]
        csv.writer(file).writerows([("id", "text"), *rows])
    return "pool.csv"


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def expected(finished, by):
    classifier = finished.classifier
    figures = uncertainties(
        classifier.probabilities(TEXTS), label_space=classifier.label_space, by=by
    )
    return dict(zip(TEXTS, map(float, figures), strict=True))


@pytest.mark.parametrize("by", ["margin", "entropy"])
def test_the_most_uncertain_rows_come_first_with_all_their_columns(
    textrnn, run, pool, finished, by
):
    result = textrnn(
        "predict", run, "--file", pool, "--uncertain", "3", "--by", by, "--output", "out.csv"
    )
    assert result.stdout == ""
    assert "3 rows written to out.csv" in result.stderr
    rows = read("out.csv")
    assert list(rows[0]) == ["id", "text", "label", "score", "uncertainty"]
    figures = expected(finished, by)
    found = [float(row["uncertainty"]) for row in rows]
    assert found == pytest.approx(sorted(figures.values(), reverse=True)[:3], abs=1e-5)
    for row, figure in zip(rows, found, strict=True):
        assert TEXTS[int(row["id"])] == row["text"]
        assert figures[row["text"]] == pytest.approx(figure, abs=1e-5)


def test_the_rows_are_printed_without_a_file(textrnn, run, pool):
    lines = textrnn("predict", run, "--file", pool, "--uncertain", "2").stdout.splitlines()
    fields = [line.split("\t") for line in lines]
    assert [len(columns) for columns in fields] == [4, 4]
    assert float(fields[0][2]) >= float(fields[1][2])
    result = textrnn("predict", run, "--file", pool, "--uncertain", "2", "--json")
    values = [json.loads(line) for line in result.stdout.splitlines()]
    assert [value["text"] for value in values] == [columns[3] for columns in fields]
    assert values[0]["uncertainty"] >= values[1]["uncertainty"]


def test_diverse_rows_do_not_repeat_a_text(textrnn, run, home):
    (home / "pool.csv").write_text("text\n" + "a b\n" * 5 + "x c c\ny b b\n")
    arguments = ("predict", run, "--file", "pool.csv", "--uncertain", "3", "--diverse", "--output")
    textrnn(*arguments, "first.csv")
    textrnn(*arguments, "second.csv")
    rows = read("first.csv")
    assert {row["text"] for row in rows} == {"a b", "x c c", "y b b"}
    found = [float(row["uncertainty"]) for row in rows]
    assert found == sorted(found, reverse=True)
    assert read("second.csv") == rows


def test_rows_without_a_text_are_left_out(textrnn, run, home):
    (home / "pool.csv").write_text("id,text\n1,x\n2,a,b\n3,\n4,a b\n")
    result = textrnn("predict", run, "--file", "pool.csv", "--uncertain", "9", "--output", "o.csv")
    assert {row["id"] for row in read("o.csv")} == {"1", "4"}
    assert "note: 2 rows of 4 left out: blank or not readable." in result.stderr
    assert "2 rows written to o.csv" in result.stderr


def test_a_pool_without_texts_gives_a_table_without_rows(textrnn, run, home):
    (home / "pool.csv").write_text("id,text\n")
    for more in ((), ("--diverse",)):
        arguments = ("--uncertain", "2", *more, "--output", "o.csv")
        textrnn("predict", run, "--file", "pool.csv", *arguments)
        assert (home / "o.csv").read_text() == "id,text,label,score,uncertainty\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "--uncertain", "2"), "--uncertain needs --file"),
        (("--file", "pool.csv", "--diverse"), "--by, --member and --diverse need --uncertain"),
        (
            ("--file", "pool.csv", "--by", "entropy"),
            "--by, --member and --diverse need --uncertain",
        ),
        (("--file", "pool.csv", "--uncertain", "0"), "0 is not in the range"),
        (
            ("--file", "pool.csv", "--uncertain", "2", "--output", "o.csv", "--resume"),
            "--resume continues a table of all rows",
        ),
        (("--stream", "--uncertain", "2"), "--stream reads stdin"),
        (
            ("--file", "pool.csv", "--uncertain", "2", "--by", "disagreement"),
            "compares several runs, got",
        ),
        (
            ("--file", "pool.csv", "--uncertain", "2", "--by", "entropy", "--member", "b"),
            "--member is for --by disagreement, got --by entropy",
        ),
        (
            ("--file", "pool.csv", "--uncertain", "2", "--member", "b", "--member", "b"),
            "--member must name different runs",
        ),
        (("--file", "pool.csv", "--member", "b"), "--member and --diverse need --uncertain"),
    ],
)
def test_options_that_do_not_suit_each_other_are_refused(textrnn, run, pool, arguments, message):
    assert message in textrnn("predict", run, *arguments, code=2).stderr


@pytest.fixture
def turned(finished, home):
    """The run whose labels are exchanged, and in the other order: it errs on every text."""
    shutil.copytree(finished.folder, home / "turned")
    classifier = run_folder.load(home / "turned")
    run_folder.save(dataclasses.replace(classifier, labels=LABELS[::-1]), home / "turned")
    return "turned"


def test_the_rows_about_which_runs_disagree_come_first(textrnn, run, pool, turned, finished):
    command = ("predict", run, "--file", pool, "--uncertain", "3")
    textrnn(*command, "--by", "disagreement", "--member", turned, "--output", "out.csv")
    rows = read("out.csv")
    ensemble = Ensemble([finished.classifier, run_folder.load(turned)])
    figures = dict(zip(TEXTS, map(float, ensemble.disagreements(TEXTS)), strict=True))
    found = [float(row["uncertainty"]) for row in rows]
    assert found == pytest.approx(sorted(figures.values(), reverse=True)[:3], abs=1e-5)
    answers = zip(TEXTS, finished.classifier.predict(TEXTS), strict=True)
    label = {text: answer.label for text, answer in answers}
    assert [row["label"] for row in rows] == [label[row["text"]] for row in rows]
    lines = textrnn(*command, "--member", turned).stdout.splitlines()
    assert [float(line.split("\t")[2]) for line in lines] == pytest.approx(found, abs=1e-3)


def test_a_member_must_be_a_finished_run_with_the_same_labels(textrnn, run, pool, turned, home):
    command = ("predict", run, "--file", pool, "--uncertain", "3", "--member")
    assert "nowhere: expected a run folder" in textrnn(*command, "nowhere", code=1).stderr
    classifier = run_folder.load(home / turned)
    run_folder.save(dataclasses.replace(classifier, labels=("neg", "other")), home / turned)
    assert "turned: expected the labels of" in textrnn(*command, turned, code=1).stderr
