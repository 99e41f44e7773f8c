"""The reference of the Python interface: every public name, from its docstring."""

import functools

import textrnn

GROUPS = {
    "functions": (
        "Functions",
        "What the commands do. They return objects, and print nothing unless they get a reporter.",
        "fit train pretrain evaluate decide explain compare report load load_language_model",
    ),
    "models": (
        "Trained models",
        "What `fit`, `train` and `load` return, and what these models answer.",
        "TrainedClassifier TrainedLanguageModel Ensemble Predictions Prediction Stream Likelihood "
        "DecisionRule Tokenizer",
    ),
    "layers": (
        "Keras layers",
        "They work in any Keras model. Shapes: B texts, T steps, E inputs, H units, C classes.",
        "RNN Bidirectional RNNStack LastState MeanPooling MaxPooling AttentionPooling NGramLogits "
        "TextClassifier LanguageModel",
    ),
    "cells": (
        "Cells",
        "A cell is one step of a recurrence.",
        "RNNCell NonlinearRNNCell LinearRNNCell SimpleRNNCell GRUCell LSTMCell MinGRUCell "
        "MinLSTMCell",
    ),
    "settings": (
        "Settings and errors",
        "The sections of the settings ([all settings](../settings.md)), and the errors.",
        "ClassifierRunConfig LanguageModelRunConfig TextRNNError ConfigError DataError ModelError",
    ),
}
"""The title, a sentence and the names of each page."""

MODULES = {
    "export": ("textrnn.export.run.export", "textrnn.export.options.ExportOptions"),
    "sklearn": ("textrnn.sklearn.TextRNNClassifier",),
    "runtime": (
        "textrnn.runtime.load",
        "textrnn.runtime.load_language_model",
        "textrnn.runtime.RuntimeModel",
        "textrnn.runtime.RuntimeLanguageModel",
    ),
}
"""Objects of public modules, which have a page each."""


@functools.cache
def pages() -> dict[str, str]:
    """Returns the pages: an overview, one per group and one per public module.

    Returns:
        The Markdown of each page, by its path in the site.

    Raises:
        ValueError: A public name is on no page, or on two.
    """
    named = [name for _, _, names in GROUPS.values() for name in names.split()]
    if sorted([*named, "export"]) != sorted(textrnn.__all__):
        raise ValueError("python_api.GROUPS differs from textrnn.__all__")
    overview = (
        "# Python\n\n[In Python](../python.md) is an introduction.\n\n| page | names |\n|---|---|\n"
    )
    made = {"api/index.md": ""}
    for page, (title, about, names) in GROUPS.items():
        made[f"api/{page}.md"] = f"# {title}\n\n{about}\n" + "".join(
            f"\n::: textrnn.{name}\n" for name in names.split()
        )
        listed = ", ".join(f"`{name}`" for name in names.split())
        overview += f"| [{title}]({page}.md) | {listed} |\n"
    for page, names in MODULES.items():
        made[f"api/{page}.md"] = f"# textrnn.{page}\n" + "".join(f"\n::: {n}\n" for n in names)
        listed = ", ".join(f"`{name.rpartition('.')[2]}`" for name in names)
        overview += f"| [textrnn.{page}]({page}.md) | {listed} |\n"
    made["api/index.md"] = overview
    return made
