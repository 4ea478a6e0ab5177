"""Data sets on disk: written once and whole, then mapped, so that all configurations of a machine share the pages."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from contrastive.data.dataset import Dataset, Split
from contrastive.data.decoder import VERSION

FORMAT = 2
"""Version of the layout below, part of every key; raised when the layout changes."""


def cached(name: str, content: Any, make: Callable[[], Dataset], cache: Path) -> Dataset:
    """Return the data set kept in `cache` under `name` and the hash of `content`, or a new one from `make`.

    `content` is everything on which the pixels depend, as JSON. A kept set that is damaged is made anew.
    The tensors are copy-on-write: a stray write stays in its process and never reaches the file.
    """
    described = json.dumps([FORMAT, VERSION, content], sort_keys=True).encode()
    folder = cache / f"{name}-{hashlib.sha256(described).hexdigest()[:16]}"
    kept = _open(folder)
    if kept is not None:
        return kept
    made = make()
    _keep(made, folder)
    return _open(folder) or made


def _open(folder: Path) -> Dataset | None:
    try:
        about = json.loads((folder / "about.json").read_text())
        sizes = [int(size) for size in about["sizes"]]
        images = torch.as_tensor(np.load(folder / "images.npy", mmap_mode="c"))
        labels = torch.as_tensor(np.load(folder / "labels.npy", mmap_mode="c"))
        splits = map(Split, torch.split(images, sizes), torch.split(labels, sizes))
        train, validation, test, *labelled = splits
        return Dataset(train, validation, test, tuple(about["classes"]), about["fingerprint"], *labelled)
    # Whatever is wrong with the files (absent, cut short, not ours), the answer is to make the set again.
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError):
        return None


def _keep(dataset: Dataset, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch, "new")
        _write(dataset, new)
        if folder.exists() and _open(folder) is None:
            folder.replace(Path(scratch, "damaged"))
        try:
            new.replace(folder)
        except OSError:
            # A folder cannot replace a full one: another process was first, and its set is as good as ours.
            if _open(folder) is None:
                raise


def _write(dataset: Dataset, folder: Path) -> None:
    labelled = [] if dataset.labelled is None else [dataset.labelled]
    splits = [dataset.train, dataset.validation, dataset.test, *labelled]
    about = {
        "classes": dataset.classes,
        "fingerprint": dataset.fingerprint,
        "sizes": [len(split) for split in splits],
    }
    folder.mkdir()
    _save(folder / "images.npy", [split.images for split in splits if isinstance(split.images, torch.Tensor)])
    _save(folder / "labels.npy", [split.labels for split in splits])
    with (folder / "about.json").open("w") as file:
        json.dump(about, file)
        file.flush()
        os.fsync(file.fileno())


def _save(path: Path, parts: Sequence[torch.Tensor]) -> None:
    # Part by part: together they may be half of what the machine has.
    arrays = [part.contiguous().numpy() for part in parts]
    header = {
        "descr": np.lib.format.dtype_to_descr(arrays[0].dtype),
        "fortran_order": False,
        "shape": (sum(map(len, arrays)), *arrays[0].shape[1:]),
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for array in arrays:
            file.write(array.data)
        file.flush()
        os.fsync(file.fileno())
