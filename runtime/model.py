"""A trained classifier that answers without TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .batches import batches
from .blocks import blocks
from .early_answer import read_until_certain
from .errors import ConfigError
from .examination import Examination, Examiner
from .explaining import Explainer
from .explanation import Explanation
from .labels import Labels
from .language_model import RuntimeLanguageModel
from .network.architecture import Architecture
from .network.network import Network
from .prediction import Answer
from .reader import Reader
from .run_folder import LABELS, NETWORK, TOKENIZER, read_files, rule_of
from .streaming import Stream, Streams
from .surprise import Surprise
from .tensor_file import read_tensors
from .text.checks import as_text, as_texts
from .text.encoder import Encoder

__all__ = ["BLOCK_TEXTS", "RuntimeModel", "load"]

BLOCK_TEXTS = 1024
"""The number of texts that are read, sorted by length and answered together."""

FEW_CHARACTERS = 16_384
"""The number of characters of all texts up to which the threads of a batch take longer to start."""


@dataclass(frozen=True)
class RuntimeModel:
    """A trained classifier that answers without TensorFlow.

    A model never changes, and several threads may call it at the same time.

    Example:
        model = textrnn_runtime.load("runs/reviews")
        (answer,) = model.answers(["a fine film"])
        answer.label, answer.score

    Attributes:
        network: Maps ids to logits.
        tokenizer: Maps texts to ids.
        label_space: The labels and the rule that decides.
        digest: The digest of the model's file.
        language_model: Tells how probable a text is; None: nothing does.
    """

    network: Network
    tokenizer: Encoder
    label_space: Labels
    digest: str
    language_model: RuntimeLanguageModel | None = None

    @property
    def architecture(self) -> Architecture:
        """The settings of the model."""
        return self.network.architecture

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names, in the order of the probabilities."""
        return self.label_space.labels

    @property
    def multi_label(self) -> bool:
        """Whether a text may carry any number of labels."""
        return self.label_space.multi_label

    @property
    def forwards(self) -> bool:
        """Whether the model can read a text in pieces, so that `stream` works."""
        return self.architecture.forwards

    @property
    def label_separator(self) -> str:
        """The separator of several labels in the data of the run."""
        return self.architecture.label_separator

    def abstaining(self, below: float | None) -> RuntimeModel:
        """Returns the same model with another limit for answers.

        Args:
            below: The probability below which an answer is withheld; None: the limit stays.

        Raises:
            ConfigError: The number is not in 0 .. 1.
        """
        if below is None:
            return self
        if not 0.0 <= below < 1.0:
            raise ConfigError(f"`abstain_below` must be at least 0 and less than 1, got {below}.")
        rule = dataclasses.replace(self.label_space.rule, abstain_below=below)
        space = dataclasses.replace(self.label_space, rule=rule)
        return dataclasses.replace(self, label_space=space)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the calibrated probability `[N, C]` of float32 of each label for each text.

        Args:
            texts: The texts.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        return self.score_ids(self._encode(as_texts(texts, call="probabilities")))

    def score_ids(self, ids: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text of token ids.

        A model that reads forwards only reads every text to its end, in constant memory. Other
        models cut texts at the `max_length` of the run.

        Args:
            ids: The token ids `[T]` of each text.
        """
        cut_at = self.architecture.cut_at
        rows = [row[:cut_at] for row in ids] if cut_at else list(ids)
        logits = np.zeros([len(rows), len(self.labels)])
        for places in batches(rows):
            logits[places] = self.network.logits([rows[place] for place in places])
        return self.label_space.probabilities(logits)

    def answers(self, texts: Sequence[str]) -> list[Answer]:
        """Returns the answers to some texts, in their order.

        Args:
            texts: The texts.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        ids = self._encode(as_texts(texts, call="answers"))
        cut_at = self.architecture.cut_at
        read = [min(len(row), cut_at or len(row)) for row in ids]
        cut = [len(row) - tokens for row, tokens in zip(ids, read, strict=True)]
        return Answer.of_each(self.score_ids(ids), self.label_space, tokens=read, cut_tokens=cut)

    def predict_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """Yields each text with its answer, in order; the memory is constant.

        Args:
            texts: The texts.
        """
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.answers(block), strict=True)

    def predict_early(
        self, text: str, *, confident: float, tokens: int = 32
    ) -> tuple[Answer, int, int]:
        """Reads a text only until its label is certain.

        Args:
            text: The text.
            confident: The probability at which the label of the running answer counts as certain,
                below 1.
            tokens: For how many consecutive tokens the same label must be certain.

        Returns:
            The answer where reading ended, the number of tokens read, and that of all tokens.

        Raises:
            ConfigError: The model needs the whole text at once, or a value is out of bounds.
            TypeError: `text` is no string.
        """
        reader = Reader(self.network, self.label_space)
        ids = self.tokenizer.encode(as_text(text, call="predict_early"))
        scores, read = read_until_certain(
            reader, ids, self.label_space, confident=confident, tokens=tokens
        )
        return Answer.of(scores, self.label_space, tokens=read), read, len(ids)

    def explain(self, text: str, *, label: str | None = None) -> Explanation:
        """Returns what each word of one text adds to the logit of a label.

        Args:
            text: The text. A model that needs the whole text reads it up to its `max_length`.
            label: The label to explain; None: the predicted one.

        Raises:
            ConfigError: The label is unknown, or the head of the model is `last`, whose logit is
                no sum over the words.
            TypeError: `text` is no string.
        """
        explainer = Explainer(self.network, tokenizer=self.tokenizer, label_space=self.label_space)
        return explainer.explain(as_text(text, call="explain"), label=label)

    def examine(self, text: str, label: str | None = None) -> Examination:
        """Returns what each word of one text does to a label, and what would change the answer.

        Args:
            text: The text. A model that needs the whole text reads it up to its `max_length`.
            label: The label to explain; None: the predicted one.

        Raises:
            ConfigError: The label is unknown.
            TypeError: `text` is no string.
        """
        examiner = Examiner(self.network, tokenizer=self.tokenizer, label_space=self.label_space)
        examination = examiner.examine(as_text(text, call="examine"), label=label)
        if self.language_model is None:
            return examination
        return dataclasses.replace(examination, surprise=self.language_model.surprise(text))

    def surprise(self, text: str) -> Surprise:
        """Returns how surprising each word of one text is to the language model.

        Args:
            text: The text.

        Raises:
            ConfigError: There is no language model.
            TypeError: `text` is no string.
        """
        if self.language_model is None:
            raise ConfigError(
                "expected a language model beside the classifier, got none; name the run of one "
                "as `language_model`."
            )
        return self.language_model.surprise(text)

    def stream(self, state: bytes | None = None) -> Stream:
        """Returns a stream that reads a text piece by piece, with an answer after each piece.

        Args:
            state: The `Stream.state` of a text to continue with; None: a new text.

        Raises:
            ConfigError: The model needs the whole text at once: it is bidirectional or a pyramid.
            ModelError: The bytes are no state, or the state of another model.
        """
        stream = Stream(self.streams())
        if state is not None:
            stream.restore(state)
        return stream

    def streams(self) -> Streams:
        """Returns streams that read any number of texts together, which may join and leave.

        Raises:
            ConfigError: The model needs the whole text at once.
        """
        return Streams(
            Reader(self.network, self.label_space),
            self.tokenizer,
            lambda scores, tokens: Answer.of(scores, self.label_space, tokens=tokens),
            digest=self.digest,
        )

    def _encode(self, texts: list[str]) -> list[np.ndarray]:
        if sum(map(len, texts)) <= FEW_CHARACTERS:
            return [np.array(self.tokenizer.encode(text), np.int32) for text in texts]
        return list(self.tokenizer.encode_batch(texts))


def load(folder: str | Path) -> RuntimeModel:
    """Reads a trained classifier from a run folder, without TensorFlow.

    The folder needs `runtime.safetensors`, `tokenizer.model`, `labels.txt`, `decisions.json` (if
    the run has one) and `digests.json`; each file is compared with its digest. Nothing in it is
    executed.

    Args:
        folder: The folder that `textrnn train` wrote, or a copy of these files.

    Raises:
        ModelError: The folder is missing, unfinished, changed, of another format version, or
            without the file of the light runtime.
    """
    folder = Path(folder)
    files = read_files(folder)
    tensors, metadata = read_tensors(files[NETWORK])
    architecture = Architecture.from_metadata(metadata)
    labels = tuple(files[LABELS].decode("utf-8").split("\n")[:-1])
    rule = rule_of(files, labels, folder)
    return RuntimeModel(
        Network(tensors, architecture),
        Encoder(files[TOKENIZER]),
        Labels(labels, multi_label=architecture.multi_label, rule=rule),
        hashlib.sha256(files[NETWORK]).hexdigest(),
    )
