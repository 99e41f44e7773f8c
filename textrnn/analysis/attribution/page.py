"""Attributions as HTML: a text whose words are coloured by what they did."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from textrnn.analysis.attribution.explain import Attribution

__all__ = ["STYLE", "coloured_html", "explanation_page", "facts", "strongest"]

FAINTEST = 0.04
"""Strengths below this are left uncoloured."""

# Blue and orange: told apart by the colour-blind too, on white and on black.
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
    """The text as an HTML fragment; `STYLE` gives its classes their colours."""
    text, place, parts = attribution.text, 0, []
    for word, strength in zip(attribution.words, attribution.strengths(), strict=True):
        parts.append(escape(text[place : max(place, word.start)]))
        shown = escape(text[max(place, word.start) : word.end])
        place = max(place, word.end)
        if abs(strength) >= FAINTEST:
            side = "for" if strength > 0 else "against"
            style = f"--s:{0.85 * abs(strength):.3f}"
            shown = f'<span class="{side}" style="{style}" title="{word.score:+.4f}">{shown}</span>'
        parts.append(shown)
    rest = text[place:]
    if rest.strip():
        parts.append(f'<span class="unread">{escape(rest)}</span>')
    return f'<div class="attribution">{"".join(parts)}</div>'


def explanation_page(attribution: Attribution, *, running: Sequence[float] | None = None) -> str:
    """A whole page about one text, which needs nothing but itself.

    Args:
        attribution: What the words did.
        running: The label's probability after each word, or None.
    """
    label = escape(attribution.label)
    against = '; <span class="against" style="--s:.6"> orange </span> against it'
    if not attribution.signed:
        against = ""
    legend = f'<span class="for" style="--s:.6"> blue </span> words speak for {label}{against}.'
    rows = "".join(
        f'<tr><td>{escape(word)}</td><td class="number">{score:+.4f}</td></tr>'
        for word, score in strongest(attribution)
    )
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>textrnn explain: {label}</title><style>{_PAGE_STYLE}{STYLE}</style></head><body>",
        f"<h1>{label}, {attribution.probability:.1%}</h1>",
        *(f'<p class="note">{escape(fact)}</p>' for fact in facts(attribution)),
        f'<p class="attribution">{legend}</p>',
        coloured_html(attribution),
    ]
    if running:
        parts += [
            f"<h2>Probability of {label} after each word</h2>",
            _running_svg(running),
        ]
    if rows:
        parts += [
            "<h2>Strongest words</h2>",
            f"<table><tr><th>word</th><th>score</th></tr>{rows}</table>",
        ]
    return "\n".join([*parts, "</body></html>\n"])


def facts(attribution: Attribution) -> list[str]:
    """What to know beside the coloured text, a sentence each."""
    found = []
    if attribution.predicted != attribution.label:
        found.append(f"The most probable label is {attribution.predicted}.")
    if attribution.completeness_error is not None and attribution.offset is not None:
        found.append(
            f"{attribution.method}: the scores sum to {sum(attribution.piece_scores):+.4f}; the "
            f"logit {attribution.logit:+.4f} is {attribution.offset:+.4f} without them "
            f"(off by {attribution.completeness_error:.2%})."
        )
    else:
        unit = "shares of the pooled vector" if not attribution.signed else "logits"
        found.append(f"{attribution.method}: the scores are {unit}.")
    if attribution.warning:
        found.append(f"Warning: {attribution.warning}")
    return found


def strongest(attribution: Attribution, count: int = 10) -> list[tuple[str, float]]:
    """The words with the largest scores, whatever their sign, strongest first."""
    ordered = sorted(attribution.words, key=lambda word: -abs(word.score))
    return [(word.text, word.score) for word in ordered[:count] if word.score]


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
