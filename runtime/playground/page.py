"""The page of the playground, put together from its parts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ..text.scripts import UNSPACED

__all__ = ["PageLanguageModel", "PageModel", "offline_page", "server_page"]

_PAGE_SCRIPTS = ("views.js", "curve.js", "playground.js")
_MODELS = '<script type="application/json" id="models">{}</script>'


@dataclass(frozen=True)
class PageLanguageModel:
    """A language model that a page contains, which tells how surprising the words are.

    Attributes:
        network: The content of its `runtime.safetensors`.
        tokenizer: The content of its `tokenizer.model`.
    """

    network: bytes
    tokenizer: bytes


@dataclass(frozen=True)
class PageModel:
    """A model that a page contains.

    Attributes:
        name: The name that the page shows.
        network: The content of `runtime.safetensors`.
        tokenizer: The content of `tokenizer.model`.
        labels: The label names.
        rule: The rule that decides, as `DecisionRule.to_dict` returns it.
        language_model: The language model beside it; None: the page has no likelihoods.
    """

    name: str
    network: bytes
    tokenizer: bytes
    labels: Sequence[str]
    rule: Mapping[str, Any]
    language_model: PageLanguageModel | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "name": self.name,
            "labels": list(self.labels),
            "rule": {name: value for name, value in self.rule.items() if name != "fitted"},
            "unspaced": UNSPACED.pattern,
            "network": _base64(self.network),
            "tokenizer": _base64(self.tokenizer),
            "language_model": self._language_model(),
        }

    def _language_model(self) -> dict[str, str | None] | None:
        """Returns the files of the language model; its tokenizer is None if it is the model's."""
        model = self.language_model
        if model is None:
            return None
        same = model.tokenizer == self.tokenizer
        return {
            "network": _base64(model.network),
            "tokenizer": None if same else _base64(model.tokenizer),
        }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def server_page() -> tuple[str, str]:
    """Returns the page of a server, and the value of its header Content-Security-Policy."""
    return _page(
        _PAGE_SCRIPTS,
        start="showPlayground(new ServerModels());",
        connect="'self'",
        links='<a href="docs">How to ask this server</a>',
    )


def offline_page(models: Sequence[PageModel]) -> str:
    """Returns a page that contains models and needs no server; it cannot connect to anything.

    Args:
        models: The models.
    """
    data = json.dumps([model.to_dict() for model in models])
    # In a script element, only these characters could end it.
    data = _MODELS.format(data.replace("<", "\\u003c"))
    scripts = [
        *("sentencepiece.js", "network.js", "language_model.js", "examination.js"),
        *_PAGE_SCRIPTS,
    ]
    start = 'showPlayground(modelsOf(document.getElementById("models").textContent));'
    page, _ = _page(scripts, start=start, connect="'none'", data=data)
    return page


def _page(
    scripts: Sequence[str], *, start: str, connect: str, data: str = "", links: str = ""
) -> tuple[str, str]:
    """Returns a page and its policy, by which nothing but its own scripts runs."""
    script = '"use strict";\n\n' + "\n".join(map(_part, scripts))
    style = _part("playground.css")
    policy = (
        f"default-src 'none'; connect-src {connect}; style-src {_digest(style)}; "
        f"script-src {_digest(script)} {_digest(start)}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "style": style,
        "links": links,
        "data": data,
        "script": script,
        "start": start,
    }
    page = _part("page.html")
    for name, content in parts.items():
        page = page.replace("{{" + name + "}}", content)
    return page, policy


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """Returns the name by which a policy allows an element with this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
