"""The page about run folders names every file of a run, and every heading of the report."""

import re
from pathlib import Path

from textrnn.inference import run_files
from textrnn.inference.history import HISTORY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "run_folder.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "textrnn" / "analysis" / "report" / "report.html.j2"


def test_every_file_of_a_run_has_a_line():
    names = {name for files in run_files.FILES.values() for name in files}
    names |= {run_files.DATA, run_files.DECISIONS, run_files.DIGESTS, HISTORY}
    written = re.findall(
        r'folder / "([a-z_.]+)"',
        "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("training/run/*.py")),
    )
    names |= set(written)
    assert {"config.yaml", "history.csv", "curves.png"} <= names
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_heading_of_the_report_answers_a_question():
    headings = re.findall(r"<h2>([^<{]+)</h2>", TEMPLATE.read_text(encoding="utf-8"))
    assert len(headings) >= 10
    assert [heading for heading in headings if heading not in PAGE] == []
