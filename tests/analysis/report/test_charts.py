import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from textrnn.analysis.report.charts import Axes, Line, line_chart, reliability_chart, stairs_chart
from textrnn.inference.calibration import reliability
from textrnn.models.label_space import LabelSpace


def chart(*lines, **settings) -> str:
    return line_chart(lines, Axes("a < b", x="tokens", y="share", **settings))


def words(svg: str) -> list[str]:
    return [
        "".join(element.itertext()).strip()
        for element in ET.fromstring(svg).iter()
        if _is_text(element)
    ]


def _is_text(element) -> bool:
    return element.tag.endswith("}text")


def test_the_colours_are_the_page_s():
    svg = chart(Line("one", [1, 2], [3, 4]), Line("two", [1, 2], [4, 3]))
    assert "currentColor" in svg
    assert "var(--c1)" in svg
    assert "var(--c2)" in svg
    assert not re.findall(r"#[0-9a-f]{6}\b(?!\d)", re.sub(r"#[mp][0-9a-f]{10}", "", svg))


def test_a_picture_has_a_description_and_its_letters_are_text():
    svg = chart(Line("one", [1, 2], [3, 4]), Line("two", [1, 2], [4, 3]))
    root = ET.fromstring(svg)
    assert root.get("aria-label") == "a < b"
    assert root.get("width") is None
    assert root.get("viewBox")
    assert {"tokens", "share", "one", "two"} <= set(words(svg))


def test_one_curve_needs_no_legend():
    assert "one" not in words(chart(Line("one", [1, 2], [3, 4])))


def test_names_of_parts_differ_between_the_pictures_of_a_page():
    names = [set(re.findall(r'id="([^"]*)"', chart(Line("", [1, 2], [3, 4])))) for _ in range(2)]
    assert names[0]
    assert not names[0] & names[1]


def test_an_axis_is_logarithmic_only_where_the_scales_differ():
    close = chart(Line("", [0, 9], [1.0, 0.5]), log_y=True)
    far = chart(Line("", [0, 9], [1.0, 1e-3]), log_y=True)
    assert "0.6" in words(close)
    assert "0.6" not in words(far)
    assert {"0.001", "0.01", "0.1", "1"} <= set(words(far))


def test_what_is_below_the_floor_is_left_out():
    numbers = words(chart(Line("", [0, 1, 2], [1.0, 1e-3, 1e-9]), log_y=True))
    assert "0.001" in numbers
    assert not any(word.startswith("1e-") for word in numbers)


def test_places_may_have_names():
    svg = chart(Line("", range(2), [3, 4], low=[2, 3], high=[4, 5]), ticks=["short", "long"])
    assert {"short", "long"} <= set(words(svg))


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0])
def test_a_reliability_diagram_of_any_confidence(confidence):
    probabilities = np.array([[confidence, 1.0 - confidence]])
    bins = reliability(
        probabilities, np.array([[1, 0]]), label_space=LabelSpace(("a", "b"), multi_label=True)
    )
    svg = reliability_chart(bins, title="it")
    assert {"confidence", "share right"} <= set(words(svg))


def test_a_histogram_over_powers_of_two():
    edges = 2.0 ** np.arange(-1, 3)
    lines = [Line("one", edges[:-1], [1, 2, 0]), Line("two", edges[:-1], [0, 2, 1], faint=True)]
    svg = stairs_chart(lines, Axes("it", x="tokens", y="units"), edges=edges)
    assert {"0.5", "1", "2", "4", "one", "two"} <= set(words(svg))


@pytest.mark.parametrize("name", ["reviews $100_to_$200", "$x$", "rev\udcff", "tab\nnew", "评论"])
def test_names_are_drawn_as_they_stand(name):
    two = [Line(f"of {name}", [0, 1], [3, 4]), Line("two", [0, 1], [4, 3])]
    svg = line_chart(two, Axes(name, x=f"x {name}", y=f"y {name}", ticks=[name, "other"]))
    line = name.replace("\n", " ").replace("\udcff", "\ufffd")
    assert {f"x {line}", f"y {line}", f"of {line}"} <= set(words(svg))
    assert {*name.replace("\udcff", "\ufffd").split("\n"), "other"} <= set(words(svg))
    assert ET.fromstring(svg.encode()).get("aria-label") == line
