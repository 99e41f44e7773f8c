"""Loads the models of the server, each with the language model that belongs to it."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from ..errors import ModelError
from ..language_model import RuntimeLanguageModel, load_language_model
from ..model import RuntimeModel, load
from ..run_folder import DIGESTS, language_model_of

__all__ = ["ModelLoader"]

_log = logging.getLogger("textrnn.serve")

_loaded: WeakValueDictionary[str, RuntimeLanguageModel] = WeakValueDictionary()
"""The language models in use, by the digest of their digests: several models may share one."""


@dataclass(frozen=True)
class ModelLoader:
    """Loads run folders for the server; other processes can import it.

    Attributes:
        language_model: The run folder of the language model of all models; None: each model has
            the one that its run started from, if that is there.
    """

    language_model: Path | None = None

    def __call__(self, folder: Path) -> RuntimeModel:
        """Loads the run folder of a classifier.

        Raises:
            ModelError: It cannot be loaded, or the language model that was named cannot.
        """
        model = load(folder)
        return dataclasses.replace(model, language_model=self._language_model(folder))

    def _language_model(self, folder: Path) -> RuntimeLanguageModel | None:
        if self.language_model is not None:
            return _shared(self.language_model)
        recorded = language_model_of(folder)
        if recorded is None:
            return None
        try:
            return _shared(recorded)
        except ModelError as error:
            _log.info("%s: no likelihoods: %s", folder, error)
            return None


def _shared(folder: Path) -> RuntimeLanguageModel:
    """Returns a language model, which is loaded once as long as it is in use."""
    try:
        key = hashlib.sha256((folder / DIGESTS).read_bytes()).hexdigest()
    except OSError:
        return load_language_model(folder)  # Says what is wrong.
    model = _loaded.get(key)
    if model is None:
        model = _loaded[key] = load_language_model(folder)
    return model
