"""The trained model that a classifier starts from, recorded until its training ends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.inference.run_files import (
    CONFIG,
    TOKENIZER,
    check_finished,
    read_any_settings,
    read_labels,
)
from textrnn.messages.wording import counted, listed
from textrnn.text.tokenizer import Tokenizer

__all__ = ["ORIGIN", "Origin", "earlier_labels"]

ORIGIN = ".origin.json"
"""The file in a run folder that says from what an unfinished training started, so that it resumes
after the run that it started from is gone."""


@dataclass(frozen=True)
class Origin:
    """The trained model that a classifier starts from.

    >>> origin = Origin("runs/first", ("bad", "good"))
    >>> origin.to_metrics(("bad", "good", "long"))["new_labels"]
    ['long']

    Attributes:
        run: The run folder, as the settings name it.
        labels: The labels of a classifier, in the order of its logits; None: the model is a
            language model, which has none.
    """

    run: str
    labels: tuple[str, ...] | None

    @classmethod
    def of(cls, config: ClassifierRunConfig) -> Origin | None:
        """Returns the model that the setting `init_from` names; None without it.

        Raises:
            ModelError: The folder contains no finished run.
        """
        run = config.start.init_from
        if run is None:
            return None
        kind = type(read_any_settings(Path(run) / CONFIG))
        check_finished(run, kind)
        return cls(run, read_labels(run) if kind is ClassifierRunConfig else None)

    @classmethod
    def load(cls, folder: Path) -> Origin:
        """Returns what `save` wrote into the folder of an unfinished run.

        Raises:
            ModelError: The file is missing or damaged.
        """
        try:
            return cls.from_json((folder / ORIGIN).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            raise ModelError(
                f"{folder / ORIGIN}: what the training started from cannot be read; train again "
                "with `overwrite`."
            ) from None

    def save(self, folder: Path) -> None:
        """Writes the origin into a run folder, for a training that is resumed.

        Raises:
            ConfigError: The folder cannot be written to.
        """
        try:
            write_atomically(folder / ORIGIN, self.to_json())
        except OSError as error:
            raise ConfigError(
                f"{folder}: cannot be written to ({error.strerror}); choose another `output`."
            ) from None

    def to_json(self) -> str:
        """Returns the origin as JSON, which `from_json` reads."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Origin:
        """Returns the origin that `to_json` wrote.

        Raises:
            ValueError: The text is no JSON.
            KeyError: A value is missing.
        """
        values = json.loads(text)
        labels = values["labels"]
        return cls(str(values["run"]), None if labels is None else tuple(labels))

    def read_tokenizer(self) -> Tokenizer:
        """Returns the tokenizer of the model.

        Raises:
            ModelError: The tokenizer is missing or damaged.
        """
        return Tokenizer.load(Path(self.run) / TOKENIZER)

    def to_metrics(self, labels: Sequence[str]) -> dict[str, Any]:
        """Returns the origin as plain values: `run`, `kind`, and what belongs to the kind.

        That is the absolute path of a language model, which a server looks for, and the labels of a
        classifier.

        Args:
            labels: The labels of the run that started from the model.
        """
        if self.labels is None:
            folder = str(Path(self.run).absolute())
            return {"run": self.run, "folder": folder, "kind": "language_model"}
        return {
            "run": self.run,
            "kind": "classifier",
            "new_labels": [label for label in labels if label not in self.labels],
            "dropped_labels": [label for label in self.labels if label not in labels],
        }

    def message(self, labels: Sequence[str]) -> str:
        """Returns a sentence about the start of a training, without a full stop.

        Args:
            labels: The labels of the run that starts from the model.
        """
        if self.labels is None:
            return f"starting from the language model {self.run}"
        about = self.to_metrics(labels)
        changes = [
            f"{counted(len(names), f'{what} label')} ({listed(names, 10)})"
            for what, names in (("new", about["new_labels"]), ("dropped", about["dropped_labels"]))
            if names
        ]
        labels_message = " and ".join(changes) or "the same labels"
        return f"continuing the training of the classifier {self.run}, with {labels_message}"


def earlier_labels(config: ClassifierRunConfig) -> tuple[str, ...]:
    """Returns the labels of the classifier that `init_from` names; none without a classifier.

    Raises:
        ModelError: The folder contains no finished run.
    """
    origin = Origin.of(config)
    return () if origin is None or origin.labels is None else origin.labels
