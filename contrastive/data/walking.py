"""Walk through folders of images: clutter is skipped, links are followed once, and loops end."""

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SUFFIXES: Final = frozenset(
    {
        ".bmp",
        ".gif",
        ".jfif",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    }
)
CLUTTER: Final = frozenset(
    {"__macosx", "@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information",
     "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
)  # fmt: skip
"""Names that operating systems and file servers leave behind, in lower case; a leading dot marks clutter, too."""

FILE: Final = re.compile(r"\.[A-Za-z]\w{0,3}$")
"""The end of the name of a file: "labels.csv" is one, "001.Black_footed_Albatross" a folder."""

Place = tuple[int, int]
"""Device and number of a folder, the same under all its names."""


@dataclass
class Members:
    """Files in the folder of a class, at any depth."""

    images: list[str] = field(default_factory=list)
    """Paths of images; strings, for pathlib takes a minute to list a million files."""
    links: list[str] = field(default_factory=list)
    """Paths of the images that are links."""
    others: list[str] = field(default_factory=list)
    """Paths of files of types that are not read."""


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is no data."""
    return name.startswith(".") or name.lower() in CLUTTER


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder, links to folders among them, without clutter, in the order of their names.

    Raises:
        ValueError: a link that is not named as one to a file cannot be followed.
    """
    entries = [entry for entry in sorted(folder.iterdir()) if not is_clutter(entry.name)]
    for entry in entries:
        _refuse_gone(str(entry))
    return [entry for entry in entries if entry.is_dir()]


def place(folder: Path | str) -> Place:
    """Return device and number of a folder."""
    found = os.stat(folder)  # noqa: PTH116 - a string, often
    return found.st_dev, found.st_ino


def is_loop(link: Path | str) -> bool:
    """Whether a link to a folder leads to a folder that it lies in."""
    at, target = os.path.realpath(os.path.dirname(link)), os.path.realpath(link)  # noqa: PTH120
    return f"{at}/".startswith(f"{target.rstrip('/')}/")


def walk(classes: Iterable[Path]) -> tuple[dict[str, Members], dict[Place, str]]:
    """List the files in each of these folders, by its name, and all folders that were read.

    Folders are walked first, then the links to folders in them that lead to one that was not seen.

    Raises:
        ValueError: a folder is part of two classes, or a link to one cannot be followed.
    """
    found: dict[str, Members] = {}
    seen: dict[Place, str] = {}
    links: list[tuple[Members, str]] = []
    for folder in classes:
        members = found[folder.name] = Members()
        links += [(members, link) for link in _walk(str(folder), members, seen, twice=False)]
    for members, link in links:  # which grows while it is gone through
        if not is_loop(link):
            links += [(members, further) for further in _walk(link, members, seen, twice=True)]
    for members in found.values():
        members.images.sort()
    return found, seen


def check_members(folder: Path, members: Mapping[str, Members], classes: Sequence[str]) -> None:
    """Refuse a folder that does not hold at least two `classes` of images.

    Raises:
        ValueError: there are no images, those of one class, or a folder whose files are all of unread types.
    """
    unread = {name: its.others for name, its in members.items() if its.others and not its.images}
    types = sorted({os.path.splitext(path)[1] or "none" for its in unread.values() for path in its})  # noqa: PTH122
    named = f"{', '.join(list(unread)[:10])}{', ...' if len(unread) > 10 else ''}"
    held = f"The files in {named} are of types that are not read ({', '.join(types[:10])})"
    if not classes:
        raise ValueError(
            f"{folder} has no images in sub-folders. Put them in {folder}/CLASS/, one folder a class, "
            f"as {', '.join(sorted(SUFFIXES))}.{f' {held}.' if unread else ''}"
        )
    if unread:
        raise ValueError(
            f"{folder}: {held}. Convert them to one of {', '.join(sorted(SUFFIXES))}; or, if this is no class, move "
            "the folder elsewhere or let its name begin with a dot."
        )
    if len(classes) == 1:
        inner = [entry.name for entry in subfolders(folder / classes[0])]
        deeper = f" Or name {folder / classes[0]} if {inner[0]}/ is a class." if inner else ""
        raise ValueError(
            f"{folder} has images of one class, {classes[0]!r}, but evaluation needs at least two. "
            f"Put each class in its own folder: {folder}/CLASS/.{deeper}"
        )


def _walk(top: str, members: Members, seen: dict[Place, str], *, twice: bool) -> list[str]:
    """Add the files in `top` to the members, and its folders to those seen; return the links to folders."""
    links: list[str] = []
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        if (here := place(folder)) in seen:
            if twice:
                continue
            raise ValueError(
                f"{folder} is {seen[here]} under another name, and its images would be of two classes. Remove "
                "one of them."
            )
        seen[here] = folder
        for entry in _entries(folder):
            if not os.path.isdir(entry.path):  # noqa: PTH112 - no error at a link to itself
                kind = os.path.splitext(entry.name)[1].lower() in SUFFIXES  # noqa: PTH122
                _refuse_gone(entry.path)
                (members.images if kind else members.others).append(entry.path)
                if kind and entry.is_symlink():
                    members.links.append(entry.path)
            elif entry.is_symlink():
                links.append(entry.path)
            else:
                waiting.append(entry.path)
    return links


def _refuse_gone(path: str) -> None:
    """Refuse a link that leads nowhere, unless it is named as a file or leads to itself.

    Raises:
        ValueError: the folder that it stands for would be missing without a word.
    """
    if FILE.search(path) or not os.path.islink(path):  # noqa: PTH114
        return
    try:
        place(path)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise ValueError(
                f"{path} is a link to {os.readlink(path)}, which cannot be followed ({error.strerror}): its images "  # noqa: PTH115
                "would be missing. Put the folder back, or remove the link."
            ) from None


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if not is_clutter(entry.name))
