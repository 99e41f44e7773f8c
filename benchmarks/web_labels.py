"""Do MediaPipe's file in a browser, and in Python, give the labels that textrnn gives?

    python benchmarks/web_labels.py RUN --tasks-text node_modules/@mediapipe/tasks-text --split test

The page docs/web/index.html classifies texts of the run's data set in headless Chromium, driven
from outside by web_driver.html. The classifier gets the same texts, cut to the file's length.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import subprocess
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "web"
DRIVER = Path(__file__).with_name("web_driver.html")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Nothing in here may look for a network.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the page, its driver, the package, the model and the texts; takes what is shown."""

    extensions_map = {  # noqa: RUF012
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *arguments: Any, site: _Site, **settings: Any) -> None:
        self.site = site
        super().__init__(*arguments, directory=str(PAGE), **settings)

    def translate_path(self, path: str) -> str:
        """The file of an address."""
        path = urllib.parse.unquote(path.split("?")[0])
        if path.startswith("/tasks-text/"):
            return str(self.site.tasks_text / path.removeprefix("/tasks-text/"))
        if path == "/model_mediapipe.tflite":
            return str(self.site.model)
        if path == "/texts.json":
            return str(self.site.texts)
        if path == "/driver.html":
            return str(DRIVER)
        return super().translate_path(path)

    def do_POST(self) -> None:
        """Takes what the page shows."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.site.shown = Shown(**json.loads(body))
        self.site.posted.set()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Shown:
    """The final state of the page.

    Attributes:
        problem: Why it has no model, empty if it has one.
        answers: For each text the labels with their scores.
        button: The words on its button.
    """

    problem: str
    answers: list[dict[str, float]]
    button: str


class _Site:
    def __init__(self, tasks_text: Path, model: Path, texts: Path) -> None:
        self.tasks_text, self.model, self.texts = tasks_text, model, texts
        self.posted = threading.Event()
        self.shown = Shown("", [], "")


@contextlib.contextmanager
def serving(site: _Site) -> Iterator[str]:
    handler = functools.partial(_Handler, site=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def open_page(
    texts: Sequence[str],
    *,
    model: Path,
    tasks_text: Path,
    browser: str,
    seconds: float,
    query: str = "",
) -> Shown:
    """Has the page classify texts, and gives what it shows.

    Args:
        texts: The texts.
        model: The file `model_mediapipe.tflite`.
        tasks_text: The folder of the npm package @mediapipe/tasks-text.
        browser: Chromium.
        seconds: How long to wait for the page.
        query: The query of the page's address.

    Raises:
        TimeoutError: The page neither loads its model nor says why not.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "texts.json"
        listed.write_text(json.dumps(list(texts)), encoding="utf-8")
        site = _Site(tasks_text, model, listed)
        with serving(site) as address:
            process = subprocess.Popen(
                [
                    browser,
                    *FLAGS,
                    f"--user-data-dir={folder}/profile",
                    f"{address}driver.html?{urllib.parse.urlencode({'query': query})}",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                if not site.posted.wait(seconds):
                    raise TimeoutError(f"nothing from {browser} in {seconds:.0f} s")
            finally:
                process.terminate()
                process.wait()
    return site.shown


def classify_in_python(
    texts: Sequence[str], *, model: Path, labels: Sequence[str]
) -> list[dict[str, float]]:
    """Returns the scores by label for each text, from the Python package mediapipe."""
    from textrnn.export.workers.jobs import run_jobs

    with tempfile.TemporaryDirectory() as folder:
        listed, output = Path(folder) / "texts.json", Path(folder) / "scores.npy"
        listed.write_text(json.dumps(list(texts)), encoding="utf-8")
        job = {
            "model": str(model),
            "texts": str(listed),
            "output": str(output),
            "labels": list(labels),
        }
        (answer,) = run_jobs("textrnn.export.verification.probes.mediapipe", [job])
        if "error" in answer:
            raise click.ClickException(answer["error"])
        return [dict(zip(labels, map(float, row), strict=True)) for row in np.load(output)]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--tasks-text", type=click.Path(path_type=Path), required=True)
@click.option("--split", default="test", show_default=True)
@click.option("--texts", "count", default=1000, show_default=True)
@click.option("--data-dir")
def main(run: Path, tasks_text: Path, split: Any, count: int, data_dir: str | None) -> None:
    """Compare the labels of RUN's MediaPipe file with those of RUN."""
    import textrnn
    from textrnn.data import load_split

    classifier = textrnn.load(run)
    config = classifier.config
    if data_dir is not None:
        config = config.replace(data_dir=data_dir)
    data, _ = load_split(config, split, seed=0, label_names=classifier.labels)
    rows = np.random.default_rng(0).permutation(len(data))[:count]
    texts = [data.texts[row] for row in rows]
    manifest = json.loads((run / "export" / "manifest.json").read_text(encoding="utf-8"))
    entry = next(a for a in manifest["artefacts"] if a["kind"] == "mediapipe")
    model = run / "export" / entry["path"]
    length = int(entry["length"])
    wanted = classifier.score_ids(
        [ids[:length] for ids in classifier.tokenizer.encode_batch(texts)]
    )
    browser = find_browser()
    if browser is None:
        raise click.ClickException(f"expected one of {', '.join(BROWSERS)} on the path.")
    display = open_page(texts, model=model, tasks_text=tasks_text, browser=browser, seconds=600)
    if display.problem:
        raise click.ClickException(display.problem)
    path = {
        "browser": display.answers,
        "python": classify_in_python(texts, model=model, labels=classifier.labels),
    }
    for name, answers in path.items():
        scores = np.array([[answer[label] for label in classifier.labels] for answer in answers])
        equal_labels = int((scores.argmax(axis=1) == wanted.argmax(axis=1)).sum())
        drift = float(np.abs(scores - wanted).max())
        click.echo(
            f"{name}: {equal_labels} of {len(texts)} labels the same, scores within {drift:.1e}"
        )


if __name__ == "__main__":
    main()
