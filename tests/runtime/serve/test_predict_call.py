import pytest
from letter_model import LetterModel

from textrnn.runtime.serve.errors import RequestError
from textrnn.runtime.serve.predict_call import predict, rounded
from textrnn.runtime.serve.settings import Limits


def test_rows_and_columns_have_the_same_answers():
    model = LetterModel(multi_label=True, abstain_below=0.4)
    texts = '["aabb", "abc", {"b64": "Y2Nj"}]'
    by_rows = predict(model, f'{{"instances": {texts}}}', limits=Limits())["predictions"]
    by_columns = predict(model, f'{{"inputs": {texts}}}', limits=Limits())["outputs"]
    assert by_rows[0] == {
        "label": "a",
        "score": 0.428571,
        "labels": ["a", "b", "c"],
        "scores": [0.428571, 0.428571, 0.142857],
        "decided": [True, True, False],
    }
    assert [(row["label"], any(row["decided"])) for row in by_rows] == [
        ("a", True),
        ("", False),
        ("c", True),
    ]
    assert by_columns == {name: [row[name] for row in by_rows] for name in by_rows[0]}


def test_no_texts_are_no_columns_of_rows():
    outputs = predict(LetterModel(), '{"inputs": []}', limits=Limits())["outputs"]
    assert outputs == {"label": [], "score": [], "labels": [], "scores": [], "decided": []}


@pytest.mark.parametrize(
    ("number", "written"), [(1 / 3, 0.333333), (0.0, 0.0), (1.0, 1.0), (1.23456789e-7, 1.23457e-7)]
)
def test_numbers_have_six_significant_digits(number, written):
    assert rounded(number) == written


@pytest.mark.parametrize(
    ("body", "status"),
    [("[]", 400), ('{"instances": ["a", "b"]}', 413), ('{"inputs": ["aaa"]}', 413)],
)
def test_a_request_beyond_the_limits_is_refused(body, status):
    with pytest.raises(RequestError) as raised:
        predict(LetterModel(), body, limits=Limits(max_texts=1, max_characters=2))
    assert raised.value.status == status
