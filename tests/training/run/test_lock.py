import threading

import filelock
import pytest

from textrnn.errors import ConfigError
from textrnn.inference.run_files import LOCK
from textrnn.training.run.lock import wait_until_free


def test_a_folder_that_nobody_has_locked_is_free(tmp_path):
    wait_until_free(tmp_path / "none", seconds=0.0)
    (tmp_path / LOCK).touch()  # A killed process leaves it.
    wait_until_free(tmp_path, seconds=0.0)
    assert not (tmp_path / LOCK).exists()


def test_it_waits_until_the_other_process_has_ended(tmp_path):
    lock = filelock.FileLock(tmp_path / LOCK, thread_local=False)
    lock.acquire()
    threading.Timer(0.2, lock.release).start()
    wait_until_free(tmp_path, seconds=60.0)
    assert not lock.is_locked


def test_a_folder_that_stays_locked_is_an_error(tmp_path):
    with (
        filelock.FileLock(tmp_path / LOCK),
        pytest.raises(ConfigError, match="is in use by another process"),
    ):
        wait_until_free(tmp_path, seconds=0.1)
