"""The run that answers a command, in the light runtime or in TensorFlow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textrnn.cli.engine import light_model, settings_of
from textrnn.cli.likelihoods import Scorer, light_scorer, load_scorer
from textrnn.cli.startup import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.runtime import Prediction, RuntimeModel
    from textrnn.runtime.explanation import Attribution
    from textrnn.runtime.labels import Labels
    from textrnn.runtime.text.encoder import Encoder

__all__ = ["AnsweringRun", "open_run", "open_runs", "with_scorer"]


@dataclass(frozen=True)
class AnsweringRun:
    """A run that answers the texts of a command, in either engine.

    Attributes:
        folder: The run folder.
        classifier: The classifier, in the engine that answers.
        scorer: The language model of likelihoods, and its run folder; None: there is none yet.
        counts: The tokens that were `read` by the light runtime, and those that were `cut` off.
    """

    folder: Path
    classifier: TrainedClassifier | RuntimeModel
    scorer: tuple[Scorer, Path] | None = None
    counts: Counter[str] = field(default_factory=Counter)

    @cached_property
    def config(self) -> ClassifierRunConfig:
        """The settings of the run."""
        from textrnn.runtime import RuntimeModel

        if isinstance(self.classifier, RuntimeModel):
            return settings_of(self.folder)
        return self.classifier.config

    @property
    def is_light(self) -> bool:
        """Whether the light runtime answers."""
        from textrnn.runtime import RuntimeModel

        return isinstance(self.classifier, RuntimeModel)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names, in the order of the probabilities."""
        return self.classifier.labels

    @property
    def label_space(self) -> Labels:
        """The labels, and the rule that decides."""
        return self.classifier.label_space

    @property
    def tokenizer(self) -> Encoder:
        """Maps texts to ids."""
        return self.classifier.tokenizer

    @property
    def token_counts(self) -> tuple[int, int]:
        """The number of the tokens of all texts so far, and of those that `max_length` cut off."""
        from textrnn.runtime import RuntimeModel

        if isinstance(self.classifier, RuntimeModel):
            return self.counts["cut"] + self.counts["read"], self.counts["cut"]
        return self.classifier.read_tokens, self.classifier.cut_tokens

    @property
    def cut_share(self) -> float:
        """The share of the tokens of all texts so far that `max_length` cut off."""
        tokens, cut = self.token_counts
        return cut / max(tokens, 1)

    def abstaining(self, below: float | None) -> AnsweringRun:
        """Returns the same run with another limit for answers; see `RuntimeModel.abstaining`.

        Raises:
            ConfigError: The number is not in 0 .. 1.
        """
        return replace(self, classifier=self.classifier.abstaining(below))

    def predictions(self, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
        """Yields each text with its prediction, in order; the memory is constant."""
        from textrnn.runtime import RuntimeModel

        if not isinstance(self.classifier, RuntimeModel):
            yield from self.classifier.predict_stream(texts)
            return
        for text, answer in self.classifier.predict_stream(texts):
            self.counts.update(read=answer.tokens, cut=answer.cut_tokens)
            yield text, answer

    def probabilities(self, texts: Sequence[str], *, labels: Sequence[str]) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text.

        Args:
            texts: The texts.
            labels: All labels of the run, in the order of the columns.
        """
        columns = [self.labels.index(label) for label in labels]
        return self.classifier.probabilities(texts)[:, columns]

    def explainer(self, method: str) -> Callable[[str, str | None], Attribution]:
        """Returns a function that explains a label of a text, or with None the predicted one.

        Args:
            method: How words get their scores. The light runtime knows `additive` alone.
        """
        from textrnn.runtime import RuntimeModel

        model = self.classifier
        if isinstance(model, RuntimeModel):
            return lambda text, label: model.explain(text, label=label)
        from textrnn.analysis.attribution.explain import Explainer

        explainer = Explainer(model)
        return lambda text, label: explainer.explain(text, method=method, label=label)


def open_run(run: Path, engine: str, *, needs_tensorflow: str = "") -> AnsweringRun:
    """Opens a run; see `open_runs`."""
    (opened,) = open_runs([run], engine, needs_tensorflow=needs_tensorflow)
    return opened


def open_runs(
    runs: Sequence[Path], engine: str, *, needs_tensorflow: str = ""
) -> list[AnsweringRun]:
    """Opens runs in one engine: the light runtime if all of them can be answered by it.

    Args:
        runs: The run folders.
        engine: The value of `--engine`.
        needs_tensorflow: The option of the user that needs TensorFlow; empty if there is none.

    Raises:
        click.UsageError: The light runtime was asked for what needs TensorFlow.
        ModelError: A run folder is damaged, or lacks the file that was asked for.
    """
    opened = []
    for run in runs:
        light = light_model(run, engine, needs_tensorflow=needs_tensorflow)
        if light is None:
            break
        opened.append(AnsweringRun(run, light))
    else:
        return opened
    from textrnn.inference.run_files import check_finished

    for run in runs:
        check_finished(run)
    start_tensorflow()
    from textrnn.inference import run_folder

    return [AnsweringRun(run, run_folder.load(run)) for run in runs]


def with_scorer(
    run: AnsweringRun, members: Sequence[AnsweringRun], language_model: Path | None, *, engine: str
) -> list[AnsweringRun]:
    """Returns runs, the first of which has a language model in the engine of all of them.

    Args:
        run: The run that answers.
        members: Further runs.
        language_model: The run folder of the language model; None: that the run started from.
        engine: The value of `--engine`.

    Raises:
        ConfigError: There is no language model.
        ModelError: It cannot be loaded.
    """
    folder = language_model or run.config.start.init_from
    if run.is_light:
        scorer = light_scorer(folder, engine)
        if scorer is not None:
            return [replace(run, scorer=scorer), *members]
        run, *members = open_runs([run.folder, *(m.folder for m in members)], "tensorflow")
    return [replace(run, scorer=load_scorer(folder)), *members]
