import json
from types import SimpleNamespace

import pytest

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference import run_folder
from textrnn.inference.run_files import CONFIG, read_settings

METRICS = {"held_out": {"bits_per_token": 2.0, "perplexity": 4.0}}


@pytest.fixture
def fake(fake_pretrain):
    fake_pretrain.act = lambda **_: SimpleNamespace(metrics=METRICS)
    return fake_pretrain


def test_a_run_from_a_file(pretrained):
    printed = json.loads(pretrained.stdout)
    assert printed["run"] == "runs/plain_lm"
    assert printed["held_out"]["bits_per_token"] > 0
    config = read_settings(pretrained.folder / CONFIG, LanguageModelRunConfig)
    assert config.data.text_file == str(pretrained.texts)
    assert (config.model.units, config.batches.streams) == (3, 2)


def test_the_figures_are_lines(textrnn, fake, pretrained):
    result = textrnn("pretrain", "--text-file", pretrained.texts, "--output", "lm")
    assert result.stdout == (
        "2.0000 bits per token, perplexity 4.0, on held-out texts\nrun folder lm\n"
    )


def test_the_next_commands_follow_the_results_unless_a_program_reads(textrnn, fake):
    lines = textrnn("pretrain", "--output", "lm").stderr.splitlines()
    assert "next: textrnn train --init-from lm --train-file labelled.csv" in lines
    assert "next:" not in textrnn("pretrain", "--output", "lm", "--json").stderr


def test_a_run_s_own_settings_repeat_it(textrnn, fake, pretrained):
    textrnn("pretrain", "--config", pretrained.folder / CONFIG, "--output", "again")
    assert fake.config == read_settings(pretrained.folder / CONFIG, LanguageModelRunConfig)
    assert str(fake.folder) == "again"


@pytest.mark.parametrize("typed", [(), ("--dataset", "bbc_news")])
def test_without_data_it_is_the_bundled_data_set(textrnn, fake, typed):
    textrnn("pretrain", *typed)
    assert fake.config.data.dataset == "bbc_news"
    assert str(fake.folder) == "runs/bbc_news_lm"


def test_typed_data_replace_those_of_the_file(textrnn, fake, pretrained):
    textrnn("pretrain", "--config", pretrained.folder / CONFIG, "--dataset", "imdb")
    assert (fake.config.data.dataset, fake.config.data.text_file) == ("imdb", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text-file", "none.txt"], "none.txt: expected a file, got none"),
        (["--cell", "none"], "--cell must name a recurrent cell"),
        (["--resume", "--output", "nowhere"], "nowhere/checkpoints: nothing to resume from"),
    ],
)
def test_an_error_is_one_line(textrnn, arguments, message):
    last = textrnn("pretrain", *arguments, code=1).stderr.splitlines()[-1]
    assert last.startswith("textrnn: ")
    assert message in last


def test_resume_and_overwrite_exclude_each_other(textrnn):
    assert "exclude each other" in textrnn("pretrain", "--resume", "--overwrite", code=2).stderr


def test_a_run_resumes_with_its_own_settings(textrnn, home, fake):
    config = LanguageModelRunConfig.of(dataset="imdb", units=7)
    run_folder.begin(home / "lm", config)
    textrnn("pretrain", "--resume", "--output", "lm")
    assert (fake.config, fake.options["resume"]) == (config, True)
    (home / "other.yaml").write_text("schedule: {epochs: 9}")
    for other_run in (["--config", "other.yaml"], ["--units", "9"]):
        result = textrnn("pretrain", "--resume", *other_run, "--output", "lm", code=1)
        assert "a run resumes only with unchanged settings" in result.stderr


def test_an_interrupted_run_says_how_it_resumes(textrnn, home, fake):
    def interrupt(**_):
        (home / "lm" / "checkpoints").mkdir(parents=True)
        (home / "lm" / "checkpoints" / "update-1.npz").touch()
        raise KeyboardInterrupt

    fake.act = interrupt
    result = textrnn("pretrain", "--output", "lm", code=130)
    assert result.stderr == (
        "saved; continue with: textrnn pretrain --resume --output lm\ntextrnn: interrupted\n"
    )
