import json

import pytest
from tiny import write_csv


@pytest.fixture
def run(finished):
    return finished.folder


def figures(result) -> dict:
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def test_the_run_s_own_test_data(textrnn, run, finished):
    measured = figures(textrnn("evaluate", run, "--json"))
    expected = finished.classifier.metrics["test"]
    assert set(measured) == set(expected)
    for name in ("texts", "accuracy", "macro_f1", "per_class", "confusion_matrix"):
        assert measured[name] == expected[name]
    for name in ("log_loss", "calibration_error"):
        assert measured[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("split", "texts"), [("train", 36), ("validation", 4), ("test", 10)])
def test_each_part_of_the_data(textrnn, run, finished, split, texts):
    measured = figures(textrnn("evaluate", run, "--split", split, "--json"))
    assert measured["texts"] == texts
    if split != "train":
        assert measured["accuracy"] == finished.classifier.metrics[split]["accuracy"]


def test_other_data_on_demand(textrnn, run, home):
    write_csv(home / "other.csv", [("x", "neg"), ("y", "neg"), ("a x", "pos"), ("q q", "pos")])
    measured = figures(textrnn("evaluate", run, "--test-file", "other.csv", "--json"))
    assert measured["texts"] == 4
    assert measured["confusion_matrix"][0] == [1, 1]


def test_other_columns_on_demand(textrnn, run, home):
    (home / "other.tsv").write_text("klass\twords\npos\ta x\n")
    measured = figures(
        textrnn(
            *("evaluate", run, "--test-file", "other.tsv", "--text-column", "words"),
            *("--label-column", "klass", "--json"),
        )
    )
    assert (measured["texts"], measured["accuracy"]) == (1, 1.0)


def test_tables_for_people(textrnn, run):
    result = textrnn("evaluate", run)
    assert "10 texts" in result.stdout
    for name in ("accuracy", "macro f1", "log loss", "calibration error", "precision", "recall"):
        assert name in result.stdout
    assert "true \\ predicted" in result.stdout
    for label in ("neg", "pos"):
        assert result.stdout.count(label) >= 3


def test_notices_go_to_stderr(textrnn, run, home):
    (home / "other.csv").write_text("text,label\nx,pos\ny,\n")
    result = textrnn("evaluate", run, "--test-file", "other.csv", "--skip-bad-rows", "--json")
    assert figures(result)["texts"] == 1
    assert "note: other.csv: 1 bad row left out" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--test-file", "none.csv"], "none.csv: expected a file"),
        (["--test-file", "odd.csv"], "odd.csv:2: expected a label of the training data (neg, pos)"),
    ],
)
def test_errors_are_one_line(textrnn, run, home, arguments, message):
    write_csv(home / "odd.csv", [("a", "other")])
    result = textrnn("evaluate", run, *arguments, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith(f"textrnn: error: {message}")
    assert result.stderr.count("\n") == 1


def test_a_run_that_is_none(textrnn, home):
    result = textrnn("evaluate", "none", code=1)
    assert result.stderr.startswith("textrnn: error: none: expected a run folder, found none")


def test_an_unknown_split_is_wrong_usage(textrnn, run):
    assert "--split" in textrnn("evaluate", run, "--split", "dev", code=2).stderr


def test_labels_are_printed_as_they_are(capsys):
    from rich.console import Console

    from textrnn.cli.evaluate import _print_tables

    figures = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2}
    labels = ["[good]", "[/bad]"]
    metrics = {
        "texts": 4,
        "per_class": dict.fromkeys(labels, figures),
        "confusion_matrix": [[2, 0], [0, 2]],
    }
    _print_tables(metrics, Console(width=100))
    printed = capsys.readouterr().out
    assert all(printed.count(label) == 3 for label in labels)


def test_of_many_labels_the_most_frequent_mistakes_are_printed(capsys):
    from rich.console import Console

    from textrnn.cli.evaluate import _print_tables

    labels = [f"label{i}" for i in range(150)]
    figures = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2}
    matrix = [[2 * (i == j) for j in range(150)] for i in range(150)]
    matrix[3][7], matrix[9][1] = 1234, 56
    metrics = {
        "texts": 300,
        "per_class": dict.fromkeys(labels, figures),
        "confusion_matrix": matrix,
    }
    _print_tables(metrics, Console(width=80))
    printed = capsys.readouterr().out
    _, mistakes = printed.split("the most frequent mistakes")
    rows = [line.split()[1::2] for line in mistakes.splitlines() if "label" in line]
    assert rows == [["label3", "label7", "1,234"], ["label9", "label1", "56"]]
    assert max(map(len, printed.splitlines())) <= 80
