import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import few
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.errors import ModelError
from textrnn.training.loop.checkpoints import Checkpoint, Checkpoints, TrainingState

STATE = TrainingState(
    epoch=2,
    batch=3,
    loss_sum=1.5,
    correct_sum=4.0,
    row_sum=6.0,
    token_sum=7.0,
    seconds=0.25,
    history=[{"epoch": 1, "valid_loss": 0.1 + 0.2}, {"epoch": 2, "valid_loss": 1e-30}],
    best_quality=[0.75, -0.1],
    best_epoch=1,
)
VARIABLES: list[np.ndarray] = [
    np.array([[0.1, 2.0]], np.float32),
    np.array(7, np.int64),
    np.zeros((0, 3), np.float32),
    np.array([1, 2**32 - 1], np.uint32),
]
BEST = [np.array([[0.5, -0.0]], np.float32)]
CHECKPOINT = Checkpoint(STATE, VARIABLES, BEST, "digest")


def assert_same(actual: Checkpoint, expected: Checkpoint) -> None:
    assert actual.state == expected.state
    assert actual.data_digest == expected.data_digest
    for name in ("variables", "best"):
        arrays, other_arrays = getattr(actual, name), getattr(expected, name)
        assert [a.dtype for a in arrays] == [b.dtype for b in other_arrays]
        assert [a.shape for a in arrays] == [b.shape for b in other_arrays]
        assert [a.tobytes() for a in arrays] == [b.tobytes() for b in other_arrays]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    CHECKPOINT.save(tmp_path / "x.npz")
    return tmp_path / "x.npz"


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "latest.npz"
    CHECKPOINT.save(path)
    return path.read_bytes()


def test_all_that_is_saved_is_loaded(path):
    assert_same(Checkpoint.load(path), CHECKPOINT)


def test_a_dozen_variables_keep_their_order(tmp_path):
    many = Checkpoint(STATE, [np.array(i) for i in range(12)], [], "digest")
    many.save(tmp_path / "many.npz")
    assert_same(Checkpoint.load(tmp_path / "many.npz"), many)


def test_the_state_before_any_epoch(tmp_path):
    first = Checkpoint(TrainingState(), VARIABLES, [], "digest")
    first.save(tmp_path / "first.npz")
    assert_same(Checkpoint.load(tmp_path / "first.npz"), first)


def test_a_failed_write_keeps_the_checkpoint_before(path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        Checkpoint(TrainingState(), [], [], "other").save(path)
    assert_same(Checkpoint.load(path), CHECKPOINT)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_folder_in_its_place_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="directory"):
        Checkpoint.load(tmp_path)


@settings(deadline=None)
@given(data=st.data())
def test_a_truncated_checkpoint_is_an_error(content, tmp_path_factory, data):
    length = data.draw(st.integers(0, len(content) - 1))
    path = tmp_path_factory.getbasetemp() / "truncated.npz"
    path.write_bytes(content[:length])
    with pytest.raises(ModelError, match=r"truncated\.npz: not an intact checkpoint"):
        Checkpoint.load(path)


@pytest.mark.thorough
@pytest.mark.parametrize("change", few([0x01, 0x80]))
def test_no_changed_bit_gives_other_numbers(content, tmp_path, change):
    path = tmp_path / "changed.npz"
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= change
        path.write_bytes(changed)
        try:
            actual = Checkpoint.load(path)
        except ModelError:
            continue
        assert_same(actual, CHECKPOINT)  # A date in the archive, say.


@pytest.mark.parametrize("garbage", [b"", b"garbage" * 99, b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
def test_garbage_is_an_error(tmp_path, garbage):
    (tmp_path / "x.npz").write_bytes(garbage)
    with pytest.raises(ModelError, match=r"x\.npz: not an intact checkpoint"):
        Checkpoint.load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    "about",
    ["[]", "{}", '{"state": {"epok": 1}, "data_digest": ""}', '{"state": 3, "data_digest": ""}'],
)
def test_another_archive_is_an_error(tmp_path, about):
    np.savez(tmp_path / "x.npz", about=np.array(about))
    with pytest.raises(ModelError, match="not an intact checkpoint"):
        Checkpoint.load(tmp_path / "x.npz")


def test_an_array_that_is_no_archive_is_an_error(tmp_path):
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    with pytest.raises(ModelError, match="not an intact checkpoint"):
        Checkpoint.load(tmp_path / "x.npz")


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["variable_0", "best_0", "about"])
def test_a_pickled_object_is_refused(tmp_path, name):
    about = {"state": {}, "data_digest": "", "variables": 1, "best": 1}
    arrays: dict[str, Any] = {
        "variable_0": np.zeros(1),
        "best_0": np.zeros(1),
        "about": np.array(json.dumps(about)),
    }
    np.savez(tmp_path / "x.npz", **arrays)
    Checkpoint.load(tmp_path / "x.npz")
    arrays[name] = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ModelError, match="not an intact checkpoint"):
        Checkpoint.load(tmp_path / "x.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_is_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(ModelError, match="not an intact checkpoint"):
        Checkpoint.load(tmp_path / "x.npz")
    assert not (tmp_path / "sprung").exists()
    pickle.loads((tmp_path / "x.npz").read_bytes())
    assert (tmp_path / "sprung").exists(), "the trap works"


def test_an_epoch_starts_from_nothing():
    state = TrainingState(epoch=1, batch=5, loss_sum=1.0, row_sum=2.0, best_epoch=1)
    state.start_epoch()
    assert state == TrainingState(epoch=1, best_epoch=1)


# Several


def after(update: int) -> Checkpoint:
    return Checkpoint(TrainingState(update=update), VARIABLES, [], "digest")


def test_the_newest_few_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "new", keep_count=2)
    for update in (9, 10, 100):
        checkpoints.save(after(update))
    assert [path.name for path in checkpoints.paths()] == [
        "update-00000100.npz",
        "update-00000010.npz",
    ]
    loaded, problems = checkpoints.load()
    assert (loaded.state.update, problems) == (100, [])


def test_a_damaged_one_is_reported_and_the_one_before_is_taken(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for update in (1, 2, 3):
        checkpoints.save(after(update))
    third, second, _ = checkpoints.paths()
    third.write_bytes(third.read_bytes()[:-9])
    second.write_bytes(b"")
    loaded, problems = checkpoints.load()
    assert loaded.state.update == 1
    assert [str(path) in text for path, text in zip((third, second), problems, strict=True)] == [
        True,
        True,
    ]


def test_without_a_whole_one_it_says_what_to_do(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(ModelError, match="nothing to resume from; train without `resume`"):
        checkpoints.load()
    checkpoints.save(after(1))
    checkpoints.paths()[0].write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"no other checkpoint is intact; train again"):
        checkpoints.load()


def test_a_failed_write_keeps_those_before(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, keep_count=1)
    checkpoints.save(after(1))

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(after(2))
    assert checkpoints.load()[0].state.update == 1


def test_a_copy_of_the_state_stays_as_it_is():
    state = TrainingState(history=[{"epoch": 1}], best_quality=[0.5, 0.1])
    copy = state.copy()
    state.history.append({"epoch": 2})
    state.best_quality[0] = 0.9
    state.update = 7
    assert copy == TrainingState(history=[{"epoch": 1}], best_quality=[0.5, 0.1])
