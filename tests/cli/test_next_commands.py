import shlex
from pathlib import Path

import click

from textrnn.cli.main import main
from textrnn.cli.next_commands import classifier_commands, language_model_commands, print_next
from textrnn.cli.run_choice import RunOptions

ODD = Path("my runs/it's $a")


def test_each_command_is_one_that_exists_and_names_the_run():
    commands = classifier_commands(ODD, tested=True) + language_model_commands(ODD)
    for command in commands:
        program, name, *arguments = shlex.split(command)
        assert program == "textrnn"
        assert main.get_command(click.Context(main), name) is not None
        assert str(ODD) in arguments
    assert len(classifier_commands(ODD, tested=True)) <= 4


def test_without_test_texts_the_validation_texts_are_evaluated():
    assert not any("--split" in line for line in classifier_commands(ODD, tested=True))
    (line,) = [line for line in classifier_commands(ODD, tested=False) if "evaluate" in line]
    assert "--split validation --output answers.csv" in line


def test_commands_are_printed_below_each_other_on_stderr(capsys):
    print_next(["textrnn a", "textrnn b"], options=RunOptions())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "next: textrnn a\n      textrnn b\n"


def test_a_program_gets_none(capsys):
    print_next(["textrnn a"], options=RunOptions(as_json=True))
    print_next(["textrnn a"], options=RunOptions(log_format="json"))
    assert capsys.readouterr().err == ""
