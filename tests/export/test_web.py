"""The page docs/web/index.html in a real browser."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tiny import finished_run

import textrnn
from textrnn.export.run import ExportOptions, export

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TEXTS = ["a x b", "Y", "", "\U0001f600 X", "größe X", "a b c d e f " * 9 + "y"]
LENGTH = 16


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The script that drives the browser."""
    path = ROOT / "benchmarks" / "web_labels.py"
    spec = importlib.util.spec_from_file_location("web_labels", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_gives_the_classifiers_labels(
    page: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser = page.find_browser()
    if browser is None:
        pytest.skip("needs Chromium on the path")
    tasks_text = Path(os.environ.get("TASKS_TEXT_DIR", ROOT / "docs/web/tasks-text"))
    if not (tasks_text / "text_bundle.mjs").is_file():
        pytest.skip("needs npm install @mediapipe/tasks-text; its folder in TASKS_TEXT_DIR")
    pytest.importorskip("mediapipe", reason="needs textrnn[mediapipe]")
    run = finished_run(tmp_path_factory).folder
    folder = tmp_path_factory.mktemp("web")
    options = ExportOptions(kinds=("mediapipe",), lengths=(LENGTH,))
    (artefact,) = export(run, folder, texts=["a x"], targets=[1], options=options)
    assert artefact.status == "verified"
    model = folder / artefact.path
    answers = page.classify_in_browser(
        TEXTS, model=model, tasks_text=tasks_text, browser=browser, seconds=120
    )
    classifier = textrnn.load(run)
    ids = [ids[:LENGTH] for ids in classifier.tokenizer.encode_batch(TEXTS)]
    found = [[answer[label] for label in classifier.labels] for answer in answers]
    np.testing.assert_allclose(found, classifier.score_ids(ids), atol=1e-4)
