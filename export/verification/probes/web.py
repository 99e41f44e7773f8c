"""Runs the script of a page in V8, without a browser around it."""

from __future__ import annotations

import base64
import json
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textrnn.export.workers.jobs import serve
from textrnn.runtime import RuntimeLanguageModel

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

__all__ = ["probe"]

_READ = """
let model;
const begin = (json) => { model = modelsOf(json).all[0]; };
const read = (text, length) => {
  const ids = model.tokenizer.encode(text);
  const { scores } = model.read(model.network.cut(ids).slice(0, length));
  return JSON.stringify({ ids, scores });
};
const likelihood = async (text) =>
  JSON.stringify((await model.languageModel.read(text, async () => {}, () => {})).log_likelihood);
"""

LONGEST_SCORED = 2_000
"""The number of characters of a text whose likelihood is compared: a token takes milliseconds."""

SECONDS = 120
"""The time after which a likelihood is given up."""


class _Scripts(HTMLParser):
    """Collects the scripts of a page: its models, and its program."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.contents.append(data)


def probe(model: str, *, texts: str, length: int, output: str) -> dict[str, Any]:
    """Runs a page on texts.

    Args:
        model: The path of the page.
        texts: A .json file with `texts` and the `ids` that they should have.
        length: The number of tokens that are read of a text.
        output: The path of the .npy file for the scores `[N, C]`.

    Returns:
        `other_ids`, the places of the texts with other ids; `latency_ms`, the median over the texts
        of the time per text in milliseconds; and `likelihood_drift`, the largest difference between
        a log-likelihood of the page and one of the light runtime, relative to the latter, None for
        a page without a language model.
    """
    from py_mini_racer import MiniRacer

    scripts = _Scripts()
    scripts.feed(Path(model).read_text(encoding="utf-8"))
    models, program, _ = scripts.contents
    content = json.loads(Path(texts).read_text(encoding="utf-8"))
    scores, times, other = [], [], []
    with MiniRacer() as engine:
        engine.eval(program + _READ)
        engine.eval(f"begin({json.dumps(models)})")
        for place, (text, ids) in enumerate(zip(content["texts"], content["ids"], strict=True)):
            start = time.perf_counter()
            answer = json.loads(str(engine.eval(f"read({json.dumps(text)}, {length})")))
            times.append(time.perf_counter() - start)
            scores.append(answer["scores"])
            if answer["ids"] != ids:
                other.append(place)
        drift = _likelihood_drift(engine, json.loads(models)[0], content["texts"])
    np.save(output, np.array(scores, np.float32))
    latency = float(np.median(times)) * 1e3
    return {"other_ids": other, "latency_ms": latency, "likelihood_drift": drift}


def _likelihood_drift(engine: MiniRacer, files: dict[str, Any], texts: list[str]) -> float | None:
    """Compares the likelihoods of the page with those of the light runtime.

    Args:
        engine: Runs the page.
        files: The files of the model in base64.
        texts: The texts.
    """
    from py_mini_racer import JSPromise

    if files["language_model"] is None:
        return None
    network = base64.b64decode(files["language_model"]["network"])
    tokenizer = base64.b64decode(files["language_model"]["tokenizer"] or files["tokenizer"])
    model = RuntimeLanguageModel.from_bytes(network, tokenizer)
    drift = 0.0
    for text, likelihood in model.score_stream(text[:LONGEST_SCORED] for text in texts):
        promise = engine.eval(f"likelihood({json.dumps(text)})")
        if not isinstance(promise, JSPromise):
            raise TypeError(f"expected a promise, got {promise!r}.")
        found = float(str(promise.get(timeout=SECONDS)))
        expected = likelihood.log_likelihood
        drift = max(drift, abs(found - expected) / abs(expected))
    return drift


if __name__ == "__main__":
    serve(probe)
