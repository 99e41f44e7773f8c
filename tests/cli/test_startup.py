import os

import pytest

from textrnn.cli.startup import hidden_stderr, start_tensorflow


def test_notes_to_the_file_descriptor_are_hidden(capfd):
    with hidden_stderr():
        os.write(2, b"a note of C++")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"


def test_a_failed_start_shows_what_was_written(capfd):
    def fail() -> None:
        with hidden_stderr():
            os.write(2, b"the reason")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == "the reason"


def test_no_file_descriptor_is_lost():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with hidden_stderr():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_tensorflow_is_made_quiet(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    start_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0", "the user's own level stays"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    start_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
