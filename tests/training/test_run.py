import csv
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from tiny import (
    LABELS,
    QUIET,
    Run,
    finished_run,
    labelled_texts,
    run_config,
    stop_after,
    write_csv,
)

import textrnn
from textrnn import bundle
from textrnn.config import RunConfig
from textrnn.data import Split
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.tokenizer import Tokenizer
from textrnn.training import run as running
from textrnn.training.checkpoints import CHECKPOINTS
from textrnn.training.loop import Trainer
from textrnn.training.progress import Reporter
from textrnn.training.run import measure, train

FILES = {
    "README.md",
    "config.yaml",
    "curves.png",
    "digests.json",
    "history.csv",
    "labels.txt",
    "metrics.json",
    "model.weights.h5",
    "tensorboard",
    "tokenizer.model",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return finished_run(tmp_path_factory)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "letters.csv", labelled_texts(40))


@pytest.fixture
def config(data: Path) -> RunConfig:
    return run_config(data)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# What is in a run folder


def test_the_folder_is_complete(finished):
    assert names(finished.folder) == FILES


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
    assert bundle.load_config(finished.folder / "config.yaml") == finished.config


def test_the_history_has_a_row_an_epoch(finished):
    rows = list(csv.DictReader((finished.folder / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert (finished.folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert any((finished.folder / "tensorboard").iterdir())


def test_the_figures_are_in_the_file_and_in_the_card(finished):
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    assert set(metrics) == {"training", "validation", "calibration", "test"}
    assert (metrics["validation"]["texts"], metrics["test"]["texts"]) == (4, 10)
    assert metrics["training"]["epochs"] == 3
    card = (finished.folder / "README.md").read_text()
    assert "# Text classifier: letters" in card
    assert f"| test | 10 | {metrics['test']['accuracy']:.2%} |" in card


def test_the_figures_are_those_of_the_saved_weights(finished):
    texts, labels = zip(*labelled_texts(10, seed=1), strict=True)
    split = Split(texts, [(label,) for label in labels])
    measured = measure(textrnn.load(finished.folder), split, name="test", reporter=QUIET)
    assert measured == finished.classifier.metrics["test"]


def test_several_labels_a_text(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "draw_curves", lambda *_, **__: None)  # It takes long.
    rows = [
        (text, ",".join(name for name in "ab" if name in text)) for text, _ in labelled_texts(60)
    ]
    data = write_csv(tmp_path / "letters.csv", rows)
    config = run_config(data, multi_label=True, epochs=8, learning_rate=0.2, patience=0)
    classifier = train(config, tmp_path / "run", reporter=QUIET)
    assert classifier.labels == ("a", "b")
    assert [set(p.labels) for p in classifier.predict(["c a b", "b d", "c"])] == [
        {"a", "b"},
        {"b"},
        set(),
    ]
    assert "micro_f1" in classifier.metrics["validation"]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_ends_in_a_model_like_any_other(
    data, tmp_path, monkeypatch, capsys, precision
):
    monkeypatch.setattr(running, "draw_curves", lambda *_, **__: None)
    config = run_config(data, precision=precision, cell="lstm", epochs=8, patience=0)
    trained = train(config, tmp_path / "run", reporter=Reporter())
    assert f"parts side by side; {precision}" in capsys.readouterr().err
    texts = ["a x", "y b"]
    assert [p.label for p in trained.predict(texts)] == ["pos", "neg"]
    assert textrnn.load(tmp_path / "run").predict(texts) == trained.predict(texts)
    assert trained.model.dtype_policy.name == "float32"


# Which folder it may write to


def test_a_finished_run_is_not_replaced_by_accident(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    for resume in (False, True):
        with pytest.raises(ConfigError, match=r"run holds a finished run; .*--overwrite"):
            train(finished.config, tmp_path / "run", reporter=QUIET, resume=resume)
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()} == before


def test_a_finished_run_is_replaced_on_demand(finished, config, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    train(config, tmp_path / "run", reporter=QUIET, overwrite=True)
    assert names(tmp_path / "run") == FILES
    assert textrnn.load(tmp_path / "run").config == config
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


def test_an_unfinished_run_asks_for_resume(config, tmp_path):
    interrupt(config, tmp_path / "run")
    with pytest.raises(ConfigError, match="run holds an unfinished run; go on with --resume, or"):
        train(config, tmp_path / "run", reporter=QUIET)
    with pytest.raises(ModelError, match="this run is not finished; go on with: textrnn train --r"):
        textrnn.load(tmp_path / "run")
    train(config, tmp_path / "run", reporter=QUIET, overwrite=True)
    assert names(tmp_path / "run") == FILES


def test_a_run_that_failed_before_training_is_in_nobodys_way(config, data, tmp_path):
    data.rename(tmp_path / "elsewhere.csv")
    with pytest.raises(DataError, match=r"letters\.csv: expected a file"):
        train(config, tmp_path / "run", reporter=QUIET)
    assert names(tmp_path / "run") == {"config.yaml", "checkpoints"}
    (tmp_path / "elsewhere.csv").rename(data)
    train(config, tmp_path / "run", reporter=QUIET)
    assert names(tmp_path / "run") == FILES


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_file_in_the_way_is_an_error(config, tmp_path, inside):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(ConfigError, match=r"run.*: cannot be written to \(.*\); choose another --"):
        train(config, tmp_path / "run" / inside, reporter=QUIET)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_of_other_files_is_left_alone(config, tmp_path):
    (tmp_path / "home" / "checkpoints").mkdir(parents=True)
    (tmp_path / "home" / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="home holds files that are no run's; choose another"):
        train(config, tmp_path / "home", reporter=QUIET)
    assert names(tmp_path / "home") == {"checkpoints", "README.md"}
    assert (tmp_path / "home" / "README.md").read_text() == "mine"


# Going on


def interrupt(config: RunConfig, folder: Path, *, batches: int = 1) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(config, folder, reporter=QUIET, should_stop=stop_after(batches))
    assert (folder / CHECKPOINTS).is_dir()
    assert not (folder / "digests.json").exists()


def test_an_interrupted_run_comes_to_the_same_end(data, tmp_path):
    test = write_csv(tmp_path / "test.csv", labelled_texts(10, seed=1))
    config = run_config(data, test_file=str(test), epochs=2, dropout=0.2)
    whole = train(config, tmp_path / "whole", reporter=QUIET)
    interrupt(config, tmp_path / "parts", batches=6)
    parts = train(config, tmp_path / "parts", reporter=QUIET, resume=True)
    assert names(tmp_path / "parts") == FILES
    for one, other in zip(whole.model.get_weights(), parts.model.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    for name in ("validation", "test"):
        assert whole.metrics[name] == parts.metrics[name]


def test_an_interruption_while_the_test_is_measured_is_heard(data, tmp_path, monkeypatch):
    asked = False

    def measure_slowly(*arguments: object, name: str, **more: object) -> dict[str, object]:
        nonlocal asked
        asked = name == "validation"
        return scores_of(*arguments, name=name, **more)

    scores_of = running._probabilities
    monkeypatch.setattr(running, "_probabilities", measure_slowly)
    config = run_config(data)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", reporter=QUIET, should_stop=lambda: asked)
    monkeypatch.undo()
    assert train(config, tmp_path / "run", reporter=QUIET, resume=True).metrics["validation"]
    assert names(tmp_path / "run") == FILES


class Killed(BaseException):
    pass


def test_a_kill_between_checkpoint_and_curves_loses_no_row(config, tmp_path, monkeypatch):
    def kill(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "write_history", kill)
        with pytest.raises(Killed):
            train(config, tmp_path / "run", reporter=QUIET)
    assert not (tmp_path / "run" / "history.csv").exists()
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "fit", kill)
        with pytest.raises(Killed):
            train(config, tmp_path / "run", reporter=QUIET, resume=True)
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_nothing_is_read_before_the_settings_are_found_to_differ(config, tmp_path, monkeypatch):
    interrupt(config, tmp_path / "run")
    monkeypatch.delattr(running, "load_corpus")
    other = run_config(Path(config.data.train_file), learning_rate=0.2)
    with pytest.raises(ConfigError, match=r"a run resumes with its own settings; .*config\.yaml"):
        train(other, tmp_path / "run", reporter=QUIET, resume=True)
    assert bundle.load_config(tmp_path / "run" / "config.yaml") == config


def test_without_a_checkpoint_there_is_nothing_to_resume(config, tmp_path, monkeypatch):
    monkeypatch.delattr(running, "load_corpus")
    with pytest.raises(ModelError, match="nothing to resume from; train without --resume"):
        train(config, tmp_path / "run", reporter=QUIET, resume=True)
    assert not (tmp_path / "run").exists()


def test_changed_data_is_not_gone_on_with(config, data, tmp_path):
    interrupt(config, tmp_path / "run")
    write_csv(data, labelled_texts(40, seed=5))
    with pytest.raises(ModelError, match="made with other training data"):
        train(config, tmp_path / "run", reporter=QUIET, resume=True)


# What it looks at, and when


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
    ]


def test_the_test_data_changes_nothing_but_its_figures(config, data, tmp_path):
    results = []
    for name, rows in [("one", [("a x", "pos")]), ("two", [("a x", "neg"), ("q", "pos")] * 20)]:
        test = write_csv(tmp_path / f"{name}.csv", rows)
        settings = run_config(data, test_file=str(test))
        results.append(train(settings, tmp_path / name, reporter=QUIET))
    one, two = results
    assert one.metrics["validation"] == two.metrics["validation"]
    assert one.metrics["test"] != two.metrics["test"]
    for weights, others in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        assert weights.tobytes() == others.tobytes()


def test_a_broken_test_file_is_told_before_the_long_training(data, tmp_path, monkeypatch):
    monkeypatch.delattr(running, "Trainer")
    test = write_csv(tmp_path / "test.csv", [("a x", "positive")])
    with pytest.raises(DataError, match=r"test\.csv:2: expected a label of the training data"):
        train(run_config(data, test_file=str(test)), tmp_path / "run", reporter=QUIET)


def test_without_test_data_only_the_validation_is_measured(config, tmp_path, capsys):
    (tmp_path / "run").mkdir()  # An empty folder is as good as none.
    classifier = train(config, tmp_path / "run", reporter=running.Reporter())
    assert names(tmp_path / "run") == FILES
    assert set(classifier.metrics) == {"training", "validation", "calibration"}
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
    """What the trainer would have been given; training is then broken off."""
    given = {}

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
    assert set(plain["train"].weights.tolist()) == {1.0}
    by_class = weighed["train"].targets.T @ weighed["train"].weights
    assert by_class[0] == pytest.approx(by_class[1], rel=1e-4)
    assert weighed["train"].weights.mean() == pytest.approx(1.0, rel=1e-4)


def test_long_texts_are_cut_and_batches_bounded(config, data, tmp_path, caught_trainer):
    settings = run_config(data, max_length=2, batch_texts=3)
    plan = given_to_trainer(settings, tmp_path / "run", caught_trainer)["train"].plan
    assert plan.lengths.max() == 2
    assert plan.cut_tokens > 0
    assert max(len(batch.rows) for batch in plan.batches()) == 3


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


def test_the_weights_file_holds_the_weights_and_nothing_else(data, tmp_path):
    classifier = train(run_config(data), tmp_path / "run", reporter=QUIET)
    sizes: list[int] = []
    with h5py.File(tmp_path / "run" / "model.weights.h5") as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    assert sum(sizes) == sum(np.size(weight) for weight in classifier.model.get_weights())
