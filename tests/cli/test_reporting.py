"""The reporters of the commands name flags where the library names settings."""

import json

from textrnn.cli.reporting import CommandJsonReporter, CommandReporter

NOTE = "note: a.csv: read with ';' between the columns; `delimiter` changes that."


def test_a_message_names_flags(capsys):
    CommandReporter().message(NOTE)
    assert capsys.readouterr().err == NOTE.replace("`delimiter`", "--delimiter") + "\n"


def test_a_json_line_names_flags(capsys):
    CommandJsonReporter().message("set `check_labels=False`.")
    assert json.loads(capsys.readouterr().err)["text"] == "pass --no-check-labels."
