"""Registers the classes of this package with Keras, by their names in a saved model.

Keras looks up the name of a layer, such as "textrnn>RNN", among its registered names. It does not
import a module by the path in a `.keras` file, except its own modules. The decorator
`keras.saving.register_keras_serializable` registers a class when the module of the class is
imported, but `import textrnn` imports none of these modules. Therefore each name is registered in
advance with a `LateClass`, which imports the module when Keras creates the first layer of that
name. The registration happens as soon as both packages are imported: immediately if Keras is
imported already, otherwise at the end of its import, by a finder in `sys.meta_path`.
`import textrnn` itself imports neither Keras nor TensorFlow.

The package `wrapt` also has such a finder, but its import takes twice as long as `import textrnn`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

__all__ = ["HOMES", "LateClass", "register_with_keras"]

HOMES = {
    "AttentionPooling": "textrnn.layers.pooling.attention",
    "Bidirectional": "textrnn.layers.bidirectional",
    "GRUCell": "textrnn.layers.cells.gru",
    "LSTMCell": "textrnn.layers.cells.lstm",
    "LanguageModel": "textrnn.models.language_model",
    "LastState": "textrnn.layers.pooling.last_state",
    "LazyAdam": "textrnn.training.update.lazy_adam",
    "MaxPooling": "textrnn.layers.pooling.maximum",
    "MeanPooling": "textrnn.layers.pooling.mean",
    "MinGRUCell": "textrnn.layers.cells.minimal",
    "MinLSTMCell": "textrnn.layers.cells.minimal",
    "NGramLogits": "textrnn.layers.ngrams",
    "RNN": "textrnn.layers.rnn",
    "RNNStack": "textrnn.layers.stack",
    "SimpleRNNCell": "textrnn.layers.cells.simple",
    "TextClassifier": "textrnn.models.classifier",
    "TokenEmbedding": "textrnn.layers.embedding",
}
"""The module of each class that Keras can create from a saved model."""


class LateClass:
    """Represents a class whose module is not imported yet.

    Keras calls only `from_config` of a registered class. When the module of the class is imported,
    the class registers itself under the same name and replaces this object.

    Args:
        name: One of `HOMES`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<class '{HOMES[self._name]}.{self._name}', not imported yet>"

    def from_config(self, config: dict[str, Any]) -> Any:
        """Creates the object that the `get_config` of the class describes."""
        real_class = getattr(importlib.import_module(HOMES[self._name]), self._name)
        return real_class.from_config(config)


def register_with_keras() -> None:
    """Registers the classes with Keras, now or as soon as Keras is imported."""
    if "keras" in sys.modules:
        # This waits if another thread is importing Keras.
        _register(importlib.import_module("keras"))
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _register(keras: Any) -> None:
    registered = keras.saving.get_custom_objects()
    for name in HOMES:
        registered.setdefault(f"textrnn>{name}", LateClass(name))


class _Finder:
    """Finds Keras through the other finders, and registers the classes after its import."""

    _searching = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras" or self._searching:
            return None
        self._searching = True
        try:
            spec = importlib.util.find_spec(name)  # This calls `find_spec` of this finder again.
        finally:
            self._searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads Keras with its usual loader, then registers the classes and removes itself."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(module)
