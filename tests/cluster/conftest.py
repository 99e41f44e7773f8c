"""A cluster of two nodes on this machine, one core each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from textrnn.cluster.connection import ray_package

STORE_BYTES = 80_000_000


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """The cluster, to which this process is connected."""
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    ray = ray_package()
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    nodes.add_node(**node)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="error")
    yield nodes
    ray.shutdown()
    nodes.shutdown()
