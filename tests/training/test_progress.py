import io

import pytest
from rich.console import Console

from textrnn.training import progress
from textrnn.training.progress import Reporter


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(log) -> Reporter:
    """One that writes no terminal."""
    return Reporter(Console(file=log, force_terminal=False, width=40, highlight=False))


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, in a list of one number."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_message_is_one_line_as_it_is(reporter, log):
    reporter.message("[bold] 'x' /path/[0] 1,234 " + "long " * 20)
    assert log.getvalue() == "[bold] 'x' /path/[0] 1,234 " + "long " * 20 + "\n"


def test_messages_go_to_stderr(capsys):
    Reporter().message("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_quiet_reporter_says_nothing(capsys, clock):
    reporter = Reporter(quiet=True)
    reporter.message("hello")
    with reporter.step("step", total=2) as advance, reporter.wait("wait"):
        clock[0] += 1000
        advance(1, "text")
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_a_long_step_logs_lines(reporter, log, clock):
    with reporter.step("epoch 1/2", total=10) as advance:
        advance(0)
        clock[0] += 9
        advance(1, "loss 3")
        assert log.getvalue() == ""
        clock[0] += 8
        advance(2, "loss 2")
        advance(1, "loss 1")
        clock[0] += 12
        advance(2)
    # But for the first, 2 parts took 8 s, 5 took 20 s.
    assert log.getvalue() == "epoch 1/2 3/10, 28 s left loss 2\nepoch 1/2 6/10, 16 s left\n"


def test_the_first_part_says_nothing_of_the_time_left(reporter, log, clock):
    with reporter.step("epoch 1", total=10) as advance:
        advance(6)  # As a training that goes on.
        clock[0] += 60
        advance(1)
        clock[0] += 20
        advance(2)
    assert log.getvalue() == "epoch 1 7/10\nepoch 1 9/10, 10 s left\n"


def test_a_step_of_which_nothing_is_done_yet(reporter, log, clock):
    with reporter.step("step", total=5) as advance:
        clock[0] += 60
        advance(0)
    assert log.getvalue() == "step 0/5\n"


def test_a_wait_is_announced(reporter, log):
    with reporter.wait("preparing"):
        assert log.getvalue() == "preparing\n"


def test_a_terminal_gets_a_bar(log):
    reporter = Reporter(Console(file=log, force_terminal=True, width=100))
    with reporter.step("epoch 1/2", total=4) as advance, reporter.wait("waiting"):
        advance(4, "loss 0.5")
    shown = log.getvalue()
    assert "epoch 1/2" in shown
    assert "4/4" in shown
    assert "loss 0.5" in shown
