"""Chooses the text and the label among the features of a TFDS data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError

__all__ = ["element", "features_of", "find_label_key", "find_text_key", "is_list"]


class _Candidates(NamedTuple):
    """The features that may have a role.

    Attributes:
        role: The role, `text` or `label`.
        requested: The feature that the user names; None if they name none.
        usable: The features whose type fits the role.
        likely: The usable features that probably have the role.
    """

    role: str
    requested: str | None
    usable: Sequence[str]
    likely: Sequence[str]


def features_of(builder: Any) -> Any:
    """Returns the features of a data set by their names; none if it has no dictionary of them."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    return features if isinstance(features, tfds.features.FeaturesDict) else {}


def is_list(feature: Any) -> bool:
    """Returns whether the feature is a list of values."""
    import tensorflow_datasets as tfds

    return isinstance(feature, tfds.features.Sequence)


def element(feature: Any) -> Any:
    """Returns the feature of a list's elements, or the feature itself."""
    return feature.feature if is_list(feature) else feature


def find_label_key(features: Any, config: ClassifierRunConfig, *, dataset: str) -> str:
    """Returns the name of the label feature.

    Raises:
        ConfigError: It is unclear which feature is the label, or the feature is a list and
            `config.task.multi_label` is off.
    """
    import tensorflow_datasets as tfds

    usable = [key for key in features if _is_scalar(element(features[key]), "Oiub")]
    likely = [
        key for key in usable if isinstance(element(features[key]), tfds.features.ClassLabel)
    ] or [key for key in usable if key in ("label", "labels")]
    candidates = _Candidates("label", config.data.label_key, usable, likely)
    key = _choose(candidates, features=features, dataset=dataset)
    if is_list(features[key]) and not config.task.multi_label:
        raise ConfigError(
            f"data set {dataset}: expected one label per text, got the feature {key!r} with any "
            "number of labels; set `multi_label=True`."
        )
    return key


def find_text_key(
    features: Any, config: ClassifierRunConfig, *, dataset: str, label_key: str
) -> str:
    """Returns the name of the text feature.

    Raises:
        ConfigError: It is unclear which feature is the text.
    """
    import tensorflow_datasets as tfds

    usable = [key for key in features if key != label_key and _is_scalar(features[key], "O")]
    likely = [key for key in usable if isinstance(features[key], tfds.features.Text)] or usable
    candidates = _Candidates("text", config.data.text_key, usable, likely)
    return _choose(candidates, features=features, dataset=dataset)


def _is_scalar(feature: Any, kinds: str) -> bool:
    """Returns whether the feature is one value of these NumPy kinds (O is a string)."""
    import numpy as np
    import tensorflow_datasets as tfds

    return (
        isinstance(feature, tfds.features.Tensor)
        and feature.shape == ()
        and np.dtype(feature.np_dtype).kind in kinds
    )


def _choose(candidates: _Candidates, *, features: Any, dataset: str) -> str:
    role, requested, usable, likely = candidates
    if requested is None and len(likely) == 1:
        return likely[0]
    if requested is not None and requested in usable:
        return requested
    choices = usable if requested is not None or not likely else likely
    remedy = f"its features are {', '.join(features) or 'none'}; use another data set."
    if choices:
        remedy = f"set `{role}_key` to one of {', '.join(choices)}."
    raise ConfigError(
        f"data set {dataset}: expected one feature that can be the {role}, got "
        f"{requested or ', '.join(likely) or 'none'}; {remedy}"
    )
