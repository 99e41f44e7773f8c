"""The address of a cluster, and the connection to it."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from textrnn.errors import ConfigError
from textrnn.runtime.cores import count_cores, one_thread_per_product

__all__ = [
    "ADDRESSES",
    "CONNECT_SECONDS",
    "check_address",
    "check_installed",
    "connected",
    "ray_package",
]

ADDRESSES = "auto, local or ray://HOST:PORT"
"""The forms of an address."""

LOCAL_STORE_BYTES = 150_000_000
"""The memory that the workers of a local cluster share; they exchange names and counts only."""

CONNECT_SECONDS = 10.0
"""The time in which a cluster must accept a connection."""

_ADDRESS = re.compile(r"auto|local|ray://[^/\s]+:\d+")
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def check_address(address: str) -> str:
    """Returns the address of a cluster.

    Args:
        address: `auto` is the cluster that runs on this machine or that RAY_ADDRESS names, `local`
            one that is started on this machine for the time of the command.

    Raises:
        ConfigError: It is none.
    """
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(f"`cluster` must be {ADDRESSES}, got {address!r}.")
    return address


def check_installed() -> None:
    """Raises ConfigError if the package ray is missing; does not import it."""
    if find_spec("ray") is None:
        raise _missing()


def _missing() -> ConfigError:
    return ConfigError(
        "`cluster` needs the package ray, which is missing; install it by `pip install "
        "'textrnn[ray]'`."
    )


def ray_package() -> Any:
    """Returns the package ray.

    Raises:
        ConfigError: It is not installed.
    """
    # Ray would send statistics about its use over the network.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray would print about each process that it loses, on stdout, where the results are.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ImportError:
        raise _missing() from None
    return ray


def _check_reachable(address: str) -> None:
    """Raises ConfigError if nothing listens at an address; Ray would try for minutes."""
    named = address if address != "auto" else os.environ.get("RAY_ADDRESS", "")
    found = re.fullmatch(r"(?:ray://)?\[?([^/\s]+?)\]?:(\d+)", named)
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), CONNECT_SECONDS).close()
    except OSError as error:
        raise ConfigError(
            f"expected a Ray cluster at {named}, got: {error.strerror or error}; start one by `ray "
            "start --head`, check the address, or use the address local."
        ) from None


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connects this process to a cluster until the context ends.

    A process that is connected already stays so.

    Args:
        address: The address; see `check_address`.

    Raises:
        ConfigError: Ray is missing, or no cluster answers, or it has another version of Ray.
    """
    check_address(address)
    one_thread_per_product()
    ray = ray_package()
    if ray.is_initialized():
        yield
        return
    _check_reachable(address)
    logging.getLogger("ray").setLevel(logging.ERROR)
    # The workers of a node import NumPy before they know what they will compute.
    threads = {name: os.environ[name] for name in _THREADS}
    options: dict[str, Any] = {
        "address": address,
        "runtime_env": {"env_vars": threads},
        "logging_level": logging.ERROR,
        "log_to_driver": False,
    }
    if address == "local":
        options |= {
            "num_cpus": count_cores(),
            "object_store_memory": LOCAL_STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"expected a Ray cluster at the address {address}, got: {reason.rstrip('.')}; start "
            "one by `ray start --head`, check the address, set RAY_AUTH_MODE=token in the "
            "environment if the cluster asks for a token, or use the address local."
        ) from None
    try:
        yield
    finally:
        ray.shutdown()
