import os
from pathlib import Path

import pytest

from textrnn.host.atomic import write_atomically


@pytest.mark.parametrize(("content", "written"), [("é\n", "é\n".encode()), (b"\x00\r\n", None)])
def test_text_and_bytes_are_written_as_they_are(tmp_path, content, written):
    path = tmp_path / "file"
    write_atomically(path, content)
    assert path.read_bytes() == (written or content)


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_text("a long old content")
    write_atomically(str(path), "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


class DiskFull(OSError):
    pass


def fail(*_):
    raise DiskFull


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failure_at_any_step_keeps_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(DiskFull):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_content_is_on_disk_before_the_name_moves(tmp_path, monkeypatch):
    path = tmp_path / "file"
    steps: list[int | str] = []
    replace = Path.replace

    def noted(*paths):
        steps.append("replace")
        return replace(*paths)

    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append(os.fstat(descriptor).st_size))
    monkeypatch.setattr(Path, "replace", noted)
    write_atomically(path, "12345")
    assert steps == [5, "replace"]


def test_a_reader_never_sees_a_part(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(path.read_text()))
    write_atomically(path, "new")
    assert [*seen, path.read_text()] == ["old", "new"]


def test_a_folder_in_the_way_is_an_error(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_atomically(tmp_path / "taken", "x")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "file", "x")
