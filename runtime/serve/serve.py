"""Serves models until the process is asked to stop."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import ip_address

from ..cores import one_thread_per_product
from ..distribution import DISTRIBUTION
from ..errors import ConfigError
from .model import Load
from .settings import ServeSettings
from .versions import ModelSource, version_folders

__all__ = ["serve"]

_log = logging.getLogger("textrnn.serve")


def serve(
    sources: Sequence[ModelSource], load: Load, *, settings: ServeSettings | None = None
) -> None:
    """Serves models until SIGTERM or Ctrl-C.

    Args:
        sources: The models.
        load: Loads a run folder, such as `textrnn.runtime.load`.
        settings: The settings.

    Raises:
        TextRNNError: A model cannot be loaded, the address is in use, or a setting cannot work.
        ConfigError: The packages of the server are not installed.
    """
    settings = settings or ServeSettings()
    one_thread_per_product()  # `threads` and `workers` use more cores.
    try:
        from .app import create_app
        from .server import listening_socket, log_to_stderr, run_server
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"expected the packages of the server, but {error.name} is missing; install them by "
            f"pip install '{DISTRIBUTION}[serve]'."
        ) from None
    for source in sources:
        version_folders(source.folder)
    log_to_stderr(settings)
    bound = listening_socket(settings.listening)
    try:
        host, port = bound.getsockname()[:2]
        if settings.access.api_key_file is None and not ip_address(host).is_loopback:
            _log.warning("whoever reaches this address may ask; --api-key-file makes keys needed")
        where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if settings.listening.workers > 1:
            from .processes import run_processes

            _log.info("starting %d processes that listen at %s", settings.listening.workers, where)
            run_processes(sources, load, settings, bound=bound)
        else:
            app = create_app(sources, load, settings=settings)
            _log.info("listening at %s", where)
            run_server(app, settings, sockets=[bound])
        _log.info("stopped")
    finally:
        bound.close()
