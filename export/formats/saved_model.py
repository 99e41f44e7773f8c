"""The SavedModel: raw texts in, labels and scores out, for TF Serving and TensorFlow's C API.

Its signatures, of B texts, T tokens and C labels:

    serving_default  text [B] -> label [B], score [B], labels [B,C], scores [B,C]
    ids              ids [B,T] -> scores [B,C]
    tokenize         text [B] -> ids [B,T], 0 for padding
    init             batch_size [] -> state_0 ..
    step             ids [B,T], state_0 .. -> scores [B,C], state_0 ..

The last two, which only models have that read forwards alone, read a text piece by piece in
constant memory. Texts are tokenised inside the graph, by TF Text's SentencePiece operation; whoever
loads the model needs that operation (TF Serving has it, Python: `import tensorflow_text`). A model
of words or bytes can do without it; see `textrnn.export.graphs.core_ops_tokenizer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from textrnn.export.graphs.core_ops_tokenizer import PlainTokenizer
from textrnn.export.graphs.forward import activate, known_ids
from textrnn.export.graphs.sentencepiece_ops import PieceTokenizer
from textrnn.export.graphs.streaming_state import named, nested, streaming_obstacle
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["ServingModule", "save_model", "write_warm_up"]

WARM_UP = "tf_serving_warmup_requests"


class ServingModule(tf.Module):
    """What is saved: the variables, where the C++ loader finds them, and a function a signature.

    Args:
        classifier: The trained classifier.
        plain_ops: Whether texts are tokenised by core operations alone.

    Raises:
        ConfigError: The tokenizer is not one that core operations can do.
        ModelError: Its rules are not those of this version, with `plain_ops`.
    """

    def __init__(self, classifier: TrainedClassifier, *, plain_ops: bool = False) -> None:
        super().__init__()
        model = classifier.model
        self.multi_label = classifier.config.task.multi_label
        self.max_length = classifier.config.batches.max_length
        # A Keras model as an attribute loads in Python and not in C++.
        self.variables_of_model = [variable.value for variable in model.variables]
        self.label_names = tf.constant(classifier.labels)
        self.tokenizer: PieceTokenizer | PlainTokenizer = (
            PlainTokenizer(classifier.tokenizer, classifier.config.tokenizer)
            if plain_ops
            else PieceTokenizer(classifier.tokenizer)
        )
        self._model = _Hidden(model)

    def ids_of(self, text: tf.Tensor) -> tf.Tensor:
        """The ids `[B, T]` of texts `[B]`, 0 for padding."""
        ids = self.tokenizer.tokenize(text)
        if self.max_length:
            ids = ids[:, : self.max_length]
        return ids.to_tensor(0)

    def scores_of(self, ids: tf.Tensor) -> tf.Tensor:
        """The probabilities `[B, C]` of texts of ids `[B, T]`."""
        model = self._model.value
        return self._scores(model(known_ids(ids, model.vocab_size), training=False))

    def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The answers for texts `[B]`; every output has B rows, as the row format of REST asks."""
        scores = self.scores_of(self.ids_of(text))
        return {
            "label": tf.gather(self.label_names, tf.argmax(scores, axis=-1)),
            "score": tf.reduce_max(scores, axis=-1),
            "labels": tf.repeat(self.label_names[tf.newaxis], tf.shape(scores)[0], axis=0),
            "scores": scores,
        }

    def start(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        """The states of `batch_size` texts of which nothing was read."""
        return named(self._model.value.start(batch_size))

    def step(self, ids: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        """The scores after the next tokens, and the states to go on with."""
        model = self._model.value
        memory = nested(states, model.start(tf.shape(ids)[0]))
        logits, memory = model.advance(memory, known_ids(ids, model.vocab_size))
        return {"scores": self._scores(logits), **named(memory)}

    def signatures(self) -> dict[str, Any]:
        """The functions to be saved, by the signatures' names."""
        text = tf.TensorSpec([None], tf.string, name="text")
        ids = tf.TensorSpec([None, None], tf.int32, name="ids")
        made = {
            "serving_default": tf.function(self.answer, autograph=False).get_concrete_function(
                text
            ),
            "ids": tf.function(
                lambda ids: {"scores": self.scores_of(ids)}, autograph=False
            ).get_concrete_function(ids),
            "tokenize": tf.function(
                lambda text: {"ids": self.ids_of(text)}, autograph=False
            ).get_concrete_function(text),
        }
        if streaming_obstacle(self._model.value) is None:
            start = tf.function(self.start, autograph=False).get_concrete_function(
                tf.TensorSpec([], tf.int32, name="batch_size")
            )
            states = {
                name: tf.TensorSpec([None, *state.shape[1:]], state.dtype, name=name)
                for name, state in start.structured_outputs.items()
            }
            made["init"] = start
            made["step"] = tf.function(self.step, autograph=False).get_concrete_function(
                ids, **states
            )
        return made

    def _scores(self, logits: tf.Tensor) -> tf.Tensor:
        return activate(tf.cast(logits, tf.float32), multi_label=self.multi_label)


class _Hidden:
    """Keeps an object out of what TensorFlow tracks of a module's attributes."""

    def __init__(self, value: Any) -> None:
        self.value = value


def save_model(
    classifier: TrainedClassifier, folder: str | Path, *, plain_ops: bool = False
) -> None:
    """Writes the SavedModel into a folder (TF Serving: of a version).

    Args:
        classifier: The trained classifier.
        folder: The folder, which is made.
        plain_ops: Whether texts are tokenised by core operations alone.

    Raises:
        ConfigError: As for `ServingModule`.
        ModelError: As for `ServingModule`.
    """
    module = ServingModule(classifier, plain_ops=plain_ops)
    # The gradients of the recurrence's kernels are of no use to a server.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=module.signatures(), options=options)


def write_warm_up(folder: str | Path, texts: Sequence[str], *, name: str) -> None:
    """Writes requests that TF Serving sends itself before it says that it is ready.

    The first calls of a graph are slow; these are made before any user's.

    Args:
        folder: The SavedModel's.
        texts: One request is made of each.
        name: The model's, by which the server knows it.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(folder) / "assets.extra" / WARM_UP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for text in texts:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = "serving_default"
            request.inputs["text"].CopyFrom(tf.make_tensor_proto([text.encode("utf-8")]))
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())
