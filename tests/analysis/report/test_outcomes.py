from typing import Any

from textrnn.analysis.report.outcomes import Analyses, Outcome
from textrnn.errors import ConfigError
from textrnn.progress import Silent

# The analyses pass the models on, whatever they are.
TRAINED: Any = "trained"
UNTRAINED: Any = "untrained"


def impossible(advance):
    raise ConfigError("there is no state.")


def test_the_result_or_the_reason_is_kept():
    analyses = Analyses(TRAINED, UNTRAINED, reporter=Silent())
    possible = analyses.outcome("it", lambda advance: 7, total=1)
    assert (possible.value, possible.reason) == (7, "")
    assert possible.seconds >= 0
    failed = analyses.outcome("it", impossible, total=1)
    assert (failed.value, failed.reason) == (None, "there is no state.")
    assert failed.to_dict() == {
        "value": None,
        "reason": "there is no state.",
        "seconds": failed.seconds,
    }


def test_an_analysis_runs_for_both_models():
    names = []

    class Names(Silent):
        def step(self, name, *, total):
            names.append((name, total))
            return super().step(name, total=total)

    both = Analyses(TRAINED, UNTRAINED, reporter=Names()).after_and_before(
        "chaos", lambda model, advance: model, total=3
    )
    assert [outcome.value for outcome in both] == [TRAINED, UNTRAINED]
    assert all(isinstance(outcome, Outcome) for outcome in both)
    assert names == [("chaos", 3), ("chaos before training", 3)]
