"""The n-grams beside the trained recurrence, as the validation texts choose them."""

import random

import numpy as np
import pytest
from tiny import QUIET, labelled_texts, not_none, run_config, write_csv

import textrnn
from textrnn.training.run.classifier import train

pytestmark = pytest.mark.usefixtures("cache")


def triples(count: int, *, seed: int) -> list[tuple[str, str]]:
    """Texts of both classes have the pairs x y and y z; only those of `joined` have x y z."""
    rng = random.Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        label = ("apart", "joined")[len(rows) % 2]
        parts = ["xyz"] if label == "joined" else ["xy", "yz"]
        parts += [rng.choice("abcd") for _ in range(rng.randint(4, 7))]
        rng.shuffle(parts)
        rows.setdefault("".join(parts), label)
    return list(rows.items())


def test_triples_are_chosen_where_they_decide(tmp_path):
    data = write_csv(tmp_path / "triples.csv", triples(160, seed=0))
    valid = write_csv(tmp_path / "valid.csv", triples(60, seed=1))
    config = run_config(data, valid_file=str(valid), piece_type="char", ngrams=None)
    trained = not_none(train(config, tmp_path / "run", reporter=QUIET))
    figures = trained.metrics["ngrams"]
    assert len(figures["counts"]) == 2
    assert figures["least_texts"] == 1
    assert figures["validation_accuracy"]["ngrams"] > 0.9
    loaded = textrnn.load(tmp_path / "run")
    texts = [text for text, _ in triples(10, seed=2)]
    np.testing.assert_allclose(loaded.probabilities(texts), trained.probabilities(texts), rtol=1e-5)
    assert loaded.config.model.ngrams is None


@pytest.mark.thorough
def test_the_setting_limits_the_choice(tmp_path):
    data = write_csv(tmp_path / "letters.csv", labelled_texts(40))
    for orders in (1, 2):
        config = run_config(data, ngrams=orders)
        trained = not_none(train(config, tmp_path / f"run{orders}", reporter=QUIET))
        assert len(trained.metrics["ngrams"]["counts"]) == orders - 1
    trained = not_none(train(run_config(data, ngrams=0), tmp_path / "none", reporter=QUIET))
    assert "ngrams" not in trained.metrics
