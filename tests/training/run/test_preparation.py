import numpy as np
import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus, Split
from textrnn.progress import Silent
from textrnn.training.run.preparation import train_tokenizer


def corpus_of(texts: int, *, classes: int, labels_per_text: int = 1) -> Corpus:
    """Returns texts of 60 words of a few thousand."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghij"), 7)) for _ in range(3500)]
    names = tuple(f"label{i}" for i in range(classes))
    split = Split(
        tuple(" ".join(rng.choice(words, 60)) for _ in range(texts)),
        tuple(
            tuple(names[(row + place) % classes] for place in range(labels_per_text))
            for row in range(texts)
        ),
    )
    return Corpus("words", split, split, None, names, notices=())


@pytest.mark.parametrize(
    ("shape", "pieces"),
    [
        ({"classes": 2}, 3000),
        ({"classes": 12}, 1660),
        ({"classes": 12, "labels_per_text": 2}, 3000),
    ],
)
def test_the_number_of_pieces_depends_on_the_texts_of_a_class(shape, pieces):
    corpus = corpus_of(1000, **shape)
    tokenizer = train_tokenizer(corpus, ClassifierRunConfig(), reporter=Silent())
    assert tokenizer.vocab_size == pytest.approx(pieces, abs=10)


def test_a_given_number_of_pieces_is_taken():
    config = ClassifierRunConfig.of(vocab_size=2500)
    tokenizer = train_tokenizer(corpus_of(1000, classes=12), config, reporter=Silent())
    assert tokenizer.vocab_size == 2500
