import numpy as np
import pytest
from tiny import classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ModelError
from textrnn.progress import Silent
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpointer import Checkpointer
from textrnn.training.loop.checkpoints import Checkpoints, TrainingState
from textrnn.training.update.optimizer import make_optimizer


class Warnings(Silent):
    """Remembers the messages."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


def checkpointer(folder, *, digest="digest", minutes=1e9, **settings):
    model = classifier(**settings)
    optimizer = make_optimizer(ClassifierRunConfig.of())
    optimizer.build(model.trainable_variables)
    ours = Checkpointer(
        model,
        Checkpoints(folder),
        other_variables=optimizer.variables,
        data_digest=digest,
        distribution=Distribution.choose("single"),
        minutes=minutes,
    )
    return ours, [*model.variables, *optimizer.variables]


def test_all_variables_are_restored_from_the_newest_file(tmp_path):
    ours, variables = checkpointer(tmp_path)
    before = [variable.numpy() for variable in variables]
    ours.save(TrainingState(update=3), [], reporter=Silent(), must=True)
    again, other_variables = checkpointer(tmp_path)
    for variable in other_variables:
        variable.assign(variable + 1)
    assert again.load(reporter=Silent()).state.update == 3
    for variable, value in zip(other_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize(("minutes", "due"), [(0.0, True), (1e9, False)])
def test_a_checkpoint_is_due_after_some_minutes(tmp_path, minutes, due):
    assert checkpointer(tmp_path, minutes=minutes)[0].is_due() is due


def test_what_is_taken_in_memory_is_not_written(tmp_path):
    ours, _ = checkpointer(tmp_path)
    ours.take(TrainingState(update=1), [])
    assert ours.last is not None
    assert not ours.checkpoints.paths()


def test_a_file_that_cannot_be_written_is_a_warning_or_an_error(tmp_path, monkeypatch):
    ours, _ = checkpointer(tmp_path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    warnings = Warnings()
    ours.save(TrainingState(), [], reporter=warnings)
    assert "the checkpoint was not written (No space left on device)" in warnings.texts[0]
    with pytest.raises(ModelError, match="make room, then continue from the previous one"):
        ours.save(TrainingState(), [], reporter=warnings, must=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"digest": "other"}, "other training data"), ({"embedding_units": 5}, "other settings")],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, settings, message):
    checkpointer(tmp_path)[0].save(TrainingState(), [], reporter=Silent())
    ours, variables = checkpointer(tmp_path, **settings)
    before = [variable.numpy() for variable in variables]
    with pytest.raises(ModelError, match=f"made with {message}"):
        ours.load(reporter=Silent())
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
