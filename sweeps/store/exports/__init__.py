"""Exports of a store in formats of other programs: table files, and the runs of experiment trackers.

Nothing is sent anywhere: those programs read the files, or upload them.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sweeps.store.exports import mlflow, tables, tensorboard, wandb
from sweeps.store.exports.folder import filled
from sweeps.store.layout import MANIFEST, open_store


@dataclass(frozen=True)
class Form:
    """An export format: its writer and the library that it needs."""

    write: Callable[[Path, Path, Path], list[str]]
    """Writer of a store or sweep into a folder, given its final place; returns what to open, below the folder."""
    module: str = ""
    """Library that is not otherwise needed by the store."""
    package: str = ""


FORMS: Mapping[str, Form] = {
    "parquet": Form(tables.parquet),
    "csv": Form(tables.csv),
    "tensorboard": Form(tensorboard.write, "tensorboardX", "tensorboardX"),
    "mlflow": Form(mlflow.write, "mlflow", "mlflow-skinny"),
    "wandb": Form(wandb.write, "wandb", "wandb"),
}


def export(path: Path, form: str, out: Path) -> list[Path]:
    """Export a store, or one sweep, as it is now in another form; completely or not at all.

    Args:
        path: a store or a sweep's folder.
        form: one of FORMS.
        out: a new or empty folder, or one that holds only an earlier export, which is replaced.

    Returns:
        what to open.

    Raises:
        StoreError: `path` is neither.
        ValueError: there is no such form, its library is not installed, or `out` holds other files.
        OSError: `out` cannot be written.
    """
    if form not in FORMS:
        raise ValueError(f"there is no form '{form}' to export to; there is {', '.join(FORMS)}")
    chosen = FORMS[form]
    if chosen.module and importlib.util.find_spec(chosen.module) is None:
        raise ValueError(
            f"the form '{form}' is written by a library that is not installed: pip install {chosen.package}"
        )
    source, place = path.expanduser().resolve(), out.expanduser().resolve()
    if not (source / MANIFEST).is_file():
        open_store(source, create=False)
    with filled(place, form) as folder:
        opened = chosen.write(source, folder, place)
    return [place / name for name in opened]
