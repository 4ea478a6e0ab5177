"""Image files in one folder a class: finding them, decoding them, and knowing when they have changed."""

import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from contrastive.data.dataset import Split
from contrastive.data.subset import pick

SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
MOST_UNREADABLE: Final = 0.01
"""The share of unreadable images above which a folder is refused."""


@dataclass(frozen=True)
class Listing:
    """Image files and the class of each, as an index into `classes`."""

    folder: Path
    paths: tuple[Path, ...]
    labels: Int[ndarray, " n"]
    classes: tuple[str, ...]


def list_images(folder: Path) -> Listing:
    """The images in the sub-folders of `folder`, each a class; both in the order of their names.

    Raises:
        FileNotFoundError: `folder` is missing.
        ValueError: it holds no images in sub-folders, or those of a single class.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Name one that holds a sub-folder of images a class."
        )
    members = {entry.name: _images_in(entry) for entry in sorted(folder.iterdir()) if _is_class(entry)}
    classes = tuple(name for name, paths in members.items() if paths)
    if not classes:
        raise ValueError(
            f"{folder} has no images in sub-folders. Put them in {folder}/CLASS/, one folder a class, "
            f"as {', '.join(sorted(SUFFIXES))}."
        )
    if len(classes) == 1:
        raise ValueError(
            f"{folder} has images of one class, {classes[0]!r}, but evaluation needs at least two. "
            f"Put each class in its own folder: {folder}/CLASS/."
        )
    sizes = [len(members[name]) for name in classes]
    paths = tuple(path for name in classes for path in members[name])
    return Listing(folder, paths, np.repeat(np.arange(len(classes)), sizes), classes)


def _is_class(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")


def _images_in(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted((path for path in found if not path.name.startswith(".")), key=Path.as_posix)


def with_classes_of(listing: Listing, other: Listing) -> Listing:
    """`listing` with its labels counted in the classes of `other`.

    Raises:
        ValueError: it has a class that `other` lacks.
    """
    unknown = sorted(set(listing.classes) - set(other.classes))
    if unknown:
        raise ValueError(
            f"{listing.folder} has classes that {other.folder} lacks: {', '.join(unknown)}. "
            "Give the folders of a class the same name in both."
        )
    number = np.array([other.classes.index(name) for name in listing.classes])
    return Listing(listing.folder, listing.paths, number[listing.labels], other.classes)


def choose(listing: Listing, wanted: Mapping[str, int], *, seed: int) -> dict[str, Listing]:
    """As many of the images as `wanted` gives for each split, none of them in two splits.

    Raises:
        ValueError: there are fewer images than asked for.
    """
    picked = pick(listing.labels, wanted, seed=seed, where=str(listing.folder))
    return {
        split: replace(
            listing, paths=tuple(listing.paths[int(i)] for i in chosen), labels=listing.labels[chosen]
        )
        for split, chosen in picked.items()
    }


def decode(chosen: Mapping[str, Listing], size: int) -> dict[str, Split]:
    """Decode the images of each split: the shorter side is brought to `size`, then the middle is cut out.

    Images that cannot be read are left out with a warning that names them.

    Raises:
        ValueError: more than 1 % of the images cannot be read.
    """
    decoded = {split: _decode_all(listing.paths, size) for split, listing in chosen.items()}
    broken = [
        path
        for split, listing in chosen.items()
        for path, whole in zip(listing.paths, decoded[split][1], strict=True)
        if not whole
    ]
    _report(broken, sum(len(listing.paths) for listing in chosen.values()))
    return {
        split: Split(torch.as_tensor(images[whole]), torch.as_tensor(chosen[split].labels[whole]))
        for split, (images, whole) in decoded.items()
    }


def _decode_all(paths: Sequence[Path], size: int) -> tuple[UInt8[ndarray, "n 3 h w"], Bool[ndarray, " n"]]:
    images = np.empty((len(paths), 3, size, size), np.uint8)
    readable = np.ones(len(paths), np.bool_)
    for i, path in enumerate(paths):
        try:
            images[i] = _decode_one(path, size)
        # All that Pillow raises on damaged files of the formats above.
        except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
            readable[i] = False
    return images, readable


def _decode_one(path: Path, size: int) -> UInt8[ndarray, "3 h w"]:
    with Image.open(path) as image:
        # A large JPEG can be decoded at a fraction of its size; twice what is wanted leaves the filter work.
        image.draft("RGB", (2 * size, 2 * size))
        square = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    return np.asarray(square).transpose(2, 0, 1)


def _report(broken: Sequence[Path], total: int) -> None:
    if not broken:
        return
    some = ", ".join(map(str, broken[:10])) + (", ..." if len(broken) > 10 else "")
    message = f"{len(broken)} of {total} images cannot be read: {some}."
    if len(broken) > MOST_UNREADABLE * total:
        raise ValueError(
            f"{message} At most {MOST_UNREADABLE:.0%} may be left out. Repair or remove these files."
        )
    warnings.warn(f"{message} They are left out.", stacklevel=2)
