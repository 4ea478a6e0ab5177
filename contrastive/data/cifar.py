"""CIFAR-10 and CIFAR-100, from the official Python batches or from a copy as image files."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from contrastive.data.base import DataSet
from contrastive.data.download import command
from contrastive.data.imbalance import Imbalance
from contrastive.data.listing import Listing, list_images, with_classes_of
from contrastive.data.split_folders import split_folders
from contrastive.data.state import file_state
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset


@configuration
class CIFAR(DataSet):
    """What the two sets share; their images are 32 x 32, 50,000 for training and 10,000 to test.

    `root` holds the folder of batches, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    Training and validation images are drawn from the official training images, test images from the test's.
    """

    name: str
    root: str
    train: Count = 4096
    """How many training images are drawn, before any imbalance."""
    validation: Count = 2000
    test: Count = 2000
    imbalance: Imbalance = "none"
    """Keeps that share of each class's training images; all of them still vote in kNN. (`imbalance`)"""
    seed: Natural = 0
    """Which images are used."""

    folder: ClassVar[str]
    """The folder of batches."""
    train_files: ClassVar[tuple[str, ...]]
    test_file: ClassVar[str]
    labels: ClassVar[str]
    """Under which name a batch holds its labels."""
    archive: ClassVar[str]

    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """The classes of the batches, in the order of their numbers."""

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        if self._has_batches():
            return file_state(Path(self.root), self.batches())
        return file_state(Path(self.root), (path for listing in self.listings() for path in listing.paths))

    def read(self) -> Dataset:
        """Read the batches or image files and draw the splits.

        Raises:
            FileNotFoundError: `root` holds neither, or a batch is missing.
            ValueError: a batch is damaged, or there are fewer images than asked for.
        """
        from contrastive.data import cifar_files

        return cifar_files.read_batches(self) if self._has_batches() else cifar_files.read_images(self)

    def _has_batches(self) -> bool:
        root = Path(self.root)
        if (root / self.folder).is_dir():
            return True
        if (root / "train").is_dir() and (root / "test").is_dir():
            return False
        raise FileNotFoundError(
            f"{root} holds neither {self.folder}/ nor train/ and test/ with a folder of images a class. Run "
            f"`{command(self.name, root)}`, or unpack {self.archive} there, or name its folder: {self.name}:PATH."
        )

    def batches(self) -> list[Path]:
        """The files of batches, that of the test last.

        Raises:
            FileNotFoundError: one is missing.
        """
        paths = [Path(self.root, self.folder, name) for name in (*self.train_files, self.test_file)]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{self.root}/{self.folder} lacks {', '.join(missing)}. Unpack the archive again."
            )
        return paths

    def listings(self) -> tuple[Listing, Listing]:
        """The image files to train with and to test with.

        Raises:
            FileNotFoundError: there are none.
            ValueError: a folder would not be used, or a class is in one of them only.
        """
        if unused := split_folders(Path(self.root)).get("validation"):
            raise ValueError(
                f"{unused} is not used: {self.name} draws its validation images from train/. With your own it is "
                f"folder:{self.root}."
            )
        train = list_images(Path(self.root, "train"))
        return train, with_classes_of(list_images(Path(self.root, "test")), train)
