"""Finds a TFDS data set, and downloads and prepares it where possible."""

from __future__ import annotations

import difflib
import socket
import sys
import urllib.request
from collections.abc import Collection
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from textrnn.errors import DataError
from textrnn.messages.wording import listed

__all__ = ["ALIASES", "any_reachable", "error_line", "prepared_builder"]

ALIASES = {"imdb": "imdb_reviews/plain_text"}
"""The short names of TFDS data sets."""

_OTHER_NAMES = ("bbc_news", *ALIASES)
_OWN_FILES = "your own files (`train_file`; to pretrain, `text_file`)"
_WAYS_OUT = (
    f"prepare it on a machine with network and set `data_dir`, use {_OWN_FILES}, or "
    "`dataset='bbc_news'`, which needs no download"
)
_PROBE_SECONDS = 5.0


def prepared_builder(dataset: str, data_dir: str | None) -> Any:
    """Returns the TFDS builder of a data set, after a download if the data set is not prepared.

    Args:
        dataset: TFDS's name, or name and config.
        data_dir: The folder of prepared data sets; None means TFDS's own.

    Raises:
        DataError: The data set is unknown, or neither prepared nor downloadable.
    """
    import tensorflow_datasets as tfds

    folder = None if data_dir is None else str(Path(data_dir).expanduser())
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    # TFDS prints to stdout, which is reserved for results.
    with redirect_stdout(sys.stderr):
        try:
            builder = tfds.builder(dataset, data_dir=folder, try_gcs=False)
        except tfds.core.DatasetNotFoundError:
            raise DataError(_unknown_name(dataset)) from None
        except Exception as error:  # The code of each data set has its own errors.
            configs = ""
            if "BuilderConfig" in str(error):
                known = tfds.builder_cls(dataset.partition("/")[0]).builder_configs
                configs = f" (configs: {listed(list(known))})"
            raise DataError(
                f"data set {dataset!r}: expected NAME or NAME/CONFIG of a TFDS data set, got: "
                f"{error_line(error)}{configs}; correct `dataset` or `data_dir`."
            ) from error
        if not builder.data_path.exists():
            _download(builder, dataset)
    return builder


def _unknown_name(dataset: str) -> str:
    import tensorflow_datasets as tfds

    names = [*_OTHER_NAMES, *tfds.list_builders(with_community_datasets=False)]
    matches = difflib.get_close_matches(dataset.partition("/")[0], dict.fromkeys(names))
    return (
        f"data set {dataset}: expected a name that TFDS knows, got an unknown one (close: "
        f"{', '.join(matches) or 'nothing'}); see "
        f"https://www.tensorflow.org/datasets/catalog, or use {_OWN_FILES}."
    )


def _download(builder: Any, dataset: str) -> None:
    where = f"data set {dataset}: expected it prepared in {builder.data_path}"
    # Without this check TFDS would give up only after 200 s.
    if not any_reachable(builder.url_infos or ()):
        raise DataError(f"{where}, got nothing there and no network to fetch it; {_WAYS_OUT}.")
    try:
        builder.download_and_prepare()
    except Exception as error:  # The code of each data set has its own errors.
        raise DataError(
            f"{where}, got nothing there and no download: {error_line(error)}; {_WAYS_OUT}."
        ) from error


def any_reachable(urls: Collection[str]) -> bool:
    """Returns whether a host of these addresses answers; True if that cannot be known."""
    if urllib.request.getproxies():
        return True
    addresses = dict.fromkeys(
        (url.hostname, url.port or {"http": 80, "ftp": 21}.get(url.scheme, 443))
        for url in map(urlsplit, urls)
        if url.scheme in ("http", "https", "ftp")
    )
    for address in list(addresses)[:3]:
        try:
            socket.create_connection(address, timeout=_PROBE_SECONDS).close()
            return True
        except OSError:
            continue
    return not addresses


def error_line(error: Exception) -> str:
    """Returns the message of an error on one line of up to 200 characters."""
    line = " ".join(str(error).split()) or type(error).__name__
    return (line if len(line) <= 200 else line[:197] + "...").rstrip(".;: ")
