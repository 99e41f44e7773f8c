import numpy as np
import pytest

from textrnn.analysis.attribution.explain import Attribution
from textrnn.analysis.attribution.sentence import first_sentence, label_scores
from textrnn.runtime.text.words import Word


def attribution(label="sport", *, method="integrated-gradients", scores=None, **words: float):
    scores = scores or {"business": 0.001, "sport": 0.999}
    return Attribution(
        method=method,
        label=label,
        probability=scores[label],
        predicted=max(scores, key=scores.__getitem__),
        scores=scores,
        text=" ".join(words),
        words=tuple(
            Word(text, start=0, end=0, score=score, first=0, stop=0)
            for text, score in words.items()
        ),
        pieces=(),
        piece_scores=np.zeros(0),
        logit=0.0,
        offset=None,
        completeness_error=None,
        warning=None,
        ngrams=(),
    )


def test_the_sentence_names_the_strongest_words_first():
    text = first_sentence(attribution(scored=2.0, the=0.01, striker=3.0, market=-1.0))
    assert text == (
        "The label is sport (99.9 %), above all because of 'striker', 'scored'; 'market' speaks "
        "against it."
    )


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ({"a": -1.0, "b": -0.9, "c": 2.0}, "because of 'c'; 'a', 'b' speak against it."),
        ({"a": -1.0}, "in spite of 'a'."),
        ({"a": 1.0}, "because of 'a'."),
        ({"a": 0.0}, "; no word of the text decided it."),
        ({}, "; no word of the text decided it."),
    ],
)
def test_the_sentence_says_which_words_speak_against_it(words, end):
    assert first_sentence(attribution(**words)).endswith(end)


def test_another_label_than_the_most_probable_one_is_not_called_the_label():
    text = first_sentence(attribution("business", a=1.0))
    assert text.startswith("The label business has a probability of 0.1 %")


def test_weights_of_a_head_are_no_reasons():
    text = first_sentence(attribution(method="head", a=0.7, b=0.3))
    assert text == "The label is sport (99.9 %); the head looks most at 'a', 'b'."


def test_the_sentence_stays_on_one_line():
    names = {"two\nlines": 0.9, "b": 0.1}
    assert "\n" not in first_sentence(attribution("two\nlines", scores=names, a=1.0))


def test_ten_labels_are_listed_and_the_rest_is_counted():
    scores = {"sport": 0.5, **{f"label {i}": i / 1000 for i in range(14)}}
    labels, others = label_scores(attribution(scores=scores))
    assert (labels[0], labels[1][0], len(labels), others) == (("sport", 0.5), "label 13", 10, 5)
    assert label_scores(attribution())[1] == 0
