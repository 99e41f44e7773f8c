"""A table of support tickets with planted duplicates and label errors, so that the answer is known.

A ticket is a few sentences about one of twelve things; some of its words are of another one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tickets import CLOSERS, GLUE, OPENERS, TOPICS


@dataclass(frozen=True)
class PlantedTable:
    """Texts and labels, and what was planted in them.

    Attributes:
        texts: The texts.
        labels: The labels, some of them wrong.
        duplicates: The places of copies, exact or slightly changed, of earlier texts.
        wrong: The true label at each place whose label is wrong.
    """

    texts: list[str]
    labels: list[str]
    duplicates: set[int]
    wrong: dict[int, str]

    def csv(self) -> str:
        """The table as CSV; no text needs quotes."""
        rows = (f'"{text}",{label}\n' for text, label in zip(self.texts, self.labels, strict=True))
        return "text,label\n" + "".join(rows)


def planted_tickets(
    rows: int, *, seed: int = 0, duplicate_share: float = 0.12, noise_share: float = 0.05
) -> PlantedTable:
    """Makes tickets, copies some of them to later places, and makes some labels wrong."""
    rng = random.Random(seed)
    copies = round(rows * duplicate_share)
    names = list(TOPICS)
    labels = [rng.choice(names) for _ in range(rows - copies)]
    texts = [_ticket(label, rng) for label in labels]
    duplicates = set(range(rows - copies, rows))
    for number in range(copies):
        place = rng.randrange(rows - copies)
        texts.append(_copy(texts[place], number % 3))
        labels.append(labels[place])
    wrong = {}
    for place in rng.sample(range(rows), round(rows * noise_share)):
        wrong[place] = labels[place]
        labels[place] = rng.choice([name for name in names if name != labels[place]])
    return PlantedTable(texts, labels, duplicates, wrong)


def _ticket(label: str, rng: random.Random) -> str:
    sentences = [_sentence(label, rng) for _ in range(rng.randint(2, 4))]
    return " ".join([rng.choice(OPENERS), *sentences, rng.choice(CLOSERS)])


def _sentence(label: str, rng: random.Random) -> str:
    words = []
    for _ in range(rng.randint(5, 10)):
        topic = label if rng.random() < 0.75 else rng.choice(list(TOPICS))
        words.append(rng.choice((GLUE if rng.random() < 0.5 else TOPICS[topic]).split()))
    return " ".join(words).capitalize() + f" {rng.randint(100, 999)}."


def _copy(text: str, kind: int) -> str:
    if kind == 0:
        return text
    if kind == 1:
        return text.upper().replace(" ", "  ")
    return f"{text} Many thanks!"


def share_found(wanted: Sequence[int] | set[int] | dict[int, str], found: set[int]) -> float:
    """The share of some places that were found."""
    return len(found.intersection(wanted)) / len(wanted)
