"""CIFAR-10, from the official Python batches or from a copy as image files."""

import codecs
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray
from pydantic.dataclasses import dataclass

from contrastive.data.cache import file_state
from contrastive.data.dataset import Dataset, assemble
from contrastive.data.image_files import Listing, choose, decode, list_images, with_classes_of
from contrastive.data.subset import draw
from contrastive.types import STRICT, Count, Natural

CLASSES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
BATCHES: Final = "cifar-10-batches-py"
FILES: Final = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CIFAR10:
    """32 x 32 colour photographs of ten classes (Krizhevsky, 2009), 50,000 for training and 10,000 to test.

    `root` holds cifar-10-batches-py/, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    Training and validation images are drawn from the official training images, test images from the test's.
    """

    name: Literal["cifar10"] = "cifar10"
    root: str = "data/cifar10"
    train: Count = 4096
    validation: Count = 2000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

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
        if (root / BATCHES).is_dir():
            return True
        if (root / "train").is_dir() and (root / "test").is_dir():
            return False
        raise FileNotFoundError(
            f"{root} holds neither {BATCHES}/ nor train/ and test/ with a folder of images a class. Unpack "
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz there, or name its folder: cifar10:PATH."
        )

    def _batches(self) -> list[Path]:
        paths = [Path(self.root, BATCHES, name) for name in FILES]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{self.root}/{BATCHES} lacks {', '.join(missing)}. Unpack the archive again."
            )
        return paths

    def _read_batches(self) -> Dataset:
        *batches, (test_images, test_labels) = (read_batch(path) for path in self._batches())
        images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        where = f"{self.root}/{BATCHES}"
        train = draw(images, labels, self._of_train(), seed=self.seed, where=where)
        test = draw(
            test_images, test_labels, {"test": self.test}, seed=self.seed, where=f"{where}/{FILES[-1]}"
        )
        return assemble(CLASSES, **train, **test)

    def _listings(self) -> tuple[Listing, Listing]:
        train = list_images(Path(self.root, "train"))
        return train, with_classes_of(list_images(Path(self.root, "test")), train)

    def _read_images(self) -> Dataset:
        train, test = self._listings()
        chosen = choose(train, self._of_train(), seed=self.seed) | choose(
            test, {"test": self.test}, seed=self.seed
        )
        return assemble(train.classes, **decode(chosen, size=32))

    def _of_train(self) -> dict[str, int]:
        return {"train": self.train, "validation": self.validation}


def read_batch(path: Path) -> tuple[UInt8[ndarray, "n 3 32 32"], Int[ndarray, " n"]]:
    """Images and labels of one pickled batch.

    Raises:
        ValueError: the file is damaged, holds something else, or asks to import what a batch does not need.
    """
    try:
        with path.open("rb") as file:
            batch = _BatchUnpickler(file, encoding="latin1").load()
        images = np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(batch["labels"], np.int64)
    except _DAMAGE as error:
        raise ValueError(
            f"{path} is no CIFAR-10 batch or is damaged: {error!r}. Unpack the archive again."
        ) from error
    if labels.shape != (len(images),) or not np.isin(labels, range(len(CLASSES))).all():
        raise ValueError(
            f"{path} has {len(images)} images, {labels.size} labels; one from 0 to 9 for each is expected. "
            "Unpack the archive again."
        )
    return images, labels


# A damaged pickle can raise nearly anything; what matters is which file it is.
_DAMAGE: Final = (
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
