"""The Tab key in a shell, as docs/training.md sets it up."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from textrnn.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
LINES = {
    shell: line
    for line in PAGE.splitlines()
    for shell in re.findall(r"_TEXTRNN_COMPLETE=(\w+)_source", line)
}


@pytest.mark.parametrize(
    ("words", "start", "completions"),
    [
        ([], "tr", ["train"]),
        (["train"], "--cel", ["--cell"]),
        (["train", "--cell"], "l", ["lstm"]),
        (["export"], "--verify", ["--verify-only"]),
    ],
)
def test_words_are_completed(words, start, completions):
    completion = ShellComplete(main, {}, "textrnn", "_TEXTRNN_COMPLETE")
    assert [item.value for item in completion.get_completions(words, start)] == completions


def test_the_page_has_a_line_for_each_shell():
    assert set(LINES) == {"bash", "zsh", "fish"}
    assert all(get_completion_class(shell) for shell in LINES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_of_the_readme_works(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    listing = {
        "bash": "complete -p textrnn",
        "zsh": "whence -w _textrnn_completion",
        "fish": "complete -c textrnn",
    }[shell]
    before = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else ""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [shell, "-c", f"{before}{LINES[shell].split(' # ')[0]}\n{listing}"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_textrnn_completion" in ran.stdout
