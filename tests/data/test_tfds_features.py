"""The choice of the text and the label among the features of a data set."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.tfds_features import element, find_label_key, find_text_key, is_list
from textrnn.errors import ConfigError

TEXT = tfds.features.Text()
LABEL = tfds.features.ClassLabel(names=["a", "b"])
NUMBER = tfds.features.Scalar(np.float32)


def test_the_only_class_is_the_label_and_the_only_text_is_the_text():
    features = {"id": tfds.features.Scalar(np.int64), "review": TEXT, "stars": LABEL}
    assert find_label_key(features, ClassifierRunConfig(), dataset="d") == "stars"
    assert (
        find_text_key(features, ClassifierRunConfig(), dataset="d", label_key="stars") == "review"
    )


def test_without_classes_a_feature_named_label_is_the_label():
    features = {"id": tfds.features.Scalar(np.int64), "label": tfds.features.Scalar(np.int64)}
    assert find_label_key(features, ClassifierRunConfig(), dataset="d") == "label"


def test_two_candidates_need_a_choice():
    features = {"first": TEXT, "second": TEXT, "label": LABEL}
    with pytest.raises(ConfigError, match="got first, second; set `text_key` to one of first,"):
        find_text_key(features, ClassifierRunConfig(), dataset="d", label_key="label")
    config = ClassifierRunConfig.of(dataset="d", text_key="second")
    assert find_text_key(features, config, dataset="d", label_key="label") == "second"


def test_a_data_set_without_a_text_lists_its_features():
    with pytest.raises(ConfigError, match="got none; its features are x; use another data set"):
        find_text_key({"x": NUMBER}, ClassifierRunConfig(), dataset="d", label_key="label")


def test_a_list_of_labels_needs_multi_label():
    features = {"labels": tfds.features.Sequence(LABEL)}
    assert is_list(features["labels"])
    assert element(features["labels"]) is element(LABEL) is LABEL
    with pytest.raises(
        ConfigError, match=r"expected one label per text, .* set `multi_label=True`"
    ):
        find_label_key(features, ClassifierRunConfig(), dataset="d")
    assert (
        find_label_key(features, ClassifierRunConfig.of(multi_label=True), dataset="d") == "labels"
    )
