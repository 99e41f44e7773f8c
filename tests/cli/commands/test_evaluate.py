import csv
import io
import json

import numpy as np
import pyarrow.parquet
import pytest
from tiny import write_csv

from textrnn.evaluation.metrics import evaluate
from textrnn.models.label_space import LabelSpace

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def run(finished):
    return finished.folder


def figures(result) -> dict:
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def test_the_run_s_own_test_data(textrnn, run, finished):
    measured = figures(textrnn("evaluate", run, "--json"))
    expected = finished.classifier.metrics["test"]
    assert set(measured) == {*expected, "accuracy_interval"}
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


def printed(metrics: dict, width: int = 160) -> str:
    """The tables as a console of this width shows them."""
    from rich.console import Console

    from textrnn.cli.commands.evaluate import print_figures

    output = io.StringIO()
    print_figures(metrics, Console(width=width, file=output))
    return output.getvalue()


def test_labels_are_printed_as_they_are():
    figures = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2}
    labels = ["[good]", "[/bad]"]
    metrics = {
        "texts": 4,
        "per_class": dict.fromkeys(labels, figures),
        "confusion_matrix": [[2, 0], [0, 2]],
    }
    text = printed(metrics, width=100)
    assert all(text.count(label) == 3 for label in labels)


def many(labels: int, *, multi_label: bool = False) -> dict:
    """The figures of a model of which the last label's texts are taken for the first label's."""
    places = np.repeat(np.arange(labels), 2)
    targets = np.eye(labels, dtype=np.float32)
    answers = targets[places].copy()
    answers[-2:] = targets[0]
    names = tuple(f"topic_{i:04}_of_the_news" for i in range(labels))
    return evaluate(
        answers, targets[places], label_space=LabelSpace(names, multi_label=multi_label)
    )


@pytest.mark.parametrize("labels", [2, 3, 12, 77, 1500])
@pytest.mark.parametrize("width", [50, 160])
def test_no_name_is_shortened_and_no_table_is_long(labels, width):
    text = printed(many(labels), width=width)
    last = f"topic_{labels - 1:04}_of_the_news"
    assert "…" not in text
    if width > 100:  # Not folded.
        assert text.count(last) >= 2  # The weakest label, and the one that is mistaken.
    assert text.count("\n") < 80
    assert max(map(len, text.splitlines())) <= width
    assert ("true \\ predicted" in text) == (labels <= (0 if width == 50 else 5))
    assert (f"{labels - 15:,} labels are not shown; --json has all." in text) == (labels > 30)


@pytest.mark.parametrize("labels", [1, 2, 77])
def test_several_labels_a_text_have_no_confusions(labels):
    text = printed(many(labels, multi_label=True))
    assert "micro f1" in text
    assert "predicted" not in text
    assert "mistakes" not in text


def test_many_labels_without_a_mistake():
    labels = 40
    targets = np.eye(labels, dtype=np.float32)
    names = tuple(f"label {i}" for i in range(labels))
    metrics = evaluate(targets, targets, label_space=LabelSpace(names, multi_label=False))
    assert "No label was taken for another." in printed(metrics)


def test_a_very_long_name_is_folded():
    name = "very" * 60
    metrics = evaluate(
        np.eye(2), np.eye(2)[::-1], label_space=LabelSpace((name, "b"), multi_label=False)
    )
    text = printed(metrics, width=60)
    assert "…" not in text
    assert text.count("very" * 3) > 10


def test_data_that_the_run_learned_from_is_noted(textrnn, run, finished):
    trained_on = finished.config.data.train_file
    result = textrnn("evaluate", run, "--test-file", trained_on)
    assert f"note: {trained_on} is what {run} learned from" in result.stderr


def written(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_text_is_written_with_its_answer(textrnn, run, home):
    (home / "other.csv").write_text("id,text,label\n1,x,neg\n2,y,neg\n3,a x,pos\n")
    result = textrnn("evaluate", run, "--test-file", "other.csv", "--output", "out.csv", "--json")
    measured = figures(result)
    rows = written(home / "out.csv")
    assert list(rows[0]) == ["id", "text", "label", "predicted_label", "score", "correct"]
    assert [(row["id"], row["label"], row["predicted_label"], row["correct"]) for row in rows] == [
        ("1", "neg", "pos", "false"),
        ("2", "neg", "neg", "true"),
        ("3", "pos", "pos", "true"),
    ]
    assert measured["accuracy"] == pytest.approx(2 / 3)
    assert "3 rows written to out.csv" in result.stderr


@pytest.mark.parametrize(("split", "texts"), [("train", 36), ("validation", 4), ("test", 10)])
def test_the_rows_of_each_part_of_the_data_are_written(textrnn, run, home, split, texts):
    measured = figures(textrnn("evaluate", run, "--split", split, "--output", "o.csv", "--json"))
    rows = written(home / "o.csv")
    assert len(rows) == texts
    correct = [row["correct"] == "true" for row in rows]
    assert correct == [row["label"] == row["predicted_label"] for row in rows]
    assert sum(correct) / texts == pytest.approx(measured["accuracy"])


def test_rows_that_are_left_out_are_not_written(textrnn, run, home):
    (home / "other.csv").write_text("id,text,label\n1,x,pos\n2,y\n3,y,neg\n")
    textrnn(
        *("evaluate", run, "--test-file", "other.csv", "--skip-bad-rows"),
        *("--output", "out.parquet"),
    )
    table = pyarrow.parquet.read_table(home / "out.parquet")
    assert table.column("id").to_pylist() == ["1", "3"]
    assert table.column("correct").to_pylist() == [True, True]


def test_texts_of_a_folder_are_written_with_their_labels(textrnn, run, home):
    for label, text in (("neg", "y"), ("pos", "x")):
        (home / "texts" / label).mkdir(parents=True)
        (home / "texts" / label / "a.txt").write_text(text)
    textrnn("evaluate", run, "--test-file", "texts", "--output", "out.csv")
    assert [(row["text"], row["label"], row["correct"]) for row in written(home / "out.csv")] == [
        ("y", "neg", "true"),
        ("x", "pos", "true"),
    ]


def test_an_output_that_cannot_be_written_is_found_early(textrnn, run):
    result = textrnn("evaluate", run, "--output", "out.pdf", code=1)
    assert "expected the name of a .csv" in result.stderr
