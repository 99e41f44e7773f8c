"""The walk from a table of tickets to decisions, command by command, with faults that are known."""

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial_tickets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, flags=re.DOTALL)

pytestmark = pytest.mark.slow


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(command: str, folder: Path) -> int:
    """Runs a line of a block and returns its exit code."""
    words = command.split()
    if words[0] == "textrnn":
        words[:1] = [sys.executable, "-m", "textrnn"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(words, cwd=folder, env=environment, check=False).returncode


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> tuple[Path, dict[str, int]]:
    """The folder after all blocks of the page, and the exit code of each command."""
    folder = tmp_path_factory.mktemp("walk") / "tickets"
    script = ROOT / "examples" / "tickets.py"
    subprocess.run([sys.executable, script, folder], check=True)
    codes: dict[str, int] = {}
    for language, block in BLOCKS[1:]:
        if language == "python":
            subprocess.run([sys.executable, "-c", block], cwd=folder, check=True)
            continue
        for command in block.strip().splitlines():
            codes[command] = run(command, folder)
    return folder, codes


def test_every_command_ends_as_the_page_says(walked):
    _, codes = walked
    drifted = [command for command, code in codes.items() if code == 3]
    assert drifted == ["textrnn drift runs/tickets shifted.csv"]
    assert {command: code for command, code in codes.items() if code not in (0, 3)} == {}


def test_the_planted_copies_are_found(walked):
    folder, _ = walked
    ids = [row["id"] for row in rows(folder / "tickets.csv")]
    originals = Counter(name.split("-")[0] for name in ids)
    found = Counter(
        ids[int(row["row"]) - 1].split("-")[0] for row in rows(folder / "check" / "repeats.csv")
    )
    copies = sum(count - 1 for count in originals.values())
    assert copies == 2_400
    assert sum(min(found[name], originals[name] - 1) for name in originals) >= 0.95 * copies


def test_the_wrong_labels_are_in_the_first_tenth_of_the_ranked_list(walked):
    folder, _ = walked
    ids = [row["id"] for row in rows(folder / "tickets.csv")]
    wrong = {row["id"] for row in rows(folder / "planted.csv") if row["true_team"]}
    ranked = rows(folder / "check" / "label_errors.csv")[: len(ids) // 10]
    assert len(wrong) == 1_000
    assert len(wrong & {ids[int(row["row"]) - 1] for row in ranked}) >= 800


def test_the_answers_stand_beside_all_columns(walked):
    folder, _ = walked
    unseen, answered = rows(folder / "unseen.csv"), rows(folder / "answered.csv")
    assert len(answered) == len(unseen) == 4_000
    assert all(
        answer[column] == row[column]
        for answer, row in zip(answered, unseen, strict=True)
        for column in row
    )
    right = sum(answer["label"] == answer["team"] for answer in answered)
    assert right >= 0.89 * len(answered)
    assert right == sum(row["correct"] == "true" for row in rows(folder / "answers.csv"))
    assert len(rows(folder / "to_label.csv")) == 100
