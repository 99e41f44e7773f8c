"""The run folder: its lock, its replacement by another run, and the resumption of a run."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import (
    QUIET,
    RUN_FILES,
    contents,
    labelled_texts,
    names,
    not_none,
    run_config,
    stop_after,
    write_csv,
)

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError
from textrnn.evaluation import measurement
from textrnn.inference import run_folder
from textrnn.training.loop.checkpoints import CHECKPOINTS
from textrnn.training.loop.trainer import Trainer
from textrnn.training.run import classifier_run as running
from textrnn.training.run.classifier import find_learning_rate, train

pytestmark = pytest.mark.usefixtures("cache", "eagerly")


# Which folder it may write to


def test_a_finished_run_is_not_replaced_by_accident(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    before = contents(tmp_path / "run")
    for resume in (False, True):
        with pytest.raises(ConfigError, match=r"run contains a finished run; .*`overwrite`"):
            train(finished.config, tmp_path / "run", reporter=QUIET, resume=resume)
    assert contents(tmp_path / "run") == before


def test_a_finished_run_is_replaced_on_demand(finished, config, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    train(config, tmp_path / "run", reporter=QUIET, overwrite=True)
    assert names(tmp_path / "run") == RUN_FILES
    assert textrnn.load(tmp_path / "run").config == config
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


BAD_INPUT = [
    {"test_file": "none.csv"},
    {"unlabelled_file": "none.txt", "vat": 0.02},
    {"vectors": "none.txt"},
    {"init_from": "none"},
    {"time_budget": "1ms"},
    {"text_column": "none"},
]


@pytest.mark.parametrize("settings", BAD_INPUT, ids=lambda settings: next(iter(settings)))
def test_what_is_wrong_is_found_before_a_run_is_replaced(finished, data, tmp_path, settings):
    shutil.copytree(finished.folder, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(TextRNNError):
        train(run_config(data, **settings), tmp_path / "run", reporter=QUIET, overwrite=True)
    assert contents(tmp_path / "run") == before


def test_the_folder_of_a_range_test_is_replaced_as_late(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(DataError, match="expected a file"):
        find_learning_rate(
            run_config(tmp_path / "none.csv"), tmp_path / "run", reporter=QUIET, overwrite=True
        )
    assert contents(tmp_path / "run") == before


@pytest.mark.thorough
def test_an_unfinished_run_that_was_not_replaced_continues(config, tmp_path):
    interrupt(config, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(DataError, match="expected a file"):
        train(run_config(tmp_path / "none.csv"), tmp_path / "run", reporter=QUIET, overwrite=True)
    assert contents(tmp_path / "run") == before
    assert train(config, tmp_path / "run", reporter=QUIET, resume=True)


@pytest.mark.thorough
def test_an_unfinished_run_asks_for_resume(config, tmp_path):
    interrupt(config, tmp_path / "run")
    with pytest.raises(
        ConfigError, match="run contains an unfinished run; continue with `resume`, or"
    ):
        train(config, tmp_path / "run", reporter=QUIET)
    with pytest.raises(
        ModelError, match="this run is not finished; continue with: textrnn train --r"
    ):
        textrnn.load(tmp_path / "run")
    train(config, tmp_path / "run", reporter=QUIET, overwrite=True)
    assert names(tmp_path / "run") == RUN_FILES


def test_a_run_that_failed_before_training_is_in_nobodys_way(config, data, tmp_path):
    data.rename(tmp_path / "elsewhere.csv")
    with pytest.raises(DataError, match=r"letters\.csv: expected a file"):
        train(config, tmp_path / "run", reporter=QUIET)
    assert not (tmp_path / "run").exists()
    (tmp_path / "elsewhere.csv").rename(data)
    train(config, tmp_path / "run", reporter=QUIET)
    assert names(tmp_path / "run") == RUN_FILES


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_file_in_the_way_is_an_error(config, tmp_path, inside):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(
        ConfigError, match=r"run.*: cannot be written to \(.*\); choose another `output`"
    ):
        train(config, tmp_path / "run" / inside, reporter=QUIET)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_of_other_files_is_left_alone(config, tmp_path):
    (tmp_path / "home" / "checkpoints").mkdir(parents=True)
    (tmp_path / "home" / "README.md").write_text("mine")
    with pytest.raises(
        ConfigError, match="home contains files that belong to no run; choose another"
    ):
        train(config, tmp_path / "home", reporter=QUIET)
    assert names(tmp_path / "home") == {"checkpoints", "README.md"}
    assert (tmp_path / "home" / "README.md").read_text() == "mine"


# Going on


def interrupt(config: ClassifierRunConfig, folder: Path, *, batches: int = 1) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(config, folder, reporter=QUIET, should_stop=stop_after(batches))
    assert (folder / CHECKPOINTS).is_dir()
    assert not (folder / "digests.json").exists()


@pytest.mark.thorough
def test_an_interrupted_run_comes_to_the_same_end(data, tmp_path):
    test = write_csv(tmp_path / "test.csv", labelled_texts(10, seed=1))
    config = run_config(data, test_file=str(test), epochs=2, dropout=0.2)
    whole = not_none(train(config, tmp_path / "whole", reporter=QUIET))
    interrupt(config, tmp_path / "parts", batches=6)
    parts = not_none(train(config, tmp_path / "parts", reporter=QUIET, resume=True))
    assert names(tmp_path / "parts") == RUN_FILES
    for first, second in zip(whole.model.get_weights(), parts.model.get_weights(), strict=True):
        assert first.tobytes() == second.tobytes()
    for name in ("validation", "test"):
        assert whole.metrics[name] == parts.metrics[name]


@pytest.mark.thorough
def test_an_interruption_while_the_test_is_measured_is_heard(data, tmp_path, monkeypatch):
    asked = False

    def measure_slowly(*arguments: Any, name: str, **more: Any) -> np.ndarray:
        nonlocal asked
        asked = name == "validation"
        return scores_of(*arguments, name=name, **more)

    scores_of = measurement._probabilities
    monkeypatch.setattr(measurement, "_probabilities", measure_slowly)
    config = run_config(data)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", reporter=QUIET, should_stop=lambda: asked)
    monkeypatch.undo()
    trained = not_none(train(config, tmp_path / "run", reporter=QUIET, resume=True))
    assert trained.metrics["validation"]
    assert names(tmp_path / "run") == RUN_FILES


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
    changed_config = run_config(Path(config.data.train_file), learning_rate=0.2)
    with pytest.raises(
        ConfigError,
        match=r"settings, got `learning_rate` 0\.2 in place of .*config\.yaml, or train anew",
    ):
        train(changed_config, tmp_path / "run", reporter=QUIET, resume=True)
    assert run_folder.load_config(tmp_path / "run" / "config.yaml") == config


def test_without_a_checkpoint_there_is_nothing_to_resume(config, tmp_path, monkeypatch):
    monkeypatch.delattr(running, "load_corpus")
    with pytest.raises(ModelError, match="nothing to resume from; train without `resume`"):
        train(config, tmp_path / "run", reporter=QUIET, resume=True)
    assert not (tmp_path / "run").exists()


def test_changed_data_is_not_resumed(config, data, tmp_path):
    interrupt(config, tmp_path / "run")
    write_csv(data, labelled_texts(40, seed=5))
    with pytest.raises(ModelError, match="made with other training data"):
        train(config, tmp_path / "run", reporter=QUIET, resume=True)


def test_a_finished_run_has_nothing_to_resume(config, tmp_path):
    train(config, tmp_path / "run", reporter=QUIET)
    with pytest.raises(ConfigError, match="there is nothing to resume"):
        train(config, tmp_path / "run", reporter=QUIET, resume=True)
