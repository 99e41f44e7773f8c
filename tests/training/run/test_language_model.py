"""The training of a language model, from texts to a run folder."""

import dataclasses
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny import QUIET, contents, stop_after

from textrnn.config.data import DataConfig
from textrnn.config.language_model import LanguageModelRunConfig, TextConfig
from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError
from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.training.batches.token_store import TokenStore
from textrnn.training.loop.checkpoints import CHECKPOINTS
from textrnn.training.loop.held_out import HeldOutTexts
from textrnn.training.loop.schedule import Schedule
from textrnn.training.run import language_model
from textrnn.training.run.language_model import pretrain

LINES = ["a b c d e f g h", "b c d e f g h a", "c d e f g h a b"] * 12

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def config(texts: Path, **settings) -> LanguageModelRunConfig:
    training_settings = {"epochs": 2, "streams": 2, "segment": 8, "negatives": 16, "held_out": 0.1}
    shape = {"units": 4, "embedding_units": 4, "layers": 1, "window": 1}
    values = {"text_file": str(texts), "vocab_size": 30, **shape, **training_settings, **settings}
    return LanguageModelRunConfig.of(**values)


def test_it_learns_what_comes_next_and_what_came_before(texts, tmp_path):
    run = tmp_path / "run"
    settings = {"epochs": 40, "learning_rate": 0.03}
    trained = pretrain(config(texts, **settings), run, reporter=QUIET)
    again = run_folder.load_language_model(run)
    for direction in (0, 1):
        likely, unlikely = again.score(["b c d e", "e b d c"], direction=direction)
        assert likely.bits_per_token < unlikely.bits_per_token - 1.0
        repeated, _ = trained.score(["b c d e", "e b d c"], direction=direction)
        assert repeated.log_likelihood == pytest.approx(likely.log_likelihood, abs=1e-4)
    held_out = trained.metrics["held_out"]
    assert held_out["bits_per_token"] < 2.0
    assert held_out["perplexity"] == pytest.approx(2 ** held_out["bits_per_token"])
    assert held_out["unusual_bits_per_token"] >= held_out["bits_per_token"] - 0.5
    assert not (run / CHECKPOINTS).exists()
    assert "# Language model" in (run / "README.md").read_text(encoding="utf-8")
    header = (run / "history.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "bits_per_token_backwards" in header.split(",")


@pytest.mark.thorough
def test_beside_a_bag_it_is_a_language_model_all_the_same(texts, tmp_path):
    settings = {"epochs": 40, "learning_rate": 0.03, "bag_weight": 0.5, "bag_tokens": 3}
    plain = pretrain(config(texts), tmp_path / "plain", reporter=QUIET)
    trained = pretrain(config(texts, **settings), tmp_path / "run", reporter=QUIET)
    likely, unlikely = trained.score(["b c d e", "e b d c"])
    assert likely.bits_per_token < unlikely.bits_per_token - 1.0
    assert trained.model.count_params() == plain.model.count_params()


def test_the_bag_must_fit(texts, tmp_path):
    with pytest.raises(ConfigError, match="`bag_weight` needs `negatives`"):
        config(texts, bag_weight=0.5, negatives=0)
    short = tmp_path / "short.txt"
    short.write_text("a b c\nb c\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"`bag_tokens` must be at most \d, .* got 60"):
        pretrain(config(short, bag_weight=0.5, bag_tokens=60), tmp_path / "run", reporter=QUIET)


def weights(run: Path) -> list[np.ndarray]:
    return run_folder.load_language_model(run).model.get_weights()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.3},
        {"bag_weight": 0.5},
        pytest.param({"precision": "bfloat16"}, marks=pytest.mark.thorough),
    ],
)
def test_an_interrupted_run_comes_to_the_same_bits(texts, tmp_path, settings):
    run_config = config(texts, **settings)
    run_config = dataclasses.replace(
        run_config, model=dataclasses.replace(run_config.model, window=2)
    )
    pretrain(run_config, tmp_path / "whole", reporter=QUIET)
    interrupted = tmp_path / "interrupted"
    for updates, resume in ((5, False), (20, True)):
        with pytest.raises(KeyboardInterrupt):
            pretrain(
                run_config,
                interrupted,
                reporter=QUIET,
                should_stop=stop_after(updates),
                resume=resume,
            )
    pretrain(run_config, interrupted, reporter=QUIET, resume=True)
    for first, second in zip(weights(tmp_path / "whole"), weights(interrupted), strict=True):
        assert np.array_equal(first, second)
    with pytest.raises(ConfigError, match="contains a finished run"):
        pretrain(run_config, interrupted, reporter=QUIET)


@pytest.mark.usefixtures("eagerly")
def test_lost_tokens_are_encoded_again_and_other_texts_are_reported(texts, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        pretrain(config(texts), run, reporter=QUIET, should_stop=stop_after(3))
    (run / CHECKPOINTS / "tokens.json").unlink()
    texts.write_text("h g f e d c b a\n" * 40, encoding="utf-8")
    with pytest.raises(ModelError, match="made with other training data"):
        pretrain(config(texts), run, reporter=QUIET, resume=True)


def test_a_full_disk_is_reported(texts, tmp_path, monkeypatch):
    def write(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TokenStore, "write", write)
    with pytest.raises(DataError, match=r"were not written \(No space left on device\); make"):
        pretrain(config(texts), tmp_path / "run", reporter=QUIET)


def test_what_to_lower_where_memory_is_short_are_its_own_settings(texts, tmp_path, monkeypatch):
    def exhaust(*_, **__):
        raise MemoryError

    monkeypatch.setattr(language_model, "LanguageModelTrainer", exhaust)
    with pytest.raises(ModelError, match=r"^out of memory .*; lower `streams` or `segment`"):
        pretrain(config(texts), tmp_path / "run", reporter=QUIET)


@pytest.mark.usefixtures("eagerly")
def test_an_exploding_loss_is_reported(texts, tmp_path):
    with pytest.raises(ModelError, match="lower `learning_rate`"):
        pretrain(config(texts, learning_rate=1e30), tmp_path / "run", reporter=QUIET)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("rate", [1e4, 1e30])
def test_weights_that_are_useless_at_the_end_are_reported(texts, tmp_path, rate):
    settings = config(texts, epochs=1, streams=1, segment=1000, learning_rate=rate)
    with pytest.raises(ModelError, match="bits a token at the end of epoch 1; lower"):
        pretrain(settings, tmp_path / "run", reporter=QUIET)


@pytest.mark.thorough
def test_a_time_budget_ends_it(texts, tmp_path, monkeypatch):
    monkeypatch.setattr(language_model, "SAVING_SECONDS", 0.0)
    settings = config(texts, epochs=None, time_budget="1h")
    clock = iter(np.arange(0.0, 1e9, 60.0))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    trained = pretrain(settings, tmp_path / "run", reporter=QUIET, started=0.0)
    assert 1 <= trained.metrics["training"]["updates"] < 60
    with pytest.raises(ConfigError, match="used up before training begins"):
        pretrain(settings, tmp_path / "late", reporter=QUIET, started=-3600.0)


def bad_inputs(tmp_path: Path) -> dict[str, LanguageModelRunConfig]:
    late = tmp_path / "late.jsonl"
    late.write_text('{"text": "a b c"}\n' * 5 + '{"no": 1}\n', encoding="utf-8")
    blank = tmp_path / "blank.txt"
    blank.write_text(" \n" * 3, encoding="utf-8")
    single = tmp_path / "single.txt"
    single.write_text("a b c d e\n", encoding="utf-8")
    good = tmp_path / "texts.txt"
    return {
        r"none.txt: expected a file": config(tmp_path / "none.txt"),
        r"late.jsonl:6: expected the key 'text'.*set `text_column` or": config(late),
        r"blank.txt: expected texts, got only blank ones": config(blank),
        r"at least two texts": config(single),
        r"used up before training begins": config(good, time_budget="1ms"),
    }


@pytest.mark.thorough
@pytest.mark.parametrize("unfinished", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_what_is_wrong_is_found_before_a_run_is_replaced(texts, tmp_path, unfinished):
    run = tmp_path / "run"
    if unfinished:
        with pytest.raises(KeyboardInterrupt):
            pretrain(config(texts), run, reporter=QUIET, should_stop=stop_after(2))
    else:
        pretrain(config(texts), run, reporter=QUIET)
    before = contents(run)
    for message, settings in bad_inputs(tmp_path).items():
        with pytest.raises(TextRNNError, match=message):
            pretrain(settings, run, reporter=QUIET, overwrite=True)
        assert contents(run) == before
    trained = pretrain(config(texts), run, reporter=QUIET, resume=unfinished, overwrite=True)
    assert trained.metrics["training"]["epochs"] == 2


@pytest.mark.thorough
def test_measuring_is_timed_on_a_part_of_the_texts_before_the_first_update(
    texts, tmp_path, monkeypatch
):
    monkeypatch.setattr(HeldOutTexts, "estimate_seconds", lambda self, *, reporter: 7.0)
    expected: list[float] = []

    def time_share(self, *, validation):
        expected.append(validation)
        return 1.0

    monkeypatch.setattr(
        Schedule,
        "time_share",
        time_share,
    )
    settings = config(texts, epochs=None, time_budget="1h", held_out=0.5)
    pretrain(settings, tmp_path / "run", reporter=QUIET)
    assert expected == [7.0]


@pytest.mark.usefixtures("eagerly")
def test_a_run_stopped_as_its_time_is_up_is_measured_when_it_is_resumed(
    texts, tmp_path, monkeypatch
):
    run, settings = tmp_path / "run", config(texts, epochs=None, time_budget="1h")
    monkeypatch.setattr(Schedule, "time_share", lambda self, *, validation: 1.0)
    with pytest.raises(KeyboardInterrupt):
        pretrain(settings, run, reporter=QUIET, should_stop=stop_after(1))
    trained = pretrain(settings, run, reporter=QUIET, resume=True)
    assert trained.metrics["training"]["updates"] == 1
    assert trained.metrics["held_out"]["bits_per_token"] > 0.0


def test_wrong_settings_are_reported():
    with pytest.raises(ConfigError, match="either `dataset` or `text_file`"):
        TextConfig(dataset="imdb", text_file="a.txt")
    for name, section in (("text_file", TextConfig), ("unlabelled_file", DataConfig)):
        with pytest.raises(ConfigError, match=f"`{name}` is .* a file, got - for stdin"):
            section(**{name: "-"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="must name a recurrent cell"):
        LanguageModelRunConfig.of(cell="none")
    with pytest.raises(ConfigError, match="`held_out` must be more than 0"):
        LanguageModelRunConfig.of(held_out=0.0)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["write_history", "language_model_card"])
def test_what_only_accompanies_a_training_never_ends_it(texts, tmp_path, monkeypatch, capsys, name):
    def fail(*_, **__):
        raise ValueError("no")

    monkeypatch.setattr(language_model, name, fail)
    pretrain(config(texts, epochs=1), tmp_path / "run", reporter=TerminalReporter())
    assert run_folder.is_complete(tmp_path / "run")
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("warning: ")]) == 1


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_file_may_have_any_name(texts, tmp_path):
    odd = texts.rename(tmp_path / os.fsdecode(b"rev\xff $a_$.txt"))
    run = tmp_path / os.fsdecode(b"run\xff")
    pretrain(config(odd, epochs=1), run, reporter=QUIET)
    assert run_folder.load_language_model(run)
    assert "# Language model: " in (run / "README.md").read_text(encoding="utf-8")
