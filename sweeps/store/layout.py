"""Layout of a store, and writing of files completely or not at all."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from sweeps.store import former

FORMAT = "contrastive-sweeps"
VERSION = 2
MARK = "store.json"
MANIFEST = "sweep.json"
LOCK = "lock"
"""File on which the driver of a sweep holds a lock."""
ROOM = 100 * 2**20
"""Bytes that must be free before a sweep starts: a disk that fills up in mid-sweep costs more than a refusal."""


class StoreError(ValueError):
    """Raised if a folder cannot serve as a result store; the message says how to mend it."""


def open_store(path: str | Path, *, create: bool = True) -> Path:
    """Open the result store at `path`, creating it if it is missing; with `create=False` it need only be readable.

    Raises:
        StoreError: other files lie there, the format is newer than this program, the folder cannot be written
            or the disk is nearly full.
    """
    store = Path(path).expanduser().resolve()
    if create:
        _check_room(_make(store))
    elif not (store / MARK).is_file():
        what = f"is no result store: it has no {MARK}" if store.exists() else "is not there"
        raise StoreError(f"{store} {what}; name the folder that a sweep wrote to")
    check_version(store)
    if create:
        mark_version(store)
    return store


def check_mark(text: str | bytes, store: str) -> None:
    """Check that this program knows the mark of a store, read as `text`.

    Raises:
        StoreError: it is of another format, or of a newer version.
    """
    try:
        found = json.loads(text)
        name, version = found["format"], int(found["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{store} is no result store of {FORMAT}: its {MARK} does not say so; name another folder"
        ) from error
    if name != FORMAT:
        raise StoreError(
            f"{store} is a store of '{name}', as its {MARK} says, not of {FORMAT}; name another folder"
        )
    if version > VERSION:
        raise StoreError(
            f"{store} was written by a newer program (version {version}, known up to {VERSION}); "
            "upgrade contrastive-sweeps"
        )


def mark_version(store: Path) -> None:
    """Mark an older store as one of this version, before anything is written that the older one cannot read."""
    mark = store / MARK
    if mark.is_file() and json.loads(mark.read_text(encoding="utf-8"))["version"] < VERSION:
        write_json(mark, {"format": FORMAT, "version": VERSION})


def sweep_directory(store: Path, identifier: str) -> Path:
    """Return the folder of a sweep, which need not exist yet."""
    return store / "sweeps" / identifier


def sweep_directories(store: Path) -> list[Path]:
    """Return the folders of all sweeps that have a manifest, by name."""
    return sorted(manifest.parent for manifest in store.glob(f"sweeps/*/{MANIFEST}"))


def being_written(directory: Path) -> bool:
    """Return whether a process is carrying out the sweep in `directory`, as far as this machine's locks reach."""
    try:
        with (directory / LOCK).open() as file:
            # Shared: two readers at once do not take each other for a driver.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def write_manifest(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Write sweep.json, replacing any before it."""
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / MANIFEST, manifest)


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read what `write_manifest` wrote.

    Raises:
        StoreError: the folder holds no sweep, or lies in a store of a newer program.
    """
    path = directory / MANIFEST
    if not path.is_file():
        raise StoreError(
            f"{directory.absolute()} holds no sweep: it has no {MANIFEST}; name a folder under STORE/sweeps"
        )
    check_version(directory)
    return former.manifest(json.loads(path.read_text(encoding="utf-8")))


def is_smoke_test(directory: Path) -> bool:
    """Return whether a sweep is a smoke test; False for a folder without a sweep."""
    try:
        manifest = read_manifest(directory)
    except ValueError:
        return False
    return bool(manifest.get("plan", {}).get("smoke"))


def check_version(path: Path) -> None:
    """Check that this program can read a store, or the store of a sweep; a sweep outside any store passes.

    Raises:
        StoreError: it is of a newer program.
    """
    path = path.resolve()
    for root in (path, path.parent.parent):
        if (root / MARK).is_file():
            check_mark((root / MARK).read_text(encoding="utf-8"), str(root))


def write_json(path: Path, values: Any) -> None:
    """Write JSON-ready values, completely or not at all."""
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside the file, then rename: a crash at any moment leaves the old file or the new one."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(store: Path) -> Path:
    try:
        store.mkdir(parents=True, exist_ok=True)
        if not (store / MARK).is_file():
            _check_empty(store)
            write_json(store / MARK, {"format": FORMAT, "version": VERSION})
        (store / "sweeps").mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{store} cannot be written ({error.strerror}); name a folder that can be with --store"
        ) from error
    if not os.access(store / "sweeps", os.W_OK | os.X_OK):
        raise StoreError(
            f"{store} cannot be written; change its permissions or name another folder with --store"
        )
    return store


def _check_empty(store: Path) -> None:
    others = [entry.name for entry in store.iterdir() if not entry.name.startswith(MARK)]
    if others:
        raise StoreError(
            f"{store} holds other files and is no result store ({min(others)} lies there, {MARK} does not); "
            "name an empty or a new folder with --store"
        )


def _check_room(store: Path) -> None:
    free = shutil.disk_usage(store).free
    if free < ROOM:
        raise StoreError(
            f"{store} has {free / 2**20:.0f} MB of free space, a sweep wants {ROOM / 2**20:.0f}; "
            "free some or name a folder on another disk with --store"
        )
