import subprocess
import sys

import numpy as np
import pytest
from cases import few
from tiny import LABELS, each_pair, labelled_texts, random_classifier

from textrnn.config.choices import HEADS
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.text.tokenizer import Tokenizer

CORPUS = [text for text, _ in labelled_texts(80)] + [
    "Straße, naïve café — “déjà vu” 北京 <br /><br /> 12,345.67!",
    "one\ttwo\nthree  four <br/>five ﬁ ½ e\u0301",
] * 4


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(CORPUS, TokenizerConfig(vocab_size=120), cache=False)


def classifier(tokenizer: Tokenizer, cell: str = "mingru", head: str = "mean", **more):
    from textrnn.config.model import ModelConfig
    from textrnn.models.classifier import TextClassifier

    small = random_classifier(cell, head, **{"bidirectional": False, "window": 3, **more})
    config = ModelConfig(**{**small.config.to_dict()})
    model = TextClassifier(tokenizer.vocab_size, 2, config=config)
    model.build((None, None))
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return TrainedClassifier(model, tokenizer, LABELS, ClassifierRunConfig(model=config))


def cut(text: bytes, places: list[int]) -> list[bytes]:
    places = sorted({min(place, len(text)) for place in places})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


# Answers


def assert_same(prediction, expected) -> None:
    scores = [prediction.scores[label] for label in LABELS]
    np.testing.assert_allclose(scores, [expected.scores[label] for label in LABELS], atol=1e-5)


@pytest.mark.thorough
@each_pair
def test_the_last_answer_is_that_for_the_whole_text(tokenizer, cell, head):
    rng = np.random.default_rng(0)
    ours = classifier(tokenizer, cell, head)
    for text in (CORPUS[0], CORPUS[-1], " ".join(CORPUS * 3), ""):
        content = text.encode()
        places = rng.integers(0, len(content) + 1, size=6).tolist()
        stream = ours.stream()
        for piece in cut(content, places):
            prediction = stream.feed(piece)
        assert_same(prediction, ours.predict([text])[0])


@pytest.mark.usefixtures("eagerly")
def test_after_every_piece_the_answer_is_that_for_the_text_so_far(tokenizer):
    ours = classifier(tokenizer, "gru", "attention")
    text, stream = "a x b cd eff y", ours.stream()
    for place, letter in enumerate(text):
        assert_same(stream.feed(letter), ours.predict([text[: place + 1]])[0])
    assert stream.tokens == len(tokenizer.encode("a x b cd eff"))
    assert stream.answered == len(tokenizer.encode(text))
    stream.reset()
    assert_same(stream.feed("y"), ours.predict(["y"])[0])


@pytest.mark.usefixtures("eagerly")
def test_streams_join_and_leave(tokenizer):
    ours = classifier(tokenizer, "lstm", "max")
    streams = ours.streams()
    first = streams.feed({"one": "a x ", "two": b"b y c"})
    assert set(first) == {"one", "two"}
    second = streams.feed({"two": "d e", "three": CORPUS[-1] * 9})
    assert_same(second["two"], ours.predict(["b y cd e"])[0])
    assert_same(second["three"], ours.predict([CORPUS[-1] * 9])[0])
    streams.leave("two")
    assert ("two" in streams, len(streams)) == (False, 2)
    streams.reset("three")
    third = streams.feed({"one": "f", "three": "a"})
    assert_same(third["one"], ours.predict(["a x f"])[0])
    assert_same(third["three"], ours.predict(["a"])[0])
    assert streams.feed({}) == {}
    with pytest.raises(KeyError):
        streams.leave("two")


@pytest.mark.usefixtures("eagerly")
def test_ids_may_be_fed(tokenizer):
    ours = classifier(tokenizer)
    stream = ours.stream()
    stream.feed_ids([2, 3])
    prediction = stream.feed_ids([4])
    scores = ours.score_ids([np.array([2, 3, 4])])[0]
    assert list(prediction.scores.values()) == pytest.approx(scores.tolist(), abs=1e-5)
    with pytest.raises(IndexError, match="an id must be in 1"):
        stream.feed_ids([0])
    stream.feed("wor")
    with pytest.raises(ValueError, match="expected whole words before ids"):
        stream.feed_ids([2])


@pytest.mark.process
def test_a_state_is_resumed_in_another_process(tokenizer, tmp_path):
    ours = classifier(tokenizer, "minlstm", "attention")
    run_folder.save(ours, tmp_path / "run")
    stream = ours.stream()
    stream.feed("a x b é".encode()[:-1])
    (tmp_path / "state").write_bytes(stream.state)
    code = (
        "import sys, textrnn; from pathlib import Path; folder = Path(sys.argv[1]);"
        "stream = textrnn.load(folder / 'run').stream((folder / 'state').read_bytes());"
        "print(stream.feed(b'\\xa9 y').scores['pos'], stream.tokens)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    score, tokens = subprocess.run(command, check=True, capture_output=True).stdout.split()
    expected = ours.predict(["a x b é y"])[0].scores["pos"]
    assert float(score) == pytest.approx(expected, abs=1e-5)
    assert int(tokens) == len(tokenizer.encode("a x b é"))


@pytest.mark.usefixtures("eagerly")
def test_states_of_others_are_refused(tokenizer):
    stream = classifier(tokenizer).stream()
    stream.feed("a b")
    with pytest.raises(ModelError, match="the state is that of another model"):
        classifier(tokenizer, head="max").stream(stream.state)
    for second in (b"", b"garbage", stream.state[:-5]):
        with pytest.raises(ModelError, match="expected a stream's state, got other bytes"):
            classifier(tokenizer).stream(second)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"bidirectional": True}, "`bidirectional` must be off"),
        ({"pyramid": True, "layers": 2}, "`pyramid` must be off"),
    ],
)
def test_models_that_need_the_end_say_so(tokenizer, more, match):
    with pytest.raises(ConfigError, match=match):
        classifier(tokenizer, **more).stream()


# The prefix curve


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("head", few(reversed(HEADS)))
def test_the_curve_holds_the_answer_after_each_token(tokenizer, head):
    ours = classifier(tokenizer, "gru", head)
    text = " ".join(CORPUS)
    curve = ours.prefix_curve(text)
    ids = tokenizer.encode(text)
    assert len(curve.pieces) == len(curve.scores) == len(ids) > 400
    for end in (1, 2, 255, 256, 257, 300, len(ids)):
        expected = ours.score_ids([np.array(ids[:end])])[0]
        np.testing.assert_allclose(curve.scores[end - 1], expected, atol=2e-5)
    assert ours.prefix_curve("").scores.shape == (0, 2)


# Early answers


@pytest.mark.usefixtures("eagerly")
def test_reading_ends_where_the_label_has_been_sure_for_long_enough(tokenizer):
    ours = classifier(tokenizer, "mingru", "mean")
    text = " ".join(CORPUS)
    scores = ours.prefix_curve(text).scores
    best = scores.argmax(axis=1)
    for level, tokens in ((0.6, 1), (0.8, 5), (0.9, 20)):
        run, end = 0, len(scores)
        for t in range(len(scores)):
            known = scores[t, best[t]] >= level
            run = run + 1 if known and t and best[t] == best[t - 1] else int(known)
            if run >= tokens:
                end = t + 1
                break
        prediction, read, total = ours.predict_early(text, confident=level, tokens=tokens)
        assert (read, total) == (end, len(scores))
        assert prediction.score == pytest.approx(scores[end - 1].max(), abs=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_a_text_in_doubt_is_read_to_its_end(tokenizer):
    ours = classifier(tokenizer, "gru", "last")
    for text in ("", "a", CORPUS[-1]):
        prediction, read, total = ours.predict_early(text, confident=0.9999, tokens=10**6)
        assert read == total == len(tokenizer.encode(text))
        assert_same(prediction, ours.predict([text])[0])


@pytest.mark.usefixtures("eagerly")
def test_reading_ends_with_the_label_that_the_rule_decides_for(tokenizer):
    ours = classifier(tokenizer, "mingru", "mean")
    text = " ".join(CORPUS)
    least = [min(p.scores, key=p.scores.__getitem__) for p in ours.predict([text])]
    ours.rule = DecisionRule(weights=tuple(1e9 if x == least[0] else 1.0 for x in ours.labels))
    prediction, _, _ = ours.predict_early(text, confident=0.9, tokens=3)
    assert prediction.labels == (least[0],)
    assert ours.stream().feed(text).labels == ours.predict([text])[0].labels == (least[0],)


@pytest.mark.parametrize("values", [{"confident": 1.0}, {"confident": 0.5, "tokens": 0}])
def test_bounds_of_an_early_answer(tokenizer, values):
    with pytest.raises(ConfigError, match="must be"):
        classifier(tokenizer).predict_early("a", **values)
