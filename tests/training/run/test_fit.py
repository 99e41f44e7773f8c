"""`textrnn.fit` as a user of the library calls it."""

import dataclasses
import gc
import json
from typing import Any

import numpy as np
import pytest
from tiny import MODEL, RUN_FILES, TRAINING, labelled_texts, names

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.evaluation.evaluate import evaluate

SMALL = {"vocab_size": 60, **MODEL, **TRAINING, "epochs": 3, "linear_baseline": False}
TEXTS, LABELS = map(list, zip(*labelled_texts(40), strict=True))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, eagerly) -> None:
    """Keeps the tokenizers and drawings of these tests apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("textrnn.training.run.classifier_run.draw_curves", lambda *_, **__: None)


def fit(*data, **more):
    return textrnn.fit(*data, **{**SMALL, "verbose": False, **more})


def test_texts_and_labels_are_enough(tmp_path, capsys):
    model = fit(TEXTS, LABELS)
    assert capsys.readouterr() == ("", "")
    assert [p.label for p in model.predict(["a x", "y b"])] == ["pos", "neg"]
    assert model.metrics["validation"]["texts"] == 4
    assert model.config == ClassifierRunConfig.of(dataset="in_memory", **SMALL)

    # The folder lives as long as the model, and is saved as any run.
    folder = model.folder
    assert folder is not None
    assert folder.parent == tmp_path
    model.save("copy")
    assert names(tmp_path / "copy") == RUN_FILES - {"curves.png"}
    assert textrnn.load("copy").predict(TEXTS) == model.predict(TEXTS)
    with pytest.raises(ConfigError, match="copy exists and is not empty"):
        model.save("copy")
    with pytest.raises(ModelError, match="expected a classifier with a run folder"):
        dataclasses.replace(model, folder=None).save("other")
    del model
    gc.collect()
    assert not folder.exists()


@pytest.mark.thorough
def test_without_its_texts_the_run_says_that_they_were_in_memory(tmp_path):
    fit(TEXTS, LABELS, output="run")
    assert json.loads((tmp_path / "run" / "data.json").read_text())["train"]["rows"] == 36
    with pytest.raises(DataError, match="trained on texts in memory, which were not kept"):
        evaluate("run", split="validation")


@pytest.mark.thorough
@pytest.mark.parametrize("multi_label", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_kept_texts_measure_the_run_wherever_it_is(tmp_path, multi_label):
    labels = [[c for c in "xab" if c in text] for text in TEXTS] if multi_label else LABELS
    model = fit(TEXTS, labels, keep_data=True, multi_label=multi_label)
    measured = model.metrics["validation"]["accuracy"]
    assert evaluate(model, split="validation").accuracy == measured
    model.save("copy")
    assert evaluate("copy", split="validation").accuracy == measured
    fit(TEXTS, labels, output="copy", overwrite=True, multi_label=multi_label)
    assert not (tmp_path / "copy" / "texts").exists()


@pytest.mark.thorough
def test_validation_is_a_pair_or_a_share():
    valid = labelled_texts(10, seed=1)
    texts, labels = zip(*valid, strict=True)
    model = fit(TEXTS, LABELS, validation=(texts, labels), epochs=1)
    assert model.metrics["validation"]["texts"] == 10
    config = ClassifierRunConfig.of(**SMALL)
    model = textrnn.fit(
        np.array(TEXTS), np.array(LABELS), validation=0.2, config=config, epochs=1, verbose=False
    )
    assert model.metrics["validation"]["texts"] == 8
    assert model.config == config.replace(dataset="in_memory", epochs=1, valid_fraction=0.2)


@pytest.mark.thorough
def test_a_table_has_the_columns_by_name_and_messages_are_on_stderr(capsys):
    table = {"review": TEXTS, "good": [label == "pos" for label in LABELS]}
    model = fit(table, text="review", label="good", validation=table, epochs=1, verbose=True)
    output = capsys.readouterr()
    assert output.out == ""
    assert "in_memory: 40 training, 40 validation, no test texts; labels: false" in output.err
    assert model.labels == ("false", "true")
    assert model.config.data.text_column == "review"
    assert model.metrics["validation"]["texts"] == 40


@pytest.mark.thorough
def test_a_table_has_groups():
    table = {"text": TEXTS, "label": LABELS, "who": [n // 4 for n in range(40)]}
    model = fit(table, group_column="who", epochs=1, validation=0.2, fold="1/2", keep_data=True)
    assert model.metrics["test"]["texts"] == 20
    assert model.metrics["validation"]["texts"] == 4
    assert evaluate(model).accuracy == model.metrics["test"]["accuracy"]
    with pytest.raises(DataError, match="a column 'who' beside the label, got texts without"):
        fit(TEXTS, LABELS, group_column="who")


@pytest.mark.thorough
def test_several_columns_of_flags_are_labels():
    table = {
        "text": TEXTS,
        "x": [int("x" in text) for text in TEXTS],
        "a": [int("a" in text) for text in TEXTS],
    }
    model = fit(table, label=["x", "a"])
    assert model.labels == ("x", "a")
    assert model.config.task.multi_label


@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        ((TEXTS, LABELS), {"unit": 3}, ConfigError, "unknown setting unit; did you mean units"),
        ((TEXTS, LABELS), {"train_file": "a.csv"}, ConfigError, "got `train_file` too"),
        ((TEXTS, LABELS), {"config": 3}, ConfigError, "must be a ClassifierRunConfig, got 3"),
        ((TEXTS, LABELS), {"text": "a"}, ConfigError, "got `labels` too"),
        ((TEXTS,), {}, ConfigError, "expected `labels` beside the texts"),
        ((TEXTS, LABELS), {"validation": "x"}, ConfigError, "share of the texts .* got a str"),
        ((TEXTS, LABELS), {"validation": 2}, ConfigError, "`valid_fraction` must be less than"),
        (({"text": TEXTS},), {}, ConfigError, "a column 'label' in the table, got 'text'"),
        ((TEXTS, LABELS[1:]), {}, DataError, "got 40 texts and 39 labels"),
        ((TEXTS, ["pos"] * 40), {}, DataError, "got pos; check `label_column`"),
        (
            ([*TEXTS, None], [*LABELS, "pos"]),
            {},
            DataError,
            r"texts\[40\]: expected a string, got None, a missing .*, or set `skip_bad_rows=True`",
        ),
        (
            (TEXTS, [[label] for label in LABELS]),
            {},
            DataError,
            r"texts\[0\]: expected one label, got .*; set `multi_label=True`",
        ),
    ],
)
def test_a_fault_is_an_error_that_says_what_to_do(tmp_path, arguments, more, error, message):
    with pytest.raises(error, match=message):
        fit(*arguments, **more)
    assert not list(tmp_path.glob("textrnn-*"))


@pytest.mark.thorough
def test_bad_rows_are_skipped_on_request():
    texts, labels = [*TEXTS, None, 5], [*LABELS, "pos", "neg"]
    assert fit(texts, labels, epochs=1, skip_bad_rows=True).data["train"]["rows"] == 36


@pytest.mark.thorough
def test_an_interrupted_fit_resumes_to_the_same_weights():
    calls = iter(range(1000))
    with pytest.raises(KeyboardInterrupt):
        fit(TEXTS, LABELS, output="run", should_stop=lambda: next(calls) > 6)
    with pytest.raises(ConfigError, match="unfinished run"):
        fit(TEXTS, LABELS, output="run")
    resumed = fit(TEXTS, LABELS, output="run", resume=True)
    whole = fit(TEXTS, LABELS)
    assert resumed.predict(TEXTS) == whole.predict(TEXTS)


@pytest.mark.thorough
def test_the_training_of_a_classifier_continues_on_other_texts(tmp_path):
    first = fit(TEXTS, LABELS)
    more: dict[str, Any] = {"epochs": 1, "verbose": False, "linear_baseline": False}
    texts = [*TEXTS, *(f"z {letter}" for letter in "abcdefgh")]
    second = textrnn.fit(texts, [*LABELS, *["new"] * 8], init_from=first, **more)
    assert second.labels == ("neg", "pos", "new")
    assert second.config.model.units == first.config.model.units
    assert second.metrics["start"]["run"] == str(first.folder)
    first.save("first")
    for run in ("first", tmp_path / "first"):
        third = textrnn.fit(TEXTS, LABELS, init_from=run, **more)
        assert third.metrics["start"]["new_labels"] == []
    with pytest.raises(ConfigError, match="got a classifier without a folder; save it"):
        fit(TEXTS, LABELS, init_from=dataclasses.replace(first, folder=None))
