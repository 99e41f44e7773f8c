"""`textrnn serve`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from textrnn.cli.cluster_option import cluster_option
from textrnn.cli.help import SectionedCommand, SettingOption
from textrnn.errors import DataError
from textrnn.runtime.serve import ModelSource, ServeSettings, parse_source
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


def _serve_on_cluster(
    sources: Sequence[ModelSource],
    values: dict[str, Any],
    replicas: str,
    *,
    cluster: str | None,
    config_file: Path | None,
) -> None:
    """Serves on a cluster until the process is asked to stop, or writes the configuration."""
    import signal
    import threading

    from textrnn.cluster.connection import check_address
    from textrnn.cluster.serving import Replicas, serve_config, serving
    from textrnn.runtime.serve.versions import version_folders

    config = serve_config(sources, values, Replicas.parse(replicas))
    for source in sources:
        version_folders(source.folder)
    if config_file is not None:
        import yaml

        from textrnn.host.atomic import write_atomically

        try:
            write_atomically(config_file, yaml.safe_dump(config, sort_keys=False))
        except OSError as error:
            raise DataError(
                f"{config_file}: cannot be written: {error.strerror}; choose another file."
            ) from None
        click.echo(f"textrnn serve: wrote {config_file}; `serve deploy {config_file}`", err=True)
        return
    stop = threading.Event()
    say = partial(click.echo, err=True)
    with serving(config, cluster=check_address(cluster or ""), say=say) as address:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: stop.set())
        click.echo(f"textrnn serve: listening at {address}", err=True)
        stop.wait()
    click.echo("textrnn serve: stopped", err=True)


@click.command(
    cls=SectionedCommand,
    short_help="Answer texts over HTTP and WebSocket.",
)
@click.argument("runs", metavar="RUN [RUN]...", nargs=-1, required=True)
@_server_options
@cluster_option
@click.option(
    "--replicas",
    metavar="COUNT|LEAST:MOST",
    default="1",
    show_default=True,
    help="With --cluster: the number of replicas; or the least and the most, between which the "
    "load decides.",
)
@click.option(
    "--serve-config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Write the configuration of Ray Serve into a file, for `serve deploy FILE`, and end.",
)
def serve(
    runs: tuple[str, ...],
    cluster: str | None,
    replicas: str,
    config_file: Path | None,
    **values: Any,
) -> None:
    """Serve each RUN over HTTP, without TensorFlow, until Ctrl-C or SIGTERM.

    RUN is a run folder, or a folder whose sub-folders 1, 2, .. are run folders: the versions of
    one model. The newest version is served, and a new one is found while the server runs. A model
    has the name of its folder; NAME=RUN gives it another one.

    The server speaks the REST interface of TensorFlow Serving (/v1/models/NAME:predict), the Open
    Inference Protocol (/v2/models/NAME/infer), explains answers (/v1/models/NAME:explain), answers
    texts while they are written (WebSocket /v1/models/NAME/stream), and tells how probable texts
    are if there is a language model (/v1/models/NAME:likelihood). /docs lists all calls.

    With --cluster, replicas of the server run on a Ray cluster until Ctrl-C or SIGTERM.
    """
    settings = ServeSettings.from_dict(values)
    sources = [parse_source(run) for run in runs]
    if replicas != "1" and cluster is None and config_file is None:
        raise click.UsageError("--replicas needs --cluster or --serve-config.")
    if cluster is not None or config_file is not None:
        _serve_on_cluster(sources, values, replicas, cluster=cluster, config_file=config_file)
        return
    from textrnn.runtime.serve.loading import ModelLoader

    named = settings.likelihood.language_model
    load = ModelLoader(None if named is None else Path(named))
    run_server(sources, load, settings=settings)
