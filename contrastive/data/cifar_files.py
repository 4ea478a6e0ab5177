"""Reading CIFAR's batches, or image files in their place."""

import codecs
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from contrastive.data.cifar import CIFAR
from contrastive.data.dataset import Dataset, assemble, take
from contrastive.data.image_files import decode
from contrastive.data.imbalance import unbalanced
from contrastive.data.subset import pick


def read_batches(cifar: CIFAR) -> Dataset:
    """Read the batches and draw the splits; what is refused is said in `CIFAR.read`."""
    classes = cifar.class_names()
    *batches, test = (read_batch(path, labels=cifar.labels, classes=len(classes)) for path in cifar.batches())
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    where = f"{cifar.root}/{cifar.folder}"
    chosen = take(images, labels, _pick(cifar, labels, len(classes), where))
    of_test = pick(test[1], {"test": cifar.test}, seed=cifar.seed, where=f"{where}/{cifar.test_file}")
    return assemble(classes, **chosen, **take(*test, of_test))


def read_images(cifar: CIFAR) -> Dataset:
    """Decode the image files and draw the splits; what is refused is said in `CIFAR.read`."""
    train, test = cifar.listings()
    picked = _pick(cifar, train.labels, len(train.classes), str(train.folder))
    of_test = pick(test.labels, {"test": cifar.test}, seed=cifar.seed, where=str(test.folder))
    chosen = {split: train.at(rows) for split, rows in picked.items()} | {"test": test.at(of_test["test"])}
    return assemble(train.classes, **decode(chosen, size=32))


def _pick(
    cifar: CIFAR, labels: Int[ndarray, " n"], classes: int, where: str
) -> dict[str, Int[ndarray, " _"]]:
    wanted = {"train": cifar.train, "validation": cifar.validation}
    picked = pick(labels, wanted, seed=cifar.seed, where=where)
    return unbalanced(picked, labels, cifar.imbalance, classes)


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
