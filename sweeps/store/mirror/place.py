"""A folder anywhere that fsspec reaches, of whose files each is there whole or not at all."""

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
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Place:
    """A folder; the names of its files are paths below it."""

    fs: Any
    root: str

    def __str__(self) -> str:
        return self.root if self.local else str(self.fs.unstrip_protocol(self.root))

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.fs, LocalFileSystem)

    def below(self, name: str) -> Place:
        """A folder below this one."""
        return Place(self.fs, self._path(name))

    def around(self, other: Place) -> bool:
        """Whether the other is this one or lies below it."""
        return self.fs == other.fs and f"{other.root}/".startswith(f"{self.root}/")

    def files(self, skip: Callable[[str], bool] = lambda _: False) -> dict[str, int]:
        """How large its files are, in bytes, by name; a folder, whose name has a slash behind, can be skipped whole."""
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
        """Of the files and folders in it, the latter with a slash behind."""
        self.fs.invalidate_cache()
        found = [(entry["name"].rpartition("/")[2], entry["type"]) for entry in self._entries(self.root)]
        return sorted(f"{name}/" if kind == "directory" else name for name, kind in found)

    def read(self, name: str) -> bytes:
        """A file's content.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        return self.fs.cat_file(self._path(name))

    def open(self, name: str) -> IO[bytes]:
        """A file to read.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        return self.fs.open(self._path(name), "rb")

    def read_all(self, names: list[str]) -> list[bytes | Exception]:
        """The content of several files, which some file systems read at once; of one that is gone, the error."""
        return self.fs.cat_ranges([self._path(name) for name in names], None, None, on_error="return")

    def modified(self, name: str) -> datetime:
        """When a file was last written."""
        return self.fs.modified(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        """Writes a file whole or not at all."""
        self._write(name, lambda file: file.write(content))

    def copy(self, source: Place, name: str, size: int | None = None) -> int:
        """Writes a file as it is elsewhere, or its beginning, whole or not at all; returns how many bytes.

        Raises:
            FileNotFoundError: it is there no longer.
        """
        poured: list[int] = []
        with source.open(name) as origin:
            self._write(name, lambda file: poured.extend(_pour(origin, file, size)))
        return sum(poured)

    def remove(self, name: str) -> None:
        """Removes a file."""
        self.fs.rm_file(self._path(name))

    def _write(self, name: str, fill: Callable[[IO[bytes]], object]) -> None:
        if self.local:
            path = Path(self._path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, fill)
            return
        # Else what an error cuts off would be stored as far as it came.
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
    """The folder at a path or a URL, which need not exist.

    Raises:
        ValueError: nothing is known of such URLs, or the library that they need is not installed.
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
