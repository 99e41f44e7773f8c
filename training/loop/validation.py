"""The choice of the validation texts that each epoch is measured on."""

from __future__ import annotations

from textrnn.evaluation.sampling import drawn, texts_an_epoch
from textrnn.progress import Reporter, Silent
from textrnn.training.loop.trainer import Trainer

__all__ = ["choose_validation"]


def choose_validation(trainer: Trainer, reporter: Reporter | None = None) -> None:
    """Chooses the validation texts that each epoch is measured on: all, or a sample.

    All workers call it before `Trainer.fit`. Without a time budget it does nothing. A resumed
    training has the same texts as before. `Trainer.valid_rows` are their places among all.

    Args:
        trainer: The trainer, after `Trainer.resume` if the training is resumed.
        reporter: Receives a message if the texts are a sample.
    """
    budget, texts = trainer.schedule.budget, len(trainer.valid.targets)
    if budget is None:
        return
    whole = trainer.scorer.estimate(trainer.valid.plan)
    count = trainer.state.valid_texts
    if not count:
        left = budget.left(whole) - trainer.state.elapsed
        count = texts_an_epoch(texts, seconds=whole, left=left)
    count = int(trainer.distribution.broadcast(str(count).encode()))
    trainer.state.valid_texts = count
    if count < texts:
        (reporter or Silent()).message(
            f"validation of each epoch on {count:,} of {texts:,} texts, drawn by the seed: all "
            f"would take {whole:.0f} s; the final figures are of as many as the time allows"
        )
        classes, lengths = trainer.valid.targets.argmax(axis=1), trainer.valid.plan.lengths
        rows = drawn(classes, count, seed=trainer.config.runtime.seed)
        trainer.pace.sampled(float(lengths[rows].sum() / max(lengths.sum(), 1)) or 1.0)
        trainer.valid, trainer.valid_rows = trainer.valid.take(rows, trainer.config.batches), rows
    trainer.pace.estimated(whole)
