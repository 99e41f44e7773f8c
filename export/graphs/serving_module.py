"""The graph of the SavedModel: raw texts in, labels and scores out.

Its signatures, of B texts, T tokens and C labels:

    serving_default  text [B] -> label [B], score [B], labels [B,C], scores [B,C], decided [B,C]
    ids              ids [B,T] -> scores [B,C]
    tokenize         text [B] -> ids [B,T], 0 for padding
    init             batch_size [] -> state_0 ..
    step             ids [B,T], state_0 .. -> scores [B,C], state_0 ..

The rule of the run decides: `label` is its answer, an empty string if it withholds the answer, and
`score` the probability of the answer. `decided` says which labels the text gets; in a multi-label
model any number of them, of which `label` is the most probable.

`init` and `step` read a text piece by piece in constant memory. Only models that read forwards have
them. The graph tokenises texts with TF Text's SentencePiece operation, so a program that loads the
model needs that operation: TF Serving has it, Python needs `import tensorflow_text`. A model of
words or bytes can do without it; see `textrnn.export.graphs.core_ops_tokenizer`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from textrnn.export.graphs.core_ops_tokenizer import PlainTokenizer
from textrnn.export.graphs.forward import known_ids
from textrnn.export.graphs.sentencepiece_ops import PieceTokenizer
from textrnn.export.graphs.streaming_state import named, nested, streaming_obstacle
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["ServingModule"]


class ServingModule(tf.Module):
    """The content of the SavedModel: the variables, and one function per signature.

    Args:
        classifier: The trained classifier.
        plain_ops: Whether the graph tokenises texts with core operations alone.

    Raises:
        ConfigError: Core operations cannot do what the tokenizer does.
        ModelError: The tokenizer follows rules of another version of textrnn, with `plain_ops`.
    """

    def __init__(self, classifier: TrainedClassifier, *, plain_ops: bool = False) -> None:
        super().__init__()
        model = classifier.model
        self.max_length = classifier.config.batches.max_length
        # The C++ loader does not find the variables of an attribute that is a Keras model.
        self.variables_of_model = [variable.value for variable in model.variables]
        self.label_names = tf.constant(classifier.labels)
        self.tokenizer: PieceTokenizer | PlainTokenizer = (
            PlainTokenizer(classifier.tokenizer, classifier.config.tokenizer)
            if plain_ops
            else PieceTokenizer(classifier.tokenizer)
        )
        self._model = _Untracked(model)
        self._label_space = _Untracked(classifier.label_space)

    def ids_of(self, text: tf.Tensor) -> tf.Tensor:
        """Returns the ids `[B, T]` of texts `[B]`, 0 for padding."""
        ids = self.tokenizer.tokenize(text)
        if self.max_length:
            ids = ids[:, : self.max_length]
        return ids.to_tensor(0)

    def scores_of(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the probabilities `[B, C]` of texts of ids `[B, T]`."""
        model = self._model.value
        return self._scores(model(known_ids(ids, model.vocab_size), training=False))

    def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the answers to texts `[B]`.

        Every output has B rows, because the row format of TF Serving's REST interface needs it.
        """
        scores = self.scores_of(self.ids_of(text))
        best, decided, answered = self._label_space.value.answers_in_graph(scores)
        return {
            "label": tf.where(answered, tf.gather(self.label_names, best), ""),
            "score": tf.gather(scores, best, axis=-1, batch_dims=1),
            "labels": tf.repeat(self.label_names[tf.newaxis], tf.shape(scores)[0], axis=0),
            "scores": scores,
            "decided": decided & answered[:, tf.newaxis],
        }

    def start(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the states of `batch_size` texts before their first token."""
        return named(self._model.value.start(batch_size))

    def step(self, ids: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the scores after the next tokens `[B, T]`, and the states after them."""
        model = self._model.value
        state = nested(states, model.start(tf.shape(ids)[0]))
        logits, state = model.advance(state, known_ids(ids, model.vocab_size))
        return {"scores": self._scores(logits), **named(state)}

    def signatures(self) -> dict[str, Any]:
        """Returns the traced functions by the names of their signatures."""
        text = tf.TensorSpec([None], tf.string, name="text")
        ids = tf.TensorSpec([None, None], tf.int32, name="ids")
        functions = {
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
            functions["init"] = start
            functions["step"] = tf.function(self.step, autograph=False).get_concrete_function(
                ids, **states
            )
        return functions

    def _scores(self, logits: tf.Tensor) -> tf.Tensor:
        return self._label_space.value.activation(tf.cast(logits, tf.float32))


class _Untracked:
    """Hides an object from TensorFlow, which tracks the attributes of a module."""

    def __init__(self, value: Any) -> None:
        self.value = value
