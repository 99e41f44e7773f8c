"""Work in a fresh process: a crash there is an answer here, and nothing of ours is loaded there.

A worker is a module with a handler, `serve`d. It takes jobs, dictionaries of plain values, one
after the other, and answers each with another; large things are passed in files.
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

__all__ = ["run_jobs", "serve"]

Job = dict[str, Any]


def run_jobs(
    module: str, jobs: Sequence[Job], *, on_answer: Callable[[Job], None] = lambda answer: None
) -> list[Job]:
    """The answers of a worker to some jobs; one that kills it is answered by `{"error": ...}`.

    Args:
        module: The worker's full name.
        jobs: What is to be done, one after the other.
        on_answer: Told each answer as soon as it is there.
    """
    answers: list[Job] = []
    while len(answers) < len(jobs):
        found, error = _run(module, jobs[len(answers) :])
        if len(answers) + len(found) < len(jobs):
            found.append({"error": error})
        for answer in found:
            on_answer(answer)
        answers += found
    return answers


def _run(module: str, jobs: Sequence[Job]) -> tuple[list[Job], str]:
    """The answers of one process as far as it came, and what ended it."""
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "jobs.json", Path(folder) / "answers.jsonl"
        request.write_text(json.dumps(list(jobs)), encoding="utf-8")
        answer.touch()
        process = subprocess.run(
            [sys.executable, "-m", module, str(request), str(answer)],
            env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        lines = answer.read_text(encoding="utf-8").splitlines()
        said = process.stderr.decode("utf-8", errors="replace").strip().splitlines()
    if process.returncode < 0:
        reason = f"its process was ended by {signal.Signals(-process.returncode).name}"
    else:
        reason = f"its process ended with code {process.returncode}: {' '.join(said[-1:])}"
    return [json.loads(line) for line in lines], reason


def serve(handle: Callable[..., Job]) -> None:
    """Answers the jobs of the file named first on the command line into the file named second."""
    request, answer = sys.argv[1:]
    with open(answer, "a", encoding="utf-8") as file:
        for job in json.loads(Path(request).read_text(encoding="utf-8")):
            try:
                result = handle(**job)
            except Exception as error:  # Whatever a converter or a runtime raises is its answer.
                reason = " ".join(str(error).split())[:300]
                result = {"error": f"{type(error).__name__}: {reason}"}
            file.write(json.dumps(result) + "\n")
            file.flush()
