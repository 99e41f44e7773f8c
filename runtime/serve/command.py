"""The command `textrnn-runtime serve`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import option_of
from .serve import serve
from .settings import ServeSettings, fields_with_section
from .versions import parse_source

if TYPE_CHECKING:
    from argparse import _SubParsersAction

__all__ = ["add_serve_command", "run_serve_command"]

_ABOUT = "Serve each RUN over HTTP until Ctrl-C or SIGTERM."


def add_serve_command(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command, with an option for each setting of the server."""
    command = commands.add_parser("serve", help=_ABOUT, description=_ABOUT)
    command.add_argument(
        "runs", metavar="RUN", nargs="+", help="Run folder, folder of versions, or NAME=RUN."
    )
    for section, setting in fields_with_section():
        _add_option(command, section, setting)


def _add_option(
    command: argparse.ArgumentParser, section: str, setting: dataclasses.Field[Any]
) -> None:
    about = setting.metadata["help"].replace("%", "%%")
    if isinstance(setting.default, bool):
        options: dict[str, Any] = {"action": "store_true"}
    elif isinstance(setting.default, tuple):
        options = {"action": "append", "default": []}
    else:
        kind = str if setting.default is None else type(setting.default)
        shown = "" if setting.default is None else f"  [default: {setting.default}]"
        options = {"type": kind, "default": setting.default, "metavar": kind.__name__.upper()}
        about += shown
    command.add_argument(
        option_of(setting), dest=setting.name, help=f"{about} ({section})", **options
    )


def run_serve_command(options: argparse.Namespace) -> None:
    """Serves until the process is asked to stop.

    Args:
        options: The parsed arguments.

    Raises:
        TextRNNError: A setting, a model or the address cannot be used.
    """
    from .loading import ModelLoader

    values = {setting.name: getattr(options, setting.name) for _, setting in fields_with_section()}
    values["cors_origins"] = tuple(values["cors_origins"])
    settings = ServeSettings.from_dict(values)
    named = settings.likelihood.language_model
    load = ModelLoader(None if named is None else Path(named))
    serve([parse_source(run) for run in options.runs], load, settings=settings)
