import contextlib

import keras
import numpy as np
import pytest
from tiny import BATCHES, QUIET, classifier, fit, stop_after, trainer

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.progress import Silent
from textrnn.training.loop.schedule import TimeBudget

# When it goes wrong, and is helped


class Messages(Silent):
    """A quiet reporter that remembers."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


def poison(model, *, update: int, factor: float):
    """A `should_stop` that never stops, but spoils the weights once, before this update."""
    calls = iter(range(10**6))

    def look() -> bool:
        if next(calls) == update:
            model.set_weights([factor * weight for weight in model.get_weights()])
        return False

    return look


def test_a_training_that_went_astray_goes_back_with_half_the_rate(tmp_path):
    model, messages = classifier(), Messages()
    spoil = poison(model, update=BATCHES + 2, factor=np.nan)
    ours = trainer(tmp_path, model=model, should_stop=spoil, on_nan="rollback")
    state = ours.fit(reporter=messages)
    assert [row["epoch"] for row in state.history] == [1, 2, 3]
    assert (state.update, state.rate_scale) == (3 * BATCHES, 0.5)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert messages.texts == [
        "the loss is nan in batch 3 of epoch 2; back to update 7 with the learning rate 0.025"
    ]


def test_it_is_resumed_from_the_last_checkpoint_too(tmp_path):
    model = classifier()
    spoil = poison(model, update=BATCHES + 2, factor=np.nan)
    with pytest.raises(ModelError, match=r"or resume with `on_nan` rollback, which halves"):
        fit(trainer(tmp_path, model=model, should_stop=spoil))
    again = trainer(tmp_path, on_nan="rollback")
    again.resume(QUIET)
    assert (again.state.epoch, again.state.batch) == (1, 0)
    assert all(np.isfinite(weight).all() for weight in again.model.get_weights())


def test_a_loss_that_explodes_is_noticed(tmp_path):
    model = classifier()
    spoil = poison(model, update=3, factor=1e4)
    message = r"^the loss has exploded to \S+ nats a text in batch 4 of epoch 1; lower"
    with pytest.raises(ModelError, match=message):
        fit(trainer(tmp_path, model=model, should_stop=spoil))


@pytest.mark.thorough
def test_a_training_that_always_goes_astray_is_given_up(tmp_path):
    ours = trainer(tmp_path, learning_rate=1e30, warmup=0.0, on_nan="rollback")
    with pytest.raises(ModelError, match=r"lower `learning_rate` \(now 9\.\d+e\+26\)"):
        fit(ours)


@contextlib.contextmanager
def full_disk():
    """No file can become larger than a few bytes."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_reported_and_training_continues(tmp_path):
    messages = Messages()
    with full_disk():
        state = trainer(tmp_path, epochs=2).fit(reporter=messages)
    assert state.epoch == 2
    assert len(messages.texts) == 2
    assert "checkpoints: the checkpoint was not written (File too large)" in messages.texts[0]


def test_an_interruption_with_a_full_disk_is_an_error(tmp_path):
    ours = trainer(tmp_path, should_stop=stop_after(2))
    with full_disk(), pytest.raises(ModelError, match=r"not written \(File too large\); make room"):
        fit(ours)


# Averages, callbacks, time


class Record(keras.callbacks.Callback):
    """Records the calls by Keras, and the weights after each update."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.weights: list[list[np.ndarray]] = []
        self.logs: list[dict[str, float]] = []
        self.rates: list[float] = []

    def on_train_begin(self, logs=None):
        self.events.append("begin")
        self.weights.append(self.model.get_weights())

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(f"batch {batch}")
        self.weights.append(self.model.get_weights())
        assert set(logs) == {"loss", "accuracy"}

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(f"end {epoch}")
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.events.append("end")


def test_callbacks_are_reported_as_by_keras(tmp_path):
    record = Record()
    history = fit(trainer(tmp_path, epochs=2), callbacks=[record])
    batches = [f"batch {batch}" for batch in range(BATCHES)]
    expected = ["begin", "epoch 0", *batches, "end 0", "epoch 1", *batches, "end 1", "end"]
    assert record.events == expected
    assert [logs["val_loss"] for logs in record.logs] == [row["valid_loss"] for row in history]
    assert max(record.rates) == pytest.approx(0.05)
    assert record.rates[2:] == sorted(record.rates[2:], reverse=True)


def test_a_callback_of_keras_ends_the_training(tmp_path):
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=9.9, patience=1)
    assert len(fit(trainer(tmp_path, epochs=9), callbacks=[stopping])) == 2


def test_the_average_of_the_weights_is_measured_and_kept(tmp_path):
    record = Record()
    ours = trainer(tmp_path, epochs=1, ema=0.6, learning_rate=0.1)
    (row,) = fit(ours, callbacks=[record])
    average = record.weights[0]
    for t, weights in enumerate(record.weights[1:]):
        momentum = min(0.6, t / (9 + t))
        pairs = zip(average, weights, strict=True)
        average = [momentum * first + (1 - momentum) * second for first, second in pairs]
    for first, second in zip(average, ours.model.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
    plain = classifier()
    plain.set_weights(average)
    measured = trainer(tmp_path / "other", model=plain)
    ours.model.set_weights(record.weights[-1])
    probabilities = measured.probabilities(ours.valid.plan, name="")
    loss = -np.log((probabilities * ours.valid.targets).sum(axis=1)).mean()
    assert row["valid_loss"] == pytest.approx(loss, rel=1e-4)


def test_training_ends_when_the_time_is_used_up(tmp_path, monkeypatch):
    now = iter(range(10**6))
    monkeypatch.setattr("textrnn.training.loop.schedule.time.monotonic", lambda: float(next(now)))
    budget = TimeBudget(100.0, 0.0, lambda validation: 10.0)
    record = Record()
    ours = trainer(tmp_path, epochs=None, budget=budget)
    state = ours.fit(callbacks=[record])
    assert ours.epochs is None
    assert state.time_share == 1.0
    assert 10 < state.update < 90
    assert state.batch == 0, "the last epoch, though cut short, was measured"
    assert len(state.history) == state.epoch
    assert record.rates[-1] < 0.1 * max(record.rates)


def test_no_epoch_begins_when_a_validation_has_used_up_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("textrnn.training.loop.schedule.time.monotonic", lambda: now[0])
    ours = trainer(tmp_path, epochs=None, budget=TimeBudget(100.0, 0.0, lambda validation: 10.0))
    validate = ours._validate

    def slowly(reporter):
        row = validate(reporter)
        now[0] += 60.0
        return row

    monkeypatch.setattr(ours, "_validate", slowly)
    state = ours.fit()
    assert (state.epoch, state.time_share) == (2, 1.0)
    assert state.history[-1]["progress"] < 1.0


# Truncated back-propagation through time


@pytest.mark.thorough
@pytest.mark.parametrize(
    "more",
    [
        {},
        *(
            pytest.param(more, marks=pytest.mark.thorough)
            for more in ({"tbptt_random": True}, {"accumulate": 2, "ema": 0.5})
        ),
    ],
)
def test_it_learns_in_segments_too(tmp_path, more):
    model = classifier(cell="mingru", bidirectional=False, window=2, dropout=0.1)
    ours = trainer(
        tmp_path, model=model, epochs=9, learning_rate=0.1, patience=0, tbptt="2,4", **more
    )
    history = fit(ours)
    assert history[0]["train_loss"] > 0.5
    assert history[-1]["valid_accuracy"] == 1.0


@pytest.mark.thorough
def test_one_long_segment_makes_the_same_updates(tmp_path):
    settings = {"cell": "gru", "bidirectional": False, "head": "mean"}
    plain = trainer(tmp_path / "plain", model=classifier(**settings))
    expected = fit(plain)
    ours = trainer(tmp_path / "ours", model=classifier(**settings), tbptt="4,8")
    for row, second in zip(fit(ours), expected, strict=True):
        assert row == pytest.approx(second, rel=1e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("cell", ["mingru", pytest.param("lstm", marks=pytest.mark.slow)])
def test_a_compiled_update_trains_to_the_same_weights(tmp_path, cell):
    trained = []
    for jit in ("off", "on"):
        model, messages = classifier(cell=cell), Messages()
        ours = trainer(tmp_path / jit, model=model, jit=jit, epochs=1)
        ours.fit(reporter=messages)
        trained.append(model.get_weights())
        assert messages.texts == ["XLA compiles the update (asked for)"][: jit == "on"]
    for plain, compiled in zip(*trained, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-3, atol=1e-5)


def test_a_bidirectional_model_cannot_be_trained_in_segments(tmp_path):
    with pytest.raises(
        ConfigError, match="`bidirectional` must be off to read a text piece by piece"
    ):
        trainer(tmp_path, model=classifier(cell="gru"), tbptt="2,2")


@pytest.mark.parametrize("text", ["", "256", "256,", "0,0", "3,4", "8,4", "a,b", "1,2,3"])
def test_segments_must_be_two_numbers(text):
    with pytest.raises(ConfigError, match=r"`tbptt` must be K1,K2 with K2 a multiple of K1"):
        ClassifierRunConfig.of(tbptt=text)


# Losses for rare classes


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("loss", "source"),
    [("focal", {}), ("logit-adjusted", {"adversarial": 0.02})],
    ids=["plain", "adversarial"],
)
def test_every_gradient_source_learns_by_every_loss(tmp_path, loss, source):
    history = fit(trainer(tmp_path, loss=loss, **source))
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["valid_accuracy"] > 0.8


@pytest.mark.thorough
def test_segments_learn_by_every_loss(tmp_path):
    model = classifier(cell="mingru", bidirectional=False)
    ours = trainer(tmp_path, model=model, loss="logit-adjusted", epochs=8, tbptt="4,4")
    history = fit(ours)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["valid_accuracy"] > 0.8


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_several_labels_are_learned_by_the_focal_loss(tmp_path):
    history = fit(trainer(tmp_path, loss="focal", multi_label=True))
    assert history[-1]["train_loss"] < history[0]["train_loss"]
