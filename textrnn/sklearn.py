"""The classifier as an estimator of scikit-learn."""

from __future__ import annotations

import io
import math
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.in_memory import column_values
from textrnn.data.labels import LabelReader, RowError, label_key
from textrnn.errors import DataError

if TYPE_CHECKING:
    from textrnn.inference.classifier import TrainedClassifier

__all__ = ["TextRNNClassifier"]

_DEFAULTS = (
    *("cell", "units", "layers", "bidirectional", "head", "ngrams", "vocab_size", "max_length"),
    *("epochs", "learning_rate", "dropout", "time_budget"),
)
"""The parameters that are settings of textrnn, of which None is the default."""

_NOT_PICKLED = ("tensorboard", ".lock")
"""The parts of a run folder that the model does not need."""


class TextRNNClassifier(ClassifierMixin, BaseEstimator):
    """A recurrent text classifier with the interface of scikit-learn.

    It works in `Pipeline`, `cross_validate` and `GridSearchCV`. X is a list, an array or a column
    of texts; a matrix of one column is read as well. y has one label per text, or is a matrix
    `[N, C]` of 0 and 1, as `MultiLabelBinarizer` makes it. There are no sample weights; the setting
    `class_weights` weights the classes.

    >>> from sklearn.base import clone
    >>> estimator = TextRNNClassifier(cell="lstm", settings={"label_smoothing": 0.1})
    >>> clone(estimator).get_params()["settings"]
    {'label_smoothing': 0.1}

    Args:
        cell: The cell; here and below, None is the default of textrnn.
        units: The number of units of a layer.
        layers: The number of layers.
        bidirectional: Whether texts are read in both directions.
        head: The pooling of the states.
        ngrams: The longest n-grams beside the recurrence; 0: none.
        vocab_size: The largest number of pieces of the tokenizer.
        max_length: The number of tokens at which texts are cut; 0: never.
        epochs: The most passes over the texts.
        learning_rate: The highest learning rate.
        dropout: The dropout rate.
        time_budget: The time that a training may take, such as "90s".
        validation_fraction: The share of the texts that is held out to choose the epoch.
        settings: Any other settings by name; `textrnn config print` lists them.
        random_state: The seed; None draws one from NumPy's global generator.
        verbose: Whether to show messages and progress.

    Attributes:
        classes_: The labels, sorted; for a matrix y the numbers of its columns.
        model_: The `textrnn.TrainedClassifier`; `model_.save(path)` writes a run folder.
        n_iter_: The number of epochs of the training.
    """

    def __init__(
        self,
        *,
        cell: str | None = None,
        units: int | None = None,
        layers: int | None = None,
        bidirectional: bool | None = None,
        head: str | None = None,
        ngrams: int | None = None,
        vocab_size: int | None = None,
        max_length: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        dropout: float | None = None,
        time_budget: str | None = None,
        validation_fraction: float = 0.1,
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.units = units
        self.layers = layers
        self.bidirectional = bidirectional
        self.head = head
        self.ngrams = ngrams
        self.vocab_size = vocab_size
        self.max_length = max_length
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.time_budget = time_budget
        self.validation_fraction = validation_fraction
        self.settings = settings
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> TextRNNClassifier:
        """Trains the classifier.

        Args:
            X: N texts.
            y: N labels, or a matrix `[N, C]` of 0 and 1.

        Returns:
            The estimator itself.

        Raises:
            ValueError: X holds anything but strings, y does not fit, there are too few texts, or
                a setting is unknown or wrong (`textrnn.ConfigError`).
        """
        from textrnn.training.run.fit import fit

        texts = _texts(X)
        labels = self._read_labels(y, len(texts))
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
        given = {name: getattr(self, name) for name in _DEFAULTS}
        chosen = {name: value for name, value in given.items() if value is not None}
        values = {
            "check_labels": False,  # The names of the classes are whatever y has.
            "linear_baseline": False,
            **chosen,
            **(self.settings or {}),
            "multi_label": self._is_matrix,
            "seed": int(seed),
        }
        share, verbose = self.validation_fraction, bool(self.verbose)
        try:
            self.model_: TrainedClassifier = fit(
                texts, labels, validation=share, verbose=verbose, **values
            )
        except DataError as error:
            raise ValueError(str(error)) from error
        self.n_iter_ = int(self.model_.metrics["training"]["epochs"])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Returns the label `[N]` of each text, or a matrix `[N, C]` of 0 and 1."""
        predictions = self._fitted().predict(_texts(X))
        places = {name: place for place, name in enumerate(self._names)}
        if not self._is_matrix:
            labels = [places[prediction.label] for prediction in predictions]
            return np.asarray(self.classes_[np.array(labels, int)])
        matrix = np.zeros([len(predictions), len(self._names)], int)
        for row, prediction in enumerate(predictions):
            matrix[row, [places[name] for name in prediction.labels]] = 1
        return matrix

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text."""
        model = self._fitted()
        columns = [model.labels.index(name) for name in self._names]
        probabilities = model.probabilities(_texts(X))[:, columns].astype(float)
        if self._is_matrix:
            return probabilities
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def decision_function(self, X: Any) -> np.ndarray:
        """Returns the log-odds `[N]` of the second of two labels, or log-probabilities `[N, C]`.

        For a matrix y, these are the log-odds `[N, C]` of each label.
        """
        probabilities = np.clip(self.predict_proba(X), np.finfo(np.float32).tiny, 1.0)
        logs = np.log(probabilities)
        if self._is_matrix:
            return np.asarray(logs - np.log1p(-np.minimum(probabilities, 1.0 - 1e-7)))
        return np.asarray(logs[:, 1] - logs[:, 0] if len(self.classes_) == 2 else logs)

    def _read_labels(self, y: Any, texts: int) -> list[Any]:
        """Returns the names of the labels of each text, and remembers which label each name is.

        Raises:
            ValueError: There is not one label per text, or only one class.
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        self._is_matrix = type_of_target(y).startswith("multilabel")
        if self._is_matrix:
            matrix = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
            self.classes_ = np.arange(matrix.shape[1])
            self._names = tuple(f"label {place}" for place in self.classes_)
            labels: list[Any] = [
                [self._names[place] for place in np.flatnonzero(row)] for row in matrix
            ]
        else:
            check_classification_targets(y)
            self.classes_, places = np.unique(column_or_1d(y, warn=True), return_inverse=True)
            if len(self.classes_) < 2:
                only = self.classes_.tolist()[0]
                raise ValueError(f"expected labels of at least 2 classes, got one class: {only!r}.")
            self._names = _class_names(self.classes_)
            labels = [self._names[place] for place in places]
        if len(labels) != texts:
            raise ValueError(
                f"expected as many labels as texts, got {texts} texts and {len(labels)} labels."
            )
        return labels

    def _fitted(self) -> TrainedClassifier:
        check_is_fitted(self, "model_")
        return self.model_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        # Threads may add in another order in each run.
        tags.non_deterministic = not (self.settings or {}).get("deterministic", False)
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        model = state.pop("model_", None)
        if model is not None:
            state["_run_folder"] = _packed(model.folder)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from textrnn.inference.run_folder import load

        content = state.pop("_run_folder", None)
        super().__setstate__(state)
        if content is None:
            return
        folder = Path(tempfile.mkdtemp(prefix="textrnn-"))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        self.model_ = load(folder)
        weakref.finalize(self.model_, shutil.rmtree, folder, ignore_errors=True)


def _packed(folder: Path) -> bytes:
    """Returns a ZIP archive of the files in a run folder that a model needs."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and name.parts[0] not in _NOT_PICKLED:
                archive.write(path, name)
    return stream.getvalue()


def _texts(X: Any) -> list[str]:
    """Returns the texts of a list, an array, a column, or a matrix of one column.

    Raises:
        ValueError: It is something else, or holds anything but strings.
    """
    if getattr(X, "ndim", 1) == 2 or hasattr(X, "columns"):
        if len(X.shape) != 2 or X.shape[1] != 1:
            raise ValueError(f"expected texts, one column, got a matrix of shape {tuple(X.shape)}.")
        X = np.asarray(X, dtype=object)[:, 0]
    try:
        texts = column_values(X, "X")
    except DataError as error:
        raise ValueError(str(error)) from None
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            missing = isinstance(text, float) and math.isnan(text)
            kind = "a missing value" if text is None or missing else f"a {type(text).__name__}"
            raise ValueError(
                f"expected texts as strings, got {kind} at X[{place}]; write '' for missing texts."
            )
    return texts


def _class_names(classes: np.ndarray) -> tuple[str, ...]:
    """Returns the classes as label names, or numbered names if these would be read differently."""
    numbers = (isinstance(label, float) and label.is_integer() for label in classes.tolist())
    names = tuple(
        str(int(label) if whole else label)
        for label, whole in zip(classes.tolist(), numbers, strict=True)
    )
    reader = LabelReader(ClassifierRunConfig.of(check_labels=False))
    try:
        unchanged = all(reader.read(name) == (name,) for name in names)
    except RowError:
        unchanged = False
    if unchanged and len(set(map(label_key, names))) == len(names):
        return names
    return tuple(f"class {place}" for place in range(len(names)))
