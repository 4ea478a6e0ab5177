"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), from the official Python batches or from a copy as image files."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from contrastive.data.base import DataSet
from contrastive.data.download import command
from contrastive.data.imbalance import Imbalance, unbalanced
from contrastive.data.listing import Listing, list_images, with_classes_of
from contrastive.data.split_folders import split_folders
from contrastive.data.state import file_state, present
from contrastive.data.subset import pick
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset

CLASSES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@configuration
class CIFAR(DataSet):
    """Fields and reading that both sets share; images are 32 x 32, 50,000 for training and 10,000 to test.

    `root` holds the folder of batches, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    Training and validation images are drawn from the official training images, test images from the test's.
    """

    name: str
    root: str
    train: Count = 4096
    """Number of training images drawn, before any imbalance."""
    validation: Count = 2000
    test: Count = 2000
    imbalance: Imbalance = "none"
    """Law by which the classes shrink among the training images; kNN votes with all images drawn for training."""
    seed: Natural = 0
    """Which images are used."""

    folder: ClassVar[str]
    """Folder of the batches, below `root`."""
    train_files: ClassVar[tuple[str, ...]]
    test_file: ClassVar[str]
    labels: ClassVar[str]
    """Key of the labels in a batch."""
    archive: ClassVar[str]

    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Return the classes of the batches, in the order of their numbers."""

    def state(self) -> object:
        """Return names, sizes and times of the batches or image files."""
        if self._has_batches():
            return file_state(Path(self.root), self._batches())
        return file_state(Path(self.root), (path for listing in self._listings() for path in listing.paths))

    def read(self) -> Dataset:
        """Read the batches or image files and draw the splits.

        Raises:
            FileNotFoundError: `root` holds neither, or a batch is missing.
            ValueError: a batch is damaged, or there are fewer images than asked for.
        """
        return self._read_batches() if self._has_batches() else self._read_images()

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

    def _batches(self) -> list[Path]:
        names = (*self.train_files, self.test_file)
        return present(Path(self.root, self.folder), names, "Unpack the archive again.")

    def _read_batches(self) -> Dataset:
        from contrastive.data.cifar_files import read_batch
        from contrastive.data.dataset import assemble, take

        classes, where = self.class_names(), f"{self.root}/{self.folder}"
        *train, test = (read_batch(p, labels=self.labels, classes=len(classes)) for p in self._batches())
        images, labels = (np.concatenate(parts) for parts in zip(*train, strict=True))
        picked = self._pick(labels, len(classes), where)
        of_test = self._pick_test(test[1], f"{where}/{self.test_file}")
        return assemble(classes, **take(images, labels, picked), **take(*test, of_test))

    def _read_images(self) -> Dataset:
        from contrastive.data.dataset import assemble
        from contrastive.data.image_files import decode

        train, test = self._listings()
        picked = self._pick(train.labels, len(train.classes), str(train.folder))
        of_test = self._pick_test(test.labels, str(test.folder))
        chosen = {split: train.at(rows) for split, rows in picked.items()} | {
            "test": test.at(of_test["test"])
        }
        return assemble(train.classes, **decode(chosen, size=32))

    def _pick(self, labels: Int[ndarray, " n"], classes: int, where: str) -> dict[str, Int[ndarray, " _"]]:
        wanted = {"train": self.train, "validation": self.validation}
        return unbalanced(pick(labels, wanted, seed=self.seed, where=where), labels, self.imbalance, classes)

    def _pick_test(self, labels: Int[ndarray, " n"], where: str) -> dict[str, Int[ndarray, " _"]]:
        return pick(labels, {"test": self.test}, seed=self.seed, where=where)

    def _listings(self) -> tuple[Listing, Listing]:
        """Return the image files to train with and to test with."""
        if unused := split_folders(Path(self.root)).get("validation"):
            raise ValueError(
                f"{unused} is not used: {self.name} draws its validation images from train/. With your own it is "
                f"folder:{self.root}."
            )
        train = list_images(Path(self.root, "train"))
        return train, with_classes_of(list_images(Path(self.root, "test")), train)


@configuration
class CIFAR10(CIFAR):
    """32 x 32 colour photographs of ten classes (Krizhevsky, 2009), 50,000 for training and 10,000 to test.

    `root` holds cifar-10-batches-py/, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    """

    name: Literal["cifar10"] = "cifar10"
    root: str = "data/cifar10"

    folder: ClassVar[str] = "cifar-10-batches-py"
    train_files: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{number}" for number in range(1, 6))
    test_file: ClassVar[str] = "test_batch"
    labels: ClassVar[str] = "labels"
    fetched: ClassVar[str] = "CIFAR10"
    archive: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"

    def class_names(self) -> tuple[str, ...]:
        """Return the ten classes."""
        return CLASSES


@configuration
class CIFAR100(CIFAR):
    """32 x 32 colour photographs of a hundred classes (Krizhevsky, 2009), 500 of each for training.

    `root` holds cifar-100-python/, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    Labels are the fine ones.
    """

    name: Literal["cifar100"] = "cifar100"
    root: str = "data/cifar100"

    folder: ClassVar[str] = "cifar-100-python"
    train_files: ClassVar[tuple[str, ...]] = ("train",)
    test_file: ClassVar[str] = "test"
    labels: ClassVar[str] = "fine_labels"
    fetched: ClassVar[str] = "CIFAR100"
    archive: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"

    def class_names(self) -> tuple[str, ...]:
        """Return the hundred classes in the order of the archive's own list.

        Raises:
            FileNotFoundError: that list is missing.
            ValueError: it is damaged, or of other than a hundred names.
        """
        from contrastive.data.cifar_files import read_pickle

        (path,) = present(Path(self.root, self.folder), ["meta"], "Unpack the archive again.")
        meta: Any = read_pickle(path)
        names: Any = meta.get("fine_label_names") if isinstance(meta, dict) else None
        if not isinstance(names, list) or len(names) != 100 or not all(isinstance(n, str) for n in names):
            raise ValueError(f"{path} does not list a hundred fine_label_names. Unpack the archive again.")
        return tuple(names)
