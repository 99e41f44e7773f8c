"""A server of letter models in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from letter_model import load

from textrnn.runtime.serve import ServeSettings, parse_source, serve


def main() -> None:
    port, workers, drain_seconds, *runs = sys.argv[1:]
    settings = ServeSettings.of(
        port=int(port),
        workers=int(workers),
        drain_seconds=float(drain_seconds),
        poll_seconds=0.05,
        max_requests=20,
        max_message_bytes=1000,
        stop_seconds=20.0,
    )
    serve([parse_source(str(Path(run))) for run in runs], load, settings=settings)


if __name__ == "__main__":
    main()
