"""Image files in one folder a class: finding them, decoding them, and knowing when they have changed."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray

from contrastive.data.cache import file_state
from contrastive.data.dataset import Split
from contrastive.data.decoder import DAMAGED, HEEDED, NO_FILE, READ, Reading
from contrastive.data.decoding import decoded, report
from contrastive.data.split_folders import refuse_splits
from contrastive.data.stream import Backdrop, Stream
from contrastive.data.subset import pick
from contrastive.data.transparency import compose, mean_colour, opacity
from contrastive.data.walking import Place, check, is_loop, place, subfolders, walk

BLOCK: Final = 256
"""Images that one process decodes at a time; what is decoded does not depend on it."""


@dataclass(frozen=True)
class Listing:
    """Image files and the class of each, as an index into `classes`."""

    folder: Path
    paths: tuple[str, ...]
    labels: Int[ndarray, " n"]
    classes: tuple[str, ...]
    seen: Mapping[Place, str] = field(default_factory=dict)
    """The folders that were looked into, by where they really are."""
    links: tuple[str, ...] = ()
    """Paths that are links."""

    def __len__(self) -> int:
        return len(self.paths)

    def at(self, rows: Int[ndarray, " m"]) -> "Listing":
        """The listing of some of these images."""
        return replace(self, paths=tuple(self.paths[int(row)] for row in rows), labels=self.labels[rows])


def list_images(folder: Path, only: Collection[str] | None = None) -> Listing:
    """The images in the sub-folders of `folder`, each a class; both in the order of their names.

    Args:
        folder: what holds the sub-folders.
        only: the classes that are wanted; None takes every sub-folder that has images.

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
    check(folder, members, classes)
    sizes = [len(members[name].images) for name in classes]
    paths = tuple(path for name in classes for path in members[name].images)
    links = tuple(path for name in classes for path in members[name].links)
    return Listing(folder, paths, np.repeat(np.arange(len(classes)), sizes), classes, seen, links)


def with_classes_of(listing: Listing, other: Listing) -> Listing:
    """`listing` with its labels counted in the classes of `other`.

    Raises:
        ValueError: it has a class that `other` lacks, or a folder of its images.
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
    """Refuses two splits that share a folder or an image, by a link, or because one lies in the other.

    Raises:
        ValueError: says which.
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
    """The links among the images, by what they lead to."""
    found = {os.path.realpath(link): link for link in listing.links}  # of a link to nothing, its name
    return {path: link for path, link in found.items() if os.path.exists(path)}  # noqa: PTH110


def choose(listing: Listing, wanted: Mapping[str, int], *, seed: int) -> dict[str, Listing]:
    """As many of the images as `wanted` gives for each split, none of them in two splits.

    Raises:
        ValueError: there are fewer images than asked for.
    """
    picked = pick(listing.labels, wanted, seed=seed, where=str(listing.folder))
    return {split: listing.at(rows) for split, rows in picked.items()}


def decode(
    chosen: Mapping[str, Listing],
    size: int,
    *,
    unreadable: float = 0.01,
    workers: int = 0,
    reading: Reading = HEEDED,
) -> dict[str, Split]:
    """Decode the images of each split: the shorter side is brought to `size`, then the middle is cut out.

    Behind transparent images lies the mean colour of those of "train". Images that cannot be read are left out
    with a warning that names them.

    Raises:
        ValueError: more than a share `unreadable` of the images cannot be read.
    """
    found = {split: _decode_all(listing, size, workers, reading) for split, listing in chosen.items()}
    if any(one.opacity for one in found.values()):
        colour = mean_colour([(found["train"].images, found["train"].opacity)])
        for one in found.values():
            compose(one.images, one.opacity, colour)
    broken = {
        chosen[split].paths[row]: int(one.ended[row])
        for split, one in found.items()
        for row in np.flatnonzero(one.ended != READ)
    }
    report(broken, sum(map(len, chosen.values())), unreadable, "They are left out.")
    return {split: _readable(one, chosen[split]) for split, one in found.items()}


@dataclass(frozen=True)
class _Found:
    images: UInt8[ndarray, "n 3 h w"]
    opacity: dict[int, UInt8[ndarray, "h w"]]
    ended: UInt8[ndarray, " n"]


def _decode_all(listing: Listing, size: int, workers: int, reading: Reading) -> _Found:
    rows = [range(start, min(start + BLOCK, len(listing))) for start in range(0, len(listing), BLOCK)]
    found = _Found(np.empty((len(listing), 3, size, size), np.uint8), {}, np.empty(len(listing), np.uint8))
    blocks = decoded(listing.paths.__getitem__, rows, size=size, workers=workers, reading=reading)
    for some, (pixels, ended) in zip(rows, blocks, strict=True):
        found.images[some.start : some.stop], found.ended[some.start : some.stop] = pixels[:, :3], ended
        found.opacity.update(opacity(pixels, some.start))
    return found


def _readable(found: _Found, listing: Listing) -> Split:
    read = found.ended == READ
    images = found.images if read.all() else found.images[read]
    return Split(torch.as_tensor(images), torch.as_tensor(listing.labels[read]))


def stream(
    chosen: Mapping[str, Listing],
    size: int,
    *,
    root: Path,
    unreadable: float,
    workers: int,
    reading: Reading = HEEDED,
) -> dict[str, Split]:
    """Splits whose images stay on disk. Missing and empty files are known at once and left out.

    Raises:
        ValueError: more than a share `unreadable` of the files is missing or empty.
    """
    states = {split: file_state(root, listing.paths) for split, listing in chosen.items()}
    empty = [root / name for state in states.values() for name, length, _ in state if not length]
    broken = {str(path): NO_FILE if path.exists() and not path.is_file() else DAMAGED for path in empty}
    report(broken, sum(map(len, chosen.values())), unreadable, "They are left out.")
    behind = Backdrop(chosen["train"].paths, size, workers)
    splits: dict[str, Split] = {}
    for split, state in states.items():
        full = [i for i, (_, length, _) in enumerate(state) if length]
        names, lengths = tuple(state[i][0] for i in full), np.array([state[i][1] for i in full])
        images = Stream(
            root,
            names,
            lengths,
            size=size,
            workers=workers,
            unreadable=unreadable,
            reading=reading,
            behind=behind,
        )
        splits[split] = Split(images, torch.as_tensor(chosen[split].labels[full]))
    return splits
