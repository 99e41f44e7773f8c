"""The blocks of Python of the pages are run in order, page by page, with tiny runs and texts."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from doc_blocks import PYTHON_PAGES, ROOT, blocks_of
from tiny import (
    MODEL,
    TRAINING,
    finished_run,
    labelled_texts,
    run_config,
    without_graphs,
    write_csv,
)

import textrnn
from textrnn.config.language_model import LanguageModelRunConfig

pytestmark = pytest.mark.slow

SMALL = {**MODEL, **TRAINING, "vocab_size": 60, "cell": "mingru", "head": "attention"}
LANGUAGE_MODEL: dict[str, Any] = {
    **{"vocab_size": 60, "units": 4, "layers": 1, "embedding_units": 4, "window": 1},
    **{"epochs": 1, "streams": 2, "segment": 8, "negatives": 4, "held_out": 0.1},
}
TEXTS = [text for text, _ in labelled_texts(40)]
LABELS = [label for _, label in labelled_texts(40)]


class Table(NamedTuple):
    """Names that the pages use without saying where they come from."""

    texts: list[str]
    labels: list[str]
    table: Any
    pieces: list[str]
    pandas: Any
    polars: Any


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Runs in both directions and forwards, one with its exports, and a language model."""
    home = tmp_path_factory.mktemp("runs")
    data = write_csv(home / "letters.csv", labelled_texts(40))
    forward = run_config(data, cell="mingru", head="attention", bidirectional=False)
    lines = home / "lines.txt"
    lines.write_text("\n".join(TEXTS * 10), encoding="utf-8")
    with without_graphs():
        textrnn.train(forward, home / "forward")
    textrnn.pretrain(
        LanguageModelRunConfig.of(text_file=str(lines), **LANGUAGE_MODEL),
        output=home / "language_model",
    )
    exported = home / "exported"
    shutil.copytree(home / "forward", exported)
    textrnn.export(exported, formats=["saved_model", "tflite"], precisions=[], name="bbc_news")
    return {
        "both": finished_run(tmp_path_factory).folder,
        "exported": exported,
        "forward": home / "forward",
        "language_model": home / "language_model",
    }


@pytest.fixture
def small_trainings(monkeypatch) -> None:
    """Makes trainings and exports of a page small, but for what the page names itself."""

    def smaller(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            if given.pop("dataset", ""):
                given["train_file"] = "reviews.csv"
            with without_graphs():
                if args and isinstance(args[0], textrnn.ClassifierRunConfig):
                    epochs = args[0].schedule.epochs
                    return function(
                        run_config(Path("reviews.csv"), epochs=epochs), *args[1:], **given
                    )
                return function(*args, **{**SMALL, **given})

        return call

    for name in ("fit", "train"):
        monkeypatch.setattr(textrnn, name, smaller(getattr(textrnn, name)), raising=False)
    export = textrnn.export
    monkeypatch.setattr(
        textrnn,
        "export",
        lambda run, **given: export(run, **{"formats": ["tflite"], "precisions": [], **given}),
        raising=False,
    )


@pytest.mark.parametrize("page", sorted(PYTHON_PAGES))
def test_every_block_of_python_of_a_page_runs(page, runs, tmp_path, monkeypatch, small_trainings):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "reviews.csv", labelled_texts(40))
    for name, run in PYTHON_PAGES[page].items():
        shutil.copytree(runs[run], tmp_path / "runs" / name)
    rng = np.random.default_rng(0)
    columns = {
        **dict.fromkeys(("review", "title", "body"), TEXTS),
        "stars": LABELS,
        **{name: rng.integers(0, 2, len(TEXTS)) for name in ("toxic", "insult")},
    }
    names = Table(TEXTS, LABELS, pandas.DataFrame(columns), ["x a b ", "c"], pandas, polars)
    space: dict[str, object] = names._asdict()
    blocks = [b for b in blocks_of(ROOT / page) if b.language == "python" and not b.reason]
    assert blocks
    # scikit-learn trains 26 models on python.md, and none is exported.
    with without_graphs() if page == "docs/python.md" else contextlib.nullcontext():
        for block in blocks:
            exec(compile(block.text, block.place, "exec"), space)
