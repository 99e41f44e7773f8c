"""Work in a fresh process, whose crash is an answer like any other.

A worker is a module that calls `serve` with its handler. The handler takes jobs, dictionaries of
plain values, one after the other, and answers each job with another dictionary. Files hold larger
data. A worker imports only the modules that its work needs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Job", "run_jobs", "serve"]

Job = dict[str, Any]


def run_jobs(
    module: str, jobs: Sequence[Job], *, on_answer: Callable[[Job], None] = lambda answer: None
) -> list[Job]:
    """Runs jobs in a worker, which is started anew after a crash.

    Args:
        module: The full name of the worker.
        jobs: The jobs, which run one after the other.
        on_answer: Called with each answer, after the process that gave it has ended.

    Returns:
        One answer per job. A job that raised an error, or ended the process, has the answer
        `{"error": ...}`.
    """
    answers: list[Job] = []
    while len(answers) < len(jobs):
        new_answers, reason = _run(module, jobs[len(answers) :])
        if len(answers) + len(new_answers) < len(jobs):
            new_answers.append({"error": reason})
        for answer in new_answers:
            on_answer(answer)
        answers += new_answers
    return answers


def _run(module: str, jobs: Sequence[Job]) -> tuple[list[Job], str]:
    """Returns the answers that one process gave, and why it ended."""
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "jobs.json", Path(folder) / "answers.jsonl"
        request.write_text(json.dumps(list(jobs)), encoding="utf-8")
        answer.touch()
        process = subprocess.run(
            [sys.executable, "-m", module, str(request), str(answer)],
            # The worker finds the modules of own cells where this process finds them.
            env={
                "TF_CPP_MIN_LOG_LEVEL": "3",
                **os.environ,
                "PYTHONPATH": os.pathsep.join(
                    filter(None, [os.environ.get("PYTHONPATH"), *sys.path])
                ),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        lines = answer.read_text(encoding="utf-8").splitlines()
        errors = process.stderr.decode("utf-8", errors="replace").strip().splitlines()
    if process.returncode < 0:
        reason = f"its process was ended by {signal.Signals(-process.returncode).name}"
    else:
        reason = f"its process ended with code {process.returncode}: {' '.join(errors[-1:])}"
    return [json.loads(line) for line in lines], reason


def serve(handle: Callable[..., Job]) -> None:
    """Answers the jobs of one file and writes the answers to another.

    The command line of the process names both files.

    Args:
        handle: Takes the values of a job as keywords and returns the answer.
    """
    request, answer = sys.argv[1:]
    with open(answer, "a", encoding="utf-8") as file:
        for job in json.loads(Path(request).read_text(encoding="utf-8")):
            try:
                result = handle(**job)
            except Exception as error:  # An error of a converter or a runtime is an answer.
                reason = " ".join(str(error).split())[:300]
                result = {"error": f"{type(error).__name__}: {reason}"}
            file.write(json.dumps(result) + "\n")
            file.flush()
