"""Folders as people keep them: clutter, links, files of other types, and splits under other names."""

import re
from pathlib import Path
from typing import Any

import pytest

from contrastive.data import CIFAR10, Folder
from contrastive.data.listing import list_images
from contrastive.data.split_folders import split_folders, split_of
from tests.formats import write_images


def listed(root: Path) -> dict[str, int]:
    """How many images each class has."""
    found = list_images(root)
    return {name: int((found.labels == label).sum()) for label, name in enumerate(found.classes)}


def sizes(root: Path, **fields: Any) -> list[int]:
    dataset = Folder(root=str(root), **fields).read()
    return [len(getattr(dataset, split)) for split in ("train", "validation", "test")]


# Clutter.


@pytest.mark.parametrize(
    "clutter", [".ipynb_checkpoints", "__MACOSX", "@eaDir", ".Trash-1000", "$RECYCLE.BIN", ".git", "__macosx"]
)
@pytest.mark.parametrize("place", ["", "cat", "cat/sub"])
def test_clutter_is_neither_class_nor_image_at_any_depth(tmp_path: Path, clutter: str, place: str):
    write_images(tmp_path, count=3)
    write_images(tmp_path / place, (clutter,), 3)
    write_images(tmp_path / place / clutter, ("cat", "other"), 2)
    assert listed(tmp_path) == {"cat": 3, "dog": 3}


def test_hidden_and_left_over_files_are_no_images(tmp_path: Path):
    write_images(tmp_path, count=3)
    for name in ("._000.png", ".hidden.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / "cat" / name).write_bytes(b"nothing")
        (tmp_path / name).write_bytes(b"nothing")
    (tmp_path / "only clutter").mkdir()
    (tmp_path / "only clutter" / "Thumbs.db").write_bytes(b"nothing")
    assert listed(tmp_path) == {"cat": 3, "dog": 3}


# Links.


def test_links_to_folders_are_followed_once(tmp_path: Path):
    root = write_images(tmp_path / "root", count=3)
    write_images(tmp_path / "more", ("a",), 4)
    for name in ("one", "two"):
        (root / "cat" / name).symlink_to(tmp_path / "more" / "a")
    assert listed(root) == {"cat": 7, "dog": 3}


def test_a_linked_folder_may_hold_links_itself(tmp_path: Path):
    root = write_images(tmp_path / "root", count=3)
    write_images(tmp_path / "more", ("a", "b"), 2)
    (root / "cat" / "a").symlink_to(tmp_path / "more" / "a")
    (tmp_path / "more" / "a" / "b").symlink_to(tmp_path / "more" / "b")
    (tmp_path / "more" / "b" / "a").symlink_to(tmp_path / "more" / "a")
    assert listed(root) == {"cat": 7, "dog": 3}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("target", [".", "..", "../..", "../dog", "loop"])
def test_loops_end_and_no_class_takes_another_ones_images(tmp_path: Path, target: str):
    root = write_images(tmp_path / "root", count=3)
    write_images(tmp_path, ("beside",), 2)
    (root / "cat" / "loop").symlink_to(target)
    assert listed(root) == {"cat": 3, "dog": 3}


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_link_that_leads_up_is_no_class(tmp_path: Path, target: str):
    root = write_images(tmp_path / "root", count=3)
    (root / "loop").symlink_to(target)
    assert listed(root) == {"cat": 3, "dog": 3}


@pytest.mark.parametrize("place", ["ant", "val", "train/ant", "test/ant", "cat/more", "train/cat/more"])
def test_a_link_to_a_folder_that_is_gone_is_named(tmp_path: Path, place: str):
    for split in ("train", "test") if place.startswith(("val", "t")) else ("",):
        write_images(tmp_path / split, count=9)
    (tmp_path / place).symlink_to(tmp_path / "unmounted" / "folder")
    with pytest.raises(
        ValueError,
        match=rf"{place} is a link to \S*unmounted/folder, which cannot be followed \(No such file",
    ):
        Folder(root=str(tmp_path)).listings()


def test_links_to_files_that_are_gone_are_images_or_nothing(tmp_path: Path):
    write_images(tmp_path, count=3)
    for name in ("gone.png", "notes.txt", ".hidden"):
        (tmp_path / "cat" / name).symlink_to("nowhere")
    (tmp_path / "labels.csv").symlink_to("nowhere")
    assert listed(tmp_path) == {"cat": 4, "dog": 3}  # the image is said to be unreadable


@pytest.mark.parametrize(
    ("name", "target"), [("ant", "cat"), ("eel", "cat"), ("ant", "cat/sub"), ("eel", "cat/sub")]
)
def test_a_folder_of_two_classes_is_refused(tmp_path: Path, name: str, target: str):
    write_images(tmp_path, count=3)
    write_images(tmp_path / "cat", ("sub",), 2)
    (tmp_path / name).symlink_to(target)
    with pytest.raises(
        ValueError, match=r"under another name, and its images would be of two classes. Remove one"
    ):
        list_images(tmp_path)


def test_awkward_names_are_names(tmp_path: Path):
    names = ("a class", "ключ", "it's", 'quote"', "new\nline", "100%", "-dash", "naïve", "猫")
    root = write_images(tmp_path / "a root" / "日本", names, 2, size=(4, 4))
    dataset = Folder(root=str(root)).read()
    assert set(dataset.classes) == set(names)


# Files of other types.


@pytest.mark.parametrize("suffix", [".heic", ".npy", ""])
def test_a_class_whose_files_are_all_of_an_unread_type_is_named(tmp_path: Path, suffix: str):
    write_images(tmp_path, count=3)
    (tmp_path / "eel" / "deep").mkdir(parents=True)
    for i in range(3):
        (tmp_path / "eel" / "deep" / f"{i}{suffix}").write_bytes(b"something")
    kind = re.escape(suffix or "none")
    with pytest.raises(
        ValueError, match=rf"files in eel are of types that are not read \({kind}\). Convert them"
    ):
        Folder(root=str(tmp_path)).read()
    with pytest.raises(ValueError, match=r"no images in sub-folders.*files in deep are of types"):
        Folder(root=str(tmp_path / "eel")).read()


def test_other_files_beside_images_and_empty_folders_are_passed_over(tmp_path: Path):
    write_images(tmp_path, count=3)
    (tmp_path / "cat" / "notes.txt").write_text("read me")
    (tmp_path / "readme.md").write_text("read me")
    (tmp_path / "empty").mkdir()
    assert listed(tmp_path) == {"cat": 3, "dog": 3}


def test_a_wrapper_of_the_archive_is_said(tmp_path: Path):
    root = write_images(tmp_path / "unpacked" / "animals", count=3)
    with pytest.raises(
        ValueError, match=f"one class, 'animals'.*Or name {re.escape(str(root))} if cat/ is a class"
    ):
        Folder(root=str(tmp_path / "unpacked")).read()


# Splits.


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Train", "Valid", "Test"),
        ("TRAIN", "VALIDATION", "TEST"),
        ("Training", "Validation", "Testing"),
        ("training", "dev", "testing"),
        ("train", "eval", "test"),
        ("train", "evaluation", "test"),
        ("training_set", "validation-set", "test_set"),
        ("TrainSet", "ValSet", "TestSet"),
        ("train_images", "val_images", "test images"),
        ("train2017", "val2017", "test2017"),
        ("trainset", "devset", "testdata"),
    ],
)
def test_splits_are_known_by_their_usual_names(tmp_path: Path, train: str, validation: str, test: str):
    for name, count in ((train, 6), (validation, 3), (test, 4)):
        write_images(tmp_path / name, count=count)
    assert sizes(tmp_path) == [12, 6, 8]


@pytest.mark.parametrize("held_out", ["val", "valid", "validation", "dev", "eval", "Test", "testing"])
def test_the_only_held_out_folder_of_any_name_is_the_test_split(tmp_path: Path, held_out: str):
    write_images(tmp_path / "Train", count=10)
    write_images(tmp_path / held_out, count=2)
    assert sizes(tmp_path) == [18, 2, 4]


@pytest.mark.parametrize(
    "name", ["cat", "contest", "latest", "valley", "device", "evaluator", "trainer", "tested"]
)
def test_names_that_only_sound_like_splits_are_none(name: str):
    assert split_of(name) is None


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("train", "val", "valid"), r"valid looks like a split beside val/, and is not used"),
        (("Train", "train"), r"train looks like a split beside Train/"),
        (("train", "test", "test2"), r"test2 looks like a split beside test/"),
        (("test", "val"), r"test looks like a split and there is no train/ beside it"),
        (("Testing",), r"Testing looks like a split and there is no train/"),
        (("train", "test", "trainval"), r"trainval looks like a split by a part of its name"),
        (("seg_train", "seg_test"), r"seg_test looks like a split by a part of its name"),
        (("my train part", "other"), r"my train part looks like a split by a part of its name"),
    ],
)
def test_a_folder_that_looks_like_a_split_and_is_not_used_is_an_error(
    tmp_path: Path, folders: tuple[str, ...], said: str
):
    for name in folders:
        write_images(tmp_path / name, count=3)
    with pytest.raises(ValueError, match=f"{said}.*Name the splits train/, val/ and test/"):
        Folder(root=str(tmp_path)).read()


def test_a_split_beside_classes_or_among_them_is_an_error(tmp_path: Path):
    write_images(tmp_path / "one", count=3)
    write_images(tmp_path / "one", ("Test",), 3)
    write_images(tmp_path / "two" / "train", count=3)
    write_images(tmp_path / "two" / "train" / "val", count=3)
    with pytest.raises(ValueError, match=r"Test looks like a split and there is no train/"):
        Folder(root=str(tmp_path / "one")).read()
    with pytest.raises(ValueError, match=r"train/val looks like a split among folders of classes"):
        Folder(root=str(tmp_path / "two")).read()


def test_splits_without_folders_of_classes_are_no_classes(tmp_path: Path):
    write_images(tmp_path, ("Train", "Test"), 5)
    with pytest.raises(ValueError, match="Train has no images in sub-folders. Put them in"):
        Folder(root=str(tmp_path)).read()


def test_trains_among_other_vehicles_are_a_class(tmp_path: Path):
    write_images(tmp_path, ("bus", "car", "train", "test tube"), 3)
    assert split_folders(tmp_path) == {}
    assert listed(tmp_path) == {"bus": 3, "car": 3, "train": 3, "test tube": 3}


@pytest.mark.parametrize(
    ("name", "target"),
    [("val", "train"), ("test", "train"), ("val", "train/cat"), ("val/cat", "../train/cat"), ("val", "test")],
)
def test_a_split_that_is_another_is_refused(tmp_path: Path, name: str, target: str):
    write_images(tmp_path / "train", count=6)
    write_images(tmp_path / "train" / "cat", ("cat", "dog"), 6)
    write_images(tmp_path / "test", count=3)
    if name != "test":
        write_images(tmp_path / "val" / "dog", ("old",), 3) if "/" in name else None
    else:
        (tmp_path / "test").rename(tmp_path / "val")
    (tmp_path / name).symlink_to(target)
    with pytest.raises(ValueError, match=r"are one folder: .* Give each split images of its own"):
        Folder(root=str(tmp_path)).read()


def test_validation_inside_training_is_refused(tmp_path: Path):
    write_images(tmp_path / "all" / "cat", ("cat", "dog"), 3)
    write_images(tmp_path / "all", ("dog",), 3)
    (tmp_path / "train").symlink_to("all")
    (tmp_path / "val").symlink_to("all/cat")
    with pytest.raises(ValueError, match=r"are one folder"):
        Folder(root=str(tmp_path)).read()


@pytest.mark.parametrize(
    ("splits", "source"), [({"val"}, "train"), ({"train"}, "val"), ({"train", "val"}, ".pool")]
)
def test_validation_images_that_are_links_to_training_images_are_refused(
    tmp_path: Path, splits: set[str], source: str
):
    write_images(tmp_path / source, count=9)
    for split, name in ((split, name) for split in splits for name in ("cat", "dog")):
        (tmp_path / split / name).mkdir(parents=True)
        for i, path in enumerate(sorted((tmp_path / source / name).iterdir())):
            (tmp_path / split / name / f"{i}.png").symlink_to(path)
    with pytest.raises(ValueError, match=r"are one image: .* Give each split images of its own"):
        Folder(root=str(tmp_path)).read()


def test_splits_may_be_links_to_different_images_of_one_pool(tmp_path: Path):
    for name in ("cat", "dog"):
        pool = sorted((write_images(tmp_path / ".pool", (name,), 9) / name).iterdir())
        for i, path in enumerate(pool):
            place = tmp_path / ("val" if i < 3 else "train") / name
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i}.png").symlink_to(path)
    assert sizes(tmp_path) == [11, 1, 6]


def test_validation_images_of_cifar_in_a_folder_of_their_own_are_not_passed_over(tmp_path: Path):
    for split in ("train", "test", "val"):
        write_images(tmp_path / split, ("airplane", "cat"), 12, size=(32, 32))
    with pytest.raises(ValueError, match=r"val.* is not used.*folder:"):
        CIFAR10(root=str(tmp_path), train=16, validation=4, test=8).read()
