"""Makes the tables of docs/tutorial_tickets.md: support tickets with planted faults.

    python examples/tickets.py FOLDER [--rows 20000]

writes into FOLDER

    tickets.csv   20,000 tickets of January to November: id, created, customer, subject, body,
                  notes, team. 12 % are copies of others, 5 % have the label of another team.
    planted.csv   what was planted: the id of each copy and of its original, and the true team of
                  each ticket whose label is wrong
    unseen.csv    4,000 tickets of December, of the same kind, whose labels are right
    shifted.csv   4,000 tickets of January: another product, shorter, other teams are asked

The texts are random words, half of them of the team's subject, so a model has something to learn
and no way to be perfect. The same seed makes the same tables.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

TOPICS = {
    "billing": "invoice charged twice amount statement payment due fee total billing cycle vat",
    "refund": "refund money back returned purchase credit reimburse bank transfer pending",
    "login": "login account locked sign in username session expired two factor code",
    "password": "password reset link forgotten change characters expired email never arrived",
    "shipping": "parcel shipping courier tracking delayed address delivered neighbour depot",
    "damaged": "broken box arrived scratched screen cracked replacement damaged photo attached",
    "cancel": "cancel subscription end contract notice period plan stop renewal terminate",
    "upgrade": "upgrade premium plan features seats licence team price tier enterprise",
    "bug": "crash error button freezes update app version screen blank log report",
    "network": "wifi router connection drops slow signal internet modem speed outage",
    "privacy": "delete data privacy consent personal export copy records gdpr marketing",
    "hours": "opening hours store branch holiday appointment visit weekend closed",
}
OPENERS = (
    "Hello team,",
    "Good morning,",
    "Hi,",
    "Dear support,",
    "To whom it may concern,",
    "Once again I write to you:",
)
CLOSERS = (
    "Please help.",
    "Thanks in advance.",
    "I need an answer this week.",
    "Best regards.",
    "What can I do?",
    "This is urgent.",
)
GLUE = "the my a about with since for still please we our it and"
NEW_PRODUCT = "drone propeller battery flight camera gimbal remote firmware compass landing"
NOTES = ("", "", "called back", "waiting for the customer", "see last ticket")

COLUMNS = ("id", "created", "customer", "subject", "body", "notes", "team")


@dataclass(frozen=True)
class Ticket:
    """One row of the table; the attributes are its columns."""

    id: str
    created: datetime.date
    customer: str
    subject: str
    body: str
    notes: str
    team: str

    @property
    def cells(self) -> list[str]:
        """The cells of the row."""
        return [str(getattr(self, column)) for column in COLUMNS]


@dataclass(frozen=True)
class Style:
    """How tickets of one time are written.

    Attributes:
        on_topic: The probability of a word of the team's subject, of words that are of a subject.
        sentences: The least and the largest number of sentences of the body.
        team_weights: How often each team is asked.
        new_words: Words with spaces between them, of which each sentence has one.
    """

    on_topic: float = 0.5
    sentences: tuple[int, int] = (1, 3)
    team_weights: tuple[float, ...] = (24, 18, 14, 11, 9, 7, 5, 4, 3, 2.5, 1.5, 1)
    new_words: str = ""


def sentence(team: str, rng: random.Random, *, style: Style | None = None) -> str:
    """Returns a sentence about a team's subject."""
    style = style or Style()
    words = [rng.choice(style.new_words.split())] if style.new_words else []
    for _ in range(rng.randint(5, 10)):
        topic = team if rng.random() < style.on_topic else rng.choice(list(TOPICS))
        words.append(rng.choice((GLUE if rng.random() < 0.5 else TOPICS[topic]).split()))
    return " ".join(words).capitalize() + f" {rng.randint(100, 999)}."


def tickets(
    count: int, rng: random.Random, *, style: Style, first: int, days: tuple[str, str]
) -> Iterator[Ticket]:
    """Yields tickets in the order of their dates.

    Args:
        count: The number of tickets.
        rng: The source of randomness.
        style: How they are written.
        first: The number in the id of the first one.
        days: The first and the last day, in ISO 8601.
    """
    begin, end = map(datetime.date.fromisoformat, days)
    for number in range(count):
        (team,) = rng.choices(list(TOPICS), style.team_weights)
        sentences = [sentence(team, rng, style=style) for _ in range(rng.randint(*style.sentences))]
        yield Ticket(
            id=f"T{first + number:06}",
            created=begin + (end - begin) * number // count,
            customer=f"C{rng.randrange(count // 4):05}",
            subject=" ".join(sentence(team, rng, style=style).split()[:3]),
            body=" ".join([rng.choice(OPENERS), *sentences, rng.choice(CLOSERS)]),
            notes=rng.choice(NOTES),
            team=team,
        )


def with_copies(originals: Sequence[Ticket], count: int, rng: random.Random) -> list[Ticket]:
    """Returns copies of some tickets: sent again, in capitals, or with a line more."""
    copies = []
    for number in range(count):
        original = rng.choice(originals)
        bodies = (original.body, original.body.upper(), f"{original.body} Did you get my mail?")
        copies.append(
            replace(original, id=f"{original.id}-{number}", body=bodies[number % len(bodies)])
        )
    return copies


def write(path: Path, header: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """Writes a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def main(folder: Path, *, rows: int = 20_000, seed: int = 0) -> None:
    """Writes the four tables.

    Args:
        folder: The folder, which is made if it is missing.
        rows: The number of tickets of `tickets.csv`; the other tables have a fifth of them.
        seed: The seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, others = random.Random(seed), rows // 5
    copies = round(rows * 0.12)
    year = ("2025-01-01", "2025-11-30")
    originals = list(tickets(rows - copies, rng, style=Style(), first=1, days=year))
    table = originals + with_copies(originals, copies, rng)
    table.sort(key=lambda ticket: ticket.created)
    planted = [(ticket.id, ticket.id.split("-")[0], "") for ticket in table if "-" in ticket.id]
    for place in rng.sample(range(rows), round(rows * 0.05)):
        true = table[place].team
        wrong = rng.choice([team for team in TOPICS if team != true])
        planted.append((table[place].id, "", true))
        table[place] = replace(table[place], team=wrong)
    shifted = Style(sentences=(1, 1), team_weights=(1,) * 12, new_words=NEW_PRODUCT)
    december, january = ("2025-12-01", "2025-12-31"), ("2026-01-01", "2026-01-31")
    unseen = tickets(others, rng, style=Style(), first=rows, days=december)
    moved = tickets(others, rng, style=shifted, first=2 * rows, days=january)
    write(folder / "tickets.csv", COLUMNS, (ticket.cells for ticket in table))
    write(folder / "planted.csv", ("id", "copy_of", "true_team"), iter(planted))
    write(folder / "unseen.csv", COLUMNS, (ticket.cells for ticket in unseen))
    write(folder / "shifted.csv", COLUMNS, (ticket.cells for ticket in moved))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes tables of support tickets.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.folder, rows=given.rows, seed=given.seed)
