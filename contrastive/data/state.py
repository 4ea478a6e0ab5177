"""Files of a data set: whether they are there, and whether they have changed, without reading them."""

import os
from collections.abc import Iterable
from pathlib import Path


def present(folder: Path, names: Iterable[str], mend: str) -> list[Path]:
    """Return the paths of these files or folders of `folder`.

    Raises:
        FileNotFoundError: some are missing; names them, and says how to `mend` it.
    """
    paths = [folder / name for name in names]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}. {mend}")
    return paths


def file_state(root: Path, paths: Iterable[Path | str]) -> list[tuple[str, int, int]]:
    """Return name below `root`, size in bytes and time of change in ns of each file."""
    above = f"{root.as_posix()}/"
    return [(os.fspath(path).removeprefix(above), *_size_and_time(path)) for path in paths]


def _size_and_time(path: Path | str) -> tuple[int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - a million paths, as strings
    except OSError:  # a link to nowhere: an image that cannot be read, of which the decoder says so
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
