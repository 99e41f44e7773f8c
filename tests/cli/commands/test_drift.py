import dataclasses
import json

import pytest
from tiny import labelled_texts, write_csv

from textrnn.analysis.drift.drift import find_drift
from textrnn.cli.commands.drift import DRIFT

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def run(finished):
    return finished.folder


@pytest.fixture
def same(home):
    write_csv(home / "same.csv", labelled_texts(60, seed=5))
    return "same.csv"


@pytest.fixture
def other(home):
    (home / "other.txt").write_text("f f f f f f f f f f f f f f f x x x x x x\n" * 40)
    return "other.txt"


def test_no_drift_is_exit_code_0(textrnn, run, same):
    result = textrnn("drift", run, same)
    assert result.stdout.splitlines()[-1] == "no drift"
    for name in ("words", "lengths", "predicted labels", "threshold", "60 new texts"):
        assert name in result.stdout


def test_drift_is_an_exit_code_of_its_own(textrnn, run, other):
    result = textrnn("drift", run, other, code=DRIFT)
    assert result.stdout.splitlines()[-1].startswith("drift: words, lengths")


def test_json_has_the_same_verdict(textrnn, run, other):
    printed = json.loads(textrnn("drift", run, other, "--json", code=3).stdout)
    assert printed["drift"] is True
    assert printed["texts"] == 40


def test_a_sample_of_a_large_file(textrnn, run, same):
    printed = json.loads(textrnn("drift", run, same, "--samples", "30", "--json").stdout)
    assert printed["texts"] == 30
    assert json.loads(textrnn("drift", run, same, "--samples", "0", "--json").stdout)["texts"] == 60


def test_other_columns_of_the_new_file(textrnn, run, home):
    rows = "".join(f"{text}\n" for text, _ in labelled_texts(30, seed=6))
    (home / "new.csv").write_text("words\n" + rows)
    textrnn("drift", run, "new.csv", "--text-column", "words")


def test_bad_rows_are_left_out_on_demand(textrnn, run, home):
    rows = "".join(json.dumps({"text": t}) + "\n" for t, _ in labelled_texts(30, seed=6))
    (home / "new.jsonl").write_text(rows + "{}\n")
    assert "new.jsonl:31" in textrnn("drift", run, "new.jsonl", code=1).stderr
    result = textrnn("drift", run, "new.jsonl", "--skip-bad-rows")
    assert "note: 1 row that cannot be read left out." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none", "same.csv"], 1, "expected a run folder"),
        (["RUN", "none.csv"], 1, "none.csv: expected a file, got none"),
        (["RUN", "few.txt"], 1, "expected at least 20 texts"),
        (["RUN"], 2, "Missing argument 'FILE'"),
        (["RUN", "same.csv", "--text-column", "body"], 1, "'body'"),
    ],
)
def test_an_error_is_never_the_exit_code_of_drift(
    textrnn, run, same, home, arguments, code, message
):
    (home / "few.txt").write_text("a x\nb y\n")
    arguments = [run if argument == "RUN" else argument for argument in arguments]
    assert message in textrnn("drift", *arguments, code=code).stderr


def test_a_run_that_started_from_a_language_model_compares_likelihoods(finished, pretrained):
    config = finished.classifier.config.replace(init_from=str(pretrained.folder))
    classifier = dataclasses.replace(finished.classifier, config=config)
    drift = find_drift(classifier, [text for text, _ in labelled_texts(60, seed=5)])
    assert drift.measures[-1].name == "likelihood"
    assert "bits per token" in drift.measures[-1].detail
    assert drift.notes == ()
