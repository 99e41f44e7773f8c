"""The page docs/web/index.html: what it may do, and what it shows in a real browser."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tiny import finished_run

import textrnn
from textrnn.export.run import ExportOptions, export
from textrnn.export.sample import VerificationSample

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/web/index.html").read_text(encoding="utf-8")
TEXTS = ["a x b", "Y", "", "\U0001f600 X", "größe X", "a b c d e f " * 9 + "y"]
LENGTH = 16


def test_the_page_reads_only_its_model_and_its_package() -> None:
    assert re.findall(r"\bfetch\(([^)]*)\)", PAGE) == ["model"]
    assert re.findall(r"\bimport\(([^)]*)\)", PAGE) == ["bundle"]
    forbidden = (
        "XMLHttpRequest sendBeacon WebSocket WebTransport EventSource RTCPeerConnection Worker "
        "POST <form <img <link <iframe action= answer= batch= src= @import url( .submit"
    )
    for name in forbidden.split():
        assert name not in PAGE


def test_the_browser_keeps_the_page_from_connecting_to_elsewhere() -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    rules = dict(rule.split(None, 1) for rule in policy.split(";"))
    assert (rules["default-src"], rules["connect-src"]) == ("'none'", "'self'")
    assert (rules["form-action"], rules["base-uri"]) == ("'none'", "'none'")
    for sources in rules.values():
        assert not re.search(r"[*:]", sources), "only the place that the page is from"
    assert PAGE.index("Content-Security-Policy") < PAGE.index("<s")


def test_a_text_in_the_address_is_not_sent_to_the_server() -> None:
    (read,) = re.findall(r"const text = (.*);", PAGE)
    assert "location.hash" in read
    assert 'query.get("text")' not in PAGE


def test_what_drives_the_page_is_not_published_with_it() -> None:
    published = {path.name for path in (ROOT / "docs/web").glob("*.html")}
    assert published == {"index.html"}
    assert (ROOT / "benchmarks/web_driver.html").is_file()


# In Chromium


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The script that opens the browser."""
    path = ROOT / "benchmarks" / "web_labels.py"
    spec = importlib.util.spec_from_file_location("web_labels", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["web_labels"] = module  # Where its dataclass looks for it.
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def settings(page: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The module that opens the page, without a model."""
    browser = page.find_browser()
    if browser is None:
        pytest.skip("needs Chromium on the path")
    tasks_text = Path(os.environ.get("TASKS_TEXT_DIR", ROOT / "docs/web/tasks-text"))
    if not (tasks_text / "text_bundle.mjs").is_file():
        pytest.skip("needs npm install @mediapipe/tasks-text; its folder in TASKS_TEXT_DIR")
    none = tmp_path_factory.mktemp("web") / "none"
    return {"browser": browser, "tasks_text": tasks_text, "model": none, "seconds": 120}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mediapipe", reason="needs textrnn[mediapipe]")
    folder = tmp_path_factory.mktemp("web")
    options = ExportOptions(formats=("mediapipe",), lengths=(LENGTH,))
    run = finished_run(tmp_path_factory).folder
    (artefact,) = export(run, folder, sample=VerificationSample(["a x"], [1]), options=options)
    assert artefact.status == "verified"
    return folder / artefact.path


@pytest.mark.slow
def test_the_page_gives_the_classifiers_labels(
    page: ModuleType,
    settings: dict[str, Any],
    model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    display = page.open_page(TEXTS, **{**settings, "model": model})
    assert (display.problem, display.button) == ("", "Classify")
    classifier = textrnn.load(finished_run(tmp_path_factory).folder)
    ids = [ids[:LENGTH] for ids in classifier.tokenizer.encode_batch(TEXTS)]
    scores = [[answer[label] for label in classifier.labels] for answer in display.answers]
    np.testing.assert_allclose(scores, classifier.score_ids(ids), atol=1e-4)


@pytest.mark.slow
def test_the_page_says_that_its_model_is_missing(
    page: ModuleType, settings: dict[str, Any]
) -> None:
    display = page.open_page(["a"], **settings)
    assert "model_mediapipe.tflite is missing. Put the exported file there" in display.problem
    assert "cp runs/bbc_news/export/tflite/model_mediapipe.tflite docs/web/" in display.problem
    assert display.button == "Not loaded"


@pytest.mark.slow
def test_the_page_says_that_a_file_is_no_model(
    page: ModuleType, settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("<!doctype html>not found", encoding="utf-8")
    display = page.open_page(["a"], **{**settings, "model": tmp_path / "page.html"})
    assert "is no TFLite model" in display.problem


@pytest.mark.slow
def test_the_page_says_that_its_package_is_missing(
    page: ModuleType, settings: dict[str, Any], model: Path, tmp_path: Path
) -> None:
    display = page.open_page(["a"], **{**settings, "model": model, "tasks_text": tmp_path})
    assert "@mediapipe/tasks-text cannot be loaded from http://127.0.0.1" in display.problem
    assert "npm install @mediapipe/tasks-text" in display.problem


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["*.wasm", "text_wasm*.js"])
def test_the_page_says_that_a_part_of_its_package_is_missing(
    page: ModuleType, settings: dict[str, Any], model: Path, tmp_path: Path, missing: str
) -> None:
    part = tmp_path / "tasks-text"
    shutil.copytree(settings["tasks_text"], part, ignore=shutil.ignore_patterns(missing))
    display = page.open_page(["a"], **{**settings, "model": model, "tasks_text": part})
    assert "/tasks-text/wasm are missing or broken" in display.problem


@pytest.mark.slow
def test_the_page_says_that_there_is_no_webassembly(
    page: ModuleType, settings: dict[str, Any], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "FLAGS", (*page.FLAGS, "--js-flags=--jitless"))
    display = page.open_page(["a"], **{**settings, "model": model})
    assert display.problem.startswith("This browser has no WebAssembly")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model", "tasks"])
def test_the_page_takes_nothing_from_elsewhere(
    page: ModuleType, settings: dict[str, Any], model: Path, name: str
) -> None:
    query = f"{name}=http://127.0.0.1:9/elsewhere/"
    display = page.open_page(["a"], **{**settings, "model": model}, query=query)
    assert "it must be on this server" in display.problem
