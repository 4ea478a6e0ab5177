"""ImageNet and its subsets, such as ImageNet-100."""

from pathlib import Path
from typing import ClassVar, Literal

from contrastive.data.download import command
from contrastive.data.image_set import ImageSet
from contrastive.data.listing import Listing, list_images, with_classes_of
from contrastive.data.state import present
from contrastive.types import Count, configuration


@configuration
class ImageNet(ImageSet):
    """Photographs in `root`/train/WNID/ and `root`/val/WNID/: ILSVRC 2012, or some of its classes.

    The images of val/ are the test split; validation is drawn from train/.
    """

    name: Literal["imagenet"] = "imagenet"
    size: Count = 224
    validation: Count | None = 10_000
    """None takes a tenth of the training images."""
    subset: str | None = None
    """Text file, absolute or below `root`, of the WNIDs to use, one a line; None uses all folders.

    ImageNet-100 (Tian et al., 2020) is imagenet100.txt of github.com/HobbitLong/CMC.
    """

    elsewhere: ClassVar[str] = (
        "ImageNet is given to those who register at https://image-net.org/download.php. Unpack "
        "ILSVRC 2012 into PATH/train/WNID/ and PATH/val/WNID/ and name it imagenet:PATH."
    )

    def listings(self) -> dict[str, Listing]:
        """Return the training images and those of val/, of the chosen classes."""
        root = Path(self.root)
        mend = (
            f"Each holds a folder of images a class; `{command(self.name, root)}` says where to get them. Or name "
            "their folder: imagenet:PATH."
        )
        folders = present(root, ("train", "val"), mend)
        only = None if self.subset is None else _wnids(root / self.subset)
        train, test = (list_images(folder, only) for folder in folders)
        return {"train": train, "test": with_classes_of(test, train)}


def _wnids(path: Path) -> tuple[str, ...]:
    try:
        wnids = tuple(path.read_text().split())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"The list of classes {path} cannot be read ({error}). Name a text file with a WNID a line."
        ) from error
    twice = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1})
    if len(wnids) < 2 or twice:
        raise ValueError(
            f"{path} lists {len(wnids)} classes{f', {twice[0]} twice' if twice else ''}; it must list at "
            "least two different ones, one a line."
        )
    return wnids
