"""The instructions of this machine's processor."""

from __future__ import annotations

from pathlib import Path

__all__ = ["multiplies_bfloat16"]

CPU_INFO = Path("/proc/cpuinfo")
"""The file in which Linux lists the processor's instruction sets."""


def multiplies_bfloat16() -> bool:
    """Returns whether the CPU has Intel's matrix instructions for bfloat16 (AMX); on Linux only."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return "amx_bf16" in flags.split()
