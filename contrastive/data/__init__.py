"""Data sets as uint8 tensors: one made here, two well-known ones, and anybody's folder of images.

A new set is one file with a configuration that has `state()` and `read()`, and its name in `Data`.
"""

import dataclasses
import difflib
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from contrastive.data.cache import cached
from contrastive.data.cifar10 import CIFAR10
from contrastive.data.dataset import Dataset, Split
from contrastive.data.fashion_mnist import FashionMNIST
from contrastive.data.folder import Folder
from contrastive.data.labelled import label_fraction
from contrastive.data.shapes import Shapes

Data = Annotated[Shapes | FashionMNIST | CIFAR10 | Folder, Field(discriminator="name")]

__all__ = [
    "CIFAR10",
    "Data",
    "Dataset",
    "FashionMNIST",
    "Folder",
    "Shapes",
    "Split",
    "label_fraction",
    "load",
    "parse",
]

_DATA: Final[TypeAdapter[Data]] = TypeAdapter(Data)
_SPELLINGS: Final = {
    "shapes": "shapes",
    "fashion_mnist": "fashion_mnist[:PATH]",
    "cifar10": "cifar10[:PATH]",
    "folder": "folder:PATH",
}


def load(data: Data, *, cache: Path) -> Dataset:
    """The images of `data`, from `cache` where they are kept, else drawn or read and kept there.

    Safe with several processes at once, which then share the pages of one file.

    Args:
        data: which set, and how much of it.
        cache: a folder, made when missing. What lies in it can be deleted at any time.

    Raises:
        FileNotFoundError: the files of the set are not where `data.root` says.
        ValueError: they are damaged, or hold fewer images than asked for.
    """
    return cached(data.name, [dataclasses.asdict(data), data.state()], data.read, cache)


def parse(text: str) -> Data:
    """The data set that a command line names: "shapes", "fashion_mnist", "cifar10:PATH", "folder:PATH".

    All other fields have their defaults.

    Raises:
        ValueError: no set has that name, or it needs a path, or takes none.
    """
    name, _, path = text.partition(":")
    allowed = f"Data sets: {', '.join(_SPELLINGS.values())}."
    if name not in _SPELLINGS:
        close = " or ".join(map(repr, difflib.get_close_matches(name, _SPELLINGS)))
        raise ValueError(
            f"There is no data set {name!r}.{f' Did you mean {close}?' if close else ''} {allowed}"
        )
    if path and name == "shapes":
        raise ValueError(f"{text!r}: shapes are drawn, not read, and take no path. {allowed}")
    if not path and name == "folder":
        raise ValueError(f"{text!r} lacks the path of the folder. {allowed}")
    return _DATA.validate_python({"name": name} | ({"root": str(Path(path).expanduser())} if path else {}))
