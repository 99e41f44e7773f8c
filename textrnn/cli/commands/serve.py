"""`textrnn serve`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from textrnn.cli.help import SectionedCommand, SettingOption
from textrnn.runtime.serve import ServeSettings, parse_source
from textrnn.runtime.serve import serve as run_server
from textrnn.runtime.serve.options import option_of
from textrnn.runtime.serve.settings import fields_with_section

__all__ = ["serve"]

F = TypeVar("F", bound=Callable[..., Any])


def _server_options(command: F) -> F:
    """Adds one option for each setting of the server."""
    for section, setting in reversed(list(fields_with_section())):
        command = _option(section, setting)(command)
    return command


def _option(section: str, setting: dataclasses.Field[Any]) -> Callable[[F], F]:
    minimum = setting.metadata["minimum"]
    is_list = isinstance(setting.default, tuple)
    kinds: dict[type, Any] = {
        int: click.IntRange(min=minimum),
        float: click.FloatRange(min=minimum),
        type(None): click.Path(),
    }
    is_flag = isinstance(setting.default, bool)
    return click.option(
        option_of(setting),
        setting.name,
        cls=SettingOption,
        section=section,
        common=True,
        is_flag=is_flag,
        multiple=is_list,
        type=None if is_flag else kinds.get(type(setting.default), str),
        default=setting.default,
        show_default=not is_flag and not is_list and setting.default is not None,
        help=setting.metadata["help"],
    )


@click.command(
    cls=SectionedCommand,
    short_help="Answer texts over HTTP and WebSocket.",
)
@click.argument("runs", metavar="RUN [RUN]...", nargs=-1, required=True)
@_server_options
def serve(runs: tuple[str, ...], **values: Any) -> None:
    """Serve each RUN over HTTP, without TensorFlow, until Ctrl-C or SIGTERM.

    RUN is a run folder, or a folder whose sub-folders 1, 2, .. are run folders: the versions of
    one model. The newest version is served, and a new one is found while the server runs. A model
    has the name of its folder; NAME=RUN gives it another one.

    The server speaks the REST interface of TensorFlow Serving (/v1/models/NAME:predict), the Open
    Inference Protocol (/v2/models/NAME/infer), explains answers (/v1/models/NAME:explain), answers
    texts while they are written (WebSocket /v1/models/NAME/stream), and tells how probable texts
    are if there is a language model (/v1/models/NAME:likelihood). /docs lists all calls.
    """
    settings = ServeSettings.from_dict(values)
    sources = [parse_source(run) for run in runs]
    from textrnn.runtime.serve.loading import ModelLoader

    named = settings.likelihood.language_model
    load = ModelLoader(None if named is None else Path(named))
    run_server(sources, load, settings=settings)
