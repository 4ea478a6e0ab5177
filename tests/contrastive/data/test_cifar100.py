"""CIFAR-100 in its own format, against torchvision's reader; and what is said when it is damaged."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from contrastive.data import CIFAR100, load
from tests.formats import marked, python3_batch, write_cifar100


def cifar(root: Path, **counts: Any) -> CIFAR100:
    return CIFAR100(root=str(root), **{"train": 150, "validation": 50, "test": 100} | counts)


class Unchecked(datasets.CIFAR100):
    """Torchvision's reader, of files that are not the official ones."""

    train_list = (("train", None),)
    test_list = (("test", None),)
    meta = {**datasets.CIFAR100.meta, "md5": None}  # noqa: RUF012


@pytest.mark.filterwarnings("ignore:dtype")
@pytest.mark.filterwarnings("ignore::Warning:torchvision")
def test_pixels_labels_and_classes_are_those_torchvision_reads(tmp_path: Path):
    write_cifar100(tmp_path)
    for name, count in (("train", 200), ("test", 100)):  # numpy complains of the official files' flags
        batch = pickle.loads(python3_batch(marked(count, 3, 32, 32), [i % 100 for i in range(count)]))
        batch["fine_labels"] = batch.pop("labels")
        (tmp_path / "cifar-100-python" / name).write_bytes(pickle.dumps(batch, protocol=2))
    dataset = cifar(tmp_path).read()
    for splits, train in (((dataset.train, dataset.validation), True), ((dataset.test,), False)):
        theirs = Unchecked(str(tmp_path), train=train)
        images, labels = torch.cat([s.images for s in splits]), torch.cat([s.labels for s in splits])
        order = images[:, 0, 0, 0].argsort()
        assert torch.equal(images[order], torch.as_tensor(theirs.data).permute(0, 3, 1, 2))
        assert labels[order].tolist() == theirs.targets
    assert list(dataset.classes) == theirs.classes
    assert dataset.labelled is None


def test_the_official_pickles_of_python_2_are_read(tmp_path: Path):
    dataset = cifar(write_cifar100(tmp_path)).read()
    index = dataset.train.images[:, 0, 0, 0].long()
    assert torch.equal(dataset.train.images, torch.as_tensor(marked(200, 3, 32, 32))[index])
    assert torch.equal(dataset.train.labels, index % 100)


def test_a_label_above_99_is_refused(tmp_path: Path):
    batch = {"data": np.zeros((2, 3072), np.uint8), "fine_labels": [0, 100]}
    (write_cifar100(tmp_path) / "cifar-100-python" / "train").write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match="one from 0 to 99 for each is expected"):
        cifar(tmp_path).read()


def test_coarse_labels_alone_are_refused(tmp_path: Path):
    batch = {"data": np.zeros((2, 3072), np.uint8), "coarse_labels": [0, 1]}
    (write_cifar100(tmp_path) / "cifar-100-python" / "train").write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match=r"no CIFAR batch or is damaged: KeyError\('fine_labels'\)"):
        cifar(tmp_path).read()


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_batch_cut_short_is_named(tmp_path: Path, left: int):
    file = write_cifar100(tmp_path) / "cifar-100-python" / "train"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match="train is no CIFAR batch or is damaged.*Unpack the archive again"):
        cifar(tmp_path).read()


@pytest.mark.parametrize(
    "meta", [[], {}, {"fine_label_names": ["one"]}, {"fine_label_names": list(range(100))}]
)
def test_a_list_of_classes_that_is_none_is_refused(tmp_path: Path, meta: Any):
    (write_cifar100(tmp_path) / "cifar-100-python" / "meta").write_bytes(pickle.dumps(meta))
    with pytest.raises(ValueError, match="meta does not list a hundred fine_label_names"):
        cifar(tmp_path).read()


@pytest.mark.parametrize("name", ["meta", "test"])
def test_a_missing_file_is_named(tmp_path: Path, name: str):
    (write_cifar100(tmp_path) / "cifar-100-python" / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"cifar-100-python lacks {name}"):
        load(cifar(tmp_path), cache=tmp_path / "cache")
