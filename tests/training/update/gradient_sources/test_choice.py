import numpy as np
import pytest
from tiny import classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.training.update.gradient_sources.choice import choose_source
from textrnn.training.update.gradient_sources.plain import PlainGradients
from textrnn.training.update.gradient_sources.smoothed import SmoothedGradients
from textrnn.training.update.gradient_sources.truncated import TruncatedGradients
from textrnn.training.update.gradient_sources.with_language_model import WithLanguageModel
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.losses import BatchLoss


def choose(*, with_language_model=False, unlabelled_rows=0.0, **settings):
    model = classifier(cell="mingru", bidirectional=False)
    config = ClassifierRunConfig.of(**settings)
    loss = BatchLoss.from_config(
        config,
        label_space=LabelSpace(("a", "b"), multi_label=False),
        mean_rows=4.0,
        unlabelled_rows=unlabelled_rows,
    )
    language_model_loss = None
    if with_language_model:
        language_model_loss = LanguageModelLoss(model, weight=0.5, texts=[], seed=0)
    return choose_source(model, config, loss=loss, language_model_loss=language_model_loss)


@pytest.mark.parametrize(
    ("settings", "source", "draws", "rows"),
    [
        ({}, PlainGradients, 0, 0),
        ({"tbptt": "4,8"}, TruncatedGradients, 0, 0),
        ({"tbptt": "4,8", "tbptt_random": True}, TruncatedGradients, 1, 0),
        ({"adversarial": 0.1}, SmoothedGradients, 0, 0),
        ({"vat": 0.1, "unlabelled_rows": 3.0}, SmoothedGradients, 0, 1),
        ({"entropy": 0.1}, SmoothedGradients, 0, 0),
        ({"with_language_model": True}, WithLanguageModel, 2, 0),
    ],
)
def test_the_settings_choose_the_source_which_states_its_inputs(settings, source, draws, rows):
    chosen = choose(**settings)
    assert isinstance(chosen, source)
    assert (len(chosen.draw_specs), len(chosen.row_specs)) == (draws, rows)


@pytest.mark.parametrize(
    "settings",
    [
        {"tbptt": "4,8", "tbptt_random": True},
        {"with_language_model": True},
    ],
)
def test_draws_are_as_stated_and_repeatable(settings):
    source = choose(**settings)
    for update in range(20):
        draws, again = source.draw([0, update]), source.draw([0, update])
        for spec, values, repeated in zip(source.draw_specs, draws, again, strict=True):
            assert (values.shape, values.dtype) == (tuple(spec.shape), spec.dtype.as_numpy_dtype)
            assert np.array_equal(values, repeated)
    assert len({source.draw([0, update])[-1].tobytes() for update in range(20)}) > 1


@pytest.mark.parametrize("settings", [{"tbptt": "4,8"}, {"vat": 0.1}])
def test_two_sources_at_once_are_an_error(settings):
    with pytest.raises(ConfigError, match="at most one way to compute gradients, got"):
        choose(with_language_model=True, **settings)


@pytest.mark.parametrize("settings", [{}, {"tbptt": "4,8"}])
def test_texts_without_labels_need_a_source_that_reads_them(settings):
    with pytest.raises(ConfigError, match="texts without labels need `vat` or `entropy`"):
        choose(unlabelled_rows=4.0, **settings)
