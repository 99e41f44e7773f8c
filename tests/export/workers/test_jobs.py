"""Workers in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from textrnn.export.workers.jobs import run_jobs

WORKER = """
import os, signal
from textrnn.export.workers.jobs import serve

def work(number):
    if number == 0:
        raise ValueError("no  number")
    if number < 0:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number > 100:
        os._exit(number - 100)
    return {"double": 2 * number}

serve(work)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "doubling_worker.py").write_text(WORKER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "doubling_worker"


def test_jobs_are_answered_in_their_order(worker: str) -> None:
    reported: list[dict[str, int]] = []
    jobs = [{"number": n} for n in (1, 2, 3)]
    answers = run_jobs(worker, jobs, on_answer=reported.append)
    assert answers == reported == [{"double": 2}, {"double": 4}, {"double": 6}]


def test_an_exception_is_the_answer_to_its_job_alone(worker: str) -> None:
    answers = run_jobs(worker, [{"number": 0}, {"number": 1}])
    assert answers == [{"error": "ValueError: no number"}, {"double": 2}]


def test_a_crash_is_the_answer_to_its_job_and_the_rest_is_done(worker: str) -> None:
    answers = run_jobs(worker, [{"number": n} for n in (1, -1, 2, 103)])
    assert answers[0] == {"double": 2}
    assert "SIGSEGV" in answers[1]["error"]
    assert answers[2] == {"double": 4}
    assert "code 3" in answers[3]["error"]


def test_no_jobs_have_no_answers(worker: str) -> None:
    assert run_jobs(worker, []) == []


def test_a_worker_finds_the_modules_that_its_parent_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neighbour_worker.py").write_text(WORKER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_jobs("neighbour_worker", [{"number": 4}]) == [{"double": 8}]
