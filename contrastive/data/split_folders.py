"""Recognition of the folders that are the splits of a set, by the usual names."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from contrastive.data.walking import subfolders

NAMES: Final = {
    "train": "train", "training": "train", "trn": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "validate": "validation",
    "dev": "validation", "development": "validation", "eval": "validation", "evaluation": "validation",
    "test": "test", "testing": "test", "tst": "test", "holdout": "test",
}  # fmt: skip
FILLERS: Final = frozenset(
    {"set", "sets", "data", "dataset", "image", "images", "img", "imgs", "split", "folder", "files"}
)
_JOINED: Final = re.compile(rf"\b({'|'.join(NAMES)})({'|'.join([*NAMES, *FILLERS])})\b")


def split_folders(root: Path) -> dict[str, Path]:
    """Find the folders of "train", "validation" and "test"; none if `root` holds folders of classes.

    Raises:
        ValueError: a folder looks like a split and cannot be used as one; names it, and says how to mend it.
    """
    folders = subfolders(root)
    alike = [folder for folder in folders if _is_alike(folder)]
    if len(alike) == 1 and len(folders) > 2 and alike[0].name.lower() == "train" and not subfolders(alike[0]):
        return {}  # of vehicles
    found: dict[str, Path] = {}
    for folder in alike:
        split = split_of(folder.name)
        if split is None or split in found:
            why = f"beside {found[split].name}/" if split else "by a part of its name"
            raise _unused(folder, why)
        found[split] = folder
    if found and "train" not in found:
        raise _unused(next(iter(found.values())), "and there is no train/ beside it")
    return found


def refuse_splits(folders: Iterable[Path], where: str) -> None:
    """Refuse folders of classes that look like splits.

    Raises:
        ValueError: one does; names it.
    """
    for folder in folders:
        if _is_alike(folder) and subfolders(folder):
            raise _unused(folder, where)


def split_of(name: str) -> str | None:
    """Return the split of a folder by its name ("Train", "training_set", "TestImages", "val2017" ...), or None."""
    words = [word for word in _words(name) if word not in FILLERS]
    return NAMES.get(words[0]) if len(words) == 1 else None


def _is_alike(folder: Path) -> bool:
    """Whether the folder has the name of a split, or a part of it and the sub-folders of a split."""
    if split_of(folder.name):
        return True
    return any(word in NAMES for word in _words(folder.name)) and len(subfolders(folder)) > 1


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    words = " ".join(re.findall(r"[^\W\d_]+", apart))
    return _JOINED.sub(r"\1 \2", words).split()


def _unused(folder: Path, why: str) -> ValueError:
    return ValueError(
        f"{folder} looks like a split {why}, and is not used. Name the splits train/, val/ and test/, each with a "
        "folder of images a class; move what is none elsewhere, or let its name begin with a dot."
    )
