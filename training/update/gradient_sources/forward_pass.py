"""The forward pass over all segments of a batch, which records what the backward pass needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.stack import StreamState
from textrnn.training.update.gradient_sources.segments import SegmentReader

__all__ = ["ForwardRecord", "record_forward_pass"]


class ForwardRecord(NamedTuple):
    """The constants that the forward pass records; they are small compared with the states.

    Attributes:
        stream_states: One array per tensor of the states before each segment.
        structure: How those tensors are nested.
        prefixes: One array per tensor of the pooling's summary before each segment, P_j.
        suffixes: One array per tensor of the summary after each segment, Q_j.
        any_later: Whether a token follows each segment, `[B, 1]` each.
        summary: The summary of the whole texts.
    """

    stream_states: list[tf.TensorArray]
    structure: StreamState
    prefixes: list[tf.TensorArray]
    suffixes: list[tf.TensorArray]
    any_later: tf.TensorArray
    summary: States

    def states_before(self, segment: tf.Tensor) -> StreamState:
        """Returns the states of all layers before a segment."""
        tensors = [array.read(segment) for array in self.stream_states]
        packed: StreamState = tf.nest.pack_sequence_as(self.structure, tensors)
        return packed

    def summary_before(self, segment: tf.Tensor) -> States:
        """Returns the pooling's summary of everything before a segment."""
        return tuple(array.read(segment) for array in self.prefixes)

    def summary_after(self, segment: tf.Tensor) -> tuple[States, tf.Tensor]:
        """Returns the summary of everything after a segment, and whether a token is there."""
        summary = tuple(array.read(segment) for array in self.suffixes)
        return summary, self.any_later.read(segment)


class _Arrays(NamedTuple):
    """The arrays that the loop over the segments writes, one element per segment."""

    stream_states: list[tf.TensorArray]
    prefixes: list[tf.TensorArray]
    summaries: list[tf.TensorArray]
    any_token: tf.TensorArray


def record_forward_pass(reader: SegmentReader) -> ForwardRecord:
    """Reads all segments without a gradient, then merges their summaries from the end."""
    arrays, summary = _read_segments(reader)
    suffixes, any_later = _merge_backwards(reader, arrays)
    return ForwardRecord(
        arrays.stream_states, reader.start, arrays.prefixes, suffixes, any_later, summary
    )


def _read_segments(reader: SegmentReader) -> tuple[_Arrays, States]:
    """Returns the arrays and the summary of the whole texts."""
    pooling, empty = reader.model.pooling, reader.empty_summary
    start = tf.nest.flatten(reader.start)

    def read_one(j: Any, flat_states: Any, summary: Any, arrays: _Arrays) -> Any:
        stream_states = tf.nest.pack_sequence_as(reader.start, flat_states)
        states, mask, after = reader.read(stream_states, j, count=1, training=False)
        segment_summary = pooling.add(empty, states, mask)
        arrays = _Arrays(
            _write(arrays.stream_states, j, flat_states),
            _write(arrays.prefixes, j, summary),
            _write(arrays.summaries, j, segment_summary),
            arrays.any_token.write(j, tf.reduce_any(mask, axis=1, keepdims=True)),
        )
        summary = pooling.add(tuple(summary), states, mask)
        return j + 1, tf.nest.flatten(after), list(summary), arrays

    begin = _Arrays(
        _arrays_like(start, reader.count),
        _arrays_like(empty, reader.count),
        _arrays_like(empty, reader.count),
        tf.TensorArray(tf.bool, reader.count, clear_after_read=False),
    )
    _, _, summary, arrays = tf.while_loop(
        lambda j, *_: j < reader.count,
        read_one,
        (tf.constant(0), start, list(empty), begin),
        parallel_iterations=1,
    )
    return arrays, tuple(summary)


def _merge_backwards(
    reader: SegmentReader, arrays: _Arrays
) -> tuple[list[tf.TensorArray], tf.TensorArray]:
    """Returns the summary after each segment, and whether a token follows it."""
    pooling, empty = reader.model.pooling, reader.empty_summary

    def merge_one(
        j: Any, later: Any, any_later: tf.Tensor, suffixes: Any, flags: tf.TensorArray
    ) -> Any:
        suffixes = _write(suffixes, j, later)
        flags = flags.write(j, any_later)
        segment_summary = tuple(array.read(j) for array in arrays.summaries)
        merged = pooling.merge(segment_summary, tuple(later), any_later=any_later)
        return j - 1, list(merged), any_later | arrays.any_token.read(j), suffixes, flags

    tensors = tf.nest.flatten(reader.start)
    batch_size = tf.shape(tensors[0] if tensors else empty[0])[0]
    flags = tf.TensorArray(tf.bool, reader.count, clear_after_read=False)
    _, _, _, suffixes, flags = tf.while_loop(
        lambda j, *_: j >= 0,
        merge_one,
        (
            reader.count - 1,
            list(empty),
            tf.zeros([batch_size, 1], tf.bool),
            _arrays_like(empty, reader.count),
            flags,
        ),
        parallel_iterations=1,
    )
    return suffixes, flags


def _arrays_like(tensors: Iterable[tf.Tensor], count: tf.Tensor) -> list[tf.TensorArray]:
    """Returns one array of `count` elements per tensor, of its type and shape."""
    return [
        tf.TensorArray(t.dtype, count, clear_after_read=False, element_shape=t.shape)
        for t in tensors
    ]


def _write(arrays: list[tf.TensorArray], place: Any, values: Any) -> list[tf.TensorArray]:
    """Writes one value into each array."""
    return [array.write(place, value) for array, value in zip(arrays, values, strict=True)]
