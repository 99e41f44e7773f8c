"""`textrnn explain --file`."""

import csv
import json

import pytest

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = ["a x b", "c c y", ""]


@pytest.fixture
def run(finished):
    return finished.folder


@pytest.fixture
def table(home):
    rows = [(str(number), text) for number, text in enumerate(TEXTS)]
    with (home / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *rows])
    return "in.csv"


@pytest.mark.thorough
def test_each_text_is_explained_as_it_is_alone(textrnn, run, table):
    lines = textrnn("explain", run, "--file", table).stdout.splitlines()
    values = [json.loads(line) for line in lines]
    assert [value["text"] for value in values] == TEXTS
    for value in values[:2]:
        alone = json.loads(textrnn("explain", run, value["text"], "--json").stdout)
        assert value["label"] == alone["label"]
        assert value["score"] == pytest.approx(alone["probability"], abs=1e-6)
        assert [word["text"] for word in value["words"]] == value["text"].split()
        assert [word["score"] for word in value["words"]] == pytest.approx(
            [word["score"] for word in alone["words"]], abs=1e-5
        )
    assert values[2]["words"] == []
    assert values[2]["warning"] == "the text is empty."


@pytest.mark.thorough
def test_the_explanations_are_written_beside_all_columns(textrnn, run, table, home):
    result = textrnn("explain", run, "--file", table, "--output", "out.csv", "--label", "neg")
    assert result.stdout == ""
    assert "3 rows written to out.csv" in result.stderr
    with (home / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "text", "label", "score", "words", "warning", "error"]
    assert [(row["id"], row["label"]) for row in rows] == [("0", "neg"), ("1", "neg"), ("2", "")]
    assert rows[2]["error"].endswith(": the text is blank")
    assert [word["text"] for word in json.loads(rows[0]["words"])] == ["a", "x", "b"]
    textrnn("explain", run, "--file", table, "--output", "out.jsonl")
    first = json.loads((home / "out.jsonl").read_text().splitlines()[0])
    assert [word["text"] for word in first["words"]] == ["a", "x", "b"]


def test_a_bad_row_has_an_empty_explanation_with_its_reason(textrnn, run, home):
    (home / "bad.csv").write_text("id,text\n1,x\n2,y,z\n")
    textrnn("explain", run, "--file", "bad.csv", "--output", "out.jsonl")
    second = json.loads((home / "out.jsonl").read_text().splitlines()[1])
    assert second["label"] is None
    assert second["words"] is None
    assert "expected 2 columns, got 3" in second["error"]
    assert "got 3" in textrnn("explain", run, "--file", "bad.csv", code=1).stderr
    lines = textrnn("explain", run, "--file", "bad.csv", "--skip-bad-rows").stdout.splitlines()
    assert "got 3" in json.loads(lines[1])["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either TEXTS"),
        (("a", "b"), "give one TEXT"),
        (("a", "--file", "in.csv"), "give either TEXTS"),
        (("a", "--output", "out.csv"), "--output and --resume need --file"),
        (("--file", "in.csv", "--resume"), "--resume needs --output"),
        (("--file", "in.csv", "--html", "page.html"), "--html shows one text"),
        (("--file", "in.csv", "--output", "o.jsonl", "--json"), "--json is about printed"),
    ],
)
def test_options_that_do_not_suit_each_other_are_refused(textrnn, run, table, arguments, message):
    assert message in textrnn("explain", run, *arguments, code=2).stderr


def test_an_unknown_label_is_an_error_that_leaves_no_parts(textrnn, run, table, home):
    arguments = ("explain", run, "--file", table, "--output", "out.csv", "--label", "no")
    result = textrnn(*arguments, code=1)
    assert "--label must be one of neg, pos, got 'no'" in result.stderr
    assert sorted(path.name for path in home.iterdir()) == ["in.csv"]
