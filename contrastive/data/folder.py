"""A folder of images, one sub-folder a class: anybody's own data."""

from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from contrastive.data.image_files import Listing, list_images, with_classes_of
from contrastive.data.image_set import ImageSet
from contrastive.types import STRICT, Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Folder(ImageSet):
    """Images in `root`/CLASS/, or in `root`/train/CLASS/ beside `root`/test/CLASS/ and `root`/val/CLASS/.

    A split without a folder of its own is drawn from the seed out of train/, or out of all images. With val/
    but no test/, as in ImageNet, val/ is the test split: nothing may be chosen on images that are reported.
    """

    name: Literal["folder"] = "folder"
    size: Count = 32

    def listings(self) -> dict[str, Listing]:
        """The images in the folders of classes."""
        root = Path(self.root)
        if not (root / "train").is_dir():
            return {"train": list_images(root)}
        train = list_images(root / "train")
        found = {
            split: with_classes_of(list_images(root / folder), train)
            for split, folder in (("validation", "val"), ("test", "test"))
            if (root / folder).is_dir()
        }
        if "test" not in found and "validation" in found:
            found["test"] = found.pop("validation")
        return {"train": train} | found
