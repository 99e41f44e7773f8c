"""The playground in a real browser: typed into, with the network cut off, in both widths."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from light_models import random_language_pair, random_pair

from textrnn.runtime import load
from textrnn.runtime.playground.page import PageLanguageModel, PageModel, offline_page

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eagerly")]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Nothing in here may look for a network, and no name is resolved.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"),
    *("--virtual-time-budget=20000", "--dump-dom"),
)
# What a visitor does: types a text, then one more word, and looks at the words in another way.
VISIT = """
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const seen = {};
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const look = () => ({
  sentence: part("sentence")?.textContent,
  words: [...document.querySelectorAll("mark")].map((mark) => mark.textContent),
  points: part("curve")?.querySelector("polyline")?.getAttribute("points").split(" ").length,
  notes: [...document.querySelectorAll("rt[aria-hidden=true]")].map((note) => note.textContent),
  likelihood: part("likelihood")?.hidden === false ? part("likelihood").textContent : null,
  columns: [...document.querySelectorAll("th")].filter((cell) => !cell.hidden).length,
  cells: part("rows")?.rows[0]?.cells.length,
});
addEventListener("load", async () => {
  const text = document.getElementById("text");
  const type = (value) => {
    text.value = value;
    text.dispatchEvent(new Event("input"));
  };
  await wait(200);
  seen.hidden = document.getElementById("answers").getClientRects().length === 0;
  type("A fine");
  await wait(1000);
  seen.first = look();
  const radios = document.querySelectorAll("input[type=radio]");
  if (!radios[3].parentElement.hidden) radios[3].click();
  type("A fine film");
  await wait(1000);
  seen.second = look();
  seen.kept = radios[3].checked;
  radios[2].click();
  seen.legend = part("legend").textContent;
  radios[3].click();
  seen.surprise = radios[3].parentElement.hidden ? null : part("legend").textContent;
  radios[2].click();
  seen.rows = part("rows").rows.length;
  const buttons = part("labels").querySelectorAll("button");
  buttons[1].click();
  await wait(1000);
  seen.pressed = [...part("labels").querySelectorAll("button")]
    .map((button) => button.getAttribute("aria-pressed"));
  document.querySelector("details").open = true;
  seen.wide = [...document.querySelectorAll("body *")]
    .filter((element) => !element.closest(".scroll table")) // It scrolls by itself.
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1).length;
  type("");
  await wait(1000);
  seen.again = document.getElementById("answers").getClientRects().length === 0;
  seen.loaded = performance.getEntriesByType("resource").length;
  document.documentElement.dataset.seen = JSON.stringify(seen);
});
"""

# What a visitor does who compares two models: explains another label, and follows another link.
COMPARISON = """
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const seen = {};
const parts = (name) => [...document.querySelectorAll(`.answer [data-part="${name}"]`)];
const text = (id) => document.getElementById(id).textContent;
addEventListener("load", async () => {
  await wait(1500);
  seen.unknown = text("unknown");
  seen.names = parts("name").map((part) => part.textContent);
  seen.before = parts("explained").map((part) => part.hidden);
  parts("labels")[0].querySelectorAll("button")[1].click();
  await wait(1500);
  seen.explained = parts("explained").map((part) => !part.hidden && part.textContent);
  seen.curve = parts("curve")[1].getAttribute("aria-label");
  const strike = parts("deletions")[0].querySelector("button");
  seen.strike = strike === null ? null : [strike.textContent];
  if (strike !== null) {
    strike.click();
    document.querySelectorAll(".answer input[type=radio]")[1].click(); // The words are drawn anew.
    seen.strike.push(strike.getAttribute("aria-pressed"));
    seen.strike.push(document.querySelectorAll(".answer mark.delete").length > 0);
  }
  location.hash = "text=";
  await wait(1500);
  seen.after = [text("unknown"), document.getElementById("hint").hidden];
  document.documentElement.dataset.seen = JSON.stringify(seen);
});
"""


@pytest.fixture(scope="module")
def browser() -> str:
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if path is None:
        pytest.skip("needs Chromium on the path")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with random weights."""
    folder = tmp_path_factory.mktemp("playground") / "run"
    random_pair(folder, cell="mingru", head="attention")
    return folder


def page_with(
    run: Path,
    language_model: PageLanguageModel | None = None,
    *,
    names: tuple[str, ...] = ("tiny",),
) -> str:
    model = load(run)
    return offline_page(
        [
            PageModel(
                name=name,
                network=(run / "runtime.safetensors").read_bytes(),
                tokenizer=(run / "tokenizer.model").read_bytes(),
                labels=model.labels,
                rule=model.label_space.rule.to_dict(model.labels),
                language_model=language_model,
            )
            for name in names
        ]
    )


def shown(browser: str, address: str, folder: Path, *, width: int) -> str:
    """What the browser has made of a page."""
    command = [browser, *FLAGS, f"--user-data-dir={folder}/profile"]
    command += [f"--window-size={width},900", address]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


def visited(
    browser: str, page: str, folder: Path, *, width: int, visit: str = VISIT, link: str = ""
) -> dict[str, Any]:
    """What a visitor has seen of a page."""
    # The policy of the page forbids other scripts than its own: the visitor gets a page without.
    content = re.sub("<meta http-equiv=[^>]*>", "", page)
    path = folder / "index.html"
    path.write_text(content.replace("</body>", f"<script>{visit}</script></body>"), "utf-8")
    address = f"{path.as_uri()}#{link}"
    match = re.search('data-seen="([^"]*)"', shown(browser, address, folder, width=width))
    assert match is not None
    seen: dict[str, Any] = json.loads(html.unescape(match[1]))
    return seen


@pytest.mark.parametrize("width", [500, 1280])
def test_a_visitor_types_and_sees_what_the_words_do(
    browser: str, run: Path, width: int, tmp_path: Path
) -> None:
    seen = visited(browser, page_with(run), tmp_path, width=width)
    (first,), (second,) = load(run).answers(["A fine"]), load(run).answers(["A fine film"])
    for moment, answer, words in (("first", first, 2), ("second", second, 3)):
        assert seen[moment]["sentence"] == f"{answer.label}, {100 * answer.score:.1f} %"
        assert seen[moment]["words"] == ["A", "fine", "film"][:words]
        assert seen[moment]["points"] == words
        assert (seen[moment]["notes"], seen[moment]["likelihood"]) == ([], None)
        assert (seen[moment]["columns"], seen[moment]["cells"]) == (5, 5)
    assert (seen["hidden"], seen["again"], seen["rows"]) == (True, True, 3)
    assert "last state" in seen["legend"]
    assert seen["pressed"] == ["false", "true"]
    assert (seen["loaded"], seen["wide"]) == (0, 0)
    assert (seen["surprise"], seen["kept"]) == (None, False)


@pytest.mark.parametrize("width", [500, 1280])
def test_a_visitor_sees_how_surprising_the_words_are(
    browser: str, run: Path, width: int, tmp_path: Path
) -> None:
    model = random_language_pair(
        tmp_path / "lm", cell="gru", bidirectional=False, unusual=1.0
    ).model
    files = [tmp_path / "lm" / name for name in ("runtime.safetensors", "tokenizer.model")]
    page = page_with(run, PageLanguageModel(*(path.read_bytes() for path in files)))
    seen = visited(browser, page, tmp_path, width=width)
    for moment, text in (("first", "A fine"), ("second", "A fine film")):
        surprise = model.surprise(text)
        assert seen[moment]["notes"] == [f"{word.bits:.0f}" for word in surprise.words]
        assert f"{surprise.bits_per_word:.1f} bits per word" in seen[moment]["likelihood"]
        assert "Unlike the texts of its training" in seen[moment]["likelihood"]
        assert (seen[moment]["columns"], seen[moment]["cells"]) == (6, 6)
    assert "less probable" in seen["surprise"]
    assert seen["kept"]
    assert (seen["loaded"], seen["wide"]) == (0, 0)


def test_a_link_brings_a_text_to_the_page_with_its_policy(
    browser: str, run: Path, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_text(page_with(run), "utf-8")
    (answer,) = load(run).answers(["A fine film"])
    dom = shown(browser, f"{page.as_uri()}#text=A+fine+film", tmp_path, width=1280)
    assert f"<strong>{answer.label}</strong>, {100 * answer.score:.1f} %" in dom


def test_a_visitor_compares_two_models_and_follows_links(
    browser: str, run: Path, tmp_path: Path
) -> None:
    page = page_with(run, names=("tiny", "other"))
    link = "text=A+fine+film&first=nowhere&second=other"
    seen = visited(browser, page, tmp_path, width=1280, visit=COMPARISON, link=link)
    assert seen["unknown"] == (
        "The address of this page names \u201cnowhere\u201d, but there is no such model; there is "
        "tiny, other."
    )
    assert (seen["names"], seen["before"]) == (["tiny", "other"], [True, True])
    chosen, compared = seen["explained"]
    assert "the label that you chose" in chosen
    assert "the label of tiny, so that both models can be compared" in compared
    assert "Vertical axis: the probability of" in seen["curve"]
    if seen["strike"] is not None:
        name, pressed, struck = seen["strike"]
        assert re.fullmatch("Strike (this word|these words) through in the text", name)
        assert (pressed, struck) == ("true", True)
    assert seen["after"] == ["", False]
