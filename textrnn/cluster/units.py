"""Units of work, which Ray Data gives to workers.

A unit writes its result itself, under a name that depends on the unit alone, and at once and whole.
It is therefore harmless that Ray computes a unit again when a worker or a machine was lost, also if
the lost one still works: both write the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from textrnn.cluster.connection import connected, ray_package
from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError

__all__ = ["RunUnits", "Work", "run_units", "units_on"]

Work = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Computes a unit. Unit and result are values of JSON."""

RunUnits = Callable[[Sequence[Mapping[str, Any]], Callable[[], Work]], Iterator[dict[str, Any]]]
"""Computes units; see `run_units`."""

_MOST_STARTS = 20
"""The number of workers that may be lost, one after the other, before they compute anything."""

_ERRORS = {kind.__name__: kind for kind in (ConfigError, DataError, ModelError)}


@contextmanager
def units_on(cluster: str) -> Iterator[RunUnits]:
    """Connects to a cluster until the context ends, and yields what computes units on it.

    Args:
        cluster: The address; see `check_address`.

    Raises:
        ConfigError: Ray is missing, or no cluster answers.
    """
    with connected(cluster):
        yield _run_by_client if cluster.startswith("ray://") else run_units


def run_units(
    units: Sequence[Mapping[str, Any]], open_work: Callable[[], Work]
) -> Iterator[dict[str, Any]]:
    """Yields the result of each unit when it is done, in any order.

    The process must be connected to a cluster. There is a worker for each core of
    the cluster, and one more for each core that it gets.

    Args:
        units: The units.
        open_work: Called once by each worker; returns what computes its units.

    Raises:
        TextRNNError: The first error of that kind that a unit raised.
        DataError: A unit met an error of the operating system, such as a full disk.
    """
    yield from map(_checked, _results(units, open_work))


def _run_by_client(
    units: Sequence[Mapping[str, Any]], open_work: Callable[[], Work]
) -> Iterator[dict[str, Any]]:
    """Does what `run_units` does, from a process that is not of the cluster.

    Ray Data does not run there, and gets a process of the cluster.

    Raises:
        DataError: The machine of that process was lost.
    """
    ray = ray_package()
    results = ray.remote(num_cpus=0)(_Results).remote(units, open_work)
    try:
        while (result := ray.get(results.next.remote())) is not None:
            yield _checked(result)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, TextRNNError):
            raise error.cause from None
        raise
    except ray.exceptions.RayActorError:
        raise DataError(
            "expected the cluster to end the job, got the loss of the machine that gave out its "
            "work; continue with `resume`."
        ) from None


def _checked(result: dict[str, Any]) -> dict[str, Any]:
    """Returns the result of a unit, or raises its error."""
    if "error" in result:
        raise _ERRORS.get(result["error"], TextRNNError)(result["message"])
    return result


def _results(
    units: Sequence[Mapping[str, Any]], open_work: Callable[[], Work]
) -> Iterator[dict[str, Any]]:
    """Yields the results of units, and their errors as results."""
    ray = ray_package()
    if not units:
        return
    from ray import data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_consecutive_actor_init_deaths = _MOST_STARTS
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    rows = [{"unit": json.dumps(unit)} for unit in units]
    results = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Worker,
        batch_size=1,
        num_cpus=1,
        fn_constructor_args=(open_work,),
        compute=data.ActorPoolStrategy(min_size=min(cores, len(rows)), max_size=len(rows)),
    )
    try:
        for row in results.iter_rows():
            yield json.loads(row["result"])
    except ray.exceptions.RayActorError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"expected workers that start, got over {_MOST_STARTS} that were lost before they "
            "began; continue with `resume` if the machines are busy, or install the same version "
            f"of textrnn on all of them ({reason})."
        ) from None


class _Results:
    """Gives out the results of units one by one, in a process of the cluster."""

    def __init__(self, units: Sequence[Mapping[str, Any]], open_work: Callable[[], Work]) -> None:
        self._results = _results(units, open_work)

    def next(self) -> dict[str, Any] | None:
        """Returns the next result when it is there; None after the last one."""
        return next(self._results, None)


class _Worker:
    """A worker of Ray Data, which gets one unit at a time."""

    def __init__(self, open_work: Callable[[], Work]) -> None:
        self._open = open_work
        self._work: Work | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        return {"result": [json.dumps(self._result(json.loads(str(batch["unit"][0]))))]}

    def _result(self, unit: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            # A run that is missing on this machine is an error of the user, as that of a unit is.
            work = self._work = self._work or self._open()
            return work(unit)
        except TextRNNError as error:
            return {"error": type(error).__name__, "message": str(error)}
        except OSError as error:
            return {"error": DataError.__name__, "message": f"{error}; continue with `resume`."}
