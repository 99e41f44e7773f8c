"""`textrnn pretrain`, `textrnn score`, and a training that begins with what they made."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from textrnn.cli.main import main
from textrnn.config.language_model import PretrainConfig
from textrnn.inference import run_folder
from textrnn.training.run import classifier as running

TEXTS = ["a b c d e f", "b c d e f a", "x y x y"] * 10
TINY = (
    *("--units", "3", "--embedding-units", "4", "--layers", "2", "--window", "1"),
    *("--vocab-size", "40", "--streams", "2", "--segment", "8", "--negatives", "8"),
    *("--epochs", "2", "--held-out", "0.1"),
)


@pytest.fixture
def texts(home: Path) -> Path:
    path = home / "plain.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a language model, which tests must leave as it is."""
    folder = tmp_path_factory.mktemp("language_model")
    (folder / "plain.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    command = ["pretrain", "--text-file", str(folder / "plain.txt"), *TINY]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTRNN_CACHE_DIR", str(folder / "cache"))
        result = CliRunner().invoke(main, [*command, "--output", str(folder / "lm")])
    assert result.exit_code == 0, result.output
    return folder / "lm"


@pytest.fixture
def pretrained(language_model: Path, home: Path, eagerly: None) -> Path:
    """A copy of it in the folder that commands are called in, without graphs."""
    shutil.copytree(language_model, home / "lm")
    return Path("lm")


def test_pretrain_score_and_begin_a_classifier_with_it(textrnn, pretrained, data):
    result = textrnn("score", pretrained, "a b c", "", "c a b")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[-1] for line in lines] == ["a b c", "", "c a b"]
    assert all(float(line[0]) < 0 < float(line[1]) for line in lines)

    result = textrnn("score", pretrained, "--per-token", "a b")
    scored = json.loads(result.stdout)
    assert sum(scored["log_probabilities"]) == pytest.approx(scored["log_likelihood"], abs=1e-4)
    assert len(scored["log_probabilities"]) == len(scored["pieces"]) + 1 == scored["tokens"] + 1

    more = ("--epochs", "1", "--layer-rate", "0.5", "--unfreeze", "0.2", "--output", "run")
    result = textrnn("train", "--train-file", data, "--init-from", pretrained, *more)
    assert "beginning with the language model lm" in result.stderr
    config = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
    assert (config["model"]["units"], config["model"]["towers"]) == (3, True)
    assert (config["model"]["dropout"], config["model"]["word_dropout"]) == (0.3, 0.1)
    assert Path("run/tokenizer.model").read_bytes() == Path("lm/tokenizer.model").read_bytes()

    result = textrnn("predict", "run", "--with-likelihood", "--json", "a x", "q q q q")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(answer["bits_per_token"] > 0 for answer in answers)
    assert {answer["unusual"] for answer in answers} <= {True, False}
    result = textrnn("predict", "run", "--language-model", "lm", "a x")
    assert " bits" in result.stdout


def test_the_dropouts_of_a_config_file_stay(textrnn, pretrained, data):
    Path("own.yaml").write_text(f"training: {{init_from: {pretrained}}}", encoding="utf-8")
    more = ("--train-file", data, "--epochs", "1", "--dropout", "0.4", "--output", "run")
    textrnn("train", "--config", "own.yaml", *more)
    config = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
    assert (config["model"]["dropout"], config["model"]["word_dropout"]) == (0.4, 0.2)


def test_json_and_config(textrnn, texts):
    result = textrnn("pretrain", "--text-file", texts, *TINY, "--json")
    found = json.loads(result.stdout)
    assert found["run"] == str(Path("runs/plain_lm"))
    assert found["held_out"]["bits_per_token"] > 0
    config = Path("runs/plain_lm/config.yaml")
    again = textrnn("pretrain", "--config", config, "--output", "again", "--json")
    assert json.loads(again.stdout)["held_out"] == found["held_out"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pretrain", "--text-file", "none.txt"], "none.txt"),
        (["pretrain", "--cell", "none"], "a language model needs a recurrence"),
        (["train", "--init-from", "nowhere"], "nowhere"),
        (["score", "nowhere", "a"], "nowhere: expected a run folder, found none; make one by "),
        (["score", "nowhere", "a"], "textrnn pretrain."),
        (["pretrain", "--resume", "--output", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(textrnn, arguments, message):
    result = textrnn(*arguments, code=1)
    last = result.stderr.splitlines()[-1]
    assert last.startswith("textrnn: ")
    assert message in last


def test_an_unfinished_run_is_gone_on_with_by_its_own_command_and_settings(textrnn, home):
    run_folder.begin(home / "lm", PretrainConfig())
    (home / "lm" / "checkpoints" / "1").mkdir(parents=True)
    result = textrnn("score", "lm", "a", code=1)
    assert "go on with: textrnn pretrain --resume --output lm" in result.stderr
    Path("other.yaml").write_text("pretraining: {epochs: 9}", encoding="utf-8")
    result = textrnn("pretrain", "--resume", "--config", "other.yaml", "--output", "lm", code=1)
    assert "a run resumes with its own settings" in result.stderr


def test_another_shape_than_the_language_model_s_is_told(textrnn, pretrained, data):
    result = textrnn(
        "train", "--train-file", data, "--init-from", pretrained, "--units", "9", code=1
    )
    assert "`units` must be that of lm, 3, got 9; leave it out" in result.stderr


def test_likelihoods_need_a_language_model(textrnn, finished):
    result = textrnn("predict", finished.folder, "--with-likelihood", "a", code=1)
    assert "name one with --language-model" in result.stderr
    result = textrnn("predict", finished.folder, "--language-model", finished.folder, "a", code=1)
    assert "expected the run of a language model, got that of a classifier" in result.stderr


def test_what_has_begun_goes_on_without_its_language_model(textrnn, pretrained, data, monkeypatch):
    arguments = ("train", "--train-file", data, "--init-from", pretrained, "--epochs", "1")
    arguments += ("--language-weight", "0.1", "--resume-or-start", "--output", "run")
    with monkeypatch.context() as patch:
        patch.setattr(running, "_write_curves", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        result = textrnn(*arguments, code=130)
    assert "saved; go on with" in result.stderr
    pretrained.rename("elsewhere")
    result = textrnn(*arguments)
    assert "going on after 1 epoch," in result.stderr
    assert "holds the finished run already" in textrnn(*arguments).stderr
    fresh = textrnn(*arguments[:-1], "another", code=1)
    assert "expected a language model's run folder, found none" in fresh.stderr


def test_score_reads_texts_as_the_language_model_s_own_were_read(textrnn, home):
    rows = [f"{i};{text} ü\n" for i, text in enumerate(TEXTS)]
    (home / "a.csv").write_text("id;Wörter\n" + "".join(rows), encoding="latin-1")
    columns = ("--text-column", "Wörter", "--encoding", "latin-1")
    textrnn("pretrain", "--text-file", "a.csv", *columns, *TINY, "--output", "lm")
    config = yaml.safe_load(Path("lm/config.yaml").read_text(encoding="utf-8"))
    assert config["data"]["text_file"] == str(home / "a.csv")

    (home / "b.csv").write_text("id;Wörter\n1;x ü\n2;y;z\n3;y\n", encoding="latin-1")
    result = textrnn("score", "lm", "--file", "b.csv", "--json", code=1)
    assert json.loads(result.stdout)["text"] == "x ü"
    assert "b.csv:3: expected 2 columns, got 3" in result.stderr
    result = textrnn("score", "lm", "--file", "b.csv", "--json", "--skip-bad-rows")
    scored = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in scored] == ["x ü", None, "y"]
    assert "expected 2 columns" in scored[1]["error"]
    (scored,) = textrnn("score", "lm", "-", input="x ü\n".encode("latin-1")).stdout.splitlines()
    assert scored.endswith("\tx ü")
