"""The arguments with which the workers of a training start."""

import pytest

from textrnn.cluster.job import GivenFlag, RunState, TrainingJob

NONE = RunState()
OLD = RunState("old", updates=70)
FINISHED = RunState("old", updates=None, complete=True)


def arguments(given: GivenFlag, state: RunState, before: RunState) -> list[str] | None:
    found = TrainingJob(["train"], given=given).arguments(state, before=before)
    return None if found is None else found[1:]


@pytest.mark.parametrize(
    ("given", "before", "expected"),
    [
        ("", NONE, []),
        ("", OLD, []),  # The command says what is wrong.
        ("resume", OLD, ["--resume"]),
        ("resume", NONE, ["--resume"]),
        ("overwrite", OLD, ["--overwrite"]),
        ("resume_or_start", NONE, []),
        ("resume_or_start", OLD, ["--resume"]),
        ("resume_or_start", FINISHED, ["--resume-or-start"]),
    ],
)
def test_the_first_start_does_what_the_user_wants(given, before, expected):
    assert arguments(given, before, before) == expected


@pytest.mark.parametrize("given", ["", "resume", "resume_or_start", "overwrite"])
def test_a_restart_continues_the_run_of_the_job(given):
    assert arguments(given, RunState("new", updates=10), OLD) == ["--resume"]


@pytest.mark.parametrize(
    ("given", "expected"), [("", []), ("resume_or_start", []), ("overwrite", ["--overwrite"])]
)
def test_a_restart_before_the_first_checkpoint_begins_again(given, expected):
    assert arguments(given, RunState("new"), NONE) == expected


def test_a_restart_before_the_run_began_still_replaces_the_old_one():
    assert arguments("overwrite", OLD, OLD) == ["--overwrite"]
    assert arguments("overwrite", FINISHED, FINISHED) == ["--overwrite"]


def test_a_run_that_was_finished_meanwhile_is_not_trained_again():
    assert arguments("overwrite", RunState("new", complete=True), FINISHED) is None


def test_a_run_that_may_still_be_locked():
    assert [TrainingJob([], given=given).continues for given in ("", "overwrite", "resume")] == [
        *(False, False, True)
    ]
