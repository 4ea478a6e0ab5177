"""Folders that fsspec reaches, in which each file is written completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sweeps.store.layout import write_whole

PIECE = 2**20
"""Bytes read at once."""


@dataclass(frozen=True)
class Place:
    """A folder; the names of its files are paths below it."""

    fs: Any
    root: str

    def __str__(self) -> str:
        return self.root if self.local else str(self.fs.unstrip_protocol(self.root))

    @property
    def local(self) -> bool:
        """Whether the folder is on this machine."""
        return isinstance(self.fs, LocalFileSystem)

    def below(self, name: str) -> Place:
        """Return a folder below this one."""
        return Place(self.fs, self._path(name))

    def around(self, other: Place) -> bool:
        """Return whether the other is this folder or lies below it."""
        return self.fs == other.fs and f"{other.root}/".startswith(f"{self.root}/")

    def files(self, skip: Callable[[str], bool] = lambda _: False) -> dict[str, int]:
        """Return the sizes of its files in bytes, by name; folders (names that end in a slash) can be skipped."""
        self.fs.invalidate_cache()
        found: dict[str, int] = {}
        waiting = [self.root]
        while waiting:
            for entry in self._entries(waiting.pop()):
                name = entry["name"].removeprefix(f"{self.root}/")
                if entry["type"] == "directory" and not skip(f"{name}/"):
                    waiting.append(entry["name"])
                elif entry["type"] == "file" and not skip(name):
                    found[name] = entry["size"]
        return found

    def names(self) -> list[str]:
        """Return the names of its files and folders, the latter ending in a slash."""
        self.fs.invalidate_cache()
        found = [(entry["name"].rpartition("/")[2], entry["type"]) for entry in self._entries(self.root)]
        return sorted(f"{name}/" if kind == "directory" else name for name, kind in found)

    def read(self, name: str) -> bytes:
        """Read a file's content.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        return self.fs.cat_file(self._path(name))

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        return self.fs.open(self._path(name), "rb")

    def read_all(self, names: list[str]) -> list[bytes | Exception]:
        """Read several files, which some file systems do at once; a missing one yields its error."""
        return self.fs.cat_ranges([self._path(name) for name in names], None, None, on_error="return")

    def modified(self, name: str) -> datetime:
        """Return when a file was last written."""
        return self.fs.modified(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file completely or not at all."""
        self._write(name, lambda file: file.write(content))

    def copy(self, source: Place, name: str, size: int | None = None) -> int:
        """Copy a file from elsewhere, or its beginning, completely or not at all; return the number of bytes.

        Raises:
            FileNotFoundError: it is there no longer.
        """
        poured: list[int] = []
        with source.open(name) as origin:
            self._write(name, lambda file: poured.extend(_pour(origin, file, size)))
        return sum(poured)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.fs.rm_file(self._path(name))

    def _write(self, name: str, fill: Callable[[IO[bytes]], object]) -> None:
        if self.local:
            path = Path(self._path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, fill)
            return
        # Otherwise a copy cut off by an error would be stored.
        with self.fs.transaction, self.fs.open(self._path(name), "wb") as file:
            fill(file)

    def _entries(self, path: str) -> Iterator[dict[str, Any]]:
        try:
            entries = self.fs.ls(path, detail=True)
        except FileNotFoundError:
            return
        for entry in entries:
            inside = {**entry, "name": entry["name"].rstrip("/")}
            if inside["name"] != path:  # some object stores list the folder itself
                yield inside

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"


def place_at(url: str) -> Place:
    """Return the folder at a path or URL, which need not exist.

    Raises:
        ValueError: such URLs are unknown, or need a library that is not installed.
    """
    try:
        fs, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ValueError(f"{url} cannot be reached: {error}") from error
    return Place(fs, root.rstrip("/"))


def _pour(origin: IO[bytes], file: IO[bytes], size: int | None) -> Iterator[int]:
    left = size
    while piece := origin.read(PIECE if left is None else min(PIECE, left)):
        file.write(piece)
        left = None if left is None else left - len(piece)
        yield len(piece)
