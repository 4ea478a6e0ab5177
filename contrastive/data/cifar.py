"""CIFAR-10 and CIFAR-100, from the official Python batches or from a copy as image files."""

import codecs
import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray
from pydantic.dataclasses import dataclass

from contrastive.data.cache import file_state
from contrastive.data.dataset import Dataset, assemble
from contrastive.data.download import command
from contrastive.data.image_files import Listing, decode, list_images, with_classes_of
from contrastive.data.imbalance import Imbalance, unbalanced
from contrastive.data.split_folders import split_folders
from contrastive.data.subset import pick, take
from contrastive.types import STRICT, Count, Natural


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CIFAR(ABC):
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

    batches: ClassVar[str]
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
        if (root / self.batches).is_dir():
            return True
        if (root / "train").is_dir() and (root / "test").is_dir():
            return False
        raise FileNotFoundError(
            f"{root} holds neither {self.batches}/ nor train/ and test/ with a folder of images a class. Run "
            f"`{command(self.name, root)}`, or unpack {self.archive} there, or name its folder: {self.name}:PATH."
        )

    def _batches(self) -> list[Path]:
        paths = [Path(self.root, self.batches, name) for name in (*self.train_files, self.test_file)]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{self.root}/{self.batches} lacks {', '.join(missing)}. Unpack the archive again."
            )
        return paths

    def _read_batches(self) -> Dataset:
        classes = self.class_names()
        *batches, test = (
            read_batch(path, labels=self.labels, classes=len(classes)) for path in self._batches()
        )
        images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        where = f"{self.root}/{self.batches}"
        chosen = take(images, labels, self._pick(labels, len(classes), where))
        of_test = pick(test[1], {"test": self.test}, seed=self.seed, where=f"{where}/{self.test_file}")
        return assemble(classes, **chosen, **take(*test, of_test))

    def _listings(self) -> tuple[Listing, Listing]:
        if unused := split_folders(Path(self.root)).get("validation"):
            raise ValueError(
                f"{unused} is not used: {self.name} draws its validation images from train/. With your own it is "
                f"folder:{self.root}."
            )
        train = list_images(Path(self.root, "train"))
        return train, with_classes_of(list_images(Path(self.root, "test")), train)

    def _read_images(self) -> Dataset:
        train, test = self._listings()
        picked = self._pick(train.labels, len(train.classes), str(train.folder))
        of_test = pick(test.labels, {"test": self.test}, seed=self.seed, where=str(test.folder))
        chosen = {split: train.at(rows) for split, rows in picked.items()} | {
            "test": test.at(of_test["test"])
        }
        return assemble(train.classes, **decode(chosen, size=32))

    def _pick(self, labels: Int[ndarray, " n"], classes: int, where: str) -> dict[str, Int[ndarray, " _"]]:
        wanted = {"train": self.train, "validation": self.validation}
        picked = pick(labels, wanted, seed=self.seed, where=where)
        return unbalanced(picked, labels, self.imbalance, classes)


def read_batch(
    path: Path, *, labels: str, classes: int
) -> tuple[UInt8[ndarray, "n 3 32 32"], Int[ndarray, " n"]]:
    """Images and labels of one pickled batch, the labels kept under the name `labels`.

    Raises:
        ValueError: the file is damaged, holds something else, or asks to import what a batch does not need.
    """
    batch = read_pickle(path)
    try:
        images = np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32)
        numbers = np.asarray(batch[labels], np.int64)
    except DAMAGE as error:
        raise _damaged(path, error) from error
    if numbers.shape != (len(images),) or not np.isin(numbers, range(classes)).all():
        raise ValueError(
            f"{path} has {len(images)} images, {numbers.size} labels; one from 0 to {classes - 1} for each is "
            "expected. Unpack the archive again."
        )
    return images, numbers


def read_pickle(path: Path) -> Any:
    """What a pickled file of the archive holds.

    Raises:
        ValueError: it is damaged, or asks to import what such a file does not need.
    """
    try:
        with path.open("rb") as file:
            return _BatchUnpickler(file, encoding="latin1").load()
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is no CIFAR batch or is damaged: {error!r}. Unpack the archive again.")


# A damaged pickle can raise nearly anything; what matters is which file it is.
DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    SyntaxError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


class _BatchUnpickler(pickle.Unpickler):
    """Rebuilds numpy arrays and nothing else: an unrestricted pickle can run any program."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}") from None


def _dtype(code: str, *_: object) -> np.dtype[Any]:
    # Batches written by Python 2 give the flags that follow as 0 and 1, of which numpy complains.
    return np.dtype(code)


# What numpy's pickles call to make an array, in whichever private module this version keeps it.
_reconstruct = np.empty(0).__reduce__()[0]
_ALLOWED: Final[Mapping[tuple[str, str], Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): codecs.encode,
}
