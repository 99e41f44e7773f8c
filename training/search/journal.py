"""The trials of a search: what each tries, how it ended, and what the next one should try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

__all__ = ["Journal"]

_PARALLEL = "parallel"


class Journal:
    """The trials of a search in a file, to which each change is appended at once and whole.

    The sampler is TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"), which
    treats the size of a model as a constraint.

    A trial is chosen by its number, the seed and the outcomes of the trials that it may know, and
    by nothing else: not by the order in which trials end, nor by the process that chooses it. Of N
    trials at the same time, the next one knows all earlier trials but the last N - 1 of those that
    are trained.

    Args:
        path: The file.
        space: The values of each searched setting.
        seed: The seed of the sampler.
    """

    def __init__(self, path: Path, *, space: Mapping[str, BaseDistribution], seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._seed = dict(space), seed
        self._study = optuna.create_study(
            study_name="textrnn",
            storage=JournalStorage(JournalFileBackend(str(path))),
            load_if_exists=True,
            direction="maximize",
        )

    @property
    def trials(self) -> Sequence[FrozenTrial]:
        """All trials, in the order in which they were chosen."""
        trials: Sequence[FrozenTrial] = self._study.get_trials(deepcopy=False)
        return trials

    def running(self) -> list[int]:
        """Returns the numbers of the trials that have not ended."""
        return [trial.number for trial in self.trials if trial.state == TrialState.RUNNING]

    def parallel(self, count: int | None, *, default: int) -> int:
        """Returns the number of trials at the same time, which a continued search keeps.

        Args:
            count: The number from now on; None: as before.
            default: The number of a search that begins.
        """
        known: int | None = self._study.user_attrs.get(_PARALLEL)
        chosen = count or known or default
        if chosen != known:
            self._study.set_user_attr(_PARALLEL, chosen)
        return chosen

    def may_choose(self, *, parallel: int) -> bool:
        """Returns whether all trials that the next one knows have ended."""
        return all(trial.state.is_finished() for trial in self.known(parallel=parallel))

    def choose(self, *, parallel: int) -> dict[str, Any]:
        """Returns the values of the searched settings for the next trial."""
        number = len(self.trials)
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        study.add_trials(self.known(parallel=parallel))
        values: dict[str, Any] = study.ask(self._space).params
        return values

    def known(self, number: int | None = None, *, parallel: int) -> list[FrozenTrial]:
        """Returns the trials that a trial knows.

        Args:
            number: Its number; None: it is the next one.
            parallel: The number of trials at the same time.
        """
        trials = list(self.trials)[:number]
        trained = [trial.number for trial in trials if trial.state != TrialState.PRUNED]
        unknown = set(trained[len(trained) - (parallel - 1) :]) if parallel > 1 else set()
        return [trial for trial in trials if trial.number not in unknown]

    def add(self, values: Mapping[str, Any], *, size: int, most: int | None) -> int | None:
        """Adds a trial; returns its number, or None if its model is too large to be trained.

        Args:
            values: The values of the searched settings.
            size: The bytes of the weights.
            most: The most bytes that are allowed; None: any.
        """
        too_large = most is not None and size > most
        self._study.add_trial(
            create_trial(
                state=TrialState.PRUNED if too_large else TrialState.RUNNING,
                params=dict(values),
                distributions=self._space,
                user_attrs={"bytes": size},
                constraints={} if most is None else {"size": (size - most) / most},
            )
        )
        return None if too_large else len(self.trials) - 1

    def end(self, number: int, score: float | None) -> None:
        """Records the end of a trial.

        Args:
            number: Its number.
            score: Its score; None: it has failed.
        """
        state = TrialState.FAIL if score is None else TrialState.COMPLETE
        self._study.tell(number, score, state=state)
