"""Files and folders on a disk, and in fsspec's store `memory://`, which stands for all stores."""

import fsspec
import pyarrow
import pyarrow.parquet
import pytest

from textrnn.data.file_format import FileFormat
from textrnn.data.input_table import InputTable
from textrnn.data.paths import input_files
from textrnn.data.stores import address_of, as_path, open_binary, open_folder, stamp
from textrnn.errors import DataError


@pytest.fixture(params=["disk", "store"])
def place(request, tmp_path):
    """A folder on a disk, and one in a store."""
    return as_path(f"memory://{tmp_path}/folder") if request.param == "store" else tmp_path / "f"


def test_an_address_survives_a_path():
    path = as_path("s3://bucket/in/*.csv")
    assert (str(path), str(path.parent), path.suffix) == (
        "s3://bucket/in/*.csv",
        "s3://bucket/in",
        ".csv",
    )
    assert address_of("C:/data/a.csv") == address_of("data/a.csv") == ""
    assert address_of("file:/tmp/a.csv") == "file:///tmp/a.csv"


def test_a_folder_keeps_what_is_written(place, tmp_path):
    folder = open_folder(place)
    assert (folder.names(), folder.read("a"), folder.names("below")) == (set(), None, set())
    folder.make()
    folder.write("below/a", b"first")
    folder.write("below/a", b"second")
    (tmp_path / "file").write_bytes(b"third")
    folder.publish(tmp_path / "file", "b")
    assert (folder.names(), folder.names("below")) == ({"below", "b"}, {"a"})
    assert folder.read("below/a") == b"second"
    with open_binary(folder.path("b")) as file:
        assert file.read() == b"third"
    folder.remove("below")
    folder.remove("below")
    assert folder.names() == {"b"}


def test_the_stamp_changes_with_the_content(place):
    folder = open_folder(place)
    folder.write("a", b"first")
    before = stamp(folder.path("a"))
    assert stamp(folder.path("a")) == before
    folder.write("a", b"longer")
    assert stamp(folder.path("a")) != before
    with pytest.raises(DataError, match="expected a file, got none"):
        stamp(folder.path("b"))


def test_tables_are_read_from_a_store(tmp_path):
    place = f"memory://{tmp_path}"
    files = fsspec.filesystem("memory")
    files.pipe_file(f"{tmp_path}/a.csv", b"text,id\ngood,1\n")
    with files.open(f"{tmp_path}/b.parquet", "wb") as file:
        pyarrow.parquet.write_table(pyarrow.table({"text": ["dull"], "id": ["2"]}), file)
    assert list(map(str, input_files(f"{place}/*.csv"))) == [f"{place}/a.csv"]
    table = InputTable(f"{place}/a.csv,{place}/b.parquet", FileFormat())
    assert [list(kept.cells) for kept in table.rows()] == [["good", "1"], ["dull", "2"]]
    with pytest.raises(DataError, match="expected files that match"):
        input_files(f"{place}/*.jsonl")
    with pytest.raises(DataError, match="expected a file, got none"):
        InputTable(f"{place}/c.csv", FileFormat())


def test_a_store_without_its_package_is_named():
    with pytest.raises(DataError, match=r"nonsuch://a/b.*: expected a store that fsspec opens"):
        input_files("nonsuch://a/b*.csv")
