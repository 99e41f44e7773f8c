"""The walk from a table of tickets to decisions, command by command, with faults that are known."""

import csv
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial_tickets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, flags=re.DOTALL)
with socket.create_server(("127.0.0.1", 0)) as _free:
    PORT = _free.getsockname()[1]

pytestmark = pytest.mark.slow


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Walk(NamedTuple):
    """The folder after all blocks of the page, and the exit code and the output of each command."""

    folder: Path
    codes: dict[str, int]
    outputs: dict[str, str]


def start(command: str, folder: Path) -> subprocess.Popen:
    """Starts a line of a block; the server listens to a port that is free."""
    words = shlex.split(command.replace("8501", str(PORT)).removesuffix("&"))
    if words[0] == "textrnn":
        words[:1] = [sys.executable, "-m", "textrnn"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def ended(server: subprocess.Popen) -> int:
    """Ends a server, and returns its exit code."""
    server.terminate()
    server.communicate(timeout=30)
    return server.returncode


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Iterator[Walk]:
    """The walk through the page. A command that ends with & runs until `kill %1`."""
    folder = tmp_path_factory.mktemp("walk") / "tickets"
    script = ROOT / "examples" / "tickets.py"
    subprocess.run([sys.executable, script, folder], check=True)
    walk = Walk(folder, {}, {})
    servers: list[subprocess.Popen] = []
    try:
        for language, block in BLOCKS[1:]:
            if language == "python":
                subprocess.run([sys.executable, "-c", block], cwd=folder, check=True)
                continue
            for command in block.strip().splitlines():
                if command == "kill %1":
                    walk.codes[command] = ended(servers.pop(0))
                    continue
                process = start(command, folder)
                if command.endswith("&"):
                    servers.append(process)
                    continue
                walk.outputs[command], _ = process.communicate()
                walk.codes[command] = process.returncode
        yield walk
    finally:
        for server in servers:
            ended(server)


def test_every_command_ends_as_the_page_says(walked):
    codes = walked.codes
    drifted = [command for command, code in codes.items() if code == 3]
    assert drifted == ["textrnn drift runs/tickets shifted.csv"]
    assert {command: code for command, code in codes.items() if code not in (0, 3)} == {}


def test_the_planted_copies_are_found(walked):
    folder = walked.folder
    ids = [row["id"] for row in rows(folder / "tickets.csv")]
    originals = Counter(name.split("-")[0] for name in ids)
    found = Counter(
        ids[int(row["row"]) - 1].split("-")[0] for row in rows(folder / "check" / "repeats.csv")
    )
    copies = sum(count - 1 for count in originals.values())
    assert copies == 2_400
    assert sum(min(found[name], originals[name] - 1) for name in originals) >= 0.95 * copies


def test_the_wrong_labels_are_in_the_first_tenth_of_the_ranked_list(walked):
    folder = walked.folder
    ids = [row["id"] for row in rows(folder / "tickets.csv")]
    wrong = {row["id"] for row in rows(folder / "planted.csv") if row["true_team"]}
    ranked = rows(folder / "check" / "label_errors.csv")[: len(ids) // 10]
    assert len(wrong) == 1_000
    assert len(wrong & {ids[int(row["row"]) - 1] for row in ranked}) >= 800


def test_the_answers_stand_beside_all_columns(walked):
    folder = walked.folder
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


def test_the_server_answers(walked):
    (answer,) = (text for command, text in walked.outputs.items() if command.startswith("curl"))
    (prediction,) = json.loads(answer)["predictions"]
    assert prediction["label"] in {"refund", "shipping"}
    assert sum(prediction["scores"]) == pytest.approx(1.0, abs=1e-4)
