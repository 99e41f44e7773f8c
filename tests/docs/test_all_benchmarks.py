"""`benchmarks/all.sh` calls each benchmark that the pages name, with options that it has."""

import fnmatch
import importlib.util
import os
import re
import runpy
import subprocess

import click
import pytest
from doc_blocks import PAGES, ROOT, problem

SETS = {
    "sst2": ("train", "validation", "test"),
    "trec6": ("train", "test"),
    "clinc150": ("train", "validation", "test"),
}
NOT_RUN = {"accelerator/launches.py", "accelerator/step_times.py", "web_labels.py"}
OPTIONAL = {"benchmarks/cluster_capacity.py": "simpy"}
"""A benchmark that asks its user to install a package, and the package."""
_NAMED = re.compile(r"benchmarks/([\w/]+\.py)")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Returns the words of each command that the script runs, by the name of its output."""
    folder = tmp_path_factory.mktemp("night")
    for program in ("python", "textrnn"):
        stub = folder / program
        stub.write_text(f"#!/bin/sh\nprintf '%s\\n' {program} \"$@\"\n", encoding="utf-8")
        stub.chmod(0o755)
    for name, parts in SETS.items():
        (folder / "data" / name).mkdir(parents=True)
        for part in parts:
            (folder / "data" / name / f"{part}.csv").touch()
    (folder / "data" / "tensorflow_datasets").mkdir()
    command = [str(ROOT / "benchmarks" / "all.sh"), str(folder / "results"), str(folder / "data")]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.run(
        ["bash", *command], check=True, env={**os.environ, "PATH": path}, capture_output=True
    )
    assert b"failed" not in said.stdout
    assert not said.stderr
    results = (folder / "results").glob("*.txt")
    lines = {path.stem: path.read_text().splitlines() for path in results}
    for words in lines.values():  # The folders of the runs that `textrnn train` would have made.
        if words[0] == "textrnn":
            (folder / words[words.index("--output") + 1]).mkdir(parents=True)
    return lines


def test_each_run_is_trained_by_options_of_textrnn(calls):
    trainings = [words for words in calls.values() if words[0] == "textrnn"]
    assert len(trainings) >= 6
    assert [*filter(None, map(problem, trainings))] == []


def test_each_benchmark_has_the_options_that_it_is_given(calls, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    scripts = [words[1:] for words in calls.values() if words[0] == "python"]
    assert len(scripts) > 35
    for script, *words in scripts:
        if (package := OPTIONAL.get(script)) and not importlib.util.find_spec(package):
            continue
        main = runpy.run_path(str(ROOT / script), run_name="benchmark")["main"]
        try:
            main.make_context(script, words)
        except click.ClickException as error:
            pytest.fail(f"{script}: {error.format_message()}")


def test_the_data_that_it_is_given_exist(calls):
    """No set of the pages has another part; a part that is not there is not asked for."""
    files = {word for words in calls.values() for word in words if word.endswith(".csv")}
    assert {tuple(file.split("/")[-2:]) for file in files} <= {
        (name, f"{part}.csv") for name, parts in SETS.items() for part in parts
    }


def test_each_benchmark_of_a_page_is_run(calls):
    run = {words[1].removeprefix("benchmarks/") for words in calls.values() if words[0] == "python"}
    named = {name for page in PAGES for name in _NAMED.findall(page.read_text(encoding="utf-8"))}
    assert named - run == NOT_RUN


def test_the_page_of_the_figures_has_a_row_for_each_benchmark(calls):
    """The scripts of a row are named by a page of that row."""
    rows = [
        line.split(" | ")
        for line in (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    named = set()
    for names, pages, _ in rows:
        text = "".join(
            (ROOT / "docs" / page).read_text(encoding="utf-8")
            for page in re.findall(r"\((.*?)\)", pages)
        )
        for pattern in re.findall("`(.+?)`", names):
            jobs = fnmatch.filter(calls, pattern)
            assert jobs, pattern
            named.update(jobs)
            for script in (calls[job][1] for job in jobs):
                assert script in text, (script, pages)
    assert named == {*calls}
