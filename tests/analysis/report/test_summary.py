import numpy as np
import pytest
from reported import tiny_summary

from textrnn.analysis.dynamics.divergence import divergence
from textrnn.analysis.report import summary as summaries
from textrnn.analysis.report.summary import horizon_text, key_figures, tokens_text


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return tiny_summary(tmp_path_factory)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return tiny_summary(tmp_path_factory, cell="none")


def test_key_figures_for_the_card(summary, bag):
    figures = key_figures(summary)
    accuracy = figures["accuracy on 16 texts (<i>letters</i>), with its 95 % interval"]
    assert accuracy.startswith(f"{summary.scored.accuracy.value:.2%} (")
    assert f"{summary.lyapunov.value.largest:+.3f}" in figures.values()
    for direction in ("forward", "backward"):
        name = f"tokens after which half of a state is left, layer 1 {direction}"
        assert name in figures
    assert "largest Lyapunov exponent, nats a token" not in key_figures(bag)


@pytest.mark.thorough
def test_every_recurrence_of_a_pyramid_has_key_figures(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="lstm", layers=2, pyramid=True, head="attention")
    assert len(key_figures(summary)) == 12


def test_an_analysis_that_does_not_work_has_a_reason(bag):
    assert bag.lyapunov.value is None
    assert "bag of embeddings" in bag.lyapunov.reason
    assert bag.redundancy.reason == ""


def test_horizons_and_tokens_as_text():
    assert horizon_text(None, 1280) == "more than 1,280"
    assert horizon_text(6.5788, 128) == "6.58"
    assert tokens_text(1.4427) == "1.44 tokens"
    assert tokens_text(np.inf) == "infinite"


def test_a_changed_token_changes_labels_as_the_run_has_them(tmp_path_factory, monkeypatch):
    calls = []

    def remember(*given, **settings):
        calls.append(settings["label_space"].multi_label)
        return divergence(*given, **settings)

    monkeypatch.setattr(summaries, "divergence", remember)
    tiny_summary(tmp_path_factory, cell="none", multi_label=True, samples=5)
    assert calls == [True]
