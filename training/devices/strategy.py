"""The devices of a training: one device, all devices of a machine, a TPU, or several machines.

All workers make the same batches in the same order, from the same data and seed, and each of their
replicas takes its share of the rows. So no text is lost or repeated, whatever the number of
replicas is, and a batch size is that of the whole batch.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError

__all__ = ["LOST_WORKER", "TRY_AGAIN", "Distribution", "IncompleteCluster"]

LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)
"""The errors that TensorFlow raises on a worker when another worker is lost."""

TRY_AGAIN = 75
"""The exit code of a worker that lost another one, as `EX_TEMPFAIL` of BSD: the same command may
succeed if all workers are started again."""

SEED_STEP = 1_000_003
"""The distance between the seeds of two replicas."""


class IncompleteCluster(ConfigError):
    """The workers of a cluster did not find each other."""

    exit_code = TRY_AGAIN


class Distribution:
    """A `tf.distribute` strategy with the operations that the training needs.

    With one replica everything is as it is without a strategy.

    >>> distribution = Distribution.choose("single")
    >>> distribution.replicas, distribution.is_chief
    (1, True)

    Args:
        strategy: The strategy; see `choose`.
        static: Whether the step must have static shapes and no dynamic operation, for a TPU.

    Attributes:
        strategy: The strategy.
        replicas: N, the number of copies of the model that share each batch, on all machines.
        several_machines: Whether there are other processes.
        is_chief: Whether this process is the one that writes files.
        static: Whether the step must have static shapes.
    """

    def __init__(self, strategy: tf.distribute.Strategy, *, static: bool = False) -> None:
        self.strategy = strategy
        self.replicas = int(strategy.num_replicas_in_sync)
        resolver = strategy.cluster_resolver
        workers = _workers() if resolver is not None and not static else []
        self.several_machines = len(workers) > 1
        self.is_chief = not self.several_machines or _is_chief()
        self.static = static

        def reduce(value: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # The reduction needs a tensor with a device, which an argument itself does not have.
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

        self._all_reduce = tf.function(
            lambda value: strategy.run(reduce, args=(value,)),
            reduce_retracing=True,
            autograph=False,
        )

    @classmethod
    def choose(cls, name: str = "auto") -> Distribution:
        """Returns the strategy of a name.

        Args:
            name: single: the first GPU, else the CPU. mirrored: all GPUs of this machine, else all
                its logical CPU devices. multiworker: the machines in the environment variable
                TF_CONFIG. tpu: the TPU of this machine or of TPU_NAME. auto: the first of
                multiworker, tpu and mirrored that has more than one device, else single.

        Raises:
            ConfigError: There is no such device, or TF_CONFIG does not describe a cluster, or its
                workers do not find each other.
        """
        if name == "auto":
            name = _best_strategy()
        if name == "single":
            return cls(tf.distribute.get_strategy())
        if name == "mirrored":
            devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
            return cls(tf.distribute.MirroredStrategy([device.name for device in devices]))
        if name == "multiworker":
            if len(_workers()) < 2:
                raise ConfigError(
                    "the strategy multiworker needs the environment variable TF_CONFIG with at "
                    "least two workers; set it on each of them, or use the strategy auto."
                )
            try:
                return cls(tf.distribute.MultiWorkerMirroredStrategy())
            except (ValueError, *LOST_WORKER) as error:
                reason = str(error).splitlines()[0]
                raise IncompleteCluster(
                    f"the cluster of TF_CONFIG did not come together ({reason}); check the "
                    "addresses, and that all workers have been started."
                ) from None
        return cls(_tpu_strategy(), static=True)

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Returns the context in which the model and the optimizer are created."""
        context: contextlib.AbstractContextManager[Any] = self.strategy.scope()
        return context

    def split(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """Divides the rows of arrays equally among the replicas, as values for `run`."""
        if self.replicas == 1:
            return tuple(tf.convert_to_tensor(array) for array in arrays)

        def share(array: Any, replica: int) -> tf.Tensor:
            rows = len(array) // self.replicas
            return tf.constant(array[replica * rows : (replica + 1) * rows])

        def shares(context: Any) -> tuple[tf.Tensor, ...]:
            return tuple(share(array, context.replica_id_in_sync_group) for array in arrays)

        return tuple(self.strategy.experimental_distribute_values_from_function(shares))

    def run(self, compute: Callable[..., Any], values: Sequence[Any]) -> Any:
        """Runs a function on every replica, each on its own share of the values."""
        return self.strategy.run(compute, args=tuple(values))

    def all_rows(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the rows of all replicas on each of them; only within a function of `run`."""
        if self.replicas == 1:
            return values
        rows: tf.Tensor = tf.distribute.get_replica_context().all_gather(values, axis=0)
        return rows

    def first(self, values: Any) -> Any:
        """Returns one copy of a result of `run` that is the same on all replicas."""
        return self.strategy.experimental_local_results(values)[0]

    def spread_seeds(self, generators: Sequence[tuple[Any, int]]) -> None:
        """Gives random generators a different seed on each replica; the first one keeps its seed.

        Args:
            generators: The state `[seed, count]` of each generator, and its seed on the first
                replica.
        """

        def spread() -> None:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            for state, seed in generators:
                shift = SEED_STEP * tf.cast(replica, state.dtype)
                state.assign(tf.stack([tf.cast(seed, state.dtype) + shift, state[1]]))

        tf.function(lambda: self.strategy.run(spread), autograph=False)()

    def broadcast(self, content: bytes) -> bytes:
        """Returns the chief's bytes on every worker; the bytes of the others are ignored."""
        if not self.several_machines:
            return content
        size = int(self._sum(np.array([len(content) if self.is_chief else 0], np.int32))[0])
        if not size:  # TensorFlow crashes at the sum of arrays without elements.
            return b""
        words = np.zeros(-(-size // 4), np.int32)
        if self.is_chief:
            words = np.frombuffer(content.ljust(4 * len(words), b"\0"), np.int32)
        return self._sum(words).tobytes()[:size]

    def barrier(self) -> None:
        """Waits for all workers."""
        if self.several_machines:
            self._sum(np.zeros(1, np.int32))

    def _sum(self, array: np.ndarray) -> np.ndarray:
        """Returns the sum of the workers' arrays, which have the same shape."""
        local = self.replicas // len(_workers())

        def value(context: Any) -> tf.Tensor:
            first = context.replica_id_in_sync_group % local == 0
            return tf.constant(array if first else np.zeros_like(array))

        values = self.strategy.experimental_distribute_values_from_function(value)
        return np.asarray(self.first(self._all_reduce(values)))


def _cluster() -> dict[str, Any]:
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        cluster = json.loads(text)
        for addresses in cluster.get("cluster", {}).values():
            if not isinstance(addresses, list):
                raise TypeError
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(
            "the environment variable TF_CONFIG must be JSON such as "
            '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
            f'"task": {{"type": "worker", "index": 0}}}}, got {text[:200]!r}.'
        ) from None
    return dict(cluster)


def _workers() -> list[str]:
    """Returns the addresses of the training machines, the chief's first."""
    addresses = _cluster().get("cluster", {})
    return [*addresses.get("chief", []), *addresses.get("worker", [])]


def _is_chief() -> bool:
    cluster = _cluster()
    task = cluster.get("task", {})
    if "chief" in cluster["cluster"]:
        return bool(task.get("type") == "chief")
    return task.get("type") == "worker" and int(task.get("index", 0)) == 0


def _best_strategy() -> str:
    if len(_workers()) > 1:
        return "multiworker"
    if os.environ.get("TPU_NAME") or tf.config.list_physical_devices("TPU"):
        return "tpu"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "single"


def _tpu_strategy() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=os.environ.get("TPU_NAME", "local")
        )
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, OSError, ImportError, tf.errors.OpError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"the strategy tpu found no TPU ({reason}); run it on a TPU machine or set TPU_NAME, "
            "or use the strategy auto."
        ) from None
