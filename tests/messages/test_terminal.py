import io
import re
import sys
import time

import pytest
from rich.console import Console

from textrnn.messages.json_lines import JsonReporter
from textrnn.messages.terminal import TerminalReporter


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(log) -> TerminalReporter:
    """One that writes no terminal."""
    return TerminalReporter(Console(file=log, force_terminal=False, width=40, highlight=False))


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, in a list of one number."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_message_is_one_line_as_it_is(reporter, log):
    reporter.message("[bold] 'x' /path/[0] 1,234 " + "long " * 20)
    assert log.getvalue() == "[bold] 'x' /path/[0] 1,234 " + "long " * 20 + "\n"


def test_messages_go_to_stderr(capsys):
    TerminalReporter().message("hello")
    assert capsys.readouterr() == ("", "hello\n")


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
        advance(6)  # A resumed training begins with a count.
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
    reporter = TerminalReporter(Console(file=log, force_terminal=True, width=100))
    with reporter.step("epoch 1/2", total=4) as advance, reporter.wait("waiting"):
        advance(4, "loss 0.5")
    output = log.getvalue()
    assert "epoch 1/2" in output
    assert "4/4" in output
    assert "loss 0.5" in output


FIGURES = "loss 1.500 accuracy 0.500 123,456 tokens/s"


def last_line(width: int, name: str, *, total: int, done: int, figures: str = FIGURES) -> str:
    """Returns the output of a terminal half a minute after a step began."""
    now = [0.0]
    log = io.StringIO()
    console = Console(
        file=log, force_terminal=True, width=width, color_system=None, get_time=lambda: now[0]
    )
    with TerminalReporter(console).step(name, total=total) as advance:
        for _ in range(2):
            now[0] += 15.0
            advance(done // 2, figures)
    return log.getvalue().split("\r")[-1].replace("\x1b[2K", "").split("\n")[0]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("name", ["epoch 1/4", "epoch 100/100"])
def test_a_narrow_terminal_shows_what_matters(width, name):
    line = last_line(width, name, total=2400, done=1200)
    assert len(line) <= width
    assert line.startswith(f"{name} ")
    assert "1200/2400" in line
    assert re.search(r"0:00:\d\d left loss 1\.500 ", line)


def test_at_80_columns_there_is_room_for_the_end_of_the_training():
    figures = "loss 1.500 accuracy 0.500, 0:12:34 to the end, 123,456 tokens/s"
    line = last_line(80, "epoch 1/30", total=2400, done=1200, figures=figures)
    assert "loss 1.500 accuracy 0.500, 0:12:34 to the end" in line


def test_the_bar_gives_way_first():
    lines = [last_line(width, "epoch 1/4", total=24, done=12) for width in (75, 80, 100, 200)]
    bars = [line.count("━") + line.count("╸") for line in lines]
    assert bars == sorted(bars)
    assert bars[0] == 0 < bars[1] < bars[2]
    assert all(FIGURES in line and "…" not in line for line in lines)


def test_a_name_that_is_too_long_leaves_room_for_the_rest():
    line = last_line(60, "a run of a long name " * 5, total=24, done=12)
    assert re.search(r"… 12/24 0:00:\d\d left loss 1\.500", line)


def test_a_step_of_unknown_length_has_a_bar():
    assert last_line(80, "texts", total=0, done=12, figures="").rstrip().endswith(" 12/? 0:00:30")


@pytest.mark.parametrize("name", ["[red]a[/b]", ":smile:", "two\nlines", "rev\udcff"])
def test_a_name_is_no_markup(log, name):
    reporter = TerminalReporter(
        Console(file=log, force_terminal=True, width=100, color_system=None)
    )
    line = name.replace("\n", " ").replace("\udcff", "\ufffd")
    with reporter.step(name, total=4) as advance:
        advance(4, name)
    assert log.getvalue().count(line) >= 2
    with reporter.wait(name):
        pass
    reporter.message(name)
    assert log.getvalue().endswith(f"{name}\n")


class Broken(io.StringIO):
    """A file that nothing more can be written to."""

    def __init__(self, error: OSError, descriptor: int) -> None:
        super().__init__()
        self.error, self.descriptor = error, descriptor

    def write(self, text: str) -> int:
        raise self.error

    def fileno(self) -> int:
        return self.descriptor


@pytest.mark.parametrize("kind", [TerminalReporter, JsonReporter])
@pytest.mark.parametrize("error", [OSError(28, "no space"), BrokenPipeError(32, "nobody reads")])
def test_a_log_that_cannot_be_written_ends_nothing(kind, error, monkeypatch, tmp_path):
    with (tmp_path / "log").open("w") as file:
        monkeypatch.setattr(sys, "stderr", Broken(error, file.fileno()))
        reporter = kind()
        with reporter.step("step", total=2) as advance:
            advance(1)
            reporter.message("one")
            reporter.message("two")
