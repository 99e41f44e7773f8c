import importlib.metadata
import os
import subprocess
import sys

import click
import pytest
from click import testing
from tiny import not_none

from textrnn.cli.main import main
from textrnn.errors import ConfigError, DataError, ModelError

COMMANDS = (
    "check",
    "train",
    "pretrain",
    "distil",
    "tune",
    "predict",
    "explain",
    "score",
    "evaluate",
    "decide",
    "compare",
    "report",
    "drift",
    "export",
    "serve",
    "config",
    "doctor",
)


@pytest.fixture
def failing(monkeypatch):
    """Makes `textrnn doctor` raise an error."""

    def fail_with(error: BaseException) -> None:
        @click.command()
        def doctor() -> None:
            raise error

        monkeypatch.setattr("textrnn.cli.commands.doctor.doctor", doctor)

    return fail_with


def test_help_lists_the_commands_with_a_line_each(textrnn):
    result = textrnn("--help", terminal_width=80)
    assert result.stderr == ""
    listed = result.stdout.split("Commands:\n")[1].splitlines()
    assert tuple(line.split()[0] for line in listed) == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_and_its_options(textrnn, command):
    help_text = textrnn(command, "-h").stdout
    assert help_text.startswith(f"Usage: main {command} ")
    if "--help-all" in help_text:
        help_text = textrnn(command, "--help-all").stdout
    for parameter in not_none(main.get_command(click.Context(main), command)).params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.opts[0] in help_text


def test_the_version_is_the_package_s(textrnn):
    assert textrnn("--version").stdout.endswith(
        f"version {importlib.metadata.version('textrnn')}\n"
    )


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["predict"], ["evaluate"]])
def test_wrong_usage_has_exit_code_2(textrnn, arguments):
    result = textrnn(*arguments, code=2)
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("a.csv:3: expected\na label."), "textrnn: error: a.csv:3: expected a label.\n"),
        (ModelError("run: changed."), "textrnn: error: run: changed.\n"),
        (ConfigError("`units` must be 1."), "textrnn: error: `units` must be 1.\n"),
    ],
)
def test_an_error_of_the_user_is_one_line_and_exit_code_1(textrnn, failing, error, line):
    failing(error)
    result = textrnn("doctor", code=1)
    assert (result.stdout, result.stderr) == ("", line)


def test_an_error_may_have_an_exit_code_of_its_own(textrnn, failing):
    class Busy(ConfigError):
        exit_code = 75

    failing(Busy("later."))
    assert textrnn("doctor", code=75).stderr == "textrnn: error: later.\n"


def test_a_bug_keeps_its_traceback(textrnn, failing):
    failing(ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError):
        textrnn("doctor")


def test_an_interrupt_has_exit_code_130(textrnn, failing):
    failing(KeyboardInterrupt())
    result = textrnn("doctor", code=130)
    assert (result.stdout, result.stderr) == ("", "textrnn: interrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error(textrnn, failing, monkeypatch):
    moved = []
    monkeypatch.setattr(os, "open", lambda *_: 99)
    monkeypatch.setattr(os, "dup2", lambda *pair: moved.append(pair))
    monkeypatch.setattr(testing._NamedTextIOWrapper, "fileno", lambda self: 1, raising=False)
    failing(BrokenPipeError())
    assert textrnn("doctor").output == ""
    assert moved == [(99, 1)]


def test_help_and_import_do_not_wait_for_tensorflow():
    code = f"""
import sys
import textrnn
from textrnn.cli.main import main
for arguments in [[]] + [[name] for name in {COMMANDS}]:
    try:
        main([*arguments, "--help"])
    except SystemExit as end:
        assert end.code == 0
slow = {{"tensorflow", "keras", "tensorflow_datasets", "sklearn", "matplotlib", "numpy", "pyarrow"}}
print(slow & set(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "set()\n"
    assert done.stdout.count("Usage: ") == 1 + len(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_an_option_shows_one_default(name):
    context = click.Context(main)
    command = not_none(main.get_command(context, name))
    records = [parameter.get_help_record(context) for parameter in command.params]
    shown = [record[1] for record in records if record is not None]
    assert [text for text in shown if text.count("[default: ") > 1] == []
