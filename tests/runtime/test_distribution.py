"""The distribution `textrnn-runtime`: what it contains and what it needs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from light_models import random_language_pair, random_pair

import textrnn.runtime

FOLDER = Path(textrnn.runtime.__file__).parent
tomllib = pytest.importorskip("tomllib")  # Python 3.11 has it.
PROJECT = FOLDER / "pyproject.toml"
SETUP = (FOLDER.parent / "setup.py").read_text(encoding="utf-8")


def project() -> dict:
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))


def test_every_package_is_installed():
    found = {
        ".".join(("textrnn_runtime", *path.parent.relative_to(FOLDER).parts))
        for path in FOLDER.rglob("__init__.py")
        if "build" not in path.parts
    }
    assert set(project()["tool"]["setuptools"]["packages"]) == found


def test_its_version_and_bounds_are_those_of_textrnn():
    about = project()["project"]
    assert f'VERSION = "{about["version"]}"' in SETUP
    for requirement in about["dependencies"]:
        assert f'"{requirement}"' in SETUP


def test_only_what_it_needs_is_imported():
    needed = {re.split(r"[^\w-]", name)[0] for name in project()["project"]["dependencies"]}
    imported = set()
    for path in FOLDER.rglob("*.py"):
        if "serve" in path.relative_to(FOLDER).parts:
            continue
        code = path.read_text(encoding="utf-8")
        names = re.findall(r"^\s*(?:import|from) ([a-z_0-9]+)", code, re.MULTILINE)
        imported |= set(names) - set(sys.stdlib_module_names)
    assert imported == needed


@pytest.mark.process
def test_the_command_loads_no_numpy_before_its_products_get_one_thread():
    code = "import sys, textrnn.runtime.cli\nassert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.process
def test_it_answers_and_explains_under_its_own_name(tmp_path):
    pair = random_pair(tmp_path / "run", cell="gru", head="mean", bidirectional=False)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "textrnn_runtime").symlink_to(FOLDER)
    code = (
        "import sys\nfrom textrnn_runtime.cli import main\ncode = main(sys.argv[1:])\n"
        "heavy = {'tensorflow', 'keras', 'google', 'textrnn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\nsys.exit(code)"
    )

    def output(*arguments: str, stdin: str = "") -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={"PYTHONPATH": str(tmp_path / "site")},
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    run, text = str(tmp_path / "run"), "A fine film. Dull."
    (answer,) = pair.model.answers([text])
    expected = f"{answer.label}\t{answer.score:.4f}\t{text}"
    assert output("predict", run, text) == [expected]
    assert output("predict", run, "-", stdin=f"{text}\n") == [expected]
    assert output("stream", run, stdin=text)[-1].startswith(f"{answer.label}\t{answer.score:.4f}")
    language = random_language_pair(tmp_path / "lm", cell="gru")
    scored = ("score", str(tmp_path / "lm"))
    (likelihood,) = language.trained.score([text])
    (line,) = output(*scored, text)
    assert line.split("\t")[1:] == [
        f"{likelihood.bits_per_token:.4f}",
        f"{likelihood.perplexity:.1f}",
        text,
    ]
    (line,) = output(*scored, "--per-token", "-", stdin=f"{text}\n")
    assert json.loads(line)["pieces"] == list(likelihood.pieces)
    words = pair.model.explain(text).words
    assert [line.split("\t")[-1] for line in output("explain", run, text)] == [
        word.text for word in words
    ]
