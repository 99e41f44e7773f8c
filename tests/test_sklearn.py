"""The estimator of scikit-learn, in the ways that scikit-learn's users use it."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MultiLabelBinarizer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data
from tiny import MODEL, TRAINING, labelled_texts

import textrnn
from textrnn.sklearn import TextRNNClassifier

SETTINGS: dict[str, Any] = {**MODEL, **TRAINING, "vocab_size": 300, "epochs": 3}
SETTINGS["deterministic"] = False
del SETTINGS["seed"]
TEXTS, LABELS = map(list, zip(*labelled_texts(40), strict=True))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, eagerly) -> None:
    """Keeps the tokenizers and drawings of these tests apart."""
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("textrnn.training.run.classifier_run.draw_curves", lambda *_, **__: None)


def estimator(**more: Any) -> TextRNNClassifier:
    return TextRNNClassifier(**{"settings": SETTINGS, "random_state": 0, **more})


@pytest.mark.thorough
def test_it_predicts_the_labels_as_they_were_given():
    numbers = np.where(np.array(LABELS) == "pos", 7, 3)
    fitted = estimator().fit(np.array(TEXTS, dtype=object), numbers)
    assert fitted.classes_.tolist() == [3, 7]
    predicted = fitted.predict(["a x", "y b"])
    assert predicted.tolist() == [7, 3]
    assert predicted.dtype == numbers.dtype
    assert fitted.score(TEXTS, numbers) == 1.0
    assert fitted.model_.labels == ("3", "7")
    assert fitted.n_iter_ == 3
    probabilities = fitted.predict_proba(TEXTS)
    assert probabilities.shape == (40, 2)
    assert np.allclose(probabilities.sum(axis=1), 1.0)
    assert ((fitted.decision_function(TEXTS) > 0) == (fitted.predict(TEXTS) == 7)).all()
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(TEXTS), probabilities)
    assert pickle.loads(pickle.dumps(estimator())).settings == SETTINGS


@pytest.mark.process
def test_it_is_pickled_with_its_run_folder(tmp_path):
    fitted = estimator().fit(TEXTS, LABELS)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    script = (
        "import pickle, sys; fitted = pickle.load(open(sys.argv[1], 'rb')); "
        "print(*fitted.predict(['a x', 'y b']), *fitted.classes_)"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "model.pickle")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["pos", "neg", "neg", "pos"]


@pytest.mark.thorough
def test_a_search_varies_its_parameters_and_its_settings():
    others = {name: value for name, value in SETTINGS.items() if name not in ("ngrams", "epochs")}
    grid = {"ngrams": [0, 1], "settings": [{**others, "epochs": 1}]}
    search = GridSearchCV(estimator(), grid, cv=2).fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(["a x"]).shape == (1,)


@pytest.mark.thorough
def test_it_is_cross_validated_in_a_pipeline():
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, estimator())
    scores = cross_validate(pipeline, TEXTS, LABELS, cv=2, scoring=["accuracy", "neg_log_loss"])
    assert scores["test_accuracy"].shape == (2,)


@pytest.mark.thorough
def test_a_matrix_of_labels_is_predicted_as_one():
    names = [[c for c in "xy" if c in text] + (["a"] if "a" in text else []) for text in TEXTS]
    matrix = MultiLabelBinarizer().fit_transform(names)
    fitted = estimator(settings={**SETTINGS, "epochs": 8, "learning_rate": 0.2})
    fitted.fit(TEXTS, matrix)
    assert fitted.classes_.tolist() == [0, 1, 2]
    predicted = fitted.predict(TEXTS)
    assert predicted.shape == matrix.shape
    assert (predicted == matrix).mean() > 0.8
    assert ((fitted.predict_proba(TEXTS) >= 0.5) == predicted).all()


@pytest.mark.thorough
def test_labels_that_would_be_read_differently_are_numbered():
    odd = np.where(np.array(LABELS) == "pos", ' "a" ', "a")
    fitted = estimator(settings={**SETTINGS, "epochs": 1}).fit(TEXTS, odd)
    assert fitted.model_.labels == ("class 0", "class 1")
    assert set(fitted.predict(TEXTS)) <= {' "a" ', "a"}


def test_it_is_cloned_with_its_parameters_only():
    given = estimator(units=3, verbose=1)
    copy = clone(given)
    assert copy.get_params() == given.get_params()
    assert copy.set_params(units=5).units == 5
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)


def test_the_tags_say_that_it_reads_texts():
    tags = estimator().__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.classifier_tags.multi_label
    assert tags.non_deterministic


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("a text", ["pos"], "must be a list, got one text"),
        ([*TEXTS[:-1], 5], LABELS, r"expected texts as strings, got a int at X\[39\]"),
        ([None, *TEXTS[1:]], LABELS, r"got a missing value at X\[0\]; write ''"),
        (np.zeros([40, 3]), LABELS, r"one column, got a matrix of shape \(40, 3\)"),
        (TEXTS, LABELS[1:], "got 40 texts and 39 labels"),
        (TEXTS, None, "requires y to be passed, but the target y is None"),
        (TEXTS, ["pos"] * 40, "at least 2 classes, got one class: 'pos'"),
        (TEXTS, np.linspace(0, 1, 40), "Unknown label type: continuous"),
        (["a", "b"], ["pos", "neg"], "expected more rows than labels"),
    ],
)
def test_what_is_no_data_is_a_value_error(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        estimator().fit(texts, labels)


def test_an_unknown_setting_is_an_error():
    with pytest.raises(textrnn.ConfigError, match="unknown setting unit; did you mean units"):
        estimator(settings={"unit": 3}).fit(TEXTS, LABELS)


class NumbersAsTexts(TextRNNClassifier):
    """Turns each row of numbers into a text, because scikit-learn's checks know no texts."""

    def fit(self, X, y):
        if y is not None:
            X, y = validate_data(self, X, y, multi_output=True)
        return super().fit(self._words(X), y)

    def predict(self, X):
        self._fitted()
        return super().predict(self._words(validate_data(self, X, reset=False)))

    def predict_proba(self, X):
        self._fitted()
        return super().predict_proba(self._words(validate_data(self, X, reset=False)))

    def decision_function(self, X):
        self._fitted()
        return super().decision_function(X)  # By way of `predict_proba`.

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags

    @staticmethod
    def _words(X):
        return [
            " ".join(
                f"{'ab'[int(value < 0)]}{place}x{abs(round(2 * value))}"
                for place, value in enumerate(row)
            )
            for row in X
        ]


@pytest.mark.slow
@parametrize_with_checks(
    [
        NumbersAsTexts(
            settings={**SETTINGS, "epochs": 6, "piece_type": "word", "deterministic": True},
            validation_fraction=0.2,
            random_state=0,
        )
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
