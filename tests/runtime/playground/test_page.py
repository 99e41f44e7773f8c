"""The page with a model inside: its script, run in V8, examines as Python does."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from light_models import HARD_TEXTS, random_language_pair, random_pair
from py_mini_racer import JSPromise, MiniRacer
from tiny import every_pair
from tiny_tokenizers import TEXTS

from textrnn.config.choices import CELLS
from textrnn.inference.runtime_file import language_model_file
from textrnn.runtime import RuntimeLanguageModel, RuntimeModel, load
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.runtime.playground.page import PageLanguageModel, PageModel, offline_page, server_page

pytestmark = pytest.mark.usefixtures("eagerly")

EXAMINE = """
LocalModels.BUSY = Infinity;  // There are no keys to wait for.
let models;
const begin = (json) => { models = modelsOf(json); };
const examine = async (text, label) =>
  JSON.stringify(await models.examine("tiny", text, label, null));
const waits = async (text) => {
  const answers = [];
  await models.examine("tiny", text, null, null, (answer) => answers.push(answer));
  return JSON.stringify(answers.map(({ label, likelihood }) => [label, likelihood === undefined]));
};
"""


class Scripts(HTMLParser):
    """The contents of the scripts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.contents: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.contents.append(data)


@pytest.fixture
def engine() -> Iterator[MiniRacer]:
    with MiniRacer() as engine:
        yield engine


def a_page(
    folder: Path, model: RuntimeModel, *, language_model: PageLanguageModel | None = None
) -> str:
    labels = model.labels
    page_model = PageModel(
        name="tiny",
        network=(folder / "runtime.safetensors").read_bytes(),
        tokenizer=(folder / "tokenizer.model").read_bytes(),
        labels=labels,
        rule=model.label_space.rule.to_dict(labels),
        language_model=language_model,
    )
    return offline_page([page_model])


def close(value: Any, tolerance: float = 2e-6) -> Any:
    """The value, its numbers being approximate."""
    if isinstance(value, dict):
        return {name: close(part, tolerance) for name, part in value.items()}
    if isinstance(value, list):
        return [close(part, tolerance) for part in value]
    return pytest.approx(value, abs=tolerance) if isinstance(value, float) else value


def compare(engine: MiniRacer, folder: Path, texts: list[str], **settings: Any) -> None:
    model = random_pair(folder, **settings).model
    models, program = Scripts(a_page(folder, model)).contents[:2]
    engine.eval(program + EXAMINE)
    engine.eval(f"begin({json.dumps(models)})")
    for text in texts:
        for label in (None, "neg"):
            answer = engine.eval(f"examine({json.dumps(text)}, {json.dumps(label)})")
            assert isinstance(answer, JSPromise)
            found = json.loads(str(answer.get(timeout=60)))
            assert found == close(model.examine(text, label).to_dict()), text


def compare_surprise(engine: MiniRacer, folder: Path, texts: list[str], **settings: Any) -> None:
    """Compares examinations with likelihoods, one text after the other in the same page."""
    pair = random_language_pair(folder / "lm", **settings)
    content = language_model_file(pair.trained, directions=1)
    assert content is not None
    tokenizer = (folder / "lm" / "tokenizer.model").read_bytes()
    language_model = RuntimeLanguageModel.from_bytes(content, tokenizer)
    model = random_pair(folder / "run", cell="mingru").model
    page = a_page(folder / "run", model, language_model=PageLanguageModel(content, tokenizer))
    models, program = Scripts(page).contents[:2]
    engine.eval(program + EXAMINE)
    engine.eval(f"begin({json.dumps(models)})")
    model = dataclasses.replace(model, language_model=language_model)
    for text in texts:
        answer = engine.eval(f"examine({json.dumps(text)}, null)")
        assert isinstance(answer, JSPromise)
        found = json.loads(str(answer.get(timeout=60)))
        expected = model.examine(text).to_dict()
        bits = expected["likelihood"]
        assert found["likelihood"].pop("words") == close(bits.pop("words"), 1e-4), text
        assert found.pop("likelihood") == {
            name: pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
            for name, value in bits.items()
        }
        del expected["likelihood"]
        assert found == close(expected)


@pytest.mark.parametrize(
    "cell",
    [
        "mingru",
        *(
            pytest.param(c, marks=pytest.mark.thorough)
            for c in CELLS
            if c not in ("mingru", "none")
        ),
    ],
)
def test_the_surprise_of_every_word_is_that_of_python(
    cell: str, engine: MiniRacer, tmp_path: Path
) -> None:
    settings = {"layers": 2, "window": 3, "bidirectional": True}
    compare_surprise(engine, tmp_path, [*HARD_TEXTS, TEXTS[0]], cell=cell, **settings)


def test_the_surprise_follows_the_text_while_it_is_typed(engine: MiniRacer, tmp_path: Path) -> None:
    typed = [TEXTS[0][:length] for length in (1, 5, 6, 12, 31, 20, 31)]
    changed = [TEXTS[0].replace("fine", "dull"), "", TEXTS[0]]
    compare_surprise(
        engine, tmp_path, typed + changed, cell="lstm", units=4, layers=3, residual=True
    )


@pytest.mark.parametrize("unusual", [0.0, 99.0, None])
def test_a_tokenizer_of_its_own_is_used(
    unusual: float | None, engine: MiniRacer, tmp_path: Path
) -> None:
    settings = {"piece_type": "byte", "bidirectional": False, "unusual": unusual}
    compare_surprise(engine, tmp_path, TEXTS[:2], **settings)


def test_the_answer_comes_first_if_the_surprise_takes_a_while(
    engine: MiniRacer, tmp_path: Path
) -> None:
    long = "dull film " * 20
    compare_surprise(engine, tmp_path, ["dull"], cell="gru")
    (answer,) = load(tmp_path / "run").answers([long])
    for text, expected in (("dull film", []), (long, [[answer.label, True]]), (long, [])):
        promise = engine.eval(f"waits({json.dumps(text)})")
        assert isinstance(promise, JSPromise)
        assert json.loads(str(promise.get(timeout=60))) == expected


def test_a_language_model_with_the_tokenizer_of_the_model_brings_no_other() -> None:
    model = PageModel("a", b"1", b"2", ["x"], {}, PageLanguageModel(b"3", b"2"))
    assert model.to_dict()["language_model"] == {"network": "Mw==", "tokenizer": None}


@pytest.mark.thorough
@every_pair
def test_every_cell_and_head_is_examined_as_in_python(
    cell: str, head: str, engine: MiniRacer, tmp_path: Path
) -> None:
    settings = {"cell": cell, "head": head, "layers": 2, "window": 3}
    compare(engine, tmp_path, [HARD_TEXTS[4], *TEXTS], bidirectional=head != "mean", **settings)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "settings",
    [
        {"separate_directions": True, "residual": True, "window": 2},
        {"pyramid": True, "layers": 3},
        {"layer_norm": True, "residual": True, "units": 4},
        {"ngrams": False, "piece_type": "word"},
        {"cell": "none", "piece_type": "byte", "layers": 1, "window": 1},
    ],
)
def test_every_stack_is_examined_as_in_python(
    settings: dict[str, Any], engine: MiniRacer, tmp_path: Path
) -> None:
    values = {"cell": "mingru", "head": "attention", "layers": 2, **settings}
    compare(engine, tmp_path, HARD_TEXTS, **values)


@pytest.mark.parametrize(
    ("multi_label", "rule"),
    [
        (False, DecisionRule(weights=(3.0, 1.0))),
        (False, DecisionRule(costs=((0.0, 1.0), (4.0, 0.0)), abstain_below=0.6)),
        (True, DecisionRule(thresholds=(0.2, 0.9), abstain_below=0.3)),
        (True, DecisionRule()),
    ],
)
def test_the_decisions_of_the_run_are_obeyed(
    multi_label: bool, rule: DecisionRule, engine: MiniRacer, tmp_path: Path
) -> None:
    compare(engine, tmp_path, TEXTS, cell="lstm", multi_label=multi_label, rule=rule)


def test_a_page_with_a_model_may_connect_to_nothing(tmp_path: Path) -> None:
    page = a_page(tmp_path, random_pair(tmp_path).model)
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'; connect-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\{\{[a-z]+\}\}", page)


def test_a_label_cannot_end_the_script_that_holds_it(tmp_path: Path) -> None:
    model = PageModel("</script><b>", b"", b"", ["<!--", "</script>"], {})
    (data,) = [s for s in Scripts(offline_page([model])).contents if s.startswith("[")]
    assert json.loads(data)[0]["labels"] == ["<!--", "</script>"]


def test_the_page_of_a_server_holds_no_model() -> None:
    page, policy = server_page()
    assert "connect-src 'self'" in policy
    assert not any("class Network" in script for script in Scripts(page).contents)


def test_the_curve_is_described_with_its_axes(engine: MiniRacer) -> None:
    program = Scripts(server_page()[0]).contents[0]
    after = [("A", 0.5), ("dull", 0.125), ("film", 0.75)]
    words = json.dumps([{"word": word, "after": share} for word, share in after])
    described = engine.eval(f"{program}; Curve._description({words}, 'pos')")
    assert described == (
        "Curve. Horizontal axis: the words, 1 to 3. Vertical axis: the probability of "
        "\u201cpos\u201d, 0 to 100 %. It begins with 50.0 % after word 1 \u201cA\u201d and ends "
        "with 75.0 % after word 3 \u201cfilm\u201d; lowest 12.5 % after word 2 \u201cdull\u201d, "
        "highest 75.0 % after word 3 \u201cfilm\u201d. The table below has every value in the "
        "column \u201cup to it\u201d."
    )
    assert engine.eval("Curve._description([], 'pos')") == "No words yet"
