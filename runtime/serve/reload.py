"""Looks for new versions of the models while they are served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .store import ModelStore

__all__ = ["keep_versions_current"]

_log = logging.getLogger("textrnn.serve")


async def keep_versions_current(store: ModelStore, seconds: float) -> None:
    """Exchanges versions until the task is cancelled.

    The versions are loaded in a thread of their own, so that requests are answered meanwhile.

    Args:
        store: The models.
        seconds: The time between two looks.
    """
    loop = asyncio.get_running_loop()

    def in_loop(function: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(function)

    loader = ThreadPoolExecutor(1, thread_name_prefix="textrnn-load")
    try:
        while True:
            await asyncio.sleep(seconds)
            try:
                await loop.run_in_executor(loader, store.refresh, in_loop)
            except Exception:
                _log.exception("the look for new versions failed; the next one follows")
    finally:
        loader.shutdown(wait=False, cancel_futures=True)
