import csv
import json
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf
from tiny import (
    LABELS,
    QUIET,
    RUN_FILES,
    labelled_texts,
    names,
    not_none,
    run_config,
    write_csv,
)

import textrnn
from textrnn.analysis.statistics import accuracy_of
from textrnn.data import Corpus, Split
from textrnn.errors import DataError
from textrnn.evaluation.measurement import measure
from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.loop.trainer import Trainer
from textrnn.training.run import classifier_run as running
from textrnn.training.run.classifier import train
from textrnn.training.run.descriptions import describe_corpus

pytestmark = pytest.mark.usefixtures("cache")


# What is in a run folder


def test_the_folder_is_complete(finished):
    assert names(finished.folder) == RUN_FILES


def test_it_predicts_the_same_before_and_after(finished):
    texts = ["a x b", "y", "", "f e d c b a x", "unknown WORDS é"]
    loaded = textrnn.load(finished.folder)
    assert loaded.predict(texts) == finished.classifier.predict(texts)
    assert loaded.config == finished.config
    assert loaded.labels == finished.classifier.labels == LABELS
    assert loaded.metrics == finished.classifier.metrics


def test_it_has_learned(finished):
    assert finished.classifier.metrics["test"]["accuracy"] == 1.0
    assert [p.label for p in finished.classifier.predict(["a x", "y b"])] == ["pos", "neg"]


def test_the_settings_lie_in_the_folder(finished):
    assert run_folder.load_config(finished.folder / "config.yaml") == finished.config


def test_the_history_has_a_row_an_epoch(finished):
    rows = list(csv.DictReader((finished.folder / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert (finished.folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert any((finished.folder / "tensorboard").iterdir())


def test_the_figures_are_in_the_file_and_in_the_card(finished):
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    assert set(metrics) == {
        *("training", "ngrams", "baseline", "validation", "calibration", "test"),
        "light_runtime",
    }
    assert (metrics["validation"]["texts"], metrics["test"]["texts"]) == (4, 10)
    assert metrics["training"]["epochs"] == 3
    card = (finished.folder / "README.md").read_text()
    assert "# Text classifier: letters" in card
    interval = accuracy_of(metrics["test"])
    bounds = f"{interval.low:.2%} to {interval.high:.2%}"
    assert f"| test | 10 | {metrics['test']['accuracy']:.2%} ({bounds}) |" in card


def test_the_figures_are_those_of_the_saved_weights(finished):
    texts, labels = zip(*labelled_texts(10, seed=1), strict=True)
    split = Split(texts, [(label,) for label in labels])
    measured = measure(textrnn.load(finished.folder), split, name="test", reporter=QUIET)
    assert measured == finished.classifier.metrics["test"]


@pytest.mark.thorough
def test_several_labels_a_text(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "draw_curves", lambda *_, **__: None)  # It takes long.
    rows = [
        (text, ",".join(name for name in "ab" if name in text)) for text, _ in labelled_texts(60)
    ]
    data = write_csv(tmp_path / "letters.csv", rows)
    config = run_config(data, multi_label=True, epochs=8, learning_rate=0.2, patience=0)
    classifier = not_none(train(config, tmp_path / "run", reporter=QUIET))
    assert classifier.labels == ("a", "b")
    assert [set(p.labels) for p in classifier.predict(["c a b", "b d", "c"])] == [
        {"a", "b"},
        {"b"},
        set(),
    ]
    assert "micro_f1" in classifier.metrics["validation"]


@pytest.mark.usefixtures("eagerly")
def test_reduced_precision_ends_in_a_model_of_float32(data, tmp_path):
    config = run_config(data, precision="bfloat16")
    trained = not_none(train(config, tmp_path / "run", reporter=QUIET))
    texts = ["a x", "y b"]
    assert textrnn.load(tmp_path / "run").predict(texts) == trained.predict(texts)
    assert trained.model.dtype_policy.name == "float32"


@pytest.mark.thorough
@pytest.mark.parametrize("precision", ["bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
def test_reduced_precision_ends_in_a_model_like_any_other(
    data, tmp_path, monkeypatch, capsys, precision
):
    monkeypatch.setattr(running, "draw_curves", lambda *_, **__: None)
    config = run_config(data, precision=precision, cell="lstm", epochs=8, patience=0)
    trained = not_none(train(config, tmp_path / "run", reporter=TerminalReporter()))
    assert f"parts side by side; {precision}" in capsys.readouterr().err
    texts = ["a x", "y b"]
    assert [p.label for p in trained.predict(texts)] == ["pos", "neg"]
    assert textrnn.load(tmp_path / "run").predict(texts) == trained.predict(texts)
    assert trained.model.dtype_policy.name == "float32"


# What it looks at, and when


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_the_test_texts_are_not_encoded_before_training_has_ended(
    config, data, tmp_path, monkeypatch
):
    test = write_csv(tmp_path / "test.csv", [("zz x zz", "pos"), ("zz y", "neg")] * 2)
    log = []
    encode, learn, fit = Tokenizer.encode_batch, Tokenizer.train, Trainer.fit

    def is_test(texts):
        return any("zz" in text for text in texts)

    def note_encode(self, texts, **more):
        log.append(("encode", is_test(texts)))
        return encode(self, texts, **more)

    def note_learn(texts, *arguments, **more):
        log.append(("learn", is_test(texts)))
        return learn(texts, *arguments, **more)

    def note_fit(self, *arguments, **more):
        state = fit(self, *arguments, **more)
        log.append(("trained", None))
        return state

    monkeypatch.setattr(Tokenizer, "encode_batch", note_encode)
    monkeypatch.setattr(Tokenizer, "train", staticmethod(note_learn))
    monkeypatch.setattr(Trainer, "fit", note_fit)
    train(run_config(data, test_file=str(test)), tmp_path / "run", reporter=QUIET)
    assert log == [
        ("learn", False),
        ("encode", False),
        ("encode", False),
        ("trained", None),
        ("encode", False),
        ("encode", True),
        ("encode", False),  # The validation texts that the light runtime is compared on.
    ]


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_the_test_data_changes_nothing_but_its_figures(config, data, tmp_path):
    results = []
    for name, rows in [("one", [("a x", "pos")]), ("two", [("a x", "neg"), ("q", "pos")] * 20)]:
        test = write_csv(tmp_path / f"{name}.csv", rows)
        settings = run_config(data, test_file=str(test))
        results.append(not_none(train(settings, tmp_path / name, reporter=QUIET)))
    first_run, second_run = results
    assert first_run.metrics["validation"] == second_run.metrics["validation"]
    assert first_run.metrics["test"] != second_run.metrics["test"]
    for weights, other_weights in zip(
        first_run.model.get_weights(), second_run.model.get_weights(), strict=True
    ):
        assert weights.tobytes() == other_weights.tobytes()


def test_a_broken_test_file_is_reported_before_the_long_training(data, tmp_path, monkeypatch):
    monkeypatch.delattr(running, "Trainer")
    test = write_csv(tmp_path / "test.csv", [("a x", "positive")])
    with pytest.raises(DataError, match=r"test\.csv:2: expected a label of the training data"):
        train(run_config(data, test_file=str(test)), tmp_path / "run", reporter=QUIET)


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_without_test_data_only_the_validation_is_measured(config, tmp_path, capsys):
    (tmp_path / "run").mkdir()  # An empty folder is as good as none.
    classifier = not_none(train(config, tmp_path / "run", reporter=TerminalReporter()))
    assert names(tmp_path / "run") == RUN_FILES
    assert set(classifier.metrics) == {
        "training",
        "ngrams",
        "baseline",
        "validation",
        "calibration",
        "light_runtime",
    }
    assert "There was no test data" in (tmp_path / "run" / "README.md").read_text()
    out, err = capsys.readouterr()
    assert out == ""
    assert "letters: 36 training, 4 validation, no test texts; labels: neg, pos" in err
    assert "epoch 1: loss " in err


# What the settings do


class Caught(Exception):
    pass


@pytest.fixture
def caught_trainer(monkeypatch) -> dict:
    """Returns the arguments of the trainer; the training is stopped before it begins."""
    given: dict[str, Any] = {}

    def catch(model, config, **more):
        given.update(model=model, config=config, **more)
        raise Caught

    monkeypatch.setattr(running, "Trainer", catch)
    return given


def given_to_trainer(config, folder, caught) -> dict:
    with pytest.raises(Caught):
        train(config, folder, reporter=QUIET)
    return caught


def test_class_weights_weigh_the_training_texts(tmp_path, caught_trainer):
    rows = [row for row in labelled_texts(80) if row[1] == "neg"]
    rows += [row for row in labelled_texts(20, seed=1) if row[1] == "pos"]
    data = write_csv(tmp_path / "letters.csv", rows)
    plain = dict(given_to_trainer(run_config(data), tmp_path / "a", caught_trainer))
    weighed = given_to_trainer(run_config(data, class_weights=True), tmp_path / "b", caught_trainer)
    assert set(plain["data"].train.weights.tolist()) == {1.0}
    by_class = weighed["data"].train.targets[:].T @ weighed["data"].train.weights
    assert by_class[0] == pytest.approx(by_class[1], rel=1e-4)
    assert weighed["data"].train.weights.mean() == pytest.approx(1.0, rel=1e-4)


def test_long_texts_are_cut_and_batches_bounded(config, data, tmp_path, caught_trainer):
    settings = run_config(data, max_length=2, batch_texts=3)
    plan = given_to_trainer(settings, tmp_path / "run", caught_trainer)["data"].train.plan
    assert plan.lengths.max() == 2
    assert plan.cut_tokens > 0
    assert max(len(batch.rows) for batch in plan.batches()) == 3


def test_the_length_of_the_texts_decides_what_is_dropped(data, tmp_path, caught_trainer):
    settings = run_config(data, embedding_dropout=None, word_dropout=0.4)
    given = given_to_trainer(settings, tmp_path / "run", caught_trainer)
    rates = (given["config"].model.embedding_dropout, given["config"].model.word_dropout)
    assert rates == (0.3, 0.4)
    assert given["model"].embedding_dropout.rate == 0.3


def test_the_seed_decides_the_first_weights(data, tmp_path, caught_trainer):
    weights = []
    for i, seed in enumerate([0, 0, 1]):
        given = given_to_trainer(run_config(data, seed=seed), tmp_path / str(i), caught_trainer)
        weights.append(np.concatenate([w.ravel() for w in given["model"].get_weights()]))
    assert weights[0].tobytes() == weights[1].tobytes()
    assert weights[0].tobytes() != weights[2].tobytes()


@pytest.mark.usefixtures("caught_trainer")
@pytest.mark.parametrize("deterministic", [False, True])
def test_determinism_is_asked_of_tensorflow(data, tmp_path, monkeypatch, deterministic):
    calls = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: calls.append("asked")
    )
    with pytest.raises(Caught):
        train(run_config(data, deterministic=deterministic), tmp_path / "run", reporter=QUIET)
    assert calls == ["asked"] * deterministic


@pytest.mark.usefixtures("eagerly")
def test_the_weights_file_holds_the_weights_and_nothing_else(data, tmp_path):
    classifier = not_none(train(run_config(data), tmp_path / "run", reporter=QUIET))
    sizes: list[int] = []
    with h5py.File(tmp_path / "run" / "model.weights.h5") as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    assert sum(sizes) == sum(weight.size for weight in classifier.model.get_weights())


def test_a_short_check_follows_the_notices(capsys):
    split = Split(["a", "b", "A"] * 10, [("x",), ("y",), ("x",)] * 10)
    corpus = Corpus("few", split, split, None, ("x", "y"), ("A notice.",))
    describe_corpus(corpus, TerminalReporter())
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2] == "note: A notice."
    assert lines[-1].startswith("note: 28 of 30 training texts (93.3%) repeat an earlier one")


def test_of_many_labels_some_are_named(capsys):
    names = tuple(f"label{i}" for i in range(1500))
    split = Split(["a"], [("label0",)])
    describe_corpus(Corpus("many", split, split, None, names, ()), TerminalReporter())
    output = capsys.readouterr().err
    assert "labels: label0, label1, " in output
    assert output.endswith("label19 and 1,480 more\n")
