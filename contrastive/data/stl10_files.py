"""Reading STL-10's binary files."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray

from contrastive.data.dataset import Dataset, Split, assemble, take
from contrastive.data.stl10 import CLASSES, FOLDER, SIZE, STL10
from contrastive.data.subset import pick

Images = UInt8[ndarray, "n 3 96 96"]
Labels = Int[ndarray, " n"]


def read(stl10: STL10) -> Dataset:
    """Read the files and draw the splits; what is refused is said in `STL10.read`."""
    images, labels, test_images, test_labels, *unlabelled = stl10.files()
    found, where = _labelled(images, labels), str(images)
    wanted = {"train": max(1, len(found[1]) - stl10.validation), "validation": stl10.validation}
    chosen = take(*found, pick(found[1], wanted, seed=stl10.seed, where=where))
    bank = chosen.pop("train")
    test = _labelled(test_images, test_labels)
    of_test = pick(test[1], {"test": stl10.test}, seed=stl10.seed, where=str(test_images))
    chosen |= take(*test, of_test) | _pretraining(stl10, bank, [read_images(path) for path in unlabelled])
    return assemble(CLASSES, **chosen)


def _pretraining(stl10: STL10, bank: Split, unlabelled: list[Images]) -> dict[str, Split]:
    assert isinstance(bank.images, torch.Tensor)
    own = [] if stl10.pretrain == "unlabelled" else [(bank.images.numpy(), bank.labels.numpy())]
    pools = own + [(images, np.full(len(images), -1)) for images in unlabelled]
    labels = np.concatenate([numbers for _, numbers in pools])
    wanted = {"train": len(labels) if stl10.train is None else stl10.train}
    where = f"{stl10.root}/{FOLDER} (pretrain={stl10.pretrain!r}, less validation)"
    # Images without a class are a class of their own where each has its proportion.
    chosen = pick(labels + 1, wanted, seed=stl10.seed, where=where)["train"]
    train = Split(_rows([images for images, _ in pools], chosen), torch.as_tensor(labels[chosen]))
    return {"train": train} | ({} if stl10.pretrain == "train" else {"labelled": bank})


def read_images(path: Path) -> Images:
    """The images of a binary file, mapped: each is three planes of 96 columns of 96 bytes.

    Raises:
        ValueError: the file does not consist of whole images.
    """
    if not path.stat().st_size or path.stat().st_size % (3 * SIZE * SIZE):
        raise ValueError(
            f"{path} has {path.stat().st_size} bytes, no whole number of images of {3 * SIZE * SIZE}. It is "
            "cut short or something else; unpack the archive again."
        )
    return np.memmap(path, np.uint8, "r").reshape(-1, 3, SIZE, SIZE).transpose(0, 1, 3, 2)


def _labelled(images: Path, labels: Path) -> tuple[Images, Labels]:
    pixels, numbers = read_images(images), np.fromfile(labels, np.uint8).astype(np.int64) - 1
    if len(pixels) != len(numbers) or not np.isin(numbers, range(len(CLASSES))).all():
        raise ValueError(
            f"{images} holds {len(pixels)} images, {labels} {len(numbers)} labels; one from 1 to "
            f"{len(CLASSES)} for each is expected. Unpack the archive again."
        )
    return pixels, numbers


def _rows(pools: list[Images], chosen: Int[ndarray, " m"]) -> torch.Tensor:
    # From one pool after the other, for all together they are 3 GB.
    images = np.empty((len(chosen), 3, SIZE, SIZE), np.uint8)
    start = 0
    for pool in pools:
        mine = np.flatnonzero((chosen >= start) & (chosen < start + len(pool)))
        for part in np.array_split(mine, len(mine) // 1000 + 1):
            images[part] = pool[chosen[part] - start]
        start += len(pool)
    return torch.as_tensor(images)
