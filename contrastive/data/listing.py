"""Lists of image files in one folder a class, and detection of images that two splits share."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from contrastive.data.split_folders import refuse_splits
from contrastive.data.subset import pick
from contrastive.data.walking import Place, check_members, is_loop, place, subfolders, walk


@dataclass(frozen=True)
class Listing:
    """Image files and the class of each, as an index into `classes`."""

    folder: Path
    paths: tuple[str, ...]
    labels: Int[ndarray, " n"]
    classes: tuple[str, ...]
    seen: Mapping[Place, str] = field(default_factory=dict)
    """Paths of the folders that were read, by device and number."""
    links: tuple[str, ...] = ()
    """Paths of the images that are links."""

    def __len__(self) -> int:
        return len(self.paths)

    def at(self, rows: Int[ndarray, " m"]) -> "Listing":
        """Return the listing of some of these images."""
        return replace(self, paths=tuple(self.paths[int(row)] for row in rows), labels=self.labels[rows])


def list_images(folder: Path, only: Collection[str] | None = None) -> Listing:
    """List the images in the sub-folders of `folder`, each a class; both in the order of their names.

    Args:
        folder: folder that holds the sub-folders.
        only: classes to list; None takes every sub-folder that has images.

    Raises:
        FileNotFoundError: `folder` is missing.
        ValueError: it holds no images in sub-folders, those of a single class, or none of a class in `only`.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Name one that holds a sub-folder of images a class."
        )
    folders = [entry for entry in subfolders(folder) if only is None or entry.name in only]
    folders = [entry for entry in folders if not (entry.is_symlink() and is_loop(entry))]
    refuse_splits(folders, "among folders of classes")
    members, seen = walk(folders)
    classes = tuple(name for name, its in members.items() if its.images)
    missing = sorted(set(only or ()) - set(classes))
    if missing:
        raise ValueError(
            f"{folder} has no images of {len(missing)} classes that are asked for: {', '.join(missing[:10])}"
            f"{', ...' if len(missing) > 10 else ''}. Add their folders, or take them off the list."
        )
    check_members(folder, members, classes)
    sizes = [len(members[name].images) for name in classes]
    paths = tuple(path for name in classes for path in members[name].images)
    links = tuple(path for name in classes for path in members[name].links)
    return Listing(folder, paths, np.repeat(np.arange(len(classes)), sizes), classes, seen, links)


def with_classes_of(listing: Listing, other: Listing) -> Listing:
    """Return `listing` with its labels counted in the classes of `other`.

    Raises:
        ValueError: `listing` has a class that `other` lacks, or shares a folder or an image with it.
    """
    refuse_shared(listing, other)
    unknown = sorted(set(listing.classes) - set(other.classes))
    if unknown:
        raise ValueError(
            f"{listing.folder} has classes that {other.folder} lacks: {', '.join(unknown)}. "
            "Give the folders of a class the same name in both."
        )
    number = np.array([other.classes.index(name) for name in listing.classes])
    return replace(listing, labels=number[listing.labels], classes=other.classes)


def refuse_shared(one: Listing, other: Listing) -> None:
    """Refuse two splits that share a folder or an image, by a link, or because one lies in the other.

    Raises:
        ValueError: the splits share one; names it.
    """
    mine, theirs = _targets(one), _targets(other)
    folders = [(one.seen[at], other.seen[at]) for at in one.seen.keys() & other.seen.keys()]
    images = [(mine[path], theirs[path]) for path in mine.keys() & theirs.keys()]
    images += [(link, path) for path, link in mine.items() if place(Path(path).parent) in other.seen]
    images += [(path, link) for path, link in theirs.items() if place(Path(path).parent) in one.seen]
    for kind, shared in (("folder", folders), ("image", images)):
        if shared:
            here, there = min(shared)
            raise ValueError(
                f"{here} and {there} are one {kind}: {one.folder} and {other.folder} would hold the same images, "
                "and what is measured on one of them would say nothing of the other. Give each split images of "
                "its own."
            )


def _targets(listing: Listing) -> dict[str, str]:
    """Return the links among the images, by the file that each leads to."""
    found = {os.path.realpath(link): link for link in listing.links}  # of a link to nothing, its name
    return {path: link for path, link in found.items() if os.path.exists(path)}  # noqa: PTH110


def choose(listing: Listing, wanted: Mapping[str, int], *, seed: int) -> dict[str, Listing]:
    """Choose as many images as `wanted` gives for each split, none of them in two splits.

    Raises:
        ValueError: there are fewer images than asked for.
    """
    picked = pick(listing.labels, wanted, seed=seed, where=str(listing.folder))
    return {split: listing.at(rows) for split, rows in picked.items()}
