"""The tutorials do what they say, command by command; `test_tutorial_tickets.py` has the longest.

A page is one script of bash: its blocks share the folder and the background processes.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import ROOT, blocks_of

pytestmark = pytest.mark.slow


def walk(page: str, folder: Path, **environment: str) -> list[str]:
    """Runs all blocks of a page in a folder, and fails with the first command that fails.

    Args:
        page: The name of the page.
        folder: An empty folder, which gets a link to `examples/`.
        **environment: Variables of the environment.

    Returns:
        What each block printed to stdout.
    """
    (folder / "examples").symlink_to(ROOT / "examples")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    blocks = [block for block in blocks_of(ROOT / "docs" / page) if not block.reason]
    script = ["set -eu -o pipefail"]
    for number, block in enumerate(blocks):
        text = block.text.replace("8501", port)
        code = text if block.language == "sh" else f"python - <<'END'\n{text}END\n"
        script.append(f"exec >{folder}/block-{number}.txt\n{code}")
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "stderr.txt").open("w") as errors:
        walked = subprocess.Popen(
            ["bash", "-c", "\n".join(script)],
            cwd=folder,
            env={**os.environ, "PATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            stderr=errors,
            start_new_session=True,
        )
    try:
        exit_code = walked.wait(timeout=3600)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(walked.pid, signal.SIGTERM)  # Servers that the page has not ended.
    assert exit_code == 0, (folder / "stderr.txt").read_text(encoding="utf-8")[-4000:]
    return [(folder / f"block-{n}.txt").read_text("utf-8") for n in range(len(blocks))]


def test_tutorial_server(tmp_path):
    *_, refused_and_answered, explained, compared_and_exchanged, metrics, _ = walk(
        "tutorial_server.md", tmp_path
    )
    refused, answered = re.findall(r"\{.*?\}(?=\{|\s*$)", refused_and_answered, flags=re.DOTALL)
    assert "error" in json.loads(refused)
    assert json.loads(answered)["predictions"][0]["label"] == "sport"
    assert json.loads(explained)["explanations"][0]["label"] == "sport"
    compared, _, exchanged = compared_and_exchanged.rpartition("\n{")
    assert "accuracy" in compared
    versions = json.loads("{" + exchanged)["model_version_status"]
    status = {entry["version"]: entry["state"] for entry in versions}
    assert status["2"] == "AVAILABLE"
    assert re.search(r'textrnn_requests_total\{.*status="401".*\} ', metrics)
    assert re.search(r"textrnn_model_version\{.*\} 2", metrics)


def test_tutorial_phone(tmp_path):
    *_, printed = walk("tutorial_phone.md", tmp_path)
    assert printed.startswith("sport ")
    files = tmp_path / "runs" / "phone" / "export" / "tflite"
    assert (files / "model_dynamic_int8.tflite").stat().st_size < 1_000_000
    assert (files / "model_stream.tflite").is_file()


def test_tutorial_unlabelled(tmp_path):
    *_, scored = walk("tutorial_unlabelled.md", tmp_path)
    ticket, other, predicted = scored.splitlines()
    assert float(ticket.split("\t")[1]) + 5 < float(other.split("\t")[1])
    assert "unusual" in predicted
    with_labels, with_texts = (
        json.loads((tmp_path / "tickets" / "runs" / run / "metrics.json").read_text("utf-8"))
        for run in ("few", "from_lm")
    )
    assert with_texts["test"]["accuracy"] > with_labels["test"]["accuracy"]


def test_tutorial_cluster(tmp_path):
    pytest.importorskip("ray", reason="pip install -e '.[ray]'")
    *_, compared = walk("tutorial_cluster.md", tmp_path)
    assert compared == "100000 True\n"


def test_tutorial_imdb(tmp_path):
    folder = os.environ.get("TFDS_DATA_DIR", "")
    if not Path(folder, "imdb_reviews").is_dir():
        pytest.skip(
            "TFDS_DATA_DIR names no folder with imdb_reviews, and the download takes minutes"
        )
    walk("tutorial_imdb.md", tmp_path)
    metrics = json.loads((tmp_path / "runs" / "imdb" / "metrics.json").read_text("utf-8"))
    assert metrics["test"]["accuracy"] > 0.89
    assert (tmp_path / "why.html").is_file()
    assert (tmp_path / "runs" / "imdb" / "report.html").is_file()
