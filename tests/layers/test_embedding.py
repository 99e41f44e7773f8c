"""The lookup of tokens against Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from cases import assert_close

from textrnn.layers.embedding import TokenEmbedding

IDS = np.array([[1, 4, 4], [0, 2, 1]])


def built(**settings: str) -> TokenEmbedding:
    layer = TokenEmbedding(5, 3, **settings)
    layer.build((None, None))
    return layer


def test_vectors_and_gradient_are_those_of_keras() -> None:
    ours, theirs = built(), keras.layers.Embedding(5, 3)
    theirs.build((None, None))
    theirs.set_weights(ours.get_weights())
    gradients = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer(IDS)))
        gradients.append(tape.gradient(loss, layer.trainable_variables[0].value))
    assert_close(ours(IDS), theirs(IDS), atol=0)
    assert isinstance(gradients[0], tf.IndexedSlices)
    assert_close(*(tf.convert_to_tensor(gradient) for gradient in gradients), atol=1e-6)


def test_the_table_is_never_read_as_a_whole() -> None:
    layer = built(dtype="mixed_bfloat16")

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def graph(ids: tf.Tensor) -> tf.Tensor:
        return layer(ids)

    operations = graph.get_concrete_function().graph.get_operations()
    assert not [op for op in operations if op.type == "ReadVariableOp"]
    assert graph(tf.constant(IDS, tf.int32)).dtype == tf.bfloat16
    assert layer.get_weights()[0].dtype == np.float32


def test_the_config_makes_the_same_layer() -> None:
    layer = TokenEmbedding.from_config(built(name="table").get_config())
    assert (layer.name, layer.vocab_size, layer.units) == ("table", 5, 3)
