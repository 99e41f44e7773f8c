"""The reporters of the commands, whose messages name flags where the library names settings."""

from __future__ import annotations

from textrnn.cli.flags import flags_in_message
from textrnn.messages.json_lines import JsonReporter
from textrnn.messages.terminal import TerminalReporter

__all__ = ["CommandJsonReporter", "CommandReporter"]


class CommandReporter(TerminalReporter):
    """Writes messages and progress to stderr; see `TerminalReporter`."""

    def message(self, text: str) -> None:
        """Writes one line, with flags."""
        super().message(flags_in_message(text))


class CommandJsonReporter(JsonReporter):
    """Writes JSON lines on stderr; see `JsonReporter`."""

    def message(self, text: str) -> None:
        """Writes one line, with flags."""
        super().message(flags_in_message(text))
