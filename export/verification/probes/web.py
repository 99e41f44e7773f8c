"""Runs the script of a page in V8, without a browser around it."""

from __future__ import annotations

import json
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]

_READ = """
let model;
const begin = (json) => { model = modelsOf(json).all[0]; };
const read = (text, length) => {
  const ids = model.tokenizer.encode(text);
  const { scores } = model.read(model.network.cut(ids).slice(0, length));
  return JSON.stringify({ ids, scores });
};
"""


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
        `other_ids`, the places of the texts with other ids, and `latency_ms`, the median over the
        texts of the time per text in milliseconds.
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
    np.save(output, np.array(scores, np.float32))
    return {"other_ids": other, "latency_ms": float(np.median(times)) * 1e3}


if __name__ == "__main__":
    serve(probe)
