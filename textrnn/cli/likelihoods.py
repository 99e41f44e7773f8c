"""The likelihoods that `textrnn predict` prints beside its answers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textrnn.cli.engine import light_language_model
from textrnn.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from textrnn.inference.language_model import TrainedLanguageModel
    from textrnn.runtime import Likelihood, RuntimeLanguageModel

__all__ = ["Scorer", "light_scorer", "load_scorer", "usual_bits"]


class Scorer(Protocol):
    """A language model, in either engine."""

    @property
    def unusual_bits_per_token(self) -> float | None:
        """The bits per token that 1 % of the held-out texts exceed; None: not measured."""

    def score(self, texts: Sequence[str], /) -> list[Likelihood]:
        """Returns the likelihood of each text."""


def usual_bits(model: Scorer, run: Path) -> float:
    """Returns the bits per token above which a text is unusual.

    Args:
        model: The language model.
        run: Its run folder, for messages.

    Raises:
        ModelError: The language model was not measured.
    """
    if model.unusual_bits_per_token is None:
        raise ModelError(f"{run}: expected figures of held-out texts, got none; pretrain it again.")
    return model.unusual_bits_per_token


def load_scorer(run: str | Path | None) -> tuple[TrainedLanguageModel, Path]:
    """Returns a language model in TensorFlow, and its run folder.

    Args:
        run: The run folder that the user named, or that the classifier started from; None: neither.

    Raises:
        ConfigError: There is no language model.
        ModelError: It cannot be loaded.
    """
    folder = _folder(run)
    return _loaded(folder), folder


def light_scorer(run: str | Path | None, engine: str) -> tuple[RuntimeLanguageModel, Path] | None:
    """Returns a language model in the light runtime, and its run folder.

    Args:
        run: As for `load_scorer`.
        engine: The value of `--engine`.

    Returns:
        None if TensorFlow is to answer.

    Raises:
        ConfigError: There is no language model.
        ModelError: It cannot be loaded.
    """
    from textrnn.config.language_model import LanguageModelRunConfig
    from textrnn.inference.run_files import check_finished

    folder = _folder(run)
    try:
        check_finished(folder, LanguageModelRunConfig)
        model = light_language_model(folder, engine)
    except ModelError as error:
        raise _with_advice(error) from None
    return None if model is None else (model, folder)


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path) -> TrainedLanguageModel:
    from textrnn.inference import run_folder

    try:
        return run_folder.load_language_model(folder)
    except ModelError as error:
        raise _with_advice(error) from None


def _folder(run: str | Path | None) -> Path:
    if run is None:
        raise ConfigError(
            "likelihoods need a language model, and the run did not start from one; name the run "
            "folder of one, which textrnn pretrain makes, by --language-model."
        )
    return Path(run)


def _with_advice(error: ModelError) -> ModelError:
    return ModelError(f"{error} --language-model RUN names another one.")
