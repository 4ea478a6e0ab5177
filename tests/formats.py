"""Small data sets in their true formats, written as their makers write them."""

import gzip
import pickle
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def marked(count: int, *shape: int) -> np.ndarray:
    """Images that can be told apart: image i has i in its first pixel, and something else in every other."""
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    images.reshape(count, -1)[:, 0] = range(count)
    return images


def write_idx(path: Path, values: np.ndarray) -> None:
    content = struct.pack(f">I{values.ndim}I", 0x0800 | values.ndim, *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_fashion(root: Path, *, suffix: str = ".gz", train: int = 60, test: int = 40) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        write_idx(root / f"{part}-images-idx3-ubyte{suffix}", marked(count, 28, 28))
        write_idx(root / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count, dtype=np.uint8) % 10)
    return root


def python2_batch(images: np.ndarray, labels: Iterable[int], key: bytes = b"labels") -> bytes:
    """A CIFAR batch as the official files hold it: protocol 2, byte strings, dtype flags as numbers."""

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(value)) + value

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + number(0)
        + b"\x85"
        + text(b"b")
        + b"\x87R"
    )
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    shape = number(len(images)) + number(3072) + b"\x86"
    state = b"(" + number(1) + shape + dtype + b"\x89" + text(images.tobytes()) + b"tb"
    listed = b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + state + text(key) + listed + b"u."


def python3_batch(images: np.ndarray, labels: Iterable[int]) -> bytes:
    batch = {"data": images.reshape(len(images), 3072), "labels": list(labels)}
    return pickle.dumps(batch, protocol=2)


def write_cifar(root: Path, batch: Callable[[np.ndarray, Iterable[int]], bytes] = python2_batch) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    images, test = marked(60, 3, 32, 32), marked(20, 3, 32, 32)
    for i in range(5):
        part = slice(12 * i, 12 * i + 12)
        (folder / f"data_batch_{i + 1}").write_bytes(batch(images[part], [j % 10 for j in range(60)[part]]))
    (folder / "test_batch").write_bytes(batch(test, [j % 10 for j in range(20)]))
    return root


def write_images(root: Path, classes: Iterable[str] = ("cat", "dog"), count: int = 10, **kind: Any) -> Path:
    """`count` images a class; the first class is dark and the last bright."""
    suffix, size = kind.get("suffix", ".png"), kind.get("size", (40, 32))
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.new("RGB", size, (i, 200 * label, 7)).save(root / name / f"{i:03}{suffix}")
    return root


def write_cifar100(root: Path) -> Path:
    """cifar-100-python with 200 training and 100 test images: labels 0, 1, ... 99, 0, ..."""
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for name, count in (("train", 200), ("test", 100)):
        labels = [i % 100 for i in range(count)]
        (folder / name).write_bytes(python2_batch(marked(count, 3, 32, 32), labels, b"fine_labels"))
    (folder / "meta").write_bytes(
        pickle.dumps({"fine_label_names": [f"class{i}" for i in range(100)]}, protocol=2)
    )
    return root


def write_stl10(root: Path) -> Path:
    """stl10_binary with 40 labelled, 60 unlabelled and 20 test images, columns first and labels from 1.

    The first pixel is i for a labelled, 100 + i for an unlabelled and 200 + i for a test image.
    """
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    for name, start, count in (("train", 0, 40), ("unlabeled", 100, 60), ("test", 200, 20)):
        images = marked(count, 3, 96, 96)
        images[:, 0, 0, 0] += np.uint8(start)
        (folder / f"{name}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        if name != "unlabeled":
            (folder / f"{name}_y.bin").write_bytes(bytes(i % 10 + 1 for i in range(count)))
    return root


WNIDS = ("n01443537", "n01629819", "n01641577")


def write_tiny_imagenet(root: Path) -> Path:
    """Three classes of 6 training images, 4 in val/ in another order than their classes', 2 in test/."""
    for label, wnid in enumerate(WNIDS):
        folder = root / "train" / wnid
        (folder / "images").mkdir(parents=True)
        for i in range(6):
            flat(100 * label + i).save(folder / "images" / f"{wnid}_{i}.JPEG", quality=100)
        (folder / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t0\t63\t63\n")
    lines: list[str] = []
    for split in ("val", "test"):
        (root / split / "images").mkdir(parents=True)
    for i, label in enumerate((2, 0, 1, 2)):
        flat(100 * label + 50).save(root / "val" / "images" / f"val_{i}.JPEG", quality=100)
        lines.append(f"val_{i}.JPEG\t{WNIDS[label]}\t0\t32\t44\t62\n")
        flat(0).save(root / "test" / "images" / f"test_{i}.JPEG")
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    (root / "wnids.txt").write_text("\n".join(reversed(WNIDS)))
    return root


def flat(level: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    return Image.new("RGB", size, (level, level, level))
