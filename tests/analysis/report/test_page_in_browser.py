"""The report in a real browser, as wide as a desk's and as a phone's."""

import dataclasses
import html
import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest
from reported import page_of, tiny_summary
from tiny import not_none

from textrnn.analysis.report.wrong_answers import WrongAnswer

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Nothing in here may look for a network.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)
LOOK = """<script>
const wide = [...document.querySelectorAll("figure, .tile, .mistake, p, h1, h2")]
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1).length;
document.documentElement.dataset.look = [innerWidth, document.documentElement.scrollWidth, wide,
  document.querySelectorAll("svg").length, performance.getEntriesByType("resource").length
].join("|");
</script></body>"""

USE_TABLE = """<script>
const seen = [], table = document.getElementById("wrong");
const column = place => [...table.tBodies[0].rows].filter(row => !row.hidden)
  .map(row => row.cells[place].textContent);
seen.push(column(2));
const button = table.tHead.rows[0].cells[2].querySelector("button");
button.click();
button.click();
seen.push(column(2));
const filter = document.getElementById("filter");
filter.value = column(3)[0].toUpperCase();
filter.dispatchEvent(new Event("input"));
seen.push(column(3));
document.documentElement.dataset.look = JSON.stringify(seen);
</script></body>"""

FRAME = """<!doctype html><html><body>
<iframe width="{width}" height="800" style="border:0" srcdoc="{page}"></iframe>
<script>addEventListener("load", () => document.documentElement.dataset.look =
  document.querySelector("iframe").contentDocument.documentElement.dataset.look);</script>
</body></html>"""


@pytest.fixture(scope="module")
def browser():
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if path is None:
        pytest.skip("needs Chromium on the path")
    return path


def open_page(browser, page, folder, *arguments, width):
    command = [browser, *FLAGS, f"--user-data-dir={folder}/profile"]
    command += [f"--window-size={width},900", *arguments, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_and_loads_nothing(browser, tmp_path_factory, tmp_path, width):
    page = page_of(tiny_summary(tmp_path_factory), tmp_path)
    text = page.read_text(encoding="utf-8").replace("</body>", LOOK)
    # A window is never as narrow as a phone; a frame in it may be.
    page.write_text(FRAME.format(width=width, page=html.escape(text)), encoding="utf-8")
    dom = open_page(browser, page, tmp_path, "--dump-dom", width=1400)
    look = not_none(re.search(r'<html data-look="([^"]*)"', dom))[1].split("|")
    inner, scrolled, beyond, pictures, loaded = map(int, look[:5])
    assert inner == width
    assert scrolled <= inner
    assert beyond == 0
    assert pictures == 11
    assert loaded == 0


def test_the_table_of_mistakes_sorts_and_filters(browser, tmp_path_factory, tmp_path):
    summary = tiny_summary(tmp_path_factory)
    wrong = tuple(
        WrongAnswer(("a",), ("b",), share, text)
        for share, text in [(0.95, "first <i>"), (0.9, "second"), (0.08, "third")]
    )
    page = page_of(dataclasses.replace(summary, wrong=wrong), tmp_path)
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", USE_TABLE))
    dom = open_page(browser, page, tmp_path, "--dump-dom", width=800)
    seen = json.loads(html.unescape(not_none(re.search(r'data-look="([^"]*)"', dom))[1]))
    assert seen == [["95.0 %", "90.0 %", "8.0 %"], ["8.0 %", "90.0 %", "95.0 %"], ["third"]]


def test_it_is_light_or_dark_as_the_user_likes(browser, tmp_path_factory, tmp_path):
    page = page_of(tiny_summary(tmp_path_factory), tmp_path)
    shades = {}
    for name, more in {
        "light": (),
        "dark": ("--force-dark-mode", "--blink-settings=preferredColorScheme=0"),
    }.items():
        picture = tmp_path / f"{name}.png"
        open_page(browser, page, tmp_path, f"--screenshot={picture}", *more, width=800)
        pixels = matplotlib.image.imread(picture)[..., :3].mean(axis=-1)
        shades[name] = float(np.median(pixels))
        assert pixels.std() > 0.02, "the page is empty"
    assert shades["light"] > 0.9
    assert shades["dark"] < 0.2
