"""Units of work on a cluster of two nodes: each is computed, also if workers are killed."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from textrnn.cluster.connection import connected
from textrnn.cluster.units import run_units
from textrnn.errors import DataError

pytestmark = pytest.mark.slow  # A cluster takes ten seconds to start.


STORE_BYTES = 80_000_000


@pytest.fixture(autouse=True)
def _by_value(cluster):
    """The workers cannot import this file."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Squares:
    """Squares numbers; a unit of its number may end its worker once."""

    def __init__(self, home: Path, kill: tuple[int, ...] = ()) -> None:
        self._home, self._kill = home, kill

    def __call__(self, unit):
        number = unit["number"]
        tries = self._home / str(number)
        with tries.open("a") as file:
            file.write("x")
        if number in self._kill and tries.stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.3)  # The second worker takes a second to start.
        return {"square": number**2, "pid": os.getpid(), "heavy": "tensorflow" in sys.modules}


class Fails:
    """Fails by an error of the user, or of the operating system."""

    def __call__(self, unit):
        if unit["number"] == 1:
            raise DataError("a.csv:7: expected a text.")
        raise OSError(28, "No space left on device")


def test_each_unit_has_its_result(tmp_path):
    units = [{"number": number} for number in range(12)]
    with connected("auto"):  # This process is connected already, and stays so.
        results = list(run_units(units, partial(Squares, tmp_path)))
    assert sorted(result["square"] for result in results) == [n**2 for n in range(12)]
    assert len({result["pid"] for result in results}) == 2
    assert not any(result["heavy"] for result in results)
    assert list(run_units([], partial(Squares, tmp_path))) == []


def test_units_of_killed_workers_are_computed_again(tmp_path):
    units = [{"number": number} for number in range(6)]
    results = list(run_units(units, partial(Squares, tmp_path, kill=(1, 4))))
    assert sorted(result["square"] for result in results) == [n**2 for n in range(6)]
    assert len((tmp_path / "1").read_text()) > 1
    assert len((tmp_path / "4").read_text()) > 1


def test_errors_of_the_user_come_through():
    with pytest.raises(DataError, match=r"a\.csv:7: expected a text"):
        list(run_units([{"number": 1}], Fails))
    with pytest.raises(DataError, match=r"No space left on device; continue with `resume`"):
        list(run_units([{"number": 2}], Fails))


def test_a_node_that_joins_gets_units(cluster, tmp_path):
    workers, joined = set(), None
    try:
        for result in run_units([{"number": n} for n in range(500)], partial(Squares, tmp_path)):
            workers.add(result["pid"])
            if joined is None:
                joined = cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
            if len(workers) == 3:
                break
    finally:
        cluster.remove_node(joined)
    assert len(workers) == 3
