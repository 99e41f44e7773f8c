import io
import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from rich.console import Console
from tiny import QUIET, labelled_texts, not_none, run_config, stop_after, write_csv

from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.range_test import RangeTest
from textrnn.training.loop.trainer import Trainer
from textrnn.training.run import classifier_run as running
from textrnn.training.run.classifier import find_learning_rate, train
from textrnn.training.run.faults import WorkerLost, explain_faults, warn_on_failure
from textrnn.training.run.folder import hold
from textrnn.training.run.tensorboard import TensorBoardWriter

without_a_graph = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    return run_config(write_csv(tmp_path / "letters.csv", labelled_texts(40)))


def interrupt(config, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(config, folder, reporter=QUIET, should_stop=stop_after(1))


@pytest.mark.thorough
@without_a_graph
def test_a_folder_in_use_is_left_alone(config, tmp_path):
    interrupt(config, tmp_path / "run")
    with hold(tmp_path / "run"):
        for name in ("resume", "overwrite"):
            more: dict[str, Any] = {name: True}
            with pytest.raises(ConfigError, match="run is in use by another process; wait for it"):
                train(config, tmp_path / "run", reporter=QUIET, **more)
    train(config, tmp_path / "run", reporter=QUIET, resume=True)
    assert not (tmp_path / "run" / ".lock").exists()


@pytest.mark.thorough
@without_a_graph
def test_a_lock_that_a_killed_process_left_is_none(config, tmp_path):
    interrupt(config, tmp_path / "run")
    (tmp_path / "run" / ".lock").touch()
    assert train(config, tmp_path / "run", reporter=QUIET, resume=True)


@pytest.mark.skipif(not Path("/proc/version").is_file(), reason="needs Linux's /proc")
def test_a_place_where_nothing_can_be_written_is_an_error(config):
    with pytest.raises(ConfigError, match=r"/proc/run: cannot be written to \(.*\); choose anoth"):
        train(config, "/proc/run", reporter=QUIET)


@pytest.mark.thorough
def test_a_model_beyond_the_memory_says_what_to_lower(config, tmp_path):
    values = config.to_dict()
    values["model"]["embedding_units"] = 2**40
    with pytest.raises(ModelError, match=r"^out of memory \(.*\); lower `batch_tokens`, "):
        train(type(config).from_dict(values), tmp_path / "run", reporter=QUIET)


def test_a_batch_beyond_the_memory_says_so_too(config, tmp_path, monkeypatch):
    def exhaust(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nand more")

    monkeypatch.setattr(Trainer, "fit", exhaust)
    with pytest.raises(ModelError, match=r"^out of memory \(OOM when allocating tensor\); lower"):
        train(config, tmp_path / "run", reporter=QUIET)


@pytest.mark.thorough
@without_a_graph
def test_a_disk_that_is_full_at_the_end_loses_nothing(config, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "save", fail)
        with pytest.raises(ModelError, match=r"not written \(No space left on device\); make room"):
            train(config, tmp_path / "run", reporter=QUIET)
    assert train(config, tmp_path / "run", reporter=QUIET, resume=True)
    assert run_folder.is_complete(tmp_path / "run")


@pytest.mark.thorough
@without_a_graph
def test_a_damaged_checkpoint_is_reported_and_the_one_before_resumed(config, tmp_path, capsys):
    config = config.replace(epochs=2, checkpoint_minutes=0.0)
    whole = not_none(train(config, tmp_path / "whole", reporter=QUIET))
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", reporter=QUIET, should_stop=stop_after(4))
    newest, *_ = Checkpoints(tmp_path / "run" / CHECKPOINTS).paths()
    newest.write_bytes(newest.read_bytes()[:1000])
    again = not_none(train(config, tmp_path / "run", reporter=TerminalReporter(), resume=True))
    message = capsys.readouterr().err
    assert f"warning: {newest}: not an intact checkpoint" in message
    assert "resuming after 0 epochs, 3 batches" in message
    for first, second in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        assert first.tobytes() == second.tobytes()


@pytest.mark.thorough
@without_a_graph
def test_operational_settings_may_change(config, tmp_path):
    interrupt(config, tmp_path / "run")
    changed = config.replace(on_nan="rollback", checkpoint_minutes=1.0, keep_checkpoints=1)
    assert train(changed, tmp_path / "run", reporter=QUIET, resume=True)
    assert run_folder.load_config(tmp_path / "run" / "config.yaml") == changed


@pytest.mark.thorough
@without_a_graph
def test_resume_or_start(config, tmp_path, capsys):
    settings: dict[str, Any] = {"reporter": TerminalReporter(), "resume_or_start": True}
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", **settings, should_stop=stop_after(2))
    assert "resuming" not in capsys.readouterr().err
    train(config, tmp_path / "run", **settings)
    assert "resuming after 0 epochs, 2 batches" in capsys.readouterr().err
    before = (tmp_path / "run" / "digests.json").read_text()
    again = not_none(train(config, tmp_path / "run", **settings))
    assert "already contains the finished run" in capsys.readouterr().err
    assert again.metrics == json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (tmp_path / "run" / "digests.json").read_text() == before


def test_a_lost_worker_is_an_error_where_there_are_several(monkeypatch):
    error = tf.errors.UnavailableError(None, None, "Connection reset by peer\nmore")
    distribution = Distribution.choose("single")
    with pytest.raises(tf.errors.UnavailableError), explain_faults(distribution):
        raise error
    distribution.several_machines = True
    with (
        pytest.raises(WorkerLost, match=r"^another worker was lost \(Connection reset by peer\)"),
        explain_faults(distribution),
    ):
        raise error


def failing(error: BaseException):
    def fail(*_, **__):
        raise error

    return fail


def warnings(log: io.StringIO) -> list[str]:
    return [line for line in log.getvalue().splitlines() if line.startswith("warning: ")]


@pytest.mark.thorough
@without_a_graph
@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "no"),
        *(
            pytest.param(error, marks=pytest.mark.thorough)
            for error in (ValueError("no"), UnicodeError("no"))
        ),
    ],
)
@pytest.mark.parametrize(
    ("home", "name", "loss"),
    [
        (running, "write_history", "history.csv was not written"),
        (TensorBoardWriter, "write", "no events were written"),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (
                (running, "draw_curves", "curves.png was not drawn"),
                (running, "model_card", "the model card was not written"),
                (TensorBoardWriter, "__init__", "no events were written"),
                (TensorBoardWriter, "close", "no events were written"),
            )
        ),
    ],
)
def test_what_only_accompanies_a_training_never_ends_it(
    config, tmp_path, monkeypatch, home, name, loss, error
):
    monkeypatch.setattr(home, name, failing(error))
    log = io.StringIO()
    assert train(config, tmp_path / "run", reporter=TerminalReporter(Console(file=log, width=500)))
    assert run_folder.is_complete(tmp_path / "run")
    (line,) = warnings(log)
    assert line.endswith(f"{loss} (no)")


@pytest.mark.thorough
def test_a_range_test_without_its_picture_still_suggests(config, tmp_path, monkeypatch):
    monkeypatch.setattr(RangeTest, "write", failing(ValueError("no")))
    log = io.StringIO()
    reporter = TerminalReporter(Console(file=log, width=500))
    assert find_learning_rate(config, tmp_path / "run", reporter=reporter).suggestion > 0
    assert len(warnings(log)) == 1


@pytest.mark.thorough
@without_a_graph
def test_an_interruption_is_no_warning(config, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt), warn_on_failure("nothing", QUIET):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(running, "draw_curves", failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "run", reporter=QUIET)
    assert train(config, tmp_path / "run", reporter=QUIET, resume=True)
