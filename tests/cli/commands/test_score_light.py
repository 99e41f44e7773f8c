"""`textrnn score` with the light runtime."""

import json

import pytest
from light_models import HARD_TEXTS, random_language_pair
from light_processes import answered, forget_network

HEAVY = {"tensorflow", "keras", "h5py", "scipy", "sklearn"}
READABLE = [text for text in HARD_TEXTS if "\x00" not in text]
"""A process takes no argument with the character 0."""


@pytest.mark.usefixtures("eagerly")
def test_texts_are_scored_without_heavy_packages(tmp_path):
    pair = random_language_pair(tmp_path / "lm", cell="lstm")
    lines, heavy = answered("score", tmp_path / "lm", "--per-token", *READABLE)
    assert heavy == set()
    for line, likelihood in zip(lines, pair.trained.score(READABLE), strict=True):
        scored, expected = json.loads(line), likelihood.to_dict(per_token=True)
        del scored["text"]
        assert scored["pieces"] == expected.pop("pieces")
        for name, value in expected.items():
            assert scored[name] == pytest.approx(value, rel=1e-5, abs=1e-5)


def test_files_and_stdin_are_scored_without_tensorflow(tmp_path):
    random_language_pair(tmp_path / "lm", text_column="review")
    (tmp_path / "texts.csv").write_text("review\na fine film\ndull\n")
    by_file, heavy = answered("score", tmp_path / "lm", "--file", tmp_path / "texts.csv")
    assert not heavy & HEAVY
    by_stdin, heavy = answered("score", tmp_path / "lm", "-", stdin="a fine film\ndull\n")
    assert not heavy & HEAVY
    by_arguments, _ = answered("score", tmp_path / "lm", "a fine film", "dull")
    assert by_file == by_stdin == by_arguments


def test_both_engines_print_the_same_and_older_runs_are_scored_by_tensorflow(tmp_path, textrnn):
    random_language_pair(tmp_path / "lm", cell="mingru")
    arguments = ("score", tmp_path / "lm", "a fine film", "")
    results = [
        textrnn(*arguments, "--engine", engine).stdout for engine in ("numpy", "tensorflow", "auto")
    ]
    assert len(set(results)) == 1
    forget_network(tmp_path / "lm")
    assert textrnn(*arguments).stdout == results[0]
    refused = textrnn(*arguments, "--engine", "numpy", code=1)
    assert "expected a run with runtime.safetensors" in refused.stderr
