"""The examples in the docstrings are run."""

import doctest
import importlib

import pytest
from test_imports import FILES

from textrnn import layers

WITH_EXAMPLES = [
    module for module, path in FILES.items() if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_give_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for example in doctest.DocTestFinder().find(module, name):
        runner.run(example, out=report.append)
    assert runner.tries, "no example was found"
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", sorted(set(layers.__all__) - {"LSTMState"}))
def test_every_public_layer_and_model_has_an_example(name: str) -> None:
    assert ">>> " in getattr(layers, name).__doc__
