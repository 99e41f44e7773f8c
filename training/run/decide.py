"""Fits the decisions of a finished run once more, and rewrites what its folder says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textrnn.errors import ModelError
from textrnn.evaluation.decide import decide as fit_decisions
from textrnn.host.atomic import write_atomically
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Reporter
from textrnn.training.run.model_card import with_decisions

__all__ = ["decide"]


def decide(
    run: str | Path,
    *,
    reporter: Reporter | None = None,
    **settings: Any,
) -> TrainedClassifier:
    """Fits the decisions of a finished run once more, and writes them into its folder.

    The probabilities stay as they are. The figures of the validation and test data in
    `metrics.json` and in the model card become those of the new decisions.

    Example:
        textrnn.decide("runs/tickets", objective="macro-f1")
        textrnn.decide("runs/tickets", objective="precision@0.9", objective_label="fraud")
        textrnn.decide("runs/tickets", objective="cost", cost_matrix="costs.csv")

    Args:
        run: The run folder.
        reporter: Receives the progress and the notes; None: nothing is reported.
        **settings: Settings of the decisions: `objective`, `objective_label`, `cost_matrix` and
            `abstain_below`. Without `objective` only the limit for answers changes, and without
            `abstain_below` this limit stays. Settings of the data replace those of the run, such
            as `valid_file`.

    Returns:
        The classifier with the new rule and figures.

    Raises:
        ModelError: The folder is no finished run of a classifier, or cannot be written to.
        DataError: The data cannot be read, or a label or a cost is wrong.
        ConfigError: A setting is unknown or wrong.
    """
    classifier = fit_decisions(run, reporter=reporter, **settings)
    card = Path(run) / "README.md"
    if card.is_file():
        try:
            # The user may have changed the file, in any encoding: those bytes are kept.
            text = card.read_bytes().decode("utf-8", errors="surrogateescape")
            text = with_decisions(
                text,
                classifier.metrics,
                classifier.rule,
                labels=tuple(classifier.labels),
                task=classifier.config.task,
            )
            write_atomically(card, text.encode("utf-8", errors="surrogateescape"))
        except OSError as error:
            raise ModelError(
                f"{card}: the decisions were fitted, but not written into the model card "
                f"({error.strerror}); make room, and fit them again."
            ) from None
    return classifier
