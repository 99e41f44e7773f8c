"""Verification by workers in processes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from textrnn.export.manifest import Artefact, Check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.verification.verify import Verifier

WORKER = """
import numpy as np
from textrnn.export.workers.jobs import serve

def work(model, number, output):
    if number < 0:
        raise ValueError("negative")
    np.save(output, np.array([number]))
    return {"latency_ms": 2.0, "read": model}

serve(work)
"""


class Doubled:
    """A format whose probe answers with the number that it is asked."""

    def __init__(self, probe: str) -> None:
        self.probe = probe

    def question(self, artefact: Artefact, context: ProbeContext) -> dict[str, Any]:
        output = context.scratch / f"{artefact.name}.npy"
        return {"number": int(artefact.name), "output": str(output)}

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        (number,) = answer.arrays
        path = answer.report["read"]
        return [Check("number", int(number), artefact.name, passed=path.endswith(artefact.path))]


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def verifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: list[str]) -> Verifier:
    formats = {}
    for name in ("first", "second"):
        (tmp_path / f"{name}_worker.py").write_text(WORKER, encoding="utf-8")
        formats[name] = Doubled(f"{name}_worker")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nothing: Any = None
    return Verifier(formats=formats, folder=tmp_path, reference=nothing, progress=messages.append)


def test_files_are_verified_by_runtime_and_keep_their_order(
    verifier: Verifier, messages: list[str]
) -> None:
    artefacts = [
        Artefact("1", "first", "one"),
        Artefact("2", "second", "two"),
        Artefact("3", "first", "three").left_out("not here"),
        Artefact("4", "first", "four"),
    ]
    verified = verifier.verify(artefacts)
    assert [artefact.status for artefact in verified] == [
        "verified",
        "verified",
        "left out",
        "verified",
    ]
    assert [artefact.measured("number") for artefact in verified] == [1, 2, None, 4]
    assert verified[0].latency_ms == 2.0
    assert messages == ["verifying in first_worker: 1, 4", "verifying in second_worker: 2"]


def test_a_runtime_that_fails_is_a_failed_check(verifier: Verifier) -> None:
    bad, good = verifier.verify([Artefact("-1", "first", "bad"), Artefact("1", "first", "good")])
    assert (bad.status, good.status) == ("failed", "verified")
    assert bad.measured("runs") == "ValueError: negative"


def test_nothing_to_verify(verifier: Verifier, messages: list[str]) -> None:
    assert verifier.verify([]) == []
    assert messages == []
