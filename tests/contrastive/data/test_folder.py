"""Image files in one folder a class: how they are split, decoded, and refused."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contrastive.data import CIFAR10, Folder, load
from tests.formats import write_images

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".bmp"])
def test_a_folder_is_split_by_the_seed_into_disjoint_parts(tmp_path: Path, suffix: str):
    dataset = Folder(root=str(write_images(tmp_path, suffix=suffix))).read()
    assert [len(getattr(dataset, split)) for split in SPLITS] == [14, 2, 4]
    assert dataset.classes == ("cat", "dog")
    for split in SPLITS:
        part = getattr(dataset, split)
        assert torch.equal(part.labels, (part.images[:, 1, 16, 16] > 100).long())


def test_every_image_of_a_folder_is_used_once(tmp_path: Path):
    dataset = Folder(root=str(write_images(tmp_path, count=15)), validation=5).read()
    seen = [
        (label, image[0, 0, 0].item())
        for split in SPLITS
        for image, label in zip(
            getattr(dataset, split).images, getattr(dataset, split).labels.tolist(), strict=True
        )
    ]
    assert sorted(seen) == [(label, i) for label in range(2) for i in range(15)]


def test_own_folders_for_all_splits_are_used_whole(tmp_path: Path):
    for split, count in (("train", 6), ("val", 3), ("test", 4)):
        write_images(tmp_path / split, count=count)
    dataset = Folder(root=str(tmp_path)).read()
    assert [len(getattr(dataset, split)) for split in SPLITS] == [12, 6, 8]


@pytest.mark.parametrize("held_out", ["val", "test"])
def test_the_only_held_out_folder_is_the_test_split(tmp_path: Path, held_out: str):
    write_images(tmp_path / "train", count=10)
    write_images(tmp_path / held_out, count=1)
    dataset = Folder(root=str(tmp_path)).read()
    assert [len(getattr(dataset, split)) for split in SPLITS] == [18, 2, 2]
    assert dataset.test.images[:, 0, 0, 0].tolist() == [0, 0]


def test_a_test_class_keeps_the_number_it_has_in_training(tmp_path: Path):
    write_images(tmp_path / "train", ("ant", "bee", "cat"))
    write_images(tmp_path / "test", ("bee", "cat"))
    assert set(Folder(root=str(tmp_path)).read().test.labels.tolist()) == {1, 2}


def test_a_test_class_unknown_in_training_is_refused(tmp_path: Path):
    write_images(tmp_path / "train", ("ant", "bee"))
    write_images(tmp_path / "test", ("ant", "eel"))
    with pytest.raises(ValueError, match=r"classes that .*train lacks: eel"):
        Folder(root=str(tmp_path)).read()


def test_images_are_brought_to_size_and_the_middle_is_cut_out(tmp_path: Path):
    write_images(tmp_path, count=3)
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(tmp_path / "dog" / "wide.png")
    dataset = Folder(root=str(tmp_path), size=10, train=5, validation=1, test=1).read()
    images = torch.cat([getattr(dataset, split).images for split in SPLITS])
    assert images.shape == (7, 3, 10, 10)
    # The outermost pixels also average a little of what lies beyond the cut.
    assert (images[:, :, 1:-1, 1:-1] == 255).flatten(1).all(1).sum() == 1


def test_grey_and_transparent_images_become_three_channels(tmp_path: Path):
    write_images(tmp_path, count=4, size=(32, 32))
    Image.new("L", (32, 32), 60).save(tmp_path / "cat" / "000.png")
    Image.new("RGBA", (32, 32), (60, 60, 60, 255)).save(tmp_path / "cat" / "001.png")
    Image.new("RGBA", (32, 32), (60, 60, 60, 9)).save(tmp_path / "cat" / "002.png")
    dataset = Folder(root=str(tmp_path)).read()
    images = torch.cat([getattr(dataset, split).images for split in SPLITS])
    assert (images == 60).flatten(1).all(1).sum() == 2


def test_a_large_jpeg_is_averaged_not_sampled(tmp_path: Path):
    write_images(tmp_path, count=3)
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    for name in ("cat", "dog"):
        Image.fromarray(board).save(tmp_path / name / "board.jpg", quality=95)
    images = Folder(root=str(tmp_path), size=16, train=6, validation=1, test=1).read()
    together = torch.cat([getattr(images, split).images for split in SPLITS]).double()
    assert ((together - 127).abs() < 3).flatten(1).all(1).sum() == 2


def spoil(root: Path, count: int) -> list[Path]:
    spoilt = sorted(root.rglob("*.png"))[:count]
    for path in spoilt:
        path.write_bytes(path.read_bytes()[:40])
    return spoilt


def test_few_unreadable_images_are_named_and_left_out(tmp_path: Path):
    (broken,) = spoil(write_images(tmp_path, count=50, size=(4, 4)), 1)
    with pytest.warns(UserWarning, match=f"1 of 100 images cannot be read: {re.escape(str(broken))}"):
        dataset = Folder(root=str(tmp_path)).read()
    assert sum(len(getattr(dataset, split)) for split in SPLITS) == 99


def test_more_than_one_percent_unreadable_is_refused(tmp_path: Path):
    spoil(write_images(tmp_path, count=50, size=(4, 4)), 2)
    with pytest.raises(ValueError, match=r"2 of 100 images cannot be read: .*At most 1% may be unreadable"):
        Folder(root=str(tmp_path)).read()


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        load(Folder(root=str(tmp_path / "nowhere")), cache=tmp_path / "cache")


def test_a_folder_without_images_is_refused(tmp_path: Path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=r"no images in sub-folders. Put them in"):
        Folder(root=str(tmp_path)).read()


def test_a_single_class_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="one class, 'cat', but evaluation needs at least two"):
        Folder(root=str(write_images(tmp_path, ("cat",)))).read()


def test_more_images_than_a_folder_has_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="holds 20 images, but train=100"):
        Folder(root=str(write_images(tmp_path)), train=100).read()


def test_a_changed_file_is_read_again(tmp_path: Path):
    data = Folder(root=str(write_images(tmp_path / "images")))
    before = load(data, cache=tmp_path / "cache")
    Image.new("RGB", (50, 50), (255, 255, 255)).save(tmp_path / "images" / "cat" / "000.png")
    assert load(data, cache=tmp_path / "cache").fingerprint != before.fingerprint


def test_cifar10_as_image_files_is_read_too(tmp_path: Path):
    for split, count in (("train", 12), ("test", 4)):
        write_images(tmp_path / split, ("airplane", "cat"), count, suffix=".jpg", size=(32, 32))
    dataset = CIFAR10(root=str(tmp_path), train=16, validation=8, test=8).read()
    assert dataset.classes == ("airplane", "cat")
    assert dataset.test.images.shape == (8, 3, 32, 32)
    assert torch.equal(dataset.train.labels, (dataset.train.images[:, 1, 0, 0] > 100).long())
