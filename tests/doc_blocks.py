"""The blocks of code of the documentation, and whether each is run, parsed, or not run."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from textrnn.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "deploy" / "README.md"]
PAGES.remove(ROOT / "CHANGELOG.md")  # It also names what has gone.

RUN_PAGES = {
    "own_cell.md": "test_own_cell.py",
    "tutorial_imdb.md": "test_tutorials.py",
    "tutorial_phone.md": "test_tutorials.py",
    "tutorial_server.md": "test_tutorials.py",
    "tutorial_tickets.md": "test_tutorial_tickets.py",
    "tutorial_unlabelled.md": "test_tutorials.py",
    "tutorial_cluster.md": "test_tutorials.py",
}
"""Pages of which a test runs every block without a mark, and the file of that test."""

PYTHON_PAGES: dict[str, dict[str, str]] = {
    "README.md": {"bbc_news": "both"},
    "docs/analysis.md": {"bbc_news": "both"},
    "docs/drift.md": {"tickets": "both"},
    "docs/export.md": {"bbc_news": "both"},
    "docs/language_models.md": {"imdb_lm": "language_model"},
    "docs/mobile.md": {"reviews": "exported"},
    "docs/python.md": {},
    "docs/recurrence.md": {"bbc_news": "both"},
    "docs/runtime.md": {"reviews": "forward", "imdb_lm": "language_model"},
    "docs/streaming.md": {"forward": "forward"},
    "docs/serving.md": {"bbc_news": "exported"},
    "docs/training.md": {},
}
"""Pages of which `test_python_blocks.py` runs every block of Python without a mark, and the runs
that it puts into their folder: a name, and which of its runs that is."""

SHELL = {
    *(
        "cat",
        "cd",
        "cp",
        "echo",
        "eval",
        "export",
        "grep",
        "ls",
        "mkdir",
        "mkdocs",
        "mv",
        "python3",
    ),
    *("ruff", "sleep", "source", "tail", "wait"),
}
"""Programs of every shell, and of the developer, which are neither run nor parsed."""

REASONS = {
    "curl": "asks a server; tests/runtime/serve asks the same calls",
    "docker": "no container engine was at hand",
    "gpu.sh": "no GPU was at hand",
    "kill": "needs the processes of the reader",
    "npm": "downloads a package",
    "parcel.sh": "takes minutes, for a machine with a GPU",
    "pre-commit": "installs a hook",
    "ray": "starts a cluster; tests/cluster start one in another way",
    "serve": "sends a file to a cluster; tests/cluster deploy it in another way",
    "sh": "trains on several machines; tests/training run two workers in another way",
}
"""Why a block of the shell with a program is not run. Its commands of textrnn are parsed."""

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n\n?)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_PLACEHOLDER = re.compile(r"requires an argument|'(\.\.\.|[A-Z]+)' is not one of")
"""The errors about an option whose value a page leaves out, or replaces by a word like CELL."""


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        page: The path of its page from the root.
        line: The line of its fence, from 1 on.
        language: The word after the fence.
        text: Its lines.
        reason: Why it is not run, as the mark before it says: `<!-- not run: REASON -->`; or "".
    """

    page: str
    line: int
    language: str
    text: str
    reason: str

    @property
    def place(self) -> str:
        """The page and the line."""
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Returns the blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page.relative_to(ROOT).as_posix(),
            text.count("\n", 0, found.start("language")) + 1,
            found["language"],
            found["text"],
            found["reason"] or "",
        )
        for found in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[list[str]]:
    """Returns the words of each simple command of a block of the shell, without its operators."""
    lines = re.sub(r"(?m)(?:^|\s)#.*$", "", text.replace("\\\n", " "))
    lexer = shlex.shlex(lines, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    found: list[list[str]] = [[]]
    redirected = False
    for token in lexer:
        if set(token) <= set("();|&\n"):
            found.append([])
        elif set(token) <= set("<>"):
            redirected = True
        elif redirected:
            redirected = False
        elif found[-1] or not re.match(r"\w+=", token):
            found[-1].append(token)
    return [words for words in found if words]


def runtime_problem(words: list[str]) -> str:
    """Returns which command or option textrnn-runtime does not have; or ""."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "runtime").rglob("*.py"))
    names = [words[1], *(word.split("=")[0] for word in words if word.startswith("--"))]
    missing = [name for name in names if f'"{name}"' not in source]
    return f"textrnn-runtime has no {missing}" if missing else ""


def script_problem(words: list[str]) -> str:
    """Returns why a script of this repository, with its options, does not exist; or ""."""
    if words[1:2] == ["-c"]:
        ast.parse(words[2])
        return ""
    scripts = [path for path in ROOT.rglob(Path(words[1]).name) if ".venv" not in path.parts]
    if not scripts:
        return f"there is no {words[1]}"
    folder = scripts[0].parent  # An option may come from a module that several scripts import.
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    options = [word.split("=")[0] for word in words[2:] if word.startswith("--")]
    missing = [option for option in options if f'"{option}"' not in source]
    return f"{words[1]} has no {missing}" if missing else ""


def pytest_problem(words: list[str]) -> str:
    """Returns which path of a call of pytest does not exist; or ""."""
    missing = [word for word in words[1:] if "/" in word and not (ROOT / word).exists()]
    return f"there is no {missing}" if missing else ""


def pip_problem(words: list[str]) -> str:
    """Returns which extra of this package does not exist; or ""."""
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    setup += (ROOT / "runtime" / "pyproject.toml").read_text(encoding="utf-8")
    extras = [
        extra
        for word in words
        if (found := re.fullmatch(r"(?:textrnn|\.|\./runtime)\[([\w,]+)\]", word))
        for extra in found[1].split(",")
    ]
    missing = [extra for extra in extras if not re.search(rf'(?m)^\s*"?{extra}"?\s*[:=]', setup)]
    return f"there is no extra {missing}" if missing else ""


def problem(words: list[str]) -> str:
    """Returns why textrnn refuses a command, or ""; a page may leave arguments out."""
    if len(words) == 1:
        return ""
    group, *rest = words[1:]
    try:
        context = click.Context(main, **main.context_settings)
        command = main.get_command(context, group)
        assert command is not None, f"there is no command {group}"
        command.make_context(group, rest, parent=context)
    except (click.exceptions.Exit, click.MissingParameter):
        return ""
    except (AssertionError, click.ClickException) as error:
        return "" if _PLACEHOLDER.search(str(error)) else f"{words}: {error}"
    return ""


class Status(NamedTuple):
    """The classification of a block.

    Attributes:
        kind: `run`, `parsed`, `not run`, `output`, or "" if nothing is known.
        reasons: Why it is not run, or what is wrong with it.
    """

    kind: str
    reasons: tuple[str, ...] = ()


def status(block: Block) -> Status:
    """Returns what is known about a block."""
    name = Path(block.page).name
    faults = faults_of(block)
    if faults:
        return Status("", faults)
    if block.reason:
        return Status("not run", (block.reason,))
    if block.language == "text":
        return Status("output")
    if block.language == "json":
        return Status("output")
    if name in RUN_PAGES or (block.language == "python" and block.page in PYTHON_PAGES):
        return Status("run")
    return _status_of_shell(block.text) if block.language == "sh" else Status("")


def _status_of_shell(text: str) -> Status:
    programs = [Path(words[0]).name for words in commands(text)]
    unknown = {*programs} - {*SHELL, *REASONS, *CHECKS}
    if unknown or not programs:
        return Status("", tuple(f"nothing is known about {name}" for name in sorted(unknown)))
    reasons = tuple(f"{name}: {REASONS[name]}" for name in sorted({*programs} & {*REASONS}))
    return Status("not run", reasons) if reasons else Status("parsed")


def faults_of(block: Block) -> tuple[str, ...]:
    """Returns what is wrong in a block of shell, Python or JSON, whether it is run or not."""
    try:
        if block.language == "json":
            text, end = block.text, 0
            while end < len(text):
                _, end = json.JSONDecoder().raw_decode(text, end)
                end += len(text[end:]) - len(text[end:].lstrip())
        elif block.language == "python":
            ast.parse(block.text)
        elif block.language == "sh":
            faults = (
                CHECKS[Path(words[0]).name](words)
                for words in commands(block.text)
                if Path(words[0]).name in CHECKS
            )
            return tuple(filter(None, faults))
    except ValueError as error:
        return (str(error),)
    return ()


CHECKS: dict[str, Callable[[list[str]], str]] = {
    "textrnn": problem,
    "textrnn-runtime": runtime_problem,
    "python": script_problem,
    "pytest": pytest_problem,
    "pip": pip_problem,
}
"""The parser that checks the arguments of each program."""
