"""STL-10 (Coates et al., 2011), in its binary format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from contrastive.data.base import DataSet
from contrastive.data.download import command
from contrastive.data.state import file_state
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset

FOLDER: Final = "stl10_binary"
SIZE: Final = 96
CLASSES: Final = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@configuration
class STL10(DataSet):
    """96 x 96 colour photographs of ten classes: 5,000 labelled, 100,000 unlabelled, 8,000 to test.

    `root` holds stl10_binary/, as torchvision lays it down. Validation images are drawn from the labelled
    ones; the rest of these are the bank of kNN wherever unlabelled images are trained on, whose label is -1.
    """

    name: Literal["stl10"] = "stl10"
    root: str = "data/stl10"
    pretrain: Literal["train", "unlabelled", "both"] = "unlabelled"
    """What is trained on: the labelled images that validation leaves, the unlabelled ones, or all of these."""
    train: Count | None = None
    """How many; None takes all."""
    validation: Count = 1000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

    fetched: ClassVar[str] = "STL10"

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        return file_state(Path(self.root), self.files())

    def read(self) -> Dataset:
        """Read the files and draw the splits.

        Raises:
            FileNotFoundError: one of the files is missing.
            ValueError: one is cut short or not of its format, or holds fewer images than asked for.
        """
        from contrastive.data.stl10_files import read

        return read(self)

    def files(self) -> list[Path]:
        """The binary files: labelled images and labels, those of the test, and unlabelled images if they are used.

        Raises:
            FileNotFoundError: one is missing.
        """
        names = ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"]
        names += [] if self.pretrain == "train" else ["unlabeled_X.bin"]
        paths = [Path(self.root, FOLDER, name) for name in names]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{self.root}/{FOLDER} lacks {', '.join(missing)}. Run `{command(self.name, self.root)}`, or "
                f"name the folder that holds {FOLDER}/: stl10:PATH."
            )
        return paths
