"""Tiny-ImageNet, in the layout of its archive."""

from pathlib import Path
from typing import ClassVar, Final, Literal

import numpy as np

from contrastive.data.download import command
from contrastive.data.image_set import ImageSet
from contrastive.data.listing import Listing, list_images
from contrastive.data.state import present
from contrastive.types import Count, configuration

ANNOTATIONS: Final = "val_annotations.txt"


@configuration
class TinyImageNet(ImageSet):
    """64 x 64 photographs of 200 ImageNet classes, 100,000 for training and 10,000 to test.

    `root` is the unpacked folder: train/WNID/images/, and val/images/ beside val/val_annotations.txt. The
    images of val/ are the test split, for those of test/ have no labels; validation is drawn from train/.
    Classes bear their WordNet numbers.
    """

    name: Literal["tiny_imagenet"] = "tiny_imagenet"
    root: str = "data/tiny-imagenet-200"
    size: Count = 64

    elsewhere: ClassVar[str] = (
        "Unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip and name its folder: tiny_imagenet:PATH."
    )

    def listings(self) -> dict[str, Listing]:
        """Return the training images and those of val/."""
        root = Path(self.root)
        mend = f"`{command(self.name, root)}` says where to get them; or name the folder: tiny_imagenet:PATH."
        train_folder, val = present(root, ("train", "val"), mend)
        train = list_images(train_folder)
        return {"train": train, "test": _annotated(val, train)}


def _annotated(folder: Path, train: Listing) -> Listing:
    path = folder / ANNOTATIONS
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no {path}, which holds the classes of the images. Unpack the archive again; a copy "
            f"that was sorted into folders of classes is folder:{folder.parent}."
        )
    number = {name: label for label, name in enumerate(train.classes)}
    names: list[str] = []
    labels: list[int] = []
    for at, line in enumerate(path.read_text().splitlines(), start=1):
        name, _, rest = line.partition("\t")
        wnid = rest.partition("\t")[0]
        if wnid not in number:
            raise ValueError(
                f"{path}, line {at}: {line[:60]!r} is no image's name, a tab and a class that {train.folder} "
                "has. Unpack the archive again."
            )
        names.append(name)
        labels.append(number[wnid])
    if not names:
        raise ValueError(f"{path} is empty. Unpack the archive again.")
    paths = tuple(f"{folder}/images/{name}" for name in names)
    return Listing(folder, paths, np.array(labels), train.classes)
