"""Where trainings are carried out; tests/cluster has those on a real cluster."""

import sys

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.training.search.placement import Placement
from textrnn.training.search.runner import OneByOne

CONFIG = ClassifierRunConfig()


def test_without_a_cluster_one_training_follows_the_other():
    with Placement(workers=3).runner(CONFIG) as runner:
        assert isinstance(runner, OneByOne)
        assert runner.parallel == 1


def test_a_wrong_address_is_an_error():
    with pytest.raises(ConfigError, match="`cluster` must be auto, local or ray://HOST:PORT"):
        Placement(cluster="here").runner(CONFIG)


def test_the_missing_package_is_named_before_anything_is_done(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'textrnn\[ray\]'"):
        Placement(cluster="local").runner(CONFIG)
