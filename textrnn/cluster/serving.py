"""The server under Ray Serve, which starts, scales and replaces copies of its application.

Each replica is the whole application of `textrnn serve`, with its own batches and limits. Ray Serve
receives the requests and gives each to the replica with the fewest.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textrnn.cluster.connection import CONNECT_SECONDS, connected, ray_package
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted
from textrnn.runtime.serve import ModelSource, ServeSettings

__all__ = ["APPLICATION", "Replica", "Replicas", "application", "deploy", "serve_config", "serving"]

APPLICATION = "textrnn"
"""The name of the application and of its deployment."""


@dataclass(frozen=True)
class Replicas:
    """How many replicas there are.

    >>> Replicas.parse("1:8")
    Replicas(least=1, most=8)

    Attributes:
        least: The number without load.
        most: The number under full load.
    """

    least: int = 1
    most: int = 1

    @classmethod
    def parse(cls, text: str) -> Replicas:
        """Returns the numbers that a text names, `COUNT` or `LEAST:MOST`.

        Raises:
            ConfigError: It does not.
        """
        least, _, most = text.partition(":")
        if least.isdecimal() and (most or least).isdecimal():
            replicas = cls(int(least), int(most or least))
            if 0 < replicas.least <= replicas.most:
                return replicas
        raise ConfigError(f"`replicas` must be a number, or LEAST:MOST such as 1:8, got {text!r}.")


def serve_config(
    sources: Sequence[ModelSource], values: Mapping[str, Any], replicas: Replicas
) -> dict[str, Any]:
    """Returns the configuration of Ray Serve, for `serve deploy FILE` or KubeRay.

    Args:
        sources: The models; their folders must be at the same paths on all machines.
        values: The settings of the server, by name.
        replicas: How many replicas there are.
    """
    settings = ServeSettings.from_dict(values)
    usual = _flat(ServeSettings())
    changed = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in _flat(settings).items()
        if value != usual[name] and name not in {"host", "port", "workers"}
    }
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": settings.listening.host, "port": settings.listening.port},
        "applications": [
            {
                "name": APPLICATION,
                "route_prefix": "/",
                "import_path": f"{__name__}:application",
                "args": {
                    "runs": {source.name: str(source.folder.absolute()) for source in sources},
                    "settings": changed,
                },
                "deployments": [{"name": APPLICATION, **_options(settings, replicas)}],
            }
        ],
    }


def _options(settings: ServeSettings, replicas: Replicas) -> dict[str, Any]:
    """Returns the options of the deployment."""
    texts = settings.batching.batch_texts
    return {
        # A batch that is computed, and one that waits. More requests wait at the proxy, and are
        # shared out when there is another replica.
        "max_ongoing_requests": 2 * texts,
        "autoscaling_config": {
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": texts,
        },
        "ray_actor_options": {"num_cpus": settings.batching.threads},
        "graceful_shutdown_timeout_s": settings.stopping.stop_seconds,
    }


def _flat(settings: ServeSettings) -> dict[str, Any]:
    return {
        name: value for section in vars(settings).values() for name, value in vars(section).items()
    }


def application(arguments: Mapping[str, Any]) -> Any:
    """Returns the application of Ray Serve that a configuration names; see `serve_config`.

    Args:
        arguments: `runs`, the folder of each model by its name, and `settings`.
    """
    return _deployment().bind(*_bound(arguments))


def _deployment() -> Any:
    ray_package()
    from ray import serve

    return serve.deployment(name=APPLICATION)(serve.ingress()(Replica))


def _bound(arguments: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    return dict(arguments["runs"]), dict(arguments.get("settings") or {})


class Replica:
    """One copy of the application, in a process of its own.

    Args:
        runs: The folder of each model, by its name.
        settings: The settings of the server, by name.
    """

    def __init__(self, runs: Mapping[str, str], settings: Mapping[str, Any]) -> None:
        self._sources = [ModelSource(name, Path(folder)) for name, folder in runs.items()]
        self._settings = ServeSettings.from_dict(settings)
        self._app: Any = None

    def __serve_build_asgi_app__(self) -> Any:
        """Returns the application; Ray Serve calls this."""
        from textrnn.runtime.serve.app import create_app
        from textrnn.runtime.serve.loading import ModelLoader

        named = self._settings.likelihood.language_model
        load = ModelLoader(None if named is None else Path(named))
        self._app = create_app(self._sources, load, settings=self._settings)
        return self._app

    def check_health(self) -> None:
        """Raises RuntimeError if a model has no version; Ray Serve then replaces the replica."""
        if not self._app.state.serving.is_ready:
            raise RuntimeError("a model has no version that is served")


def deploy(config: Mapping[str, Any]) -> str:
    """Serves on the cluster that this process is connected to; returns the address.

    If the application is served already, its replicas are replaced a few at a time, and each
    request is answered by one that is there.

    Args:
        config: The configuration; see `serve_config`.

    Raises:
        ConfigError: The replicas do not start.
    """
    from ray import serve

    http = config["http_options"]
    serve.start(proxy_location=config["proxy_location"], http_options=http)
    (described,) = config["applications"]
    (options,) = described["deployments"]
    target = _deployment().options(**options).bind(*_bound(described["args"]))
    try:
        serve.run(target, name=APPLICATION, route_prefix=described["route_prefix"])
    except RuntimeError as error:
        raise ConfigError(
            f"expected replicas that start, got: {' '.join(str(error).split())}; look at the log "
            "of the replicas (`ray status`, `serve status`)."
        ) from None
    return f"http://{http['host']}:{http['port']}"


@contextmanager
def serving(
    config: Mapping[str, Any], *, cluster: str, say: Callable[[str], None] = lambda text: None
) -> Iterator[str]:
    """Serves on a cluster until the context ends, and yields the address.

    Args:
        config: The configuration; see `serve_config`.
        cluster: The address of the cluster; see `check_address`.
        say: Receives a message if the replicas wait for machines.

    Raises:
        ConfigError: Ray is missing, no cluster answers, Ray Serve listens at another port there,
            or the replicas do not start.
    """
    with connected(cluster):
        from ray import serve

        if not serve.status().applications:
            serve.shutdown()  # It may listen at the port of a server that has ended.
        elif not cluster.startswith("ray://"):
            _check_listens(config["http_options"])
        if note := _room_note(config):
            say(note)
        try:
            yield deploy(config)
        finally:
            serve.delete(APPLICATION)
            if not serve.status().applications:
                serve.shutdown()


def _check_listens(http: Mapping[str, Any]) -> None:
    """Raises ConfigError if nothing listens at the address where requests are expected."""
    host = "127.0.0.1" if http["host"] in {"0.0.0.0", "::"} else http["host"]
    try:
        socket.create_connection((host, http["port"]), CONNECT_SECONDS).close()
    except OSError:
        raise ConfigError(
            f"Ray Serve runs on the cluster and does not listen at {host}:{http['port']}; set "
            "`host` and `port` to those that it was started with, or end it first."
        ) from None


def _room_note(config: Mapping[str, Any]) -> str:
    """Returns a message if the cluster has fewer cores than the replicas need, else nothing."""
    (options,) = config["applications"][0]["deployments"]
    least = options["autoscaling_config"]["min_replicas"]
    needed = least * options["ray_actor_options"]["num_cpus"]
    cores = int(ray_package().cluster_resources().get("CPU", 0))
    if needed <= cores:
        return ""
    return (
        f"{counted(least, 'replica')} need {counted(needed, 'core')}, the cluster has {cores}; "
        "waiting for machines, or press Ctrl-C and lower --replicas"
    )
