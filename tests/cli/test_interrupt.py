import os
import signal

import pytest

from textrnn.cli.interrupt import interrupt_once, resumable


def press(number: signal.Signals = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_first_press_asks_to_stop_and_the_second_stops(first, second):
    messages: list[str] = []
    with interrupt_once(messages.append) as should_stop:
        assert not should_stop()
        press(first)
        assert should_stop()
        assert messages == ["stopping after this batch; Ctrl-C again stops at once"]
        with pytest.raises(KeyboardInterrupt):
            press(second)


def test_before_the_first_update_the_first_press_stops():
    messages: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupt_once(messages.append):
        press()
    assert messages == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_handler_before_comes_back(number):
    before = signal.getsignal(number)
    with interrupt_once(print):
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("saved", [True, False])
def test_a_run_with_a_checkpoint_says_how_it_resumes(tmp_path, saved):
    messages: list[str] = []
    (tmp_path / "checkpoints").mkdir()
    if saved:
        (tmp_path / "checkpoints" / "update-1.npz").touch()
    with (
        pytest.raises(KeyboardInterrupt),
        resumable(tmp_path, command="train", message=messages.append),
    ):
        press()
    line = f"saved; continue with: textrnn train --resume --output {tmp_path}"
    assert messages == ([line] if saved else [])


def test_an_error_passes_through(tmp_path):
    messages: list[str] = []
    with (
        pytest.raises(ZeroDivisionError),
        resumable(tmp_path, command="train", message=messages.append),
    ):
        raise ZeroDivisionError
    assert messages == []
