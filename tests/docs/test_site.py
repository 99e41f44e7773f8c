"""The documentation site is built without a warning, and needs nothing from other hosts."""

import importlib.util
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import click
import pytest
from doc_blocks import ROOT

from textrnn.cli.main import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None, reason="needs mkdocs: pip install -e '.[docs]'"
    ),
]


class Page(HTMLParser):
    """The links, the names of places, and what a page loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.without_text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        loads = tag in ("script", "img", "iframe", "link") and values.get("rel") != "canonical"
        if loads and (address := values.get("src") or values.get("href")):
            self.loaded.append(address)
        if tag == "img" and len(values.get("alt", "")) < 15:
            self.without_text.append(values["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_link_inside_of_the_site_leads_to_a_place(site, pages):
    broken, counts = [], {"inside": 0, "outside": 0}
    for path, page in pages.items():
        for link in page.links:
            address, place = urldefrag(link)
            if urlsplit(link).scheme:
                counts["outside"] += 1
                continue
            counts["inside"] += 1
            target = (path.parent / unquote(address)).resolve() if address else path
            if path.name == "404.html":  # Its addresses begin at the root of a server.
                target = site / address.lstrip("/")
            if not target.is_file() or (
                place and target in pages and unquote(place) not in pages[target].places
            ):
                broken.append((path.name, link))
    print(len(pages), "pages;", counts)
    assert broken == []
    assert counts["inside"] > 2_000


def test_nothing_is_loaded_from_another_host(pages):
    hosts = {
        (path.name, address)
        for path, page in pages.items()
        for address in page.loaded
        if urlsplit(address).netloc
    }
    assert hosts == set()


def test_every_picture_has_a_text(pages):
    assert {path.name: page.without_text for path, page in pages.items() if page.without_text} == {}


def test_the_search_finds_pages_of_each_kind_without_a_server(site):
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    documents = json.loads(index.removeprefix("var __index = "))["docs"]
    found = {document["location"] for document in documents if "perplexity" in document["text"]}
    assert {location.partition("#")[0] for location in found} >= {
        "api/models.html",
        "language_models.html",
    }
    assert (site / "theme" / "iframe-worker.js").is_file()


def test_every_command_has_a_page(site):
    assert {path.stem for path in (site / "commands").glob("*.html")} == {
        "index",
        *main.list_commands(click.Context(main)),
    }
