"""Tiny-ImageNet and ImageNet in their own layouts, subsets by a list, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

from contrastive.data import Dataset, ImageNet, TinyImageNet, load
from contrastive.data.listing import list_images
from tests.formats import WNIDS, flat, write_tiny_imagenet


def tiny(root: Path, **fields: Any) -> TinyImageNet:
    return TinyImageNet(root=str(root), **fields)


def levels(dataset: Dataset, split: str) -> dict[int, int]:
    """The class under the grey level of each image; JPEG keeps flat images within one level."""
    part = getattr(dataset, split)
    return {
        2 * round(level / 2): label
        for level, label in zip(part.images[:, 0, 5, 5].tolist(), part.labels.tolist(), strict=True)
    }


def test_tiny_imagenet_is_read_as_its_archive_lays_it_down(tmp_path: Path):
    dataset = tiny(write_tiny_imagenet(tmp_path), validation=3).read()
    assert dataset.classes == WNIDS
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [15, 3, 4]
    assert dataset.train.shape == (64, 64)
    for split in (dataset.train, dataset.validation):
        assert torch.equal(split.labels, split.images[:, 0, 5, 5].long() // 99)
    assert sorted(dataset.test.labels.tolist()) == [0, 1, 2, 2]
    assert torch.equal(dataset.test.labels, dataset.test.images[:, 0, 5, 5].long() // 99)
    assert dataset.labelled is None


def test_validation_is_a_tenth_of_the_training_images_of_tiny_imagenet(tmp_path: Path):
    dataset = tiny(write_tiny_imagenet(tmp_path)).read()
    assert (len(dataset.train), len(dataset.validation)) == (17, 1)


def test_training_images_and_classes_are_those_torchvision_finds(tmp_path: Path):
    root = write_tiny_imagenet(tmp_path) / "train"
    ours, theirs = list_images(root), ImageFolder(str(root))
    assert list(ours.classes) == theirs.classes
    assert [(str(p), int(n)) for p, n in zip(ours.paths, ours.labels, strict=True)] == theirs.samples


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("val_9.JPEG\tn99999999\t0\t0\t1\t1", "line 5: 'val_9.JPEG"),
        ("val_9.JPEG", "line 5: 'val_9.JPEG' is no image's name, a tab and a class"),
        ("<html>", "line 5: '<html>'"),
    ],
)
def test_annotations_that_are_none_are_named(tmp_path: Path, line: str, said: str):
    path = write_tiny_imagenet(tmp_path) / "val" / "val_annotations.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ValueError, match=said):
        tiny(tmp_path).read()


def test_empty_annotations_are_refused(tmp_path: Path):
    (write_tiny_imagenet(tmp_path) / "val" / "val_annotations.txt").write_text("")
    with pytest.raises(ValueError, match=r"val_annotations.txt is empty\. Unpack the archive again"):
        tiny(tmp_path).read()


def test_missing_annotations_are_said_and_how_a_sorted_copy_is_named(tmp_path: Path):
    (write_tiny_imagenet(tmp_path) / "val" / "val_annotations.txt").unlink()
    with pytest.raises(FileNotFoundError, match="no .*val_annotations.txt.*sorted into folders.*folder:"):
        load(tiny(tmp_path), cache=tmp_path / "cache")


def test_an_annotated_image_that_is_missing_is_named_and_counted(tmp_path: Path):
    (write_tiny_imagenet(tmp_path) / "val" / "images" / "val_2.JPEG").unlink()
    with pytest.raises(ValueError, match=r"1 of 22 images cannot be read: .*val_2.JPEG.*At most 1%"):
        tiny(tmp_path).read()
    with pytest.warns(UserWarning, match=r"1 of 22 .*val_2.JPEG\. They are left out"):
        dataset = load(tiny(tmp_path, unreadable=0.05), cache=tmp_path / "cache")
    assert sorted(dataset.test.labels.tolist()) == [0, 2, 2]


# ImageNet.


def write_imagenet(root: Path, train: tuple[str, ...] = WNIDS, val: tuple[str, ...] = WNIDS) -> Path:
    """Four training images a class and two in val/; levels are 100 x class + number."""
    for split, names, count in (("train", train, 4), ("val", val, 2)):
        for name in names:
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                level = 100 * WNIDS.index(name) + 10 * i + 2 * (split == "val")
                flat(level, (50, 40)).save(root / split / name / f"{name}_{i}.JPEG", quality=100)
    return root


def imagenet(root: Path, **fields: Any) -> ImageNet:
    return ImageNet(root=str(root), **{"size": 16, "validation": 2} | fields)


def test_imagenet_trains_on_train_and_tests_on_val(tmp_path: Path):
    dataset = imagenet(write_imagenet(tmp_path)).read()
    assert dataset.classes == WNIDS
    assert levels(dataset, "test") == {2: 0, 12: 0, 102: 1, 112: 1, 202: 2, 212: 2}
    together = levels(dataset, "train") | levels(dataset, "validation")
    assert together == {100 * label + 10 * i: label for label in range(3) for i in range(4)}
    assert len(dataset.validation) == 2


@pytest.mark.parametrize("text", ["n01641577\nn01443537\n", "n01641577\r\n\r\nn01443537"])
@pytest.mark.parametrize("place", ["some.txt", "elsewhere/some.txt"])
def test_a_list_of_classes_takes_these_and_no_others(tmp_path: Path, text: str, place: str):
    root = write_imagenet(tmp_path / "imagenet", val=WNIDS)
    path = root / place if place == "some.txt" else tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    subset = place if place == "some.txt" else str(path)
    dataset = imagenet(root, subset=subset).read()
    assert dataset.classes == (WNIDS[0], WNIDS[2])
    assert levels(dataset, "test") == {2: 0, 12: 0, 202: 1, 212: 1}
    assert len(dataset.train) + len(dataset.validation) == 8


def test_another_list_is_another_entry_of_the_cache(tmp_path: Path):
    root = write_imagenet(tmp_path / "imagenet")
    (root / "some.txt").write_text("n01641577\nn01443537\n")
    before = load(imagenet(root, subset="some.txt"), cache=tmp_path / "cache")
    (root / "some.txt").write_text("n01641577\nn01629819\n")
    after = load(imagenet(root, subset="some.txt"), cache=tmp_path / "cache")
    assert before.classes != after.classes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n01443537\nn00000001\nn00000002", r"train has no images of 2 classes .*: n00000001, n00000002\."),
        ("n01443537\nn01629819\nn01443537", "lists 3 classes, n01443537 twice"),
        ("n01443537", "lists 1 classes; it must list at least two"),
        ("", "lists 0 classes"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(tmp_path: Path, text: str, said: str):
    root = write_imagenet(tmp_path)
    (root / "some.txt").write_text(text)
    with pytest.raises(ValueError, match=said):
        imagenet(root, subset="some.txt").read()


def test_a_class_that_val_lacks_is_refused_when_it_is_asked_for(tmp_path: Path):
    root = write_imagenet(tmp_path, val=WNIDS[:2])
    (root / "some.txt").write_text("\n".join(WNIDS))
    with pytest.raises(ValueError, match=f"val has no images of 1 classes that are asked for: {WNIDS[2]}"):
        imagenet(root, subset="some.txt").read()


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None):
    root = write_imagenet(tmp_path)
    if content:
        (root / "some.txt").write_bytes(content)
    with pytest.raises(ValueError, match="The list of classes .*some.txt cannot be read"):
        imagenet(root, subset="some.txt").read()


def test_classes_may_be_links_to_folders(tmp_path: Path):
    write_imagenet(tmp_path / "all")
    for split in ("train", "val"):
        (tmp_path / "some" / split).mkdir(parents=True)
        for wnid in WNIDS[1:]:
            (tmp_path / "some" / split / wnid).symlink_to(tmp_path / "all" / split / wnid)
    dataset = imagenet(tmp_path / "some").read()
    assert dataset.classes == WNIDS[1:]
    assert len(dataset.test) == 4


def test_a_grey_or_transparent_image_counts_as_any_other(tmp_path: Path):
    folder = write_imagenet(tmp_path) / "train" / WNIDS[0]
    Image.new("L", (50, 40), 40).save(folder / "grey.JPEG", quality=100)
    Image.new("CMYK", (50, 40)).save(folder / "four.JPEG")
    assert len(imagenet(tmp_path).read().train) == 12
