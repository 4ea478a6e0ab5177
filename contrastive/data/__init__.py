"""Data sets: one made here, the well-known ones in their own formats, and folders of your own images.

Sets that fit are uint8 tensors that all processes of a machine share; larger ones of image files are decoded
as they are used. A new set is one file with a configuration that is a `DataSet` (or, of image files, an
`ImageSet`), and a line in the list below.
"""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from contrastive import lazy, types
from contrastive.caches import cache_folder
from contrastive.data.base import DataSet as DataSet
from contrastive.words import in_words

# The order is that of every listing.
# isort: off
from contrastive.data.shapes import Shapes as Shapes
from contrastive.data.mnist import FashionMNIST as FashionMNIST
from contrastive.data.mnist import MNIST as MNIST
from contrastive.data.mnist import KMNIST as KMNIST
from contrastive.data.cifar import CIFAR10 as CIFAR10
from contrastive.data.cifar import CIFAR100 as CIFAR100
from contrastive.data.stl10 import STL10 as STL10
from contrastive.data.tiny_imagenet import TinyImageNet as TinyImageNet
from contrastive.data.imagenet import ImageNet as ImageNet
from contrastive.data.folder import Folder as Folder
# isort: on

DATA_SETS: Final = types.registered(globals())

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset as Dataset
    from contrastive.data.dataset import Split as Split
    from contrastive.data.labelled import label_fraction as label_fraction

    Data = DataSet
else:
    Data = types.union(DATA_SETS)
_DATA: Final = TypeAdapter(Data)


def load(data: Data, *, cache: str | Path | None = None) -> "Dataset":
    """Load the images of `data`, from `cache` if they are there; else draw or read and keep them, or stream them.

    Safe with several processes at once, which then share the pages of one file.

    Args:
        data: which set, and how much of it.
        cache: a folder, made when missing. What lies in it can be deleted at any time. None: the usual one.

    Raises:
        FileNotFoundError: the files of the set are not where `data.root` says.
        ValueError: they are damaged, or hold fewer images than asked for.
    """
    return data.load(cache=cache_folder() if cache is None else Path(cache))


def parse(text: str) -> Data:
    """Parse the name of a data set: "shapes", "fashion_mnist", "cifar10:PATH", "folder:PATH" or a PATH.

    A path alone is that of a folder of images. All other fields have their defaults; paths become absolute.

    Raises:
        ValueError: no set has that name, or it needs a path, or takes none.
    """
    name, _, path = text.partition(":")
    roots = {kind.name: _root(kind) for kind in DATA_SETS}
    allowed = f"Data sets: {', '.join(map(_spelling, roots, roots.values()))}."
    folder = Path(text).expanduser().absolute()
    if name not in roots and folder.is_dir() and text:
        return in_words(lambda: _DATA.validate_python({"name": "folder", "root": str(folder)}))
    if name not in roots and (os.sep in text or text.startswith(("~", "."))):
        raise ValueError(f"there is no folder {folder}. {allowed}")
    if name not in roots:
        close = " or ".join(map(repr, difflib.get_close_matches(name, roots)))
        raise ValueError(
            f"There is no data set {name!r}.{f' Did you mean {close}?' if close else ''} {allowed}"
        )
    root = roots[name]
    if path and root is None:
        raise ValueError(f"{text!r}: {name} are drawn, not read, and take no path. {allowed}")
    if not path and root is not None and root.is_required():
        raise ValueError(f"{text!r} lacks the path of the folder. {allowed}")
    lies = {"root": str(Path(path).expanduser().absolute())} if path else {}
    return in_words(lambda: _DATA.validate_python({"name": name, **lies}))


def _root(kind: Any) -> FieldInfo | None:
    """The field that says where a set lies; None where it is drawn."""
    return kind.__pydantic_fields__.get("root")


def _spelling(name: str, root: FieldInfo | None) -> str:
    return name if root is None else f"{name}:PATH" if root.is_required() else f"{name}[:PATH]"


lazy.publish(__name__)
