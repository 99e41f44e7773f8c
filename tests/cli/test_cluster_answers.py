"""The answers of a cluster, whose units are computed in this process: no Ray is needed."""

import csv
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from light_models import random_pair
from tiny import labelled_texts

from textrnn.cli.answers import AnswerOptions
from textrnn.cli.cluster_answers import cluster_job, write_on_cluster
from textrnn.cli.output_options import OutputOptions
from textrnn.cli.text_options import TextOptions
from textrnn.data.resumable_output import PART_ROWS
from textrnn.errors import DataError, ModelError
from textrnn.progress import Silent

ROWS = 10
MANY = PART_ROWS + 100
"""More rows than one process answers together."""


class Log(Silent):
    """A reporter that remembers its messages."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


class Killed(BaseException):
    """Ends the driver like a kill."""


class Cluster:
    """Computes units one by one in this process, the last one first; counts them."""

    def __init__(self, *, kill_after=None):
        self.units, self._kill_after = 0, kill_after

    @contextmanager
    def connected(self):
        yield self._run

    def _run(self, units, open_work):
        work = open_work()
        for unit in reversed(units):
            if self.units == self._kill_after:
                raise Killed
            self.units += 1
            yield json.loads(json.dumps(work(json.loads(json.dumps(unit)))))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster") / "run"
    random_pair(folder, cell="mingru", bidirectional=True, max_length=3)
    return folder


def job_of(run, file, output="out", **written):
    return cluster_job(
        run,
        TextOptions(file=Path(file)),
        engine="auto",
        options=AnswerOptions(),
        written=OutputOptions(output=Path(output), **written),
        abstain_below=None,
    )


def label(run, file, output="out", *, cluster=None, resume=False, log=None, unit_rows=4, **written):
    """Labels files as the command does; returns the share of the cut tokens."""
    return write_on_cluster(
        replace(job_of(run, file, output, **written), unit_rows=unit_rows),
        TextOptions(file=Path(file)),
        cluster=(cluster or Cluster()).connected(),
        resume=resume,
        reporter=log or Log(),
    )


def write_table(path, rows):
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(rows)])


def texts(count, *, seed=0):
    return [text for text, _ in labelled_texts(count, seed=seed)]


def joined(folder, kind):
    """The rows of all parts of a folder, in order."""
    parts = sorted(Path(folder).glob(f"part-*{kind}"))
    if kind == ".parquet":
        tables = map(pyarrow.parquet.read_table, parts)
        return pyarrow.concat_tables(tables).to_pylist()
    first, *others = (part.read_text().splitlines() for part in parts)
    header = 1 if kind == ".csv" else 0
    return [*first, *(line for lines in others for line in lines[header:])]


def of_one_process(textrnn, run, file, kind, *options):
    textrnn("predict", run, "--file", file, "--output", f"one{kind}", *options)
    if kind == ".parquet":
        return pyarrow.parquet.read_table(f"one{kind}").to_pylist()
    return Path(f"one{kind}").read_text().splitlines()


@pytest.mark.thorough
def test_the_parts_are_the_file_of_one_process(textrnn, run, home):
    write_table("a.csv", [*texts(100), " "] * (MANY // 101 + 1))
    (home / "b.csv").write_text("text,more\nx,1\nx,1,2\n")
    log = Log()
    share = label(run, "*.csv", unit_rows=PART_ROWS, top_k=2, token_counts=True, log=log)
    options = ("--top-k", "2", "--token-counts")
    assert joined("out", ".csv") == of_one_process(textrnn, run, "*.csv", ".csv", *options)
    assert [path.name for path in sorted(home.glob("out/*"))] == [
        "_SUCCESS",
        *(f"part-{number:06}.csv" for number in range(3)),
    ]
    assert json.loads(Path("out/_SUCCESS").read_text()) == {"rows": 4244, "parts": 3}
    assert log.messages == [
        "note: 42 texts are blank and got an empty answer.",
        "note: 1 row could not be read and got an empty answer (the first: b.csv:3: expected 2 "
        "columns, got 3; put cells that contain the delimiter in quotes).",
        f"4,244 rows written to {home / 'out'}",
    ]
    assert 0.1 < share < 0.9


def test_values_of_json_lines_get_types_in_parquet(textrnn, run, home):
    (home / "a.jsonl").write_text('{"text": "x", "id": 1}\n{"text": "y", "tags": ["a"]}\n\n')
    (home / "b.jsonl").write_text('{"text": "c x", "id": 2.5, "label": "pos"}\n')
    log = Log()
    label(run, "a.jsonl,b.jsonl", "out/*.parquet", all_scores=True, log=log)
    expected = of_one_process(textrnn, run, "a.jsonl,b.jsonl", ".parquet", "--all-scores")
    assert joined("out", ".parquet") == expected
    assert "instead of 'label'" in log.messages[0]
    assert "note: a.jsonl: 1 blank line skipped." in log.messages


@pytest.mark.thorough
def test_parts_of_parquet(textrnn, run, home):
    for number in range(2):
        rows = (texts(100, seed=number) * MANY)[:MANY]
        table = pyarrow.table({"id": pyarrow.array(range(MANY), "uint16"), "text": rows})
        pyarrow.parquet.write_table(table, home / f"{number}.parquet", row_group_size=1000)
    label(run, "*.parquet", unit_rows=PART_ROWS)
    expected = of_one_process(textrnn, run, "*.parquet", ".parquet")
    assert joined("out", ".parquet") == expected
    label(run, "*.parquet", "lines/*.jsonl", unit_rows=PART_ROWS)
    assert joined("lines", ".jsonl") == of_one_process(textrnn, run, "*.parquet", ".jsonl")


@pytest.mark.parametrize("done", range(6))
def test_a_job_whose_driver_was_killed_continues(run, home, done):
    write_table("a.csv", texts(ROWS))
    write_table("b.csv", texts(ROWS, seed=1))
    label(run, "?.csv", "whole")
    with pytest.raises(Killed):
        label(run, "?.csv", cluster=Cluster(kill_after=done))
    with pytest.raises(DataError, match="continue it with `resume`"):
        label(run, "?.csv")
    with pytest.raises(DataError, match="differs in `top_k`"):
        label(run, "?.csv", resume=True, top_k=2)
    cluster = Cluster()
    label(run, "?.csv", cluster=cluster, resume=True)
    # Two files are read, and six parts are answered; the files are read again if not both were.
    assert cluster.units == (8 if done < 2 else 8 - done)
    assert joined("out", ".csv") == joined("whole", ".csv")


def test_a_part_that_is_removed_is_written_again(run):
    write_table("a.csv", texts(ROWS))
    label(run, "a.csv", "whole")
    with pytest.raises(Killed):
        label(run, "a.csv", cluster=Cluster(kill_after=3))
    (part,) = set(Path("out").glob("part*")) - {Path("out/part-000002.csv")}
    part.unlink()
    label(run, "a.csv", resume=True)
    assert joined("out", ".csv") == joined("whole", ".csv")


def test_a_file_that_changes_in_between_is_an_error(run):
    write_table("a.csv", texts(ROWS))
    with pytest.raises(Killed):
        label(run, "a.csv", cluster=Cluster(kill_after=2))
    write_table("a.csv", texts(ROWS + 1))
    with pytest.raises(DataError, match=r"differs in `a\.csv`"):
        label(run, "a.csv", resume=True)


def test_another_run_on_a_machine_is_an_error(run):
    write_table("a.csv", texts(ROWS))
    job = job_of(run, "a.csv")
    other = replace(job, run_digest="0" * 64)
    with pytest.raises(ModelError, match="put the same run at this path on all machines"):
        other.open_run()
    with pytest.raises(ModelError, match="expected a finished run"):
        replace(job, run=Path("none")).open_run()


@pytest.mark.parametrize(
    ("file", "output", "expected"),
    [
        ("a.csv", "out", ("out", ".csv")),
        ("a.jsonl", "out/*.parquet", ("out", ".parquet")),
        ("a.txt", "out", ("out", ".parquet")),
        ("a/*.tsv", "b/*.jsonl", ("b", ".jsonl")),
    ],
)
def test_the_format_of_the_parts(run, home, file, output, expected):
    job = job_of(run, file, output)
    assert (str(job.output.relative_to(home)), job.extension) == expected


@pytest.mark.parametrize("output", ["out.csv", "out/*.xlsx", "out/*"])
def test_a_folder_is_expected(run, output):
    with pytest.raises(DataError, match="expected a folder, which gets parts"):
        job_of(run, "a.csv", output)


@pytest.mark.process
def test_workers_need_no_tensorflow(run):
    write_table("a.csv", texts(ROWS))
    code = """
import sys
from contextlib import nullcontext
from pathlib import Path
from textrnn.cli.answers import AnswerOptions
from textrnn.cli.cluster_answers import cluster_job, write_on_cluster
from textrnn.cli.output_options import OutputOptions
from textrnn.cli.text_options import TextOptions
from textrnn.data.resumable_output import PART_ROWS
from textrnn.progress import Silent
source = TextOptions(file=Path("a.csv"))
job = cluster_job(Path(sys.argv[1]), source, engine="auto", options=AnswerOptions(),
    written=OutputOptions(output=Path("out")), abstain_below=None)
def run_units(units, open_work):
    work = open_work()
    return map(work, units)
write_on_cluster(job, source, cluster=nullcontext(run_units), resume=False, reporter=Silent())
print(*({"tensorflow", "keras", "ray", "sklearn", "scipy"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert len(joined("out", ".csv")) == ROWS + 1
