"""Compares new texts with those that a run was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.analysis.drift.measures import (
    Measure,
    confidence_shift,
    label_shift,
    length_shift,
    likelihood_shift,
    unknown_shift,
    with_verdicts,
    word_shift,
)
from textrnn.analysis.drift.profile import PROFILE, AnswerProfile, Profile, TextProfile
from textrnn.analysis.drift.word_shift import LEAST_TEXTS, token_counts
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import DataError, TextRNNError
from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.run_files import CONFIG, is_complete, read_any_settings
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent

__all__ = ["Drift", "compare_with", "find_drift", "make_profile"]

TRAINING_TEXTS = 50_000
"""The largest number of training texts that a profile is made of."""

ANSWERED_TEXTS = 1000
"""The largest number of validation texts whose answers are in a profile."""

SCORED_TEXTS = 500
"""The largest number of texts whose likelihood is computed."""


@dataclass(frozen=True)
class Drift:
    """The result of a comparison.

    Attributes:
        run: The name of the run.
        texts: The number of new texts.
        measures: The measures.
        notes: One sentence for everything that could not be measured.
    """

    run: str
    texts: int
    measures: tuple[Measure, ...]
    notes: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the new texts differ in at least one measure."""
        return any(measure.is_drift for measure in self.measures)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "run": self.run,
            "texts": self.texts,
            "drift": self.found,
            "measures": [measure.to_dict() for measure in self.measures],
            "notes": list(self.notes),
        }


def make_profile(
    classifier: TrainedClassifier,
    training: Sequence[str],
    *,
    ids: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
) -> Profile:
    """Makes the profile that new texts are compared with.

    Args:
        classifier: The classifier.
        training: The training texts, of which at most `TRAINING_TEXTS` are used.
        ids: The token ids of each training text, perhaps followed by those of other texts.
        held_out: The token ids of each validation text, of which at most `ANSWERED_TEXTS` are
            answered.
    """
    seed = classifier.config.runtime.seed
    places = _sample(len(training), TRAINING_TEXTS, seed=seed)
    answered = [held_out[place] for place in _sample(len(held_out), ANSWERED_TEXTS, seed=seed)]
    return Profile(
        TextProfile.of(
            [training[place] for place in places],
            [ids[place] for place in places],
            held_out=answered,
            vocab_size=classifier.tokenizer.vocab_size,
            seed=seed,
        ),
        AnswerProfile.of(
            classifier.score_ids(answered), answered, label_space=classifier.label_space
        ),
    )


def _sample(count: int, most: int, *, seed: int) -> list[int]:
    """Returns the places of a random sample, ascending; of at most `most` texts, all places."""
    places = np.arange(count)
    if count > most:
        places = np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
    return [int(place) for place in places]


def find_drift(
    run: str | Path | TrainedClassifier,
    texts: Sequence[str],
    *,
    settings: Mapping[str, Any] | None = None,
    reporter: Reporter | None = None,
) -> Drift:
    """Compares new texts with those that a run was trained on.

    Example:
        drift = find_drift("runs/tickets", texts_of_this_month)
        [measure.name for measure in drift.measures if measure.is_drift]

    Args:
        run: A run folder, or a classifier that was loaded from one.
        texts: The new texts; blank ones are left out.
        settings: Settings of the data that replace those of the run, such as `train_file`, where
            the run has no profile and its data has moved.
        reporter: Receives the progress; None: nothing is reported.

    Raises:
        DataError: There are fewer than 20 texts, or the run has no profile and its data is gone.
        ModelError: The folder is no finished run of a classifier.
    """
    reporter = reporter or Silent()
    texts = [text for text in texts if text.strip()]
    if len(texts) < LEAST_TEXTS:
        raise DataError(
            f"expected at least {LEAST_TEXTS} texts to compare, got {len(texts)}; add texts."
        )
    opened = OpenedRun.of(run)
    classifier = opened.classifier
    profile = _profile_of(opened, settings or {}, reporter=reporter)
    likelihood, note = _likelihood(opened, texts, settings=settings or {}, reporter=reporter)
    measures = compare_with(
        profile, classifier, texts=texts, likelihood=likelihood, reporter=reporter
    )
    return Drift(opened.name, len(texts), measures, (note,) if note else ())


def compare_with(
    profile: Profile,
    classifier: TrainedClassifier,
    *,
    texts: Sequence[str],
    likelihood: Measure | None = None,
    reporter: Reporter | None = None,
) -> tuple[Measure, ...]:
    """Compares new texts with a profile.

    Args:
        profile: The profile.
        classifier: The classifier whose answers are in the profile.
        texts: The new texts.
        likelihood: A further measure, which takes part in the correction of the p-values.
        reporter: Receives the progress; None: nothing is reported.
    """
    ids = classifier.tokenizer.encode_batch(texts)
    with (reporter or Silent()).step("new texts", total=len(texts)) as advance:
        answers = classifier.score_ids(ids, on_batch=advance)
    answered = AnswerProfile.of(answers, ids, label_space=classifier.label_space)
    counts = token_counts(ids, vocab_size=classifier.tokenizer.vocab_size)
    measures = [
        word_shift(profile.training, counts),
        length_shift(profile.training, np.array([len(text) for text in texts])),
        unknown_shift(profile.validation, answered),
        label_shift(profile.validation, answered, labels=classifier.labels),
        confidence_shift(profile.validation, answered),
        *([] if likelihood is None else [likelihood]),
    ]
    return with_verdicts(measures)


def _profile_of(opened: OpenedRun, settings: Mapping[str, Any], *, reporter: Reporter) -> Profile:
    """Returns the profile that the run has stored, or makes it of the run's data."""
    classifier = opened.classifier
    profile = Profile.from_dict(classifier.data.get(PROFILE, {}))
    if profile is not None and not settings:
        return profile
    reporter.message(f"{opened.name} has no profile of its training data: reading the data")
    train, validation = (
        LabelledData(split=split, settings=settings).read(opened.record, reporter=reporter)
        for split in ("train", "validation")
    )
    encode = classifier.tokenizer.encode_batch
    return make_profile(
        classifier, train.texts, ids=encode(train.texts), held_out=encode(validation.texts)
    )


def _likelihood(
    opened: OpenedRun, texts: Sequence[str], *, settings: Mapping[str, Any], reporter: Reporter
) -> tuple[Measure | None, str]:
    """Compares the likelihoods by the language model that the run started from, if it is there.

    Returns:
        The measure, or None; and a sentence that says why there is none, or "".
    """
    folder = opened.classifier.config.start.init_from
    if folder is None:
        return None, ""
    if not is_complete(folder):
        return None, f"The likelihood was not compared: the language model {folder} is gone."
    try:
        if isinstance(read_any_settings(Path(folder) / CONFIG), ClassifierRunConfig):
            return None, ""  # The run continues the training of a classifier.
        model = run_folder.load_language_model(folder)
        source = LabelledData(split="validation", settings=settings)
        validation = source.read(opened.record, reporter=reporter)
    except TextRNNError as error:
        return None, f"The likelihood was not compared: {error}"
    bits = []
    for name, some in (("validation", validation.texts), ("new texts", texts)):
        rng = np.random.default_rng(0)
        places = rng.permutation(len(some))[:SCORED_TEXTS]
        with reporter.wait(f"likelihood of {counted(len(places), 'text')} ({name})"):
            scored = model.score([some[place] for place in places])
        bits.append(np.array([likelihood.bits_per_token for likelihood in scored]))
    return likelihood_shift(*bits), ""
