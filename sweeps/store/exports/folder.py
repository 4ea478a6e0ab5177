"""The folder of an export: written completely or not at all, and replacing only an earlier export."""

import json
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sweeps.store.layout import sync_directory, write_json

MARK = "export.json"
"""File that lists the files of an export."""


@contextmanager
def filled(out: Path, form: str) -> Generator[Path]:
    """Yield a folder to fill; it becomes `out` if the block ends without an error.

    Raises:
        ValueError: `out` has files that no export wrote.
    """
    _check(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: MLflow remembers the databases that it has opened.
    partial = out.with_name(f"{out.name}.{uuid.uuid4().hex[:12]}.partial")
    try:
        partial.mkdir()
        yield partial
        write_json(partial / MARK, {"form": form, "files": _files(partial)})
        _check(out)
        _replace(out, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(out: Path) -> None:
    out = out.absolute()
    if not out.exists():
        return
    if not out.is_dir():
        raise ValueError(f"{out} is a file; name a folder to export to")
    others = set(_files(out)) - _written(out)
    if others:
        raise ValueError(
            f"{out} has files that no export wrote ({min(others)}); move them away or name an empty or a new folder"
        )


def _written(out: Path) -> set[str]:
    try:
        return {MARK, *json.loads((out / MARK).read_text(encoding="utf-8"))["files"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()


def _replace(out: Path, partial: Path) -> None:
    before = partial.with_suffix(".before")
    if out.exists():
        out.replace(before)
    partial.replace(out)
    sync_directory(out.parent)
    shutil.rmtree(before, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
