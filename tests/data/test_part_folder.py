"""The folder of the parts of a job, on a disk and in a store."""

import pytest

from textrnn.data.part_folder import MOST_TRIES, PartFolder
from textrnn.data.stores import as_path
from textrnn.errors import DataError

JOB = {"run": "digest", "options": {"top_k": 1}}


@pytest.fixture(params=["disk", "store"])
def place(request, tmp_path):
    return as_path(f"memory://{tmp_path}/out") if request.param == "store" else tmp_path / "out"


def started(place, *, job=JOB, resume=False):
    folder = PartFolder(place, ".csv")
    folder.start(job, resume=resume)
    return folder


@pytest.fixture
def part(tmp_path):
    (tmp_path / "scratch").write_text("text\n")
    return tmp_path / "scratch"


def test_a_job_continues_with_the_parts_that_are_done(place, part):
    folder = started(place)
    assert folder.plan is None
    folder.keep_plan([1, 2])
    folder.add(1, part, {"rows": 3})
    resumed = started(place, resume=True)
    assert (resumed.plan, resumed.done(), resumed.record(1)) == ([1, 2], {1}, {"rows": 3})
    resumed.folder.remove(resumed.name(1))
    assert resumed.done() == set()


def test_a_finished_folder_has_the_parts_alone(place, part):
    folder = started(place)
    folder.add(0, part, {})
    folder.folder.write(".part-000000.csv.killed", b"half")
    folder.finish({"rows": 1})
    assert folder.folder.names() == {"part-000000.csv", "_SUCCESS"}
    assert folder.folder.read("_SUCCESS") == b'{\n  "rows": 1\n}\n'


def test_what_a_folder_holds_is_not_overwritten(place, part):
    folder = started(place)
    with pytest.raises(DataError, match="parts of a job that did not end; continue it with"):
        started(place)
    with pytest.raises(DataError, match="a job that differs in `top_k`"):
        started(place, job={**JOB, "options": {"top_k": 2}}, resume=True)
    folder.add(0, part, {})
    folder.finish({})
    for resume in (False, True):
        with pytest.raises(DataError, match="got the parts of a finished job"):
            started(place, resume=resume)


def test_other_files_are_not_mixed_with_parts(place):
    folder = PartFolder(place, ".csv")
    folder.folder.write("notes.txt", b"mine")
    with pytest.raises(DataError, match="got other files"):
        folder.start(JOB, resume=False)


def test_a_part_that_ends_its_workers_is_given_up(place):
    folder = started(place)
    for _ in range(MOST_TRIES):
        folder.begin(7)
    with pytest.raises(DataError, match="part 7 to be written, got 10 workers that were lost"):
        folder.begin(7)
    started(place, resume=True).begin(7)
