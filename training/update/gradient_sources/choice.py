"""The choice of the gradient source that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.messages.wording import listed
from textrnn.models.classifier import TextClassifier
from textrnn.training.update.gradient_sources.plain import PlainGradients
from textrnn.training.update.gradient_sources.smoothed import SmoothedGradients
from textrnn.training.update.gradient_sources.source import GradientSource
from textrnn.training.update.gradient_sources.truncated import TruncatedGradients
from textrnn.training.update.gradient_sources.with_language_model import WithLanguageModel
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.losses import BatchLoss

__all__ = ["choose_source"]


def choose_source(
    model: TextClassifier,
    config: ClassifierRunConfig,
    *,
    loss: BatchLoss,
    language_model_loss: LanguageModelLoss | None = None,
) -> GradientSource:
    """Returns the gradient source that the settings ask for.

    Args:
        model: The classifier, built.
        config: The settings.
        loss: The classification loss.
        language_model_loss: The loss of the next tokens; None without one.

    Raises:
        ConfigError: The settings ask for two sources at once, unlabelled texts have no source that
            reads them, or the model does not suit the source.
    """
    sources: dict[str, Callable[[], GradientSource]] = {}
    if config.optimizer.segment_steps is not None:
        sources["`tbptt`"] = lambda: TruncatedGradients(model, config)
    if (
        config.regularization.adversarial
        or config.regularization.vat
        or config.regularization.entropy
    ):
        sources["`adversarial`, `vat` or `entropy`"] = lambda: SmoothedGradients(
            model, config, loss=loss
        )
    if language_model_loss is not None:
        sources["`language_weight`"] = lambda: WithLanguageModel(
            model, language_model_loss, loss=loss
        )
    if len(sources) > 1:
        raise ConfigError(
            f"expected at most one way to compute gradients, got {listed(list(sources))}; "
            "leave out all but one."
        )
    source = next(iter(sources.values()), lambda: PlainGradients(model))()
    if loss.unlabelled_rows and not source.row_specs:
        raise ConfigError(
            "texts without labels need `vat` or `entropy` to be learned from, got neither; add one "
            "or leave the texts out."
        )
    return source
