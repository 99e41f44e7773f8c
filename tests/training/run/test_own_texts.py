"""The language model that reads the training texts first."""

import numpy as np
import pytest
from tiny import labelled_texts, not_none, run_config, write_csv

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.progress import Silent
from textrnn.training.batches.token_store import TokensInMemory
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import (
    CHECKPOINTS,
    OWN_TEXTS,
    Checkpoint,
    Checkpoints,
    TrainingState,
)
from textrnn.training.run import own_texts
from textrnn.training.run.classifier import train
from textrnn.training.run.classifier_run import ClassifierRun
from textrnn.training.run.folder import is_started
from textrnn.training.run.own_texts import language_model_config, reading_seconds
from textrnn.training.run.request import RunRequest
from textrnn.training.run.transfer import write_encoder

pytestmark = pytest.mark.usefixtures("cache", "eagerly")


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "letters.csv", labelled_texts(40))


class Heard(Silent):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def own(data, **settings):
    return run_config(data, **{"cell": "mingru", "window": 2, "pretrain_epochs": 2, **settings})


def model_at_start(config, folder):
    """The classifier before its first update."""
    request = RunRequest(config, folder)
    trainer, _ = ClassifierRun(request, Distribution.choose("single")).prepare()
    return trainer.model


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"cell": "none"}, "a bag of embeddings has no recurrence; or set it to 0"),
        ({"residual": True}, "set `separate_directions`, or 1 layer without `residual`"),
        ({"layers": 2}, "set `separate_directions`, or 1 layer without `residual`"),
        ({"layers": 2, "bidirectional": False, "pyramid": True}, "turn `pyramid` off"),
        ({"vectors": "glove.txt"}, "excludes `vectors`"),
        ({"init_from": "runs/lm"}, "excludes `vectors` and `init_from`"),
    ],
)
def test_what_cannot_start_from_a_language_model_is_refused(settings, reason):
    with pytest.raises(ConfigError, match=reason):
        ClassifierRunConfig.of(pretrain_epochs=1, **settings)


def test_the_language_model_has_the_shape_of_the_classifier(data):
    config = own(data, cell="minlstm", units=5, bidirectional=False, piece_type="bpe", seed=3)
    shape = language_model_config(config)
    assert (shape.model.cell, shape.model.units, shape.model.bidirectional) == ("minlstm", 5, False)
    assert shape.tokenizer == config.tokenizer
    assert (shape.schedule.epochs, shape.runtime.seed) == (2, 3)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_embeddings_and_cells_are_those_of_the_language_model(
    data, tmp_path, monkeypatch, bidirectional
):
    trained = []

    def remembered(*args):
        trained.append(train_it(*args))
        return trained[0]

    train_it = own_texts._train
    monkeypatch.setattr(own_texts, "_train", remembered)
    config = own(data, bidirectional=bidirectional)
    model = model_at_start(config, tmp_path / "own")
    random_start = own(data, bidirectional=bidirectional, pretrain_epochs=0)
    without = model_at_start(random_start, tmp_path / "random")
    (language_model,) = [run.model for run in trained]
    (rnn,) = model.stack.rnns
    layers = [rnn.forward_layer, rnn.backward_layer] if bidirectional else [rnn]
    pairs = [(model.embedding, language_model.embedding)]
    for layer, stack in zip(layers, language_model.stacks, strict=True):
        pairs.append((layer.cell, stack.cells[0]))
    for ours, theirs in pairs:
        for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert np.array_equal(weight, other)
    # What the language model does not give is what it would be without one.
    assert np.array_equal(model.classify.kernel.numpy(), without.classify.kernel.numpy())


def test_the_language_model_learns_from_the_training_texts_alone(data, tmp_path, monkeypatch):
    stores = []

    def remembered(texts, **settings):
        stores.append(of(texts, **settings))
        return stores[0]

    of = TokensInMemory.of
    monkeypatch.setattr(TokensInMemory, "of", remembered)
    heard = Heard()
    config = own(data, pretrain_epochs=9, units=8)
    request = RunRequest(config, tmp_path / "run", reporter=heard)
    trainer, _ = ClassifierRun(request, Distribution.choose("single")).prepare()
    plan = trainer.data.train.plan
    (store,) = stores
    assert len(store.tokens) == plan.total_tokens + len(plan.texts)
    assert len(store.held_out) == len(trainer.data.validation.plan.texts)
    bits = [float(line.split()[2]) for line in heard.lines if "bits a token" in line]
    assert len(bits) == 9
    assert bits == sorted(bits, reverse=True)
    assert len(set(bits)) > 6


@pytest.mark.parametrize(("tokens", "texts"), [(3, 1), (5, 1), (11, 2), (12, 3), (10**9, 3)])
def test_few_texts_choose_its_epoch(data, tmp_path, monkeypatch, tokens, texts):
    held_out = []

    def remembered(*_, **settings):
        held_out.extend(settings["held_out"])
        raise KeyboardInterrupt

    monkeypatch.setattr(TokensInMemory, "of", remembered)
    monkeypatch.setattr(own_texts, "MOST_HELD_OUT", tokens)
    monkeypatch.setattr(own_texts, "_cut", lambda _: [np.ones(length) for length in (5, 6, 1)])
    request = RunRequest(own(data), tmp_path / "run", reporter=Silent())
    with pytest.raises(KeyboardInterrupt):
        ClassifierRun(request, Distribution.choose("single")).prepare()
    assert len(held_out) == texts


def test_a_run_says_what_it_started_from(data, tmp_path):
    trained = not_none(train(own(data), tmp_path / "run"))
    assert textrnn.load(tmp_path / "run").config.start.pretrain_epochs == 2
    assert "a language model that had read the training texts, in 2 epochs" in (
        (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    )
    assert trained.config.start.pretrain_epochs == 2


def test_a_resumed_run_does_not_read_them_again(data, tmp_path, monkeypatch):
    config = own(data, epochs=2)
    whole = not_none(train(config, tmp_path / "whole"))
    given: list[None] = []

    def remembered(weights, model):
        write_encoder(weights, model)
        given.append(None)

    monkeypatch.setattr(own_texts, "write_encoder", remembered)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped", should_stop=lambda: bool(given))
    assert is_started(tmp_path / "stopped")
    monkeypatch.setattr(own_texts, "_train", lambda *_: pytest.fail("it was read again"))
    resumed = not_none(train(config, tmp_path / "stopped", resume=True))
    for ours, theirs in zip(resumed.model.weights, whole.model.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "after", [3, *(pytest.param(n, marks=pytest.mark.thorough) for n in (1, 5))]
)  # It has four updates, and a question at its end.
def test_a_run_that_was_stopped_while_it_reads_ends_with_the_same_bits(data, tmp_path, after):
    config = own(data, epochs=2, pretrain_epochs=4)
    whole = not_none(train(config, tmp_path / "whole"))
    asked: list[None] = []

    def should_stop() -> bool:
        asked.append(None)
        return len(asked) >= after

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped", should_stop=should_stop)
    assert not Checkpoints(tmp_path / "stopped" / CHECKPOINTS).paths()
    assert is_started(tmp_path / "stopped")
    heard = Heard()
    resumed = not_none(train(config, tmp_path / "stopped", resume=True, reporter=heard))
    assert any(line.startswith("resuming after") for line in heard.lines)
    for ours, theirs in zip(resumed.model.weights, whole.model.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())
    assert not (tmp_path / "stopped" / CHECKPOINTS).exists()


def test_of_a_time_budget_it_takes_half(data, tmp_path, monkeypatch):
    class BudgetError(Exception):
        """Carries the budget out of the training."""

    def stop(*_, execution, **__):
        raise BudgetError(execution.budget)

    monkeypatch.setattr(own_texts, "LanguageModelTrainer", stop)
    with pytest.raises(BudgetError) as stopped:
        model_at_start(own(data, time_budget="10h"), tmp_path / "run")
    (budget,) = stopped.value.args
    assert budget.left(0.0) == pytest.approx(5 * 3600, rel=0.01)


def test_the_time_before_an_interruption_counts(tmp_path):
    assert reading_seconds(tmp_path) == 0.0
    checkpoint = Checkpoint(TrainingState(update=3, elapsed=70.0), [], [], "digest")
    Checkpoints(tmp_path / CHECKPOINTS / OWN_TEXTS).save(checkpoint)
    assert reading_seconds(tmp_path) == 70.0
    (damaged,) = (tmp_path / CHECKPOINTS / OWN_TEXTS).iterdir()
    damaged.write_bytes(b"damaged")
    assert reading_seconds(tmp_path) == 0.0


@pytest.mark.parametrize(
    ("settings", "tokens", "texts", "epochs"),
    [
        ({}, 6_000_000, 20_000, 2),
        ({}, 2_000_000, 40_000, 2),
        ({}, 1_999_999, 20_000, 0),
        ({}, 50_000_001, 20_000, 0),
        ({}, 6_000_000, 120_001, 0),
        ({"pretrain_epochs": 0}, 6_000_000, 20_000, None),
        ({"pretrain_epochs": 5}, 6_000_000, 20_000, None),
        ({"cell": "none"}, 6_000_000, 20_000, 0),
        ({"layers": 2}, 6_000_000, 20_000, 0),
        ({"layers": 2, "bidirectional": False}, 6_000_000, 20_000, 2),
        ({"vectors": "glove.txt"}, 6_000_000, 20_000, 0),
        ({"init_from": "runs/lm"}, 6_000_000, 20_000, 0),
        ({"teachers": "runs/a"}, 6_000_000, 20_000, 0),
        ({"time_budget": "479s"}, 6_000_000, 20_000, 0),
        ({"time_budget": "8m"}, 6_000_000, 20_000, 2),
    ],
)
def test_many_long_texts_are_read_first(settings, tokens, texts, epochs):
    config = ClassifierRunConfig.of(**settings)
    assert config.choices(tokens=tokens, texts=texts).get("pretrain_epochs") == epochs
