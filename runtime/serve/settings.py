"""The settings of the server. Both command lines make their options from these fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError

__all__ = [
    "Access",
    "Batching",
    "Likelihood",
    "Limits",
    "Listening",
    "Logging",
    "ServeSettings",
    "Stopping",
    "VersionPolicy",
    "fields_with_section",
]


def _setting(default: Any, help: str, *, minimum: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "minimum": minimum})


@dataclass(frozen=True)
class _Section:
    def __post_init__(self) -> None:
        for definition in dataclasses.fields(self):
            minimum, value = definition.metadata["minimum"], getattr(self, definition.name)
            # The comparison is negated so that NaN fails it.
            if minimum is not None and not value >= minimum:
                raise ConfigError(f"`{definition.name}` must be at least {minimum}, got {value}.")


@dataclass(frozen=True)
class Listening(_Section):
    """Where the server listens, and in how many processes."""

    host: str = _setting(
        "127.0.0.1",
        "Address to listen on. 0.0.0.0 lets other machines in; use --api-key-file then.",
    )
    port: int = _setting(8501, "Port to listen on (0: a free one).", minimum=0)
    workers: int = _setting(
        1, "Number of server processes. Each of them loads every model.", minimum=1
    )


@dataclass(frozen=True)
class Batching(_Section):
    """How texts of requests that arrive together are answered together."""

    batch_window_ms: float = _setting(
        1.0, "Time that a text waits for others to be answered with, in milliseconds.", minimum=0
    )
    batch_texts: int = _setting(64, "Most texts that are answered together.", minimum=1)
    queue_texts: int = _setting(
        4096,
        "Most texts that wait for an answer, per model and process; a request beyond gets status "
        "429. A request that finds no text waiting is accepted whatever its size.",
        minimum=1,
    )
    threads: int = _setting(1, "Number of threads per process that run the models.", minimum=1)


@dataclass(frozen=True)
class Limits(_Section):
    """What one client may ask for."""

    max_body_bytes: int = _setting(
        4 * 1024 * 1024, "Most bytes of the body of a request; more get status 413.", minimum=1
    )
    max_texts: int = _setting(1024, "Most texts of a request; more get status 413.", minimum=1)
    max_characters: int = _setting(
        100_000, "Most characters of a text; more get status 413.", minimum=1
    )
    max_requests: int = _setting(
        512, "Most requests that are worked on at a time; more get status 429.", minimum=1
    )
    request_seconds: float = _setting(
        30.0, "Time for a request, in seconds; then it gets status 504.", minimum=0.001
    )
    max_streams: int = _setting(
        64, "Most texts that are written by WebSocket at a time.", minimum=0
    )
    max_message_bytes: int = _setting(65_536, "Most bytes of a message of a WebSocket.", minimum=1)
    stream_idle_seconds: float = _setting(
        60.0, "Time after which a WebSocket without a message is closed, in seconds.", minimum=0.001
    )


@dataclass(frozen=True)
class VersionPolicy(_Section):
    """Which versions of a model are served."""

    served_versions: int = _setting(
        1, "How many of the newest versions of a model are served.", minimum=1
    )
    poll_seconds: float = _setting(
        2.0, "Time between two looks for new versions, in seconds.", minimum=0.01
    )


@dataclass(frozen=True)
class Likelihood(_Section):
    """How probable texts are."""

    language_model: str | None = _setting(
        None,
        "Run folder of the language model that tells how probable texts are, for every RUN. "
        "Without it each RUN has the one that its training started from, if that is there.",
    )


@dataclass(frozen=True)
class Access(_Section):
    """Who may ask."""

    api_key_file: str | None = _setting(
        None, "File of API keys, one per line. Requests without one of them get status 401."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "Origin whose web pages may ask, such as https://example.org. May be repeated."
    )


@dataclass(frozen=True)
class Logging(_Section):
    """What is written to stderr. Errors always are."""

    log_requests: bool = _setting(False, "Log each request as a JSON line, without its texts.")
    log_texts: bool = _setting(False, "Log the texts of each request too.")


@dataclass(frozen=True)
class Stopping(_Section):
    """How the server stops on SIGTERM or Ctrl-C."""

    drain_seconds: float = _setting(
        0.0,
        "Time in which a stopping server reports that it is not ready but still accepts "
        "requests, in seconds. A load balancer needs it.",
        minimum=0,
    )
    stop_seconds: float = _setting(
        30.0, "Time for the requests that are not finished by then, in seconds.", minimum=0
    )


@dataclass(frozen=True)
class ServeSettings:
    """All settings of the server.

    >>> ServeSettings.of(port=9000).listening.port
    9000

    Raises:
        ConfigError: A value is out of bounds.
    """

    listening: Listening = field(default_factory=Listening)
    batching: Batching = field(default_factory=Batching)
    limits: Limits = field(default_factory=Limits)
    versions: VersionPolicy = field(default_factory=VersionPolicy)
    likelihood: Likelihood = field(default_factory=Likelihood)
    access: Access = field(default_factory=Access)
    logging: Logging = field(default_factory=Logging)
    stopping: Stopping = field(default_factory=Stopping)

    @classmethod
    def of(cls, **values: Any) -> ServeSettings:
        """Makes the settings from values by the names of their fields."""
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ServeSettings:
        """Makes the settings from values by the names of their fields.

        Raises:
            ConfigError: A name is unknown, or see the class.
        """
        sections: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
        section_of = {definition.name: section for section, definition in fields_with_section()}
        for name, value in values.items():
            if name not in section_of:
                known = ", ".join(sorted(section_of))
                raise ConfigError(f"expected one of {known}, got the setting `{name}`.")
            sections[section_of[name]][name] = value
        made: dict[str, Any] = {name: _SECTIONS[name](**sections[name]) for name in sections}
        return cls(**made)


_SECTIONS: dict[str, type[_Section]] = {
    "listening": Listening,
    "batching": Batching,
    "limits": Limits,
    "versions": VersionPolicy,
    "likelihood": Likelihood,
    "access": Access,
    "logging": Logging,
    "stopping": Stopping,
}


def fields_with_section() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Yields every setting with the name of its section, in the order of the help."""
    for name, section in _SECTIONS.items():
        for definition in dataclasses.fields(section):
            yield name, definition
