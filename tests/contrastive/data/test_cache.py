"""The cache of data sets: whole or absent, shared, and never written through."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from contrastive.data import Dataset, Shapes, Split, load
from contrastive.data.cache import cached
from contrastive.data.dataset import fingerprint

SMALL = Shapes(train=12, validation=10, test=11)


def never() -> Dataset:
    raise AssertionError("the set was made although it was kept")


def only_folder(cache: Path) -> Path:
    (folder,) = cache.iterdir()
    return folder


def halves(split: Split, at: int) -> list[Split]:
    return [Split(split.images[:at], split.labels[:at]), Split(split.images[at:], split.labels[at:])]


def same(one: Dataset, two: Dataset) -> bool:
    pairs = zip((one.train, one.validation, one.test), (two.train, two.validation, two.test), strict=True)
    return (one.classes, one.fingerprint) == (two.classes, two.fingerprint) and all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in pairs
    )


def test_what_is_kept_is_what_was_drawn(tmp_path: Path):
    assert same(load(SMALL, cache=tmp_path / "not" / "there" / "yet"), SMALL.read())


def test_a_kept_set_is_not_drawn_again(tmp_path: Path):
    made = SMALL.read()
    cached("shapes", [1], lambda: made, tmp_path)
    assert same(cached("shapes", [1], never, tmp_path), made)


def test_another_configuration_is_another_entry(tmp_path: Path):
    load(SMALL, cache=tmp_path)
    load(Shapes(train=12, validation=10, test=11, seed=1), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_write_to_a_tensor_never_reaches_the_file(tmp_path: Path):
    first = load(SMALL, cache=tmp_path)
    first.train.images.zero_()
    first.train.labels.zero_()
    assert same(load(SMALL, cache=tmp_path), SMALL.read())


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "about.json"])
@pytest.mark.parametrize("left", [0, 20, -1])
def test_a_file_cut_short_is_made_anew(tmp_path: Path, name: str, left: int):
    load(SMALL, cache=tmp_path)
    file = only_folder(tmp_path) / name
    file.write_bytes(file.read_bytes()[:left])
    assert same(load(SMALL, cache=tmp_path), SMALL.read())
    assert file.stat().st_size > abs(left)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "about.json"])
def test_a_lost_file_is_made_anew_and_then_kept(tmp_path: Path, name: str):
    made = SMALL.read()
    cached("shapes", [1], lambda: made, tmp_path)
    (only_folder(tmp_path) / name).unlink()
    assert same(cached("shapes", [1], lambda: made, tmp_path), made)
    assert same(cached("shapes", [1], never, tmp_path), made)


def test_arrays_of_another_length_than_announced_are_made_anew(tmp_path: Path):
    load(SMALL, cache=tmp_path / "one")
    load(Shapes(train=13, validation=10, test=11), cache=tmp_path / "other")
    shutil.copy(only_folder(tmp_path / "other") / "labels.npy", only_folder(tmp_path / "one") / "labels.npy")
    assert same(load(SMALL, cache=tmp_path / "one"), SMALL.read())


def test_a_process_that_comes_second_takes_the_set_of_the_first(tmp_path: Path):
    made = SMALL.read()

    def overtaken() -> Dataset:
        cached("shapes", [1], lambda: made, tmp_path)
        return made

    assert same(cached("shapes", [1], overtaken, tmp_path), made)
    assert len(list(tmp_path.iterdir())) == 1


def test_many_at_once_all_get_the_set_and_leave_nothing_behind(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load(SMALL, cache=tmp_path), range(8)))
    assert all(same(one, loaded[0]) for one in loaded)
    assert sorted(path.name for path in only_folder(tmp_path).iterdir()) == [
        "about.json",
        "images.npy",
        "labels.npy",
    ]


def test_a_write_that_fails_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            load(SMALL, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert same(load(SMALL, cache=tmp_path), SMALL.read())


def test_mean_and_std_are_those_of_the_training_pixels(tmp_path: Path):
    dataset = load(SMALL, cache=tmp_path)
    values = dataset.train.images.double() / 255
    assert dataset.mean == pytest.approx(values.mean((0, 2, 3)).tolist(), rel=1e-12)
    assert dataset.std == pytest.approx(values.std((0, 2, 3), correction=0).tolist(), rel=1e-9)


def test_the_fingerprint_tells_where_one_split_ends_and_the_next_begins():
    train = SMALL.read().train
    assert fingerprint(halves(train, 4)) != fingerprint(halves(train, 5))


def test_the_fingerprint_depends_on_every_label():
    train = SMALL.read().train
    other = train.labels.clone()
    other[-1] += 1
    assert fingerprint([train]) != fingerprint([Split(train.images, other)])
