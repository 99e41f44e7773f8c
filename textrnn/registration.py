"""How Keras finds the classes of this package by their names in a saved model.

Keras looks up a layer's name, such as "textrnn>RNN", among the names that are registered with it.
It never imports a module of another package by the path in a `.keras` file. The decorator
`keras.saving.register_keras_serializable` registers a class when its module is imported, and
`import textrnn` imports none of these modules. So this module registers a `LateClass` for each name
in advance; it imports the module when Keras makes the first layer of that name. The registration
happens as soon as both packages are imported: at once if Keras is imported already, else at the end
of its import, by a finder in `sys.meta_path`. `import textrnn` itself imports neither Keras nor
TensorFlow.

`wrapt`, which has such a finder too, takes twice as long to import as all of `import textrnn`.
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
    "RNN": "textrnn.layers.rnn",
    "RNNStack": "textrnn.layers.stack",
    "SimpleRNNCell": "textrnn.layers.cells.simple",
    "TextClassifier": "textrnn.models.classifier",
    "TokenEmbedding": "textrnn.layers.embedding",
}
"""The module of each class that Keras can make from a saved model."""


class LateClass:
    """Stands for a class whose module is not imported yet.

    Keras calls nothing but `from_config` on a registered class. When its module is imported, the
    class registers itself under the same name, and so replaces this object.

    Args:
        name: One of `HOMES`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<class '{HOMES[self._name]}.{self._name}', not imported yet>"

    def from_config(self, config: dict[str, Any]) -> Any:
        """Makes the object that the class's `get_config` describes."""
        layer = getattr(importlib.import_module(HOMES[self._name]), self._name)
        return layer.from_config(config)


def register_with_keras() -> None:
    """Registers the classes with Keras: now, or as soon as Keras is imported."""
    if "keras" in sys.modules:
        # This import waits if another thread is importing Keras.
        _register(importlib.import_module("keras"))
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _register(keras: Any) -> None:
    known = keras.saving.get_custom_objects()
    for name in HOMES:
        known.setdefault(f"textrnn>{name}", LateClass(name))


class _Finder:
    """Finds Keras by the other finders, and registers the classes when it is imported."""

    _asked = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras" or self._asked:
            return None
        self._asked = True
        try:
            spec = importlib.util.find_spec(name)  # This calls find_spec again.
        finally:
            self._asked = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads Keras by its usual loader, and restores that loader in the module."""

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
