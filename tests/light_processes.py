"""Commands that a process of its own runs with the light runtime, and runs of earlier versions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = {"tensorflow", "keras", "h5py", "scipy", "sklearn", "rich", "pyarrow", "yaml", "ray"}


def answered(*arguments: object, stdin: str = "") -> tuple[list[str], set[str]]:
    """The lines that a process prints, and the heavy packages that it imports."""
    code = (
        "import sys\nfrom textrnn.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(*({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout.splitlines(), set(done.stderr.splitlines()[-1].split())


def forget_network(run: Path) -> None:
    """Makes a run one of an earlier version, which has no file of the light runtime."""
    record = json.loads((run / "digests.json").read_text())
    del record["sha256"]["runtime.safetensors"]
    (run / "digests.json").write_text(json.dumps(record))
    (run / "runtime.safetensors").unlink()
