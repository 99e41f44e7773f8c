import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from tiny import LABELS, Run, finished_run, run_config

from textrnn.data.batching import BatchPlan
from textrnn.inference import classifier as inference
from textrnn.inference.classifier import Prediction, Scorer, TrainedClassifier

TEXTS = ["a x b", "y", "", "f e d c b a x", "x", "c y d", "b b b b b b b b b b b b b b b b b b y"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return finished_run(tmp_path_factory)


@pytest.fixture(scope="module")
def classifier(finished) -> TrainedClassifier:
    return finished.classifier


def variant(classifier: TrainedClassifier, **settings) -> TrainedClassifier:
    """The classifier with other settings of data or training, which do not concern the model."""
    config = run_config(Path("letters.csv"), **settings)
    return TrainedClassifier(classifier.model, classifier.tokenizer, classifier.labels, config)


def test_predictions_come_in_the_order_of_the_texts(classifier):
    labels = [prediction.label for prediction in classifier.predict(TEXTS)]
    assert [labels[i] for i in (0, 1, 3, 4, 5)] == ["pos", "neg", "pos", "pos", "neg"]


def test_a_text_is_answered_alike_in_any_company(classifier):
    together = classifier.probabilities(TEXTS)
    alone = np.concatenate([classifier.probabilities([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    turned = classifier.probabilities(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(together, turned, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("eagerly")
def test_small_batches_give_the_same_answers(classifier):
    small = variant(classifier, batch_tokens=16)
    np.testing.assert_allclose(
        small.probabilities(TEXTS), classifier.probabilities(TEXTS), rtol=0, atol=1e-6
    )


def test_a_prediction_names_every_probability(classifier):
    probabilities = classifier.probabilities(TEXTS)
    assert probabilities.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    for row, prediction in zip(probabilities, classifier.predict(TEXTS), strict=True):
        assert list(prediction.scores) == list(LABELS)
        assert list(prediction.scores.values()) == pytest.approx(row)
        assert prediction.score == max(prediction.scores.values())
        assert prediction.scores[prediction.label] == prediction.score
        assert prediction.labels == (prediction.label,)


def test_a_prediction_is_plain_values(classifier):
    (prediction,) = classifier.predict(["a x"])
    values = json.loads(json.dumps(prediction.to_dict()))
    assert Prediction(**{**values, "labels": tuple(values["labels"])}) == prediction


def test_one_text_is_not_a_list_of_texts(classifier):
    with pytest.raises(
        TypeError, match=r"list of texts, got one text: predict\(\['great film'\]\)"
    ):
        classifier.predict("great film")


def test_no_text_has_no_prediction(classifier):
    assert classifier.predict([]) == []
    assert classifier.probabilities([]).shape == (0, 2)
    assert list(classifier.predict_stream([])) == []


def test_any_iterable_of_texts_is_taken(classifier):
    assert classifier.predict(iter(TEXTS)) == classifier.predict(tuple(TEXTS))


def test_an_empty_text_gets_an_answer(classifier):
    first, second = classifier.predict(["", " \n"])
    assert first == second
    assert 0 < first.score < 1


def test_text_that_was_never_seen_gets_an_answer(classifier):
    for prediction in classifier.predict(["我们", "\ud800", "\x00", "x" * 5000]):
        assert sum(prediction.scores.values()) == pytest.approx(1)


# Several labels


@pytest.mark.usefixtures("eagerly")
def test_the_labels_a_text_carries_have_at_least_one_half(classifier):
    several = variant(classifier, multi_label=True)
    predictions = several.predict(TEXTS)
    for prediction in predictions:
        likely_labels = {label for label, p in prediction.scores.items() if p >= 0.5}
        assert set(prediction.labels) == likely_labels
        ordered = [prediction.scores[label] for label in prediction.labels]
        assert ordered == sorted(ordered, reverse=True)
        assert prediction.score == max(prediction.scores.values())
    assert any(sum(p.scores.values()) != pytest.approx(1, abs=1e-3) for p in predictions)


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([0.2, 0.9], ("pos",)), ([0.5, 0.6], ("pos", "neg")), ([0.4, 0.3], ()), ([0.7, 0.7], LABELS)],
)
def test_naming_several_labels(classifier, scores, labels):
    prediction = variant(classifier, multi_label=True)._name(np.array(scores))
    assert prediction.labels == labels
    assert prediction.label == LABELS[int(np.argmax(scores))]


def test_of_equal_scores_the_first_label_is_named(classifier):
    prediction = classifier._name(np.array([0.5, 0.5]))
    assert (prediction.label, prediction.labels) == ("neg", ("neg",))


# Streams


def test_a_stream_gives_each_text_with_its_prediction_in_order(classifier, monkeypatch):
    monkeypatch.setattr(inference, "BLOCK_TEXTS", 3)
    pairs = list(classifier.predict_stream(TEXTS))
    assert [text for text, _ in pairs] == TEXTS
    for (_, streamed), whole in zip(pairs, classifier.predict(TEXTS), strict=True):
        assert streamed.scores == pytest.approx(whole.scores, abs=1e-6)


def test_a_stream_reads_no_further_than_its_block(classifier, monkeypatch):
    monkeypatch.setattr(inference, "BLOCK_TEXTS", 4)
    read = []

    def source():
        for i in range(100):
            read.append(i)
            yield "a x"

    stream = classifier.predict_stream(source())
    assert read == []
    for answered in range(1, 10):
        next(stream)
        assert len(read) == -(-answered // 4) * 4


def test_a_broken_source_breaks_the_stream_after_the_answers_before(classifier, monkeypatch):
    monkeypatch.setattr(inference, "BLOCK_TEXTS", 2)

    def source():
        yield from ["a", "b"]
        raise OSError("gone")

    stream = classifier.predict_stream(source())
    assert [next(stream)[0], next(stream)[0]] == ["a", "b"]
    with pytest.raises(OSError, match="gone"):
        next(stream)


# What was cut


@pytest.mark.usefixtures("eagerly")
def test_what_is_cut_off_is_counted(classifier):
    cutting = variant(classifier, max_length=2)
    lengths = [len(classifier.tokenizer.encode(text)) for text in TEXTS]
    cutting.predict(TEXTS[:3])
    cutting.predict(TEXTS[3:])
    assert cutting.read_tokens == sum(lengths)
    assert cutting.cut_tokens == sum(max(length - 2, 0) for length in lengths) > 0


def test_a_cut_text_is_answered_as_its_beginning(classifier):
    cutting = variant(classifier, max_length=1)
    np.testing.assert_allclose(
        cutting.probabilities(["x y y y"]), classifier.probabilities(["x"]), atol=1e-6
    )


# The scorer


@pytest.mark.usefixtures("eagerly")
def test_the_scorer_tells_how_many_texts_are_done(classifier):
    batch_sizes: list[int] = []
    variant(classifier, batch_tokens=32).probabilities(TEXTS, on_batch=batch_sizes.append)
    assert len(batch_sizes) > 1
    assert sum(batch_sizes) == len(TEXTS)
    assert min(batch_sizes) >= 1


def test_the_scorer_traces_one_graph_for_all_shapes(classifier):
    scorer = Scorer(classifier.model, label_space=classifier.label_space)
    for lengths in ([3], [5, 40], [1, 2, 90]):
        scorer(BatchPlan([np.full(n, 2) for n in lengths], batch_tokens=64))
    assert scorer._scores.experimental_get_tracing_count() == 1


class Table:
    """An object that resembles a table of pandas or polars."""

    columns = ("text", "label")

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", float("nan")], r"got nan \(float\) at place 1; leave missing texts out"),
        (["a", None], r"got None \(NoneType\) at place 1"),
        (["a", b"b"], r"got b'b' \(bytes\) at place 1"),
        ([["a"]], r"got \['a'\] \(list\) at place 0"),
        ({"text": ["a"]}, r'got a dict; pass one column of it, such as predict\(table\["text"\]'),
        (Table(), "got a Table; pass one column of it"),
        (b"a", "got one text"),
        ({"a"}, "got a set, which has no order"),
        (3, "must be a list of texts, got 3"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(classifier, texts, message):
    with pytest.raises(TypeError, match=message):
        classifier.predict(texts)


def test_arrays_and_generators_of_texts_are_lists(classifier):
    for texts in (np.array(["x", "y"]), iter(["x", "y"]), ("x", "y")):
        assert [prediction.label for prediction in classifier.predict(texts)] == ["pos", "neg"]


def test_one_text_alone_must_be_a_string(classifier):
    for call in (
        classifier.prefix_curve,
        lambda text: classifier.predict_early(text, confident=0.9),
    ):
        with pytest.raises(TypeError, match="`text` must be a string, got nan"):
            call(float("nan"))


def test_a_classifier_is_saved_and_not_pickled(finished):
    with pytest.raises(TypeError, match=r"write it by save\(folder\)"):
        pickle.dumps(finished.classifier)
    with pytest.raises(TypeError):
        copy.deepcopy(finished.classifier)
