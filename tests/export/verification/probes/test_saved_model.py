"""The probe of TensorFlow's C++ loader."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from tiny import finished_run

pytest.importorskip("tensorflow_text")
from textrnn.export.formats.saved_model import save_model
from textrnn.export.verification.probes.saved_model import probe

TEXTS = ["a x b", "", "y c d e f a b c", "x"]


@pytest.mark.thorough
def test_a_long_text_is_answered_by_its_ids_alone(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    classifier = finished_run(tmp_path_factory).classifier
    save_model(classifier, tmp_path / "model")
    ids = classifier.tokenizer.encode_batch(TEXTS)
    longest = max(map(len, ids)) - 1
    encoded = [base64.b64encode(text.encode()).decode() for text in TEXTS]
    (tmp_path / "texts.json").write_text(json.dumps(encoded), encoding="utf-8")
    report = probe(
        str(tmp_path / "model"),
        texts=str(tmp_path / "texts.json"),
        output=str(tmp_path / "answers.npz"),
        longest=longest,
    )
    answers = np.load(tmp_path / "answers.npz")
    assert answers["whole"].tolist() == [0, 1, 3]
    assert answers["lengths"].tolist() == [len(text) for text in ids]
    np.testing.assert_array_equal(answers["ids"], np.concatenate(ids))
    scores = classifier.score_ids([text[:longest] for text in ids])
    np.testing.assert_allclose(answers["from_ids"], scores, atol=1e-5)
    np.testing.assert_allclose(answers["scores"], scores[[0, 1, 3]], atol=1e-5)
    best = scores[[0, 1, 3]].argmax(axis=1)
    assert answers["labels"].tolist() == [classifier.labels[place] for place in best]
    assert "stream" not in answers
    assert report["warm_up_requests"] == 0
    assert "SentencepieceTokenizeOp" in report["operations"]
