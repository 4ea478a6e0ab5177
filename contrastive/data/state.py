"""Whether files have changed, without reading them."""

import os
from collections.abc import Iterable
from pathlib import Path


def file_state(root: Path, paths: Iterable[Path | str]) -> list[tuple[str, int, int]]:
    """Name below `root`, size in bytes and time of change in ns of each file: other when one has changed."""
    above = f"{root.as_posix()}/"
    return [(os.fspath(path).removeprefix(above), *_size_and_time(path)) for path in paths]


def _size_and_time(path: Path | str) -> tuple[int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - a million paths, as strings
    except OSError:  # a link to nowhere: an image that cannot be read, of which the decoder says so
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
