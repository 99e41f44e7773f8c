"""Training on texts of several scripts, with the tokenizer's defaults."""

import pytest
import unspaced
from tiny import write_csv

import textrnn as package

SMALL = ("--embedding-units", 8, "--units", 4, "--epochs", 1, "--output", "out", "--json")


@pytest.mark.thorough
@pytest.mark.parametrize("script", unspaced.WORDS)
def test_every_script_trains_with_the_defaults(textrnn, home, script):
    rows = unspaced.labelled(script)
    data = write_csv(home / "texts.csv", rows)
    cell = () if script == "chinese" else ("--cell", "none")  # Faster; the tokens are the same.
    more = ("--learning-rate", 0.05, "--epochs", 12, *cell)
    textrnn("train", "--train-file", data, *SMALL, *more)
    predictions = package.load("out").predict([text for text, _ in rows])
    right = sum(p.label == label for p, (_, label) in zip(predictions, rows, strict=True))
    assert right > 0.8 * len(rows)


@pytest.mark.thorough
def test_a_few_texts_of_many_characters_train_and_say_what_is_unknown(textrnn, home):
    texts = unspaced.many_characters()
    data = write_csv(home / "texts.csv", [(t, "ab"[i % 2]) for i, t in enumerate(texts)])
    result = textrnn("train", "--train-file", data, "--cell", "none", *SMALL)
    (note,) = (line for line in result.stderr.splitlines() if "characters are rare" in line)
    assert note.endswith("and will be unknown.")


@pytest.mark.thorough
def test_a_size_that_is_given_is_refused_by_its_name(textrnn, home):
    data = write_csv(home / "texts.csv", unspaced.labelled("chinese"))
    result = textrnn("train", "--train-file", data, "--vocab-size", 20, *SMALL, code=1)
    assert "--vocab-size must be at least" in result.stderr.splitlines()[-1]
    textrnn("train", "--train-file", data, "--vocab-size", "auto", "--cell", "none", *SMALL)


@pytest.mark.thorough
def test_fewer_pieces_than_given_are_reported(textrnn, home):
    data = write_csv(home / "texts.csv", unspaced.labelled("chinese"))
    result = textrnn("train", "--train-file", data, "--vocab-size", 5000, "--cell", "none", *SMALL)
    assert "fewer than the 5,000 of --vocab-size" in result.stderr


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_the_help_says_that_the_size_is_automatic(textrnn, command):
    text = " ".join(textrnn(command, "--help-all").stdout.split())
    about = text.split("--vocab-size INTEGER")[1].split("--lowercase")[0]
    assert "[default: auto; x>=" in about or "[default: auto]" in about


@pytest.mark.thorough
def test_words_without_spaces_are_refused(textrnn, home):
    data = write_csv(home / "texts.csv", unspaced.labelled("thai"))
    result = textrnn("train", "--train-file", data, "--piece-type", "word", *SMALL, code=1)
    assert "choose unigram or char" in result.stderr.splitlines()[-1]
