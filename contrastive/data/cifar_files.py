"""Reading of CIFAR's pickled files, without running what a pickle may ask for."""

import codecs
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

# A damaged pickle can raise nearly anything; what matters is which file it is.
DAMAGE: Final = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, SyntaxError, TypeError, ValueError,
    pickle.UnpicklingError,
)  # fmt: skip


def read_batch(
    path: Path, *, labels: str, classes: int
) -> tuple[UInt8[ndarray, "n 3 32 32"], Int[ndarray, " n"]]:
    """Return images and labels of one pickled batch, the labels kept under the name `labels`.

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
    """Return the content of a pickled file of the archive.

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


class _BatchUnpickler(pickle.Unpickler):
    """Unpickler of numpy arrays and nothing else: an unrestricted pickle can run any program."""

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
