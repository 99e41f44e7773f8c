"""`textrnn predict --cluster`."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from light_models import random_pair

from textrnn.data.stores import as_path

TEXTS = ["a fine film", "dull", "", "we like it"] * 3


@pytest.fixture
def run(tmp_path):
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    return tmp_path / "run"


@pytest.fixture
def table(home):
    with (home / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(TEXTS)])
    return "in.csv"


@pytest.mark.parametrize(
    "arguments",
    [
        ("x",),
        ("--file", "in.csv"),
        ("-", "--output", "out"),
        ("--file", "in.csv", "--output", "out", "--json"),
        ("--file", "in.csv", "--output", "out", "--uncertain", "2"),
    ],
)
def test_options_that_do_not_suit_a_cluster(textrnn, run, table, arguments):
    result = textrnn("predict", run, *arguments, "--cluster", "local", code=2)
    assert "--cluster needs --file" in result.stderr or "--cluster cannot be" in result.stderr
    assert not Path("out").exists()


def test_a_wrong_address_or_folder_is_told_before_anything_starts(textrnn, run, table):
    command = ("predict", run, "--file", table)
    wrong = textrnn(*command, "--output", "out", "--cluster", "here", code=1)
    assert "--cluster must be auto, local or ray://HOST:PORT, got 'here'" in wrong.stderr
    wrong = textrnn(*command, "--output", "out.csv", "--cluster", "local", code=1)
    assert "out.csv: expected a folder" in wrong.stderr
    assert not Path("out").exists()


@pytest.mark.slow
def test_a_cluster_writes_what_one_process_writes(textrnn, run, table, home):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    command = ("predict", run, "--file", table, "--top-k", "2")
    textrnn(*command, "--output", "one.csv")
    # The address of a store, which is this disk: workers and driver open it by fsspec.
    output = as_path(f"file://{home}/out")
    result = textrnn(*command, "--output", output, "--cluster", "local")
    assert "12 rows written to file:///" in result.stderr
    assert (home / "out" / "part-000000.csv").read_bytes() == (home / "one.csv").read_bytes()
    assert json.loads((home / "out" / "_SUCCESS").read_text()) == {"rows": 12, "parts": 1}
    again = textrnn(*command, "--output", output, "--cluster", "local", code=1)
    assert "got the parts of a finished job; choose another --output" in again.stderr


@pytest.mark.slow
def test_a_cluster_is_reached_by_its_address(textrnn, run, table, head):
    command = ("predict", run, "--file", table)
    textrnn(*command, "--output", "one.csv")
    shell = [sys.executable, "-m", "textrnn", *map(str, command)]
    for output, address in (("a", head), ("b", "auto")):
        done = subprocess.run(
            [*shell, "--output", output, "--cluster", address], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert Path(output, "part-000000.csv").read_bytes() == Path("one.csv").read_bytes()
    (bad := Path("bad.csv")).write_text("id;body\n1;x\n")
    done = subprocess.run(
        [*shell[:4], str(run), "--file", str(bad), "--output", "c", "--cluster", head],
        capture_output=True,
        text=True,
    )
    assert "textrnn: error: bad.csv:1: expected one column named 'text'" in done.stderr
    assert done.returncode == 1


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a substitute for S3, which a server on this machine is."""
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    s3fs = pytest.importorskip("s3fs", reason="needs textrnn[s3]")
    server = pytest.importorskip("moto.server", reason="needs moto[server]")
    service = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.mkdir("bucket")
    yield files
    service.stop()


@pytest.mark.slow
def test_files_and_parts_in_s3(run, table, bucket):
    for number in range(3):
        bucket.put_file(table, f"bucket/in/{number}.csv")
    shell = [sys.executable, "-m", "textrnn", "predict", str(run), "--file", "s3://bucket/in/*.csv"]
    for output in (["--output", "s3://bucket/out", "--cluster", "local"], ["--output", "one.csv"]):
        done = subprocess.run([*shell, *output], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    one = Path("one.csv").read_bytes().splitlines()
    parts = [bucket.cat_file(f"bucket/out/part-{n:06}.csv").splitlines() for n in range(3)]
    assert [*parts[0], *parts[1][1:], *parts[2][1:]] == one
    assert len(bucket.find("bucket/out")) == 4
