"""STL-10 in its binary format, against torchvision's reader; what is trained on and what votes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import datasets

from contrastive import Config, train
from contrastive.config import replace
from contrastive.data import STL10, load
from contrastive.data.dataset import Split
from tests.formats import write_stl10


class Unchecked(datasets.STL10):
    """Torchvision's reader, of files that are not the official ones."""

    def _check_integrity(self) -> bool:
        return True


def stl(root: Path, pretrain: Any, **counts: Any) -> STL10:
    return STL10(root=str(root), pretrain=pretrain, **{"validation": 10, "test": 20} | counts)


def together(*splits: Split) -> dict[int, tuple[bytes, int]]:
    """Pixels and label of each image under its first pixel, which is its own."""
    rows = [(i, int(n)) for split in splits for i, n in zip(split.images, split.labels, strict=True)]
    return {int(image[0, 0, 0]): (image.contiguous().numpy().tobytes(), label) for image, label in rows}


@pytest.mark.parametrize(
    ("pretrain", "split"), [("train", "train"), ("unlabelled", "unlabeled"), ("both", "train+unlabeled")]
)
def test_pixels_and_labels_are_those_torchvision_reads(tmp_path: Path, pretrain: str, split: str):
    dataset = stl(write_stl10(tmp_path), pretrain).read()
    parts = (dataset.train,) if pretrain == "unlabelled" else (dataset.train, dataset.validation)
    for ours, name in ((together(*parts), split), (together(dataset.test), "test")):
        theirs = Unchecked(str(tmp_path), split=name)
        assert theirs.labels is not None
        assert ours == {
            int(image[0, 0, 0]): (image.tobytes(), int(label))
            for image, label in zip(theirs.data, theirs.labels, strict=True)
        }


@pytest.mark.parametrize("pretrain", ["train", "unlabelled", "both"])
def test_the_labelled_images_that_validation_leaves_are_the_bank(tmp_path: Path, pretrain: str):
    dataset = stl(write_stl10(tmp_path), pretrain).read()
    bank, held_out = together(dataset.bank), together(dataset.validation)
    assert sorted([*bank, *held_out]) == list(range(40))
    assert not set(held_out) & set(together(dataset.train))
    assert (dataset.labelled is None) == (pretrain == "train")
    assert (dataset.bank.labels >= 0).all()


def test_all_choices_of_what_to_train_on_share_validation_and_bank(tmp_path: Path):
    write_stl10(tmp_path)
    sets = [stl(tmp_path, pretrain).read() for pretrain in ("train", "unlabelled", "both")]
    for one in sets[1:]:
        assert torch.equal(one.validation.images, sets[0].validation.images)
        assert together(one.bank) == together(sets[0].bank)


def test_fewer_of_both_are_in_proportion(tmp_path: Path):
    train = stl(write_stl10(tmp_path), "both", train=45).read().train
    assert len(train) == 45
    assert abs(int((train.labels == -1).sum()) - 30) <= 2


def test_the_unlabelled_file_is_needed_only_where_it_is_used(tmp_path: Path):
    (write_stl10(tmp_path) / "stl10_binary" / "unlabeled_X.bin").unlink()
    assert len(load(stl(tmp_path, "train"), cache=tmp_path / "cache").train) == 30
    with pytest.raises(
        FileNotFoundError, match=r"lacks unlabeled_X.bin\. Run `python -m contrastive download"
    ):
        load(stl(tmp_path, "both"), cache=tmp_path / "cache")


def test_training_on_unlabelled_images_is_evaluated_with_the_bank(tmp_path: Path, config: Config):
    dataset = load(stl(write_stl10(tmp_path), "unlabelled"), cache=tmp_path / "cache")
    short = replace(config, {"epochs": 1, "optimiser.warmup_epochs": 0, "evaluation.neighbours": 5})
    outcome = train(short, lambda *_: None, dataset=dataset)
    assert 0 <= outcome.metrics["knn_top1"] <= 100


@pytest.mark.parametrize("name", ["train_X.bin", "test_X.bin", "unlabeled_X.bin"])
@pytest.mark.parametrize("left", [0, 96, -1])
def test_a_file_cut_short_is_named(tmp_path: Path, name: str, left: int):
    file = write_stl10(tmp_path) / "stl10_binary" / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match=f"{name} has .* bytes, no whole number of images of 27648"):
        stl(tmp_path, "both").read()


@pytest.mark.parametrize("labels", [b"", b"\1" * 39, b"\1" * 39 + b"\0", b"\1" * 39 + b"\x0b"])
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: bytes):
    (write_stl10(tmp_path) / "stl10_binary" / "train_y.bin").write_bytes(labels)
    with pytest.raises(ValueError, match=r"holds 40 images, .*labels; one from 1 to 10 for each is expected"):
        stl(tmp_path, "train").read()


@pytest.mark.parametrize(
    ("pretrain", "counts", "said"),
    [
        ("train", {"train": 31}, r"less validation\) holds 30 images, but train=31"),
        ("unlabelled", {"train": 61}, "holds 60 images, but train=61"),
        ("both", {"train": 91}, "holds 90 images, but train=91"),
        ("unlabelled", {"validation": 40}, "holds 40 images, but train=1 and validation=40"),
        ("unlabelled", {"test": 21}, "holds 20 images, but test=21"),
    ],
)
def test_more_images_than_there_are_is_refused(tmp_path: Path, pretrain: str, counts: Any, said: str):
    with pytest.raises(ValueError, match=said):
        stl(write_stl10(tmp_path), pretrain, **counts).read()
