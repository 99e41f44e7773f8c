"""A process that ends with the one that started it."""

import os
import signal
import subprocess
import sys

import pytest

from textrnn.host.parent_watch import watched_command

MODULE = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
print(*sys.argv[1:], flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path):
    """Starts the module in a process of which this one holds the standard input."""
    (tmp_path / "sleeper.py").write_text(MODULE)
    started = []

    def popen(command: list[str]) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.mark.process
def test_the_module_runs_with_its_arguments_until_the_pipe_is_closed(start):
    process = start(watched_command("sleeper", ["a", "--b"]))
    assert process.stdout.readline() == "a --b\n"
    process.stdin.write("x\n")  # What is written does not matter.
    process.stdin.flush()
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(timeout=30) == -signal.SIGKILL


@pytest.mark.process
def test_it_ends_when_its_parent_is_killed(start):
    command = watched_command("sleeper", ["here"])
    code = "import subprocess, sys\n"
    code += f"child = subprocess.Popen({command!r}, stdin=subprocess.PIPE)\n"
    code += "child.wait()"
    parent = start([sys.executable, "-c", code])
    assert parent.stdout.readline() == "here\n"
    parent.kill()
    # The child holds the other end of this pipe, which closes when it ends.
    assert parent.stdout.read() == ""


@pytest.mark.process
def test_an_interruption_reaches_it_where_the_parent_blocks_it(start):
    command = watched_command("sleeper", ["here"])
    code = "import os, signal, sys\n"
    code += "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
    code += f"os.execv(sys.executable, {command!r})"
    process = start([sys.executable, "-c", code])
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"


@pytest.mark.process
def test_with_a_grace_it_is_interrupted_first(start):
    process = start(watched_command("sleeper", ["here"], grace=0.5))
    assert process.stdout.readline() == "here\n"
    process.stdin.close()
    assert process.stdout.read() == "interrupted\n"
    assert process.wait(timeout=30) == -signal.SIGKILL


@pytest.mark.process
def test_a_process_that_ignores_interruptions_ends_at_once(start, tmp_path):
    ignoring = MODULE.replace('lambda *_: print("interrupted", flush=True)', "signal.SIG_IGN")
    (tmp_path / "ignoring.py").write_text(ignoring)
    process = start(watched_command("ignoring", ["here"], grace=300))
    assert process.stdout.readline() == "here\n"
    process.stdin.close()
    assert process.wait(timeout=30) == -signal.SIGKILL
