"""Sets read from files: each true format, which images are used, and what is said when something is wrong."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from torchvision import datasets

from contrastive.data import (
    CIFAR10,
    CIFAR100,
    KMNIST,
    MNIST,
    STL10,
    Data,
    Dataset,
    FashionMNIST,
    Folder,
    ImageNet,
    Shapes,
    TinyImageNet,
    load,
    parse,
)
from contrastive.data.cifar_files import read_batch
from contrastive.data.subset import pick, stratified_order
from tests.formats import marked, python2_batch, python3_batch, write_cifar, write_fashion, write_idx

SPLITS = ("train", "validation", "test")


def first_pixels(dataset: Dataset) -> dict[str, list[int]]:
    return {split: getattr(dataset, split).images[:, 0, 0, 0].tolist() for split in SPLITS}


# Fashion-MNIST.


def fashion(root: Path, **counts: int) -> FashionMNIST:
    return FashionMNIST(root=str(root), **{"train": 20, "validation": 10, "test": 10} | counts)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fashion_mnist_gives_the_pixels_and_labels_of_its_files(tmp_path: Path, suffix: str):
    dataset = fashion(write_fashion(tmp_path, suffix=suffix)).read()
    source = torch.as_tensor(marked(60, 28, 28))
    for split in (dataset.train, dataset.validation):
        index = split.images[:, 0, 0, 0].long()
        assert torch.equal(split.images, source[index][:, None].expand(-1, 3, -1, -1))
        assert torch.equal(split.labels, index % 10)
    assert dataset.train.images.shape == (20, 3, 28, 28)
    assert dataset.classes[9] == "ankle boot"


def test_test_images_come_from_the_test_file(tmp_path: Path):
    root = write_fashion(tmp_path)
    write_idx(root / "t10k-images-idx3-ubyte.gz", np.full((40, 28, 28), 99, np.uint8))
    dataset = fashion(root).read()
    assert (dataset.test.images == 99).all()
    assert not (dataset.train.images == 99).all()


def test_training_and_validation_images_do_not_meet(tmp_path: Path):
    used = first_pixels(fashion(write_fashion(tmp_path), train=50, validation=10).read())
    assert sorted(used["train"] + used["validation"]) == list(range(60))


def test_more_training_images_only_add_to_them(tmp_path: Path):
    root = write_fashion(tmp_path)
    few, many = (first_pixels(fashion(root, train=count).read()) for count in (20, 45))
    assert many["train"][:20] == few["train"]
    assert many["validation"] == few["validation"]


def test_another_seed_uses_other_images(tmp_path: Path):
    root = write_fashion(tmp_path)
    assert first_pixels(fashion(root).read()) != first_pixels(fashion(root, seed=1).read())


def test_a_missing_fashion_mnist_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"apt install dataset-fashion-mnist.*fashion_mnist:PATH"):
        load(fashion(tmp_path), cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_a_gzip_cut_short_is_named(tmp_path: Path, name: str):
    file = write_fashion(tmp_path) / name
    file.write_bytes(file.read_bytes()[:-12])
    with pytest.raises(ValueError, match=f"{name} is damaged or cut short"):
        fashion(tmp_path).read()


@pytest.mark.parametrize("left", [0, 3, 10, 5000])
def test_an_idx_file_cut_short_is_named(tmp_path: Path, left: int):
    file = write_fashion(tmp_path, suffix="") / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte (has|starts)"):
        fashion(tmp_path).read()


def test_a_file_that_is_not_gzip_is_named(tmp_path: Path):
    (write_fashion(tmp_path) / "train-images-idx3-ubyte.gz").write_bytes(b"<html>404</html>")
    with pytest.raises(ValueError, match=r"damaged or cut short.*Fetch it again"):
        fashion(tmp_path).read()


def test_a_wrong_magic_number_is_shown_beside_the_right_one(tmp_path: Path):
    write_idx(write_fashion(tmp_path) / "train-images-idx3-ubyte.gz", np.zeros(60, np.uint8))
    with pytest.raises(ValueError, match="0x00000801, not with 0x00000803"):
        fashion(tmp_path).read()


def test_images_and_labels_that_do_not_pair_are_refused(tmp_path: Path):
    write_idx(write_fashion(tmp_path) / "train-labels-idx1-ubyte.gz", np.zeros(59, np.uint8))
    with pytest.raises(ValueError, match=r"60 images, .* 59 labels"):
        fashion(tmp_path).read()


def test_a_label_that_fashion_mnist_does_not_have_is_refused(tmp_path: Path):
    write_idx(write_fashion(tmp_path) / "train-labels-idx1-ubyte.gz", np.full(60, 25, np.uint8))
    with pytest.raises(ValueError, match="a label 25"):
        fashion(tmp_path).read()


@pytest.mark.parametrize("counts", [{"train": 51}, {"validation": 41}, {"test": 41}])
def test_more_images_than_there_are_is_refused_with_both_numbers(tmp_path: Path, counts: dict[str, int]):
    with pytest.raises(ValueError, match=r"holds (60|40) images, but .* ask for (61|41). Ask for fewer"):
        fashion(write_fashion(tmp_path), **counts).read()


@pytest.mark.parametrize(("kind", "reader"), [(MNIST, datasets.MNIST), (KMNIST, datasets.KMNIST)])
def test_what_torchvision_has_laid_down_is_read_as_torchvision_reads_it(
    tmp_path: Path, kind: type[MNIST], reader: type[datasets.MNIST]
):
    write_fashion(tmp_path / reader.__name__ / "raw", suffix="")
    dataset = kind(root=str(tmp_path), train=50, validation=10, test=40).read()
    for splits, train in (((dataset.train, dataset.validation), True), ((dataset.test,), False)):
        theirs = reader(str(tmp_path), train=train)
        images, labels = torch.cat([s.images for s in splits]), torch.cat([s.labels for s in splits])
        order = images[:, 0, 0, 0].argsort()
        assert torch.equal(images[order][:, 1], theirs.data)
        assert torch.equal(labels[order], theirs.targets)
    assert len(dataset.classes) == 10


def test_mnist_and_kmnist_have_names_of_their_own():
    assert MNIST.classes[:2] == ("0", "1")
    assert KMNIST.classes[:2] == ("o", "ki")


# CIFAR-10.


def cifar(root: Path, **counts: int) -> CIFAR10:
    return CIFAR10(root=str(root), **{"train": 30, "validation": 20, "test": 10} | counts)


@pytest.mark.parametrize("batch", [python2_batch, python3_batch])
def test_cifar10_gives_the_pixels_and_labels_of_its_batches(tmp_path: Path, batch: Callable[..., bytes]):
    dataset = cifar(write_cifar(tmp_path, batch)).read()
    for split, count in ((dataset.train, 60), (dataset.validation, 60), (dataset.test, 20)):
        index = split.images[:, 0, 0, 0].long()
        assert torch.equal(split.images, torch.as_tensor(marked(count, 3, 32, 32))[index])
        assert torch.equal(split.labels, index % 10)
    used = first_pixels(dataset)
    assert not set(used["train"]) & set(used["validation"])
    assert dataset.classes[:2] == ("airplane", "automobile")


class Intruder:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_a_batch_cannot_run_code(tmp_path: Path):
    batch = write_cifar(tmp_path) / "cifar-10-batches-py" / "data_batch_2"
    batch.write_bytes(pickle.dumps({"data": Intruder(tmp_path / "intruder"), "labels": []}))
    with pytest.raises(ValueError, match=r"data_batch_2 is no CIFAR batch.*asks for"):
        cifar(tmp_path).read()
    assert not (tmp_path / "intruder").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02}(", b"<html>", pickle.dumps([1]), pickle.dumps({"data": []})]
)
def test_a_damaged_batch_is_named(tmp_path: Path, content: bytes):
    (write_cifar(tmp_path) / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    with pytest.raises(ValueError, match="test_batch is no CIFAR batch or is damaged"):
        cifar(tmp_path).read()


@given(place=st.integers(0, 350), value=st.integers(0, 255))
def test_a_batch_with_one_wrong_byte_is_read_or_refused_in_our_words(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
):
    path = tmp_path_factory.getbasetemp() / "data_batch_1"
    content = bytearray(python2_batch(marked(1, 3, 32, 32), [0]))
    place -= 100  # The pixels lie between the first 250 bytes and the last 100; they are not what can break.
    content[place] = value
    path.write_bytes(content)
    try:
        images, labels = read_batch(path, labels="labels", classes=10)
    except ValueError as error:
        assert "Unpack the archive again" in str(error)  # noqa: PT017 (it need not be raised)
    else:
        assert len(images) == len(labels)


def test_a_missing_batch_is_named(tmp_path: Path):
    (write_cifar(tmp_path) / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(FileNotFoundError, match="lacks data_batch_4"):
        load(cifar(tmp_path), cache=tmp_path / "cache")


def test_a_missing_cifar10_says_what_is_looked_for(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="neither cifar-10-batches-py/ nor train/ and test/"):
        load(cifar(tmp_path), cache=tmp_path / "cache")


# Which images are used.


@given(st.lists(st.integers(0, 6), min_size=1, max_size=200), st.integers(0, 5), st.data())
def test_any_stretch_of_the_order_holds_each_class_in_its_proportion(
    classes: list[int], seed: int, data: Any
):
    labels = np.array(classes)
    order = stratified_order(labels, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(labels)))
    start = data.draw(st.integers(0, len(labels)))
    stop = data.draw(st.integers(start, len(labels)))
    expected = np.bincount(labels) * (stop - start) / len(labels)
    assert (
        abs(np.bincount(labels[order[start:stop]], minlength=len(expected)) - expected) <= len(expected) + 1
    ).all()


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 3))
def test_picked_splits_are_disjoint_and_of_the_size_asked_for(
    train: int, validation: int, test: int, seed: int
):
    wanted = {"train": train, "validation": validation, "test": test}
    picked = pick(np.arange(90) % 7, wanted, seed=seed, where="here")
    assert {split: len(chosen) for split, chosen in picked.items()} == wanted
    together = np.concatenate(list(picked.values()))
    assert len(set(together.tolist())) == train + validation + test


# The command line and JSON.


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("shapes", Shapes()),
        ("fashion_mnist", FashionMNIST()),
        ("fashion_mnist:/a/b", FashionMNIST(root="/a/b")),
        ("cifar10:C:/data", CIFAR10(root=str(Path("C:/data").absolute()))),
        ("mnist", MNIST()),
        ("kmnist:/a", KMNIST(root="/a")),
        ("cifar100:/a", CIFAR100(root="/a")),
        ("stl10", STL10()),
        ("tiny_imagenet:/a", TinyImageNet(root="/a")),
        ("imagenet:/a", ImageNet(root="/a")),
        ("folder:here", Folder(root=str(Path("here").absolute()))),
    ],
)
def test_a_command_line_names_a_set(text: str, data: Data):
    assert parse(text) == data


@pytest.mark.parametrize("text", ["images", "./images", "{}/images", "~/images", "images/"])
def test_a_folder_needs_no_word_before_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse(text.format(tmp_path)) == Folder(root=str(tmp_path / "images"))
    with pytest.raises(
        ValueError, match=re.escape(f"there is no folder {tmp_path / 'image'}. Data sets: shapes")
    ):
        parse("./image")


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse("folder:~/images") == Folder(root="/home/ada/images")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shape", r"Did you mean 'shapes'\?"),
        ("cifar-10:x", "Did you mean 'cifar10' or"),
        ("places", r"no data set 'places'\. Data sets: shapes, fashion_mnist\[:PATH\], mnist"),
        ("imagenet", "lacks the path"),
        ("shapes:easy", "take no path"),
        ("folder", "lacks the path"),
        ("folder:", "lacks the path"),
        ("", "no data set ''"),
    ],
)
def test_a_name_that_is_not_understood_lists_what_is(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize(
    "data",
    [
        Shapes(imbalance=0.5),
        FashionMNIST(),
        MNIST(),
        KMNIST(train=9),
        CIFAR10(seed=3),
        CIFAR100(imbalance="linear"),
        STL10(pretrain="both"),
        TinyImageNet(stream=True),
        ImageNet(root="x", subset="y"),
        Folder(root="x", size=9, workers=0),
    ],
)
def test_a_set_survives_json(data: Data):
    adapter = TypeAdapter[Data](Data)
    assert adapter.validate_json(adapter.dump_json(data)) == data
