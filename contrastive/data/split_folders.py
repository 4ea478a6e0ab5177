"""Which folders are the splits of a set, by the names that people give them."""

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
    """The folders of "train", and of "validation" and "test" where there are such; none where `root` has classes.

    Raises:
        ValueError: a folder looks like a split and cannot be used as one; says which, and how to mend it.
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
        ValueError: says which.
    """
    for folder in folders:
        if _is_alike(folder) and subfolders(folder):
            raise _unused(folder, where)


def split_of(name: str) -> str | None:
    """The split that a folder of this name holds: "Train", "training_set", "TestImages", "val2017" ...; or None."""
    words = [word for word in _words(name) if word not in FILLERS]
    return NAMES.get(words[0]) if len(words) == 1 else None


def _is_alike(folder: Path) -> bool:
    """Whether it is named as a split is, or in part, while it holds folders as splits do."""
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
