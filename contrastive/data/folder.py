"""A folder of images, one sub-folder a class, for users' own data."""

from pathlib import Path
from typing import ClassVar, Literal

from contrastive.data.image_set import ImageSet
from contrastive.data.listing import Listing, list_images, refuse_shared, with_classes_of
from contrastive.data.split_folders import split_folders
from contrastive.types import Count, configuration


@configuration
class Folder(ImageSet):
    """Images in `root`/CLASS/, or in `root`/train/CLASS/ beside `root`/test/CLASS/ and `root`/val/CLASS/.

    A split without a folder of its own is drawn from the seed out of train/, or out of all images. With val/
    but no test/, as in ImageNet, val/ is the test split: nothing may be chosen on images that are reported.
    The splits may have other usual names, such as Training/ and Testing/, valid/ or dev/.
    """

    name: Literal["folder"] = "folder"
    size: Count = 32

    elsewhere: ClassVar[str] = "A folder is your own: put images into PATH/CLASS/ and name it folder:PATH."

    def listings(self) -> dict[str, Listing]:
        """Return the images in the folders of classes."""
        root = Path(self.root)
        folders = split_folders(root) if root.is_dir() else {}
        if not folders:
            return {"train": list_images(root)}
        train = list_images(folders.pop("train"))
        found = {split: with_classes_of(list_images(at), train) for split, at in folders.items()}
        if len(found) == 2:
            refuse_shared(found["validation"], found["test"])
        if "test" not in found and "validation" in found:
            found["test"] = found.pop("validation")
        return {"train": train} | found
