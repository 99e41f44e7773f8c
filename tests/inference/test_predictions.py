import textrnn
from textrnn.inference.classifier import Prediction
from textrnn.inference.predictions import Predictions


def prediction(label, score=0.75):
    return Prediction(label, score, {"neg": 1 - score, "pos": score}, (label,))


def many(count):
    labels = [f"label {place}" for place in range(count)]
    return Predictions(map(prediction, labels), [f"text {place}" for place in range(count)])


def test_they_are_a_list():
    predictions = many(3)
    assert isinstance(predictions, list)
    assert predictions == [prediction(f"label {place}") for place in range(3)]
    assert predictions[-1].label == "label 2"
    assert [p.label for p in predictions[1:]] == ["label 1", "label 2"]


def test_the_public_name_is_the_class():
    assert textrnn.Predictions is Predictions


def test_the_repr_is_a_table():
    lines = repr(many(2)).splitlines()
    assert lines[0].split() == ["text", "label", "score"]
    assert lines[2].split() == ["0", "text", "0", "label", "0", "0.7500"]
    assert lines[-1] == "2 predictions"
    assert repr(Predictions()) == "no predictions"


def test_a_long_list_shows_its_ends():
    lines = repr(many(1000)).splitlines()
    assert len(lines) == 2 + 21 + 1
    assert lines[12].split() == ["…"] * 4
    assert lines[-2].split()[0] == "999"
    assert lines[-1] == "1,000 predictions"


def test_html_is_escaped():
    predictions = Predictions([prediction("<b>")], ["a\n<script>"])
    page = predictions._repr_html_()
    assert "<td>a &lt;script&gt;</td><td>&lt;b&gt;</td><td>0.7500</td>" in page
    assert "<script>" not in page


def test_markup_and_control_characters_are_shown_as_they_are():
    text = repr(Predictions([prediction("[red]x")], ["[bold]a\x1b[31m\u202e"]))
    assert "[red]x" in text
    assert "[bold]a\ufffd[31m" in text


def test_a_part_keeps_its_texts():
    assert many(5)[3:].to_dicts()[0]["text"] == "text 3"


def test_a_list_in_another_order_has_no_texts():
    predictions = many(3)
    predictions.reverse()
    assert predictions.to_dicts()[0] == {"label": "label 2", "score": 0.75}
    assert "text" not in repr(predictions).splitlines()[0]


def test_dictionaries_have_the_scores_on_request():
    row = Predictions([prediction("pos")], ["a"]).to_dicts(scores=True)[0]
    assert row == {
        "text": "a",
        "label": "pos",
        "score": 0.75,
        "score of neg": 0.25,
        "score of pos": 0.75,
    }


def test_several_labels_are_a_list():
    none = Prediction("a", 0.2, {"a": 0.2, "b": 0.1}, ())
    both = Prediction("a", 0.9, {"a": 0.9, "b": 0.8}, ("a", "b"))
    predictions = Predictions([none, both])
    assert predictions.to_dicts() == [
        {"label": None, "score": 0.2, "labels": []},
        {"label": "a", "score": 0.9, "labels": ["a", "b"]},
    ]
    assert "(none)" in repr(predictions)
    assert "a, b" in repr(predictions)
