"""The request and the answer of TensorFlow Serving's predict, without HTTP.

The server and `deploy/lambda_handler.py` share them, so that one request gets one answer from both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .columns import OUTPUTS
from .errors import RequestError
from .model import Answer, Model
from .settings import Limits
from .texts import check_texts, parsed_object, text_of

__all__ = ["INPUT", "SIGNATURE", "predict", "predict_response", "requested_texts", "rounded"]

SIGNATURE = "serving_default"
INPUT = "text"


def requested_texts(body: dict[str, Any]) -> tuple[list[str], bool]:
    """Returns the texts of a request, and whether it is in the row format.

    >>> requested_texts({"instances": [{"text": "good"}, "bad"]})
    (['good', 'bad'], True)
    >>> requested_texts({"inputs": {"text": ["good", "bad"]}})
    (['good', 'bad'], False)

    Args:
        body: The JSON object that was sent.

    Raises:
        RequestError: It is not what TF Serving would accept; status 400.
    """
    signature = body.get("signature_name", SIGNATURE)
    if signature not in ("", SIGNATURE):
        raise RequestError(
            400,
            f"Serving signature name: {str(signature)[:100]!r} not found in signature def; this "
            f"server has {SIGNATURE} only, the SavedModel of textrnn export has the others.",
        )
    if ("instances" in body) == ("inputs" in body):
        found = "both" if "inputs" in body else "neither"
        raise RequestError(
            400,
            f"expected either `instances` or `inputs`, got {found}; send for example "
            '{"instances": ["a text"]}.',
        )
    if "instances" in body:
        rows = body["instances"]
        if not isinstance(rows, list) or not rows:
            raise RequestError(400, "`instances`: expected a list of at least one text.")
        return [_row(row, f"instances[{place}]") for place, row in enumerate(rows)], True
    column = body["inputs"]
    if isinstance(column, dict) and "b64" not in column:
        column = _only_input(column, "inputs")
    if not isinstance(column, list):
        raise RequestError(400, "`inputs`: expected a list of texts, or an object with one.")
    return [text_of(text, place=f"inputs[{place}]") for place, text in enumerate(column)], False


def _row(row: Any, place: str) -> str:
    if isinstance(row, dict) and "b64" not in row:
        row = _only_input(row, place)
    return text_of(row, place=place)


def _only_input(named: dict[str, Any], place: str) -> Any:
    if set(named) != {INPUT}:
        names = ", ".join(sorted(named))[:100] or "none"
        raise RequestError(400, f"{place}: expected the input `{INPUT}` alone, got {names}.")
    return named[INPUT]


def predict_response(
    answers: Sequence[Answer], labels: Sequence[str], *, by_rows: bool
) -> dict[str, Any]:
    """Returns the answer to a request: `{"predictions": [ROW, ..]}` or `{"outputs": COLUMNS}`.

    Args:
        answers: The answers to the texts.
        labels: The C labels of the model.
        by_rows: Whether the request was in the row format.
    """
    names = list(labels)
    rows = [
        {
            "label": "" if answer.abstained else answer.label,
            "score": rounded(answer.score),
            "labels": names,
            "scores": [rounded(answer.scores[name]) for name in names],
            "decided": [not answer.abstained and name in answer.labels for name in names],
        }
        for answer in answers
    ]
    if by_rows:
        return {"predictions": rows}
    return {"outputs": {name: [row[name] for row in rows] for name in OUTPUTS}}


def rounded(value: float) -> float:
    """Returns a float32 number as TF Serving writes it, with six significant digits.

    >>> rounded(0.97995412), rounded(0.00522789321)
    (0.979954, 0.00522789)
    """
    return float(f"{value:.6g}")


def predict(model: Model, body: bytes | str, *, limits: Limits) -> dict[str, Any]:
    """Answers the body of a request; for programs that answer requests without this server.

    Args:
        model: The model.
        body: The JSON object that was sent.
        limits: Of which `max_texts` and `max_characters` count.

    Raises:
        RequestError: The request is not understood (status 400) or too large (413).
    """
    texts, by_rows = requested_texts(parsed_object(body))
    check_texts(texts, limits)
    return predict_response(model.answers(texts), model.labels, by_rows=by_rows)
