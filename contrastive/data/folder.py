"""A folder of images, one sub-folder a class: anybody's own data."""

from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from contrastive.data.cache import file_state
from contrastive.data.dataset import Dataset, assemble
from contrastive.data.image_files import Listing, choose, decode, list_images, with_classes_of
from contrastive.types import STRICT, Count, Natural


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Folder:
    """Images in `root`/CLASS/, or in `root`/train/CLASS/ beside `root`/test/CLASS/ and `root`/val/CLASS/.

    A split without a folder of its own is drawn from the seed out of train/, or out of all images. With val/
    but no test/, as in ImageNet, val/ is the test split: nothing may be chosen on images that are reported.
    """

    name: Literal["folder"] = "folder"
    root: str
    size: Count = 32
    """Height and width in pixels: the shorter side is brought to it, then the middle is cut out."""
    train: Count | None = None
    """How many images; None takes all that the other splits leave."""
    validation: Count | None = None
    """None takes all of its folder, or a tenth of the training images where it has none."""
    test: Count | None = None
    """None takes all of its folder, or a fifth of all images where it has none."""
    seed: Natural = 0
    """Which images are used, and in which split."""

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        paths = [path for listing in self._listings().values() for path in listing.paths]
        return file_state(Path(self.root), paths)

    def read(self) -> Dataset:
        """Find, choose and decode the images.

        Raises:
            FileNotFoundError: `root` is missing.
            ValueError: there are no images, too few, those of one class, or over 1 % that cannot be read.
        """
        found = self._listings()
        splits = decode(self._hold_out(found) | self._own_folders(found), self.size)
        return assemble(found["train"].classes, **splits)

    def _listings(self) -> dict[str, Listing]:
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

    def _own_folders(self, found: dict[str, Listing]) -> dict[str, Listing]:
        counts = {"validation": self.validation, "test": self.test}
        return {
            split: choose(found[split], {split: count or len(found[split].paths)}, seed=self.seed)[split]
            for split, count in counts.items()
            if split in found
        }

    def _hold_out(self, found: dict[str, Listing]) -> dict[str, Listing]:
        pool = len(found["train"].paths)
        usual = {"validation": self.validation or max(1, pool // 10), "test": self.test or max(1, pool // 5)}
        held_out = {split: count for split, count in usual.items() if split not in found}
        train = self.train or max(1, pool - sum(held_out.values()))
        return choose(found["train"], {"train": train} | held_out, seed=self.seed)
