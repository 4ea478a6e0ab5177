"""Data sets: one made here, the well-known ones in their own formats, and anybody's folder of images.

Sets that fit are uint8 tensors that all processes of a machine share; larger ones of image files are decoded
as they are used. A new set is one file with a configuration that has `state()` and `read()`, or is an
`ImageSet`, and its name in `Data`.
"""

import dataclasses
import difflib
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from contrastive.data.cache import cached
from contrastive.data.cifar10 import CIFAR10
from contrastive.data.cifar100 import CIFAR100
from contrastive.data.dataset import Dataset, Split
from contrastive.data.fashion_mnist import FashionMNIST
from contrastive.data.folder import Folder
from contrastive.data.image_set import ImageSet
from contrastive.data.imagenet import ImageNet
from contrastive.data.labelled import label_fraction
from contrastive.data.mnist import KMNIST, MNIST
from contrastive.data.shapes import Shapes
from contrastive.data.stl10 import STL10
from contrastive.data.tiny_imagenet import TinyImageNet

Data = Annotated[
    Shapes | FashionMNIST | MNIST | KMNIST | CIFAR10 | CIFAR100 | STL10 | TinyImageNet | ImageNet | Folder,
    Field(discriminator="name"),
]

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "STL10",
    "Data",
    "Dataset",
    "FashionMNIST",
    "Folder",
    "ImageNet",
    "Shapes",
    "Split",
    "TinyImageNet",
    "label_fraction",
    "load",
    "parse",
]

_DATA: Final[TypeAdapter[Data]] = TypeAdapter(Data)
_SPELLINGS: Final = {
    "shapes": "shapes",
    "fashion_mnist": "fashion_mnist[:PATH]",
    "mnist": "mnist[:PATH]",
    "kmnist": "kmnist[:PATH]",
    "cifar10": "cifar10[:PATH]",
    "cifar100": "cifar100[:PATH]",
    "stl10": "stl10[:PATH]",
    "tiny_imagenet": "tiny_imagenet[:PATH]",
    "imagenet": "imagenet:PATH",
    "folder": "folder:PATH",
}


def load(data: Data, *, cache: Path) -> Dataset:
    """The images of `data`, from `cache` where they are kept, else drawn or read and kept there, or streamed.

    Safe with several processes at once, which then share the pages of one file.

    Args:
        data: which set, and how much of it.
        cache: a folder, made when missing. What lies in it can be deleted at any time.

    Raises:
        FileNotFoundError: the files of the set are not where `data.root` says.
        ValueError: they are damaged, or hold fewer images than asked for.
    """
    if isinstance(data, ImageSet):
        return data.load(cache=cache)
    return cached(data.name, [dataclasses.asdict(data), data.state()], data.read, cache)


def parse(text: str) -> Data:
    """The data set that a command line names: "shapes", "fashion_mnist", "cifar10:PATH", "folder:PATH" ...

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
    if not path and _SPELLINGS[name].endswith(":PATH"):
        raise ValueError(f"{text!r} lacks the path of the folder. {allowed}")
    return _DATA.validate_python({"name": name} | ({"root": str(Path(path).expanduser())} if path else {}))
