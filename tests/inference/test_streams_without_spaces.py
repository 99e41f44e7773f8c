import numpy as np
import pytest
import unspaced
from cases import few
from tiny import LABELS, random_classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier
from textrnn.runtime.following import follow_sentences, follow_tokens
from textrnn.text.tokenizer import Tokenizer

SCRIPTS = ("chinese", "japanese", "thai", "mixed")
SENTENCES = ["我们今天很满意。", "“服务员很好！”", "早餐很差,", "iPhone手机 喜欢吗？"]


@pytest.fixture(scope="module")
def classifier() -> TrainedClassifier:
    texts = [text for script in SCRIPTS for text in unspaced.texts(script)]
    tokenizer = Tokenizer.train([*texts, *SENTENCES], TokenizerConfig(vocab_size=300), cache=False)
    small = random_classifier("gru", "mean", bidirectional=False)
    model = TextClassifier(tokenizer.vocab_size, 2, config=small.config)
    model.build((None, None))
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return TrainedClassifier(model, tokenizer, LABELS, ClassifierRunConfig(model=small.config))


def pieces(text: str, size: int) -> list[bytes]:
    content = text.encode()
    return [content[i : i + size] for i in range(0, len(content), size)]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_sentences_end_with_full_width_marks(classifier, size):
    text = "".join(SENTENCES)
    sentences = list(follow_sentences(classifier.stream(), pieces(text, size)))
    assert [sentence for sentence, _ in sentences] == [
        SENTENCES[0],
        SENTENCES[1],
        SENTENCES[2] + SENTENCES[3],
    ]
    so_far = ""
    for sentence, prediction in sentences:
        so_far += sentence
        expected = classifier.predict([so_far])[0]
        assert prediction.scores == pytest.approx(expected.scores, abs=1e-5)


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("script", few(SCRIPTS))
def test_tokens_are_followed_long_before_the_text_ends(classifier, script):
    text = "".join(unspaced.texts(script)).replace(" ", "")
    ids = classifier.tokenizer.encode(text)
    read = 0

    def arriving():
        nonlocal read
        for piece in pieces(text, 20):
            read += len(piece)
            yield piece

    half = 0
    for tokens, prediction in follow_tokens(classifier.stream(), arriving(), every=50):
        if read < len(text.encode()) / 2:
            half = tokens
        expected = classifier.score_ids([np.array(ids[:tokens])])[0]
        assert list(prediction.scores.values()) == pytest.approx(expected.tolist(), abs=1e-5)
    assert tokens == len(ids)
    assert half > len(ids) / 4


@pytest.mark.usefixtures("eagerly")
def test_a_state_within_a_word_is_resumed(classifier):
    stream = classifier.stream()
    stream.feed("我们今天很满意这本书很")
    again = classifier.stream(stream.state)
    expected = classifier.predict(["我们今天很满意这本书很好"])[0]
    assert again.feed("好").scores == pytest.approx(expected.scores, abs=1e-5)
