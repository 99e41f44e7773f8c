"""Jobs that are stopped and continue."""

import zipfile

import pytest

from textrnn.data.resumable_output import ResumableOutput, check_output, partial_folder
from textrnn.data.writers import WRITERS
from textrnn.data.writers.writer import Layout
from textrnn.errors import DataError

LAYOUT = Layout(("text",), {"score": float})
PARTS = [[["a", 0.5], ["b", None]], [["c, d", 1.0]], [["e", 0.25]]]
JOB = {"input": "x", "options": {"top_k": 1, "texts": "a"}}


def output(path, *, resume=False, job=JOB):
    return ResumableOutput(path, WRITERS[path.suffix](LAYOUT), job=job, resume=resume)


def whole(path):
    parts = output(path)
    for part in PARTS:
        parts.add(part)
    parts.finish()
    return content(path)


def content(path):
    """Returns the bytes of a file; of a workbook, which holds a time, those of its sheet."""
    if path.suffix == ".xlsx":
        return zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    return path.read_bytes()


@pytest.mark.parametrize("extension", WRITERS)
def test_a_job_that_continues_ends_with_the_same_bytes(tmp_path, extension):
    expected = whole(tmp_path / f"whole{extension}")
    path = tmp_path / f"a{extension}"
    stopped = output(path)
    stopped.add(PARTS[0])
    stopped.add(PARTS[1])
    assert not path.exists()
    resumed = output(path, resume=True)
    assert resumed.done == 2
    resumed.add(PARTS[2])
    resumed.finish()
    assert content(path) == expected
    assert not partial_folder(path).exists()


def test_a_job_that_was_stopped_while_it_joined_its_parts_joins_them_again(tmp_path):
    expected = whole(tmp_path / "whole.csv")
    parts = output(tmp_path / "a.csv")
    for part in PARTS:
        parts.add(part)
    (tmp_path / ".a.csv.0123").write_bytes(expected[:5])
    resumed = output(tmp_path / "a.csv", resume=True)
    assert resumed.done == len(PARTS)
    resumed.finish()
    assert (tmp_path / "a.csv").read_bytes() == expected


def test_a_part_that_was_not_finished_does_not_count(tmp_path):
    output(tmp_path / "a.csv").add(PARTS[0])
    (partial_folder(tmp_path / "a.csv") / ".00000001.part.0123").write_bytes(b"c")
    assert output(tmp_path / "a.csv", resume=True).done == 1


@pytest.mark.parametrize(
    ("job", "names"),
    [
        ({**JOB, "input": "y"}, "`input`"),
        ({**JOB, "options": {"top_k": 2, "texts": "a"}}, "`top_k`"),
        ({"input": "y", "options": {"top_k": 1, "texts": "b"}}, "`input`, `texts`"),
    ],
)
def test_another_job_does_not_continue(tmp_path, job, names):
    output(tmp_path / "a.csv").add(PARTS[0])
    with pytest.raises(DataError, match=f"a job that differs in {names}; restore"):
        output(tmp_path / "a.csv", resume=True, job=job)
    assert output(tmp_path / "a.csv", resume=True).done == 1


def test_a_damaged_journal_is_another_job(tmp_path):
    output(tmp_path / "a.csv").add(PARTS[0])
    (partial_folder(tmp_path / "a.csv") / "journal.json").write_text("{")
    with pytest.raises(DataError, match="differs in `version`"):
        output(tmp_path / "a.csv", resume=True)


def test_nothing_to_continue_begins_anew(tmp_path):
    assert output(tmp_path / "a.csv", resume=True).done == 0


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    parts = output(tmp_path / "a.csv")
    parts.add(PARTS[0])
    assert (tmp_path / "a.csv").read_text() == "old"
    parts.discard(only_if_empty=True)
    assert partial_folder(tmp_path / "a.csv").exists()
    parts.discard()
    assert not partial_folder(tmp_path / "a.csv").exists()


def test_a_job_without_parts_leaves_nothing(tmp_path):
    output(tmp_path / "a.csv").discard(only_if_empty=True)
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_checked_early(tmp_path):
    check_output(tmp_path / "a.csv", resume=False)
    with pytest.raises(DataError, match="expected an existing folder"):
        check_output(tmp_path / "none" / "a.csv", resume=False)
    with pytest.raises(DataError, match="got a folder; name a file in it"):
        check_output(tmp_path, resume=False)
    output(tmp_path / "a.csv").add(PARTS[0])
    with pytest.raises(DataError, match="continue it with `resume`, or remove"):
        check_output(tmp_path / "a.csv", resume=False)
    check_output(tmp_path / "a.csv", resume=True)


def test_a_disk_that_cannot_be_written_to_is_a_data_error(tmp_path):
    parts = output(tmp_path / "a.csv")
    parts.discard()
    with pytest.raises(DataError, match=r"a\.csv: cannot be written"):
        parts.add(PARTS[0])
