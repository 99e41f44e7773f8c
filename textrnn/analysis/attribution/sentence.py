"""The plain sentence that begins an explanation, and the scores of the labels below it."""

from __future__ import annotations

from textrnn.messages.shown import one_line
from textrnn.messages.wording import counted
from textrnn.runtime.explanation import Attribution

__all__ = ["first_sentence", "label_scores", "others_sentence"]

MOST_FOR, MOST_AGAINST = 3, 2
"""The largest numbers of words that the sentence names."""
WEAK = 0.2
"""A word is not named if its score is below this share of the strongest word's."""
MOST_LABELS = 10
MOST_COLUMNS = 40
"""The largest width of a word in the sentence."""


def first_sentence(attribution: Attribution) -> str:
    """Returns a sentence with the label, its probability and the words that decided most."""
    label = one_line(attribution.label, most=2 * MOST_COLUMNS)
    percent = f"{100 * attribution.probability:.1f} %"
    begin = f"The label is {label} ({percent})"
    if attribution.label != attribution.predicted:
        begin = f"The label {label} has a probability of {percent}"
    supports, opposes = _deciding_words(attribution)
    if not attribution.signed:
        return begin + (f"; the head looks most at {supports}." if supports else ".")
    if supports:
        verb = "speak" if "', '" in opposes else "speaks"
        against = f"; {opposes} {verb} against it" if opposes else ""
        return f"{begin}, above all because of {supports}{against}."
    if opposes:
        return f"{begin}, in spite of {opposes}."
    return f"{begin}; no word of the text decided it."


def _deciding_words(attribution: Attribution) -> tuple[str, str]:
    """Returns the strongest words for the label and those against it; occurrences are added."""
    totals: dict[str, float] = {}
    for word in attribution.words:
        totals[word.text] = totals.get(word.text, 0.0) + word.score
    least = WEAK * max(map(abs, totals.values()), default=0.0)
    ordered = sorted(totals, key=lambda word: -abs(totals[word]))
    named = [word for word in ordered if totals[word] and abs(totals[word]) >= least]
    supports = [word for word in named if totals[word] > 0]
    opposes = [word for word in named if totals[word] < 0]
    return _quoted(supports[:MOST_FOR]), _quoted(opposes[:MOST_AGAINST])


def _quoted(words: list[str]) -> str:
    return ", ".join(f"'{one_line(word, most=MOST_COLUMNS)}'" for word in words)


def label_scores(
    attribution: Attribution, *, most: int = MOST_LABELS
) -> tuple[list[tuple[str, float]], int]:
    """Returns the labels with the highest probabilities, and the number of the other labels.

    Args:
        attribution: The attribution.
        most: The largest number of labels.
    """
    ordered = sorted(attribution.scores.items(), key=lambda item: -item[1])
    return ordered[:most], max(0, len(ordered) - most)


def others_sentence(others: int) -> str:
    """Returns a sentence about the labels that are not listed; empty without such labels.

    >>> others_sentence(1), others_sentence(0)
    ('1 more label is less probable.', '')

    Args:
        others: The number of these labels.
    """
    if not others:
        return ""
    return f"{counted(others, 'more label')} {'is' if others == 1 else 'are'} less probable."
