"""`textrnn predict` and `textrnn explain` with the light runtime."""

import csv
import json

import pytest
from light_models import random_language_pair, random_pair
from light_processes import answered, forget_network

TENSORFLOW = {"tensorflow", "keras", "h5py"}


@pytest.mark.usefixtures("eagerly")
def test_texts_are_answered_without_heavy_packages(tmp_path):
    pair = random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    lines, heavy = answered("predict", tmp_path / "run", "--json", "a fine film", "dull")
    assert heavy == set()
    predictions = pair.classifier.predict(["a fine film", "dull"])
    for line, prediction in zip(lines, predictions, strict=True):
        answer = json.loads(line)
        assert answer["label"] == prediction.label
        assert answer["score"] == pytest.approx(prediction.score, abs=1e-5)


def test_a_text_that_is_still_written_is_answered_without_heavy_packages(tmp_path):
    random_pair(tmp_path / "run", cell="mingru", bidirectional=False)
    text = "A fine film. It is dull. "
    lines, heavy = answered(
        "predict", tmp_path / "run", "--stream", "--encoding", "utf-8", stdin=text
    )
    assert not heavy & {"tensorflow", "keras", "h5py", "scipy", "sklearn"}
    assert [json.loads(line)["text"] for line in lines] == ["A fine film.", "It is dull."]


def test_a_file_is_answered_without_tensorflow(tmp_path):
    pair = random_pair(tmp_path / "run", cell="none")
    texts = ["a fine film", "dull", ""]
    (tmp_path / "texts.csv").write_text('text\na fine film\ndull\n""\n')
    lines, heavy = answered("predict", tmp_path / "run", "--json", "--file", tmp_path / "texts.csv")
    assert not heavy & {"tensorflow", "keras", "h5py", "scipy", "sklearn"}
    assert [json.loads(line)["label"] for line in lines] == [
        answer.label for answer in pair.model.answers(texts)
    ]


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_is_answered_without_tensorflow(tmp_path, textrnn):
    run = tmp_path / "run"
    random_pair(run, cell="mingru", bidirectional=True, max_length=2)
    (tmp_path / "in.csv").write_text("id,text\n1,a fine film\n2,dull\n3,x\n")
    command = ("predict", run, "--file", tmp_path / "in.csv", "--token-counts", "--top-k", "2")
    _, heavy = answered(*command, "--output", tmp_path / "light.csv")
    assert not heavy & TENSORFLOW
    result = textrnn(*command, "--output", tmp_path / "other.csv", "--engine", "tensorflow")
    assert "--max-length cut off" in result.stderr
    light, other = rows_of(tmp_path / "light.csv"), rows_of(tmp_path / "other.csv")
    assert [row["id"] for row in light] == ["1", "2", "3"]
    for ours, theirs in zip(light, other, strict=True):
        for name in ("score", "score_2"):
            assert float(ours.pop(name)) == pytest.approx(float(theirs.pop(name)), abs=1e-5)
        assert ours == theirs


def test_uncertain_rows_are_chosen_without_tensorflow(tmp_path, textrnn):
    for name in ("run", "member"):
        random_pair(tmp_path / name, cell="none" if name == "run" else "gru")
    (tmp_path / "in.csv").write_text("text\na fine film\ndull\nx\na b c\n")
    command = ["predict", tmp_path / "run", "--file", tmp_path / "in.csv", "--json"]
    command += ["--uncertain", "2", "--member", tmp_path / "member"]
    lines, heavy = answered(*command)
    assert not heavy & TENSORFLOW
    expected = textrnn(*command, "--engine", "tensorflow").stdout.splitlines()
    for line, other in zip(map(json.loads, lines), map(json.loads, expected), strict=True):
        assert line["text"] == other["text"]
        assert line["uncertainty"] == pytest.approx(other["uncertainty"], abs=1e-4)


def test_early_answers_need_no_tensorflow(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="gru", bidirectional=False, head="mean")
    command = ["predict", tmp_path / "run", "a fine film of a dull kind", "--json"]
    command += ["--confident", "0.4", "--confident-tokens", "3"]
    (line,), heavy = answered(*command)
    assert heavy == set()
    (other,) = textrnn(*command, "--engine", "tensorflow").stdout.splitlines()
    ours, theirs = json.loads(line), json.loads(other)
    assert (ours["label"], ours["tokens_read"]) == (theirs["label"], theirs["tokens_read"])
    assert ours["score"] == pytest.approx(theirs["score"], abs=1e-5)


def test_a_file_is_explained_without_tensorflow(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="gru", head="attention")
    (tmp_path / "in.csv").write_text("text\na fine film\ndull\n")
    command = ("explain", tmp_path / "run", "--file", tmp_path / "in.csv", "--method", "additive")
    lines, heavy = answered(*command)
    assert not heavy & TENSORFLOW
    expected = textrnn(*command, "--engine", "tensorflow").stdout.splitlines()
    for line, other in zip(map(json.loads, lines), map(json.loads, expected), strict=True):
        assert line["label"] == other["label"]
        for word, same in zip(line["words"], other["words"], strict=True):
            assert word["text"] == same["text"]
            assert word["score"] == pytest.approx(same["score"], abs=1e-4)


def test_the_rows_before_a_bad_one_are_answered(tmp_path, textrnn):
    pair = random_pair(tmp_path / "run", cell="none")
    (tmp_path / "texts.csv").write_text("text,n\na fine film,1\ndull,2,3\n")
    arguments = ("predict", tmp_path / "run", "--json", "--file", tmp_path / "texts.csv")
    result = textrnn(*arguments, code=1)
    (answer,) = pair.model.answers(["a fine film"])
    assert json.loads(result.stdout)["label"] == answer.label
    assert "texts.csv:3: expected 2 columns, got 3" in result.stderr


def test_both_engines_print_the_same(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="mingru", bidirectional=True, max_length=2)
    results = [
        textrnn("predict", tmp_path / "run", "a fine film", " ", "--engine", engine)
        for engine in ("numpy", "tensorflow", "auto")
    ]
    assert len({result.output for result in results}) == 1
    assert "--max-length cut off" in results[0].stderr


@pytest.mark.usefixtures("eagerly")
def test_likelihoods_are_printed_without_tensorflow(tmp_path, textrnn):
    random_language_pair(tmp_path / "lm", cell="gru", unusual=6.5)
    run = tmp_path / "run"
    random_pair(run, cell="none", init_from=str(tmp_path / "lm"))
    texts = ("a fine film", "dull", "")
    lines, heavy = answered("predict", run, "--json", "--with-likelihood", *texts)
    assert not heavy & {"tensorflow", "keras", "h5py", "scipy", "sklearn"}
    arguments = ("predict", run, "--json", "--language-model", tmp_path / "lm", *texts)
    expected = textrnn(*arguments, "--engine", "tensorflow").stdout.splitlines()
    for line, other in zip(map(json.loads, lines), map(json.loads, expected), strict=True):
        assert line["label"] == other["label"]
        assert line["unusual"] == other["unusual"]
        for name in ("log_likelihood", "bits_per_token"):
            assert line[name] == pytest.approx(other[name], rel=1e-5)
    assert {json.loads(line)["unusual"] for line in lines} == {True, False}


def test_likelihoods_of_a_model_without_the_file_are_computed_by_tensorflow(tmp_path, textrnn):
    random_language_pair(tmp_path / "lm")
    run = tmp_path / "run"
    random_pair(run, cell="none")
    arguments = ("predict", run, "a film", "--language-model", tmp_path / "lm", "--json")
    with_the_file = json.loads(textrnn(*arguments).stdout)
    forget_network(tmp_path / "lm")
    assert json.loads(textrnn(*arguments).stdout) == {
        name: pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
        for name, value in with_the_file.items()
    } | {"scores": pytest.approx(with_the_file["scores"], rel=1e-4)}
    refused = textrnn(*arguments, "--engine", "numpy", code=1)
    assert "--kind runtime writes it" in refused.stderr
    assert "--language-model RUN names another one" in refused.stderr


def test_a_language_model_without_figures_has_no_unusual_texts(tmp_path, textrnn):
    random_language_pair(tmp_path / "lm", unusual=None)
    random_pair(tmp_path / "run", cell="none")
    refused = textrnn("predict", tmp_path / "run", "a", "--language-model", tmp_path / "lm", code=1)
    assert "expected figures of held-out texts, got none; pretrain it again" in refused.stderr


def test_a_run_without_the_file_is_answered_by_tensorflow(tmp_path, textrnn):
    run = tmp_path / "run"
    pair = random_pair(run, cell="none")
    forget_network(run)
    (answer,) = pair.model.answers(["a film"])
    assert textrnn("predict", run, "a film").stdout.startswith(answer.label)
    refused = textrnn("predict", run, "a film", "--engine", "numpy", code=1)
    assert "expected a run with runtime.safetensors" in refused.stderr


def test_what_needs_tensorflow_is_named(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="none")
    (tmp_path / "in.csv").write_text("text\na film\n")
    arguments = ["--file", tmp_path / "in.csv", "--output", tmp_path / "out.csv"]
    arguments += ["--explain-words", "1", "--engine", "numpy"]
    refused = textrnn("predict", tmp_path / "run", *arguments, code=2)
    assert "--explain-words needs TensorFlow" in refused.stderr


def test_a_changed_file_is_refused(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="none")
    path = tmp_path / "run" / "runtime.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    refused = textrnn("predict", tmp_path / "run", "a film", code=1)
    assert "changed or cut short since it was written" in refused.stderr


@pytest.mark.usefixtures("eagerly")
def test_a_text_is_explained_without_tensorflow(tmp_path, textrnn):
    random_pair(tmp_path / "run", cell="gru", head="attention")
    arguments = ("explain", tmp_path / "run", "a fine film", "--method", "additive", "--json")
    (line,), heavy = answered(*arguments)
    assert not heavy - {"rich"}
    expected = json.loads(textrnn(*arguments, "--engine", "tensorflow").stdout)
    actual = json.loads(line)
    assert [word["text"] for word in actual["words"]] == ["a", "fine", "film"]
    for word, other in zip(actual["words"], expected["words"], strict=True):
        assert word["score"] == pytest.approx(other["score"], abs=1e-4)
    gradients = textrnn(*arguments[:3], "--engine", "numpy", code=2)
    assert "--method integrated-gradients needs TensorFlow" in gradients.stderr
