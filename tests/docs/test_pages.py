"""The pages name only files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
FOLDERS = [ROOT, ROOT / "textrnn", *(path for path in ROOT.glob("textrnn/*") if path.is_dir())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_source_file_that_a_page_names_exists(page):
    names = re.findall(r"`([\w/]+/[\w/]+\.py)`", page.read_text(encoding="utf-8"))
    missing = [
        name
        for name in names
        if "NAME" not in name and not any((folder / name).is_file() for folder in FOLDERS)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
