import argparse
from importlib import metadata

import click
import pytest
from letter_model import write_run
from tiny import not_none

from textrnn.cli.main import main as textrnn
from textrnn.runtime.cli import main as textrnn_runtime
from textrnn.runtime.serve.command import add_serve_command
from textrnn.runtime.serve.options import with_options
from textrnn.runtime.serve.settings import fields_with_section


@pytest.fixture
def options():
    """Parses the arguments of `textrnn-runtime serve`."""
    parser = argparse.ArgumentParser()
    add_serve_command(parser.add_subparsers())
    return lambda *arguments: parser.parse_args(["serve", *arguments])


def test_every_setting_is_an_option_of_both_commands(options):
    command = not_none(textrnn.get_command(click.Context(textrnn), "serve"))
    names = {definition.name for _, definition in fields_with_section()}
    cluster = {"cluster", "replicas", "config_file"}  # The light runtime knows of none.
    assert names == {parameter.name for parameter in command.params} - {"runs"} - cluster
    assert names == set(vars(options("run"))) - {"runs"}


def test_the_options_have_the_defaults_of_the_settings(options):
    parsed = options(
        "run", "--port", "9", "--cors-origin", "a", "--cors-origin", "b", "--log-texts"
    )
    assert (parsed.port, parsed.cors_origins, parsed.log_texts) == (9, ["a", "b"], True)
    assert (parsed.host, parsed.request_seconds) == ("127.0.0.1", 30.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "expected a run folder"),
        (["run", "--workers", "0"], "error: --workers must be at least 1"),
        (["run", "--port", "99999"], "port must be 0-65535; choose another --port or --host."),
        (["run"], "expected a run with"),
    ],
)
def test_a_fault_of_the_user_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run")
    (tmp_path / "run" / "digests.json").write_text('{"format_version": 2, "sha256": {}}')
    assert textrnn_runtime(["serve", "--port", "0", *arguments]) == 1
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if "textrnn-runtime: error" in line
    ]
    assert message in line


@pytest.mark.parametrize("setting", [field for _, field in fields_with_section()])
def test_a_message_about_a_setting_names_its_option(options, setting):
    option = with_options(f"`{setting.name}` and `text`.").split()[0]
    value = () if isinstance(setting.default, bool) else ("7",)
    assert getattr(options("run", option, *value), setting.name) in (True, 7, "7", ["7"])


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        textrnn_runtime(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"textrnn-runtime, version {metadata.version('textrnn')}\n"
