"""Attributions as HTML: a text whose words are coloured by their scores."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from textrnn.analysis.attribution.sentence import first_sentence, label_scores, others_sentence
from textrnn.runtime.explanation import Attribution, Explanation

__all__ = ["STYLE", "coloured_html", "explanation_page", "facts", "strongest", "strongest_ngrams"]

FAINTEST = 0.04
"""Words of a lower strength are not coloured."""

# Blue and orange differ for colour-blind readers too, on white and on black.
STYLE = """
.attribution { --for: 31, 119, 220; --against: 230, 110, 20; white-space: pre-wrap;
  overflow-wrap: anywhere; line-height: 1.9; }
.attribution span { border-radius: .2em; padding: .1em 0; }
.attribution .for { background: rgba(var(--for), var(--s)); }
.attribution .against { background: rgba(var(--against), var(--s)); }
.attribution .unread { opacity: .45; }
@media (prefers-color-scheme: dark) {
  .attribution { --for: 70, 150, 255; --against: 255, 130, 40; }
}
"""

_PAGE_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --dim: #66666e; --line: #ddd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ea; --paper: #17171a; --dim: #9a9aa2; --line: #3a3a40; }
}
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin-top: 2rem; }
p.note, figcaption { color: var(--dim); font-size: .9rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
td { border-top: 1px solid var(--line); } td.number { text-align: right; }
figure { margin: 0; } svg { width: 100%; height: auto; }
"""


def coloured_html(attribution: Attribution) -> str:
    """Returns the text as an HTML fragment, whose classes get their colours from `STYLE`."""
    text, place, parts = attribution.text, 0, []
    for word, strength in zip(attribution.words, attribution.strengths(), strict=True):
        parts.append(escape(text[place : max(place, word.start)]))
        word_html = escape(text[max(place, word.start) : word.end])
        place = max(place, word.end)
        if abs(strength) >= FAINTEST:
            side = "for" if strength > 0 else "against"
            style = f"--s:{0.85 * abs(strength):.3f}"
            title = f"{word.score:+.4f}"
            word_html = f'<span class="{side}" style="{style}" title="{title}">{word_html}</span>'
        parts.append(word_html)
    rest = text[place:]
    if rest.strip():
        parts.append(f'<span class="unread">{escape(rest)}</span>')
    return f'<div class="attribution">{"".join(parts)}</div>'


def explanation_page(explanation: Explanation) -> str:
    """Returns a whole page about one text, which loads nothing from elsewhere.

    Args:
        explanation: The scores of the words, and the probability of the label after each word.
    """
    label = escape(explanation.label)
    against = '; <span class="against" style="--s:.6"> orange </span> against it'
    if not explanation.signed:
        against = ""
    legend = f'<span class="for" style="--s:.6"> blue </span> words speak for {label}{against}.'
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>textrnn explain: {label}</title><style>{_PAGE_STYLE}{STYLE}</style></head><body>",
        f"<h1>{label}, {explanation.probability:.1%}</h1>",
        f"<p>{escape(first_sentence(explanation))}</p>",
        *(f'<p class="note">{escape(fact)}</p>' for fact in facts(explanation)),
        f'<p class="attribution">{legend}</p>',
        coloured_html(explanation),
    ]
    if explanation.running:
        parts += [
            f"<h2>Probability of {label} after each word</h2>",
            _running_svg(explanation.running),
        ]
    for name, scores in (
        ("word", strongest(explanation)),
        ("n-gram", strongest_ngrams(explanation)),
    ):
        if scores:
            rows = "".join(
                f'<tr><td>{escape(text)}</td><td class="number">{score:+.4f}</td></tr>'
                for text, score in scores
            )
            parts += [
                f"<h2>Strongest {name}s</h2>",
                f"<table><tr><th>{name}</th><th>score</th></tr>{rows}</table>",
            ]
    return "\n".join([*parts, _labels_html(explanation), "</body></html>\n"])


def _labels_html(explanation: Explanation) -> str:
    """Returns a table of the labels' probabilities, as HTML."""
    labels, others = label_scores(explanation)
    rows = "".join(
        f'<tr><td>{escape(label)}</td><td class="number">{score:.1%}</td></tr>'
        for label, score in labels
    )
    rest = f'<p class="note">{others_sentence(others)}</p>' if others else ""
    table = f"<table><tr><th>label</th><th>probability</th></tr>{rows}</table>"
    return f"<h2>Labels</h2>\n{table}{rest}"


def facts(attribution: Attribution) -> list[str]:
    """Returns sentences about the attribution, to show next to the coloured text."""
    sentences = []
    if attribution.predicted != attribution.label:
        sentences.append(f"The most probable label is {attribution.predicted}.")
    if attribution.completeness_error is not None and attribution.offset is not None:
        sentences.append(
            f"{attribution.method}: the scores sum to {sum(attribution.piece_scores):+.4f}; the "
            f"logit is {attribution.logit:+.4f}, and {attribution.offset:+.4f} without them "
            f"(error {attribution.completeness_error:.2%})."
        )
    else:
        unit = "shares of the pooled vector" if not attribution.signed else "logits"
        sentences.append(f"{attribution.method}: the scores are {unit}.")
    if attribution.warning:
        sentences.append(f"Warning: {attribution.warning}")
    return sentences


def strongest(attribution: Attribution, count: int = 10) -> list[tuple[str, float]]:
    """Returns the words with the largest absolute scores, strongest first, with their scores."""
    ordered = sorted(attribution.words, key=lambda word: -abs(word.score))
    return [(word.text, word.score) for word in ordered[:count] if word.score]


def strongest_ngrams(attribution: Attribution, count: int = 10) -> list[tuple[str, float]]:
    """Returns the n-grams with the largest absolute contributions, and their contributions.

    The occurrences of an n-gram are added.
    """
    totals: dict[str, float] = {}
    for ngram in attribution.ngrams:
        text = attribution.ngram_text(ngram)
        totals[text] = totals.get(text, 0.0) + ngram.score
    return sorted(totals.items(), key=lambda item: -abs(item[1]))[:count]


def _running_svg(running: Sequence[float]) -> str:
    last = max(1, len(running) - 1)
    points = " ".join(f"{600 * i / last:.1f},{100 - 100 * p:.1f}" for i, p in enumerate(running))
    return (
        '<figure><svg viewBox="-4 -8 608 116" role="img" aria-label="running prediction">'
        '<path d="M0 0H600M0 50H600M0 100H600" stroke="var(--line)" fill="none"/>'
        f'<polyline points="{points}" fill="none" stroke="rgb(31,119,220)" stroke-width="2"/>'
        "</svg><figcaption>From the first word, left, to the last; 0 % below, 100 % above."
        "</figcaption></figure>"
    )
