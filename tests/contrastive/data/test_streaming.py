"""Sets too big for memory: the same images as in memory, whoever decodes them, and what goes wrong."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contrastive import Config, train
from contrastive.config import replace, to_json
from contrastive.data import Dataset, Folder, Split, load
from contrastive.data import dataset as of_datasets
from contrastive.data.decoding import decoded
from contrastive.data.stream import GREY, Stream

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 40 noisy images in names that are awkward."""
    place = tmp_path_factory.mktemp("image files")
    random = np.random.default_rng(0)
    for name in ("cat", "dög"):
        (place / name).mkdir()
        for i in range(40):
            pixels = random.integers(0, 256, (14, 20, 3), np.uint8)
            Image.fromarray(pixels).save(place / name / f"a {i:02}\n.png")
    return place


def folder(root: Path, **fields: Any) -> Folder:
    return Folder(root=str(root), **{"size": 10, "stream": True, "workers": 0} | fields)


def everything(split: Split) -> torch.Tensor:
    (images,) = split.fetch([torch.arange(len(split))])
    return images


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_streamed_images_are_those_in_memory_for_any_number_of_workers(root: Path, workers: int):
    whole, streamed = folder(root, stream=False).read(), folder(root, workers=workers).read()
    for name in SPLITS:
        ours, theirs = getattr(streamed, name), getattr(whole, name)
        assert isinstance(ours.images, Stream)
        assert (len(ours), ours.shape) == (len(theirs), theirs.shape)
        assert ours.images.shape == theirs.images.shape
        assert torch.equal(ours.labels, theirs.labels)
        assert torch.equal(torch.cat(list(ours.fetch(torch.arange(len(ours)).split(3)))), theirs.images)
    assert (streamed.mean, streamed.std) == (whole.mean, whole.std)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_come_in_the_order_asked_for_with_repeats_and_empty_blocks(root: Path, workers: int):
    split = folder(root, workers=workers).read().train
    rows = [torch.tensor(some, dtype=torch.int64) for some in ([5, 5, 0], [], [41], [3, 2, 1], [])]
    images = everything(folder(root, stream=False).read().train)
    for some, got in zip(rows, split.fetch(rows), strict=True):
        assert torch.equal(got, images[some])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 55), max_size=4), max_size=6))
def test_any_rows_are_those_of_the_tensor(root: Path, rows: list[list[int]]):
    whole, streamed = (folder(root, stream=stream).read().train for stream in (False, True))
    asked = [torch.tensor(some, dtype=torch.int64) for some in rows]
    assert all(torch.equal(*pair) for pair in zip(whole.fetch(asked), streamed.fetch(asked), strict=True))


def test_in_memory_too_workers_only_share_the_work(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("contrastive.data.image_files.BLOCK", 7)
    one, two = (folder(root, stream=False, workers=workers).read() for workers in (0, 2))
    assert one.fingerprint == two.fingerprint


def test_a_streamed_run_is_the_run_in_memory_to_the_bit(root: Path, config: Config, tmp_path: Path):
    def curve(data: Folder) -> list[float]:
        metrics: list[float] = []
        short = replace(config, {"data": to_json(data), "epochs": 2, "optimiser.warmup_epochs": 1})
        dataset = load(short.data, cache=tmp_path)
        train(short, lambda _, m: metrics.extend((m["loss"], m["knn_top1"])), dataset=dataset)
        return metrics

    assert curve(folder(root, workers=2)) == curve(folder(root, stream=False))


# Which sets are streamed, and under which name.


def test_sets_that_would_exceed_the_memory_are_streamed_and_not_kept(root: Path, tmp_path: Path):
    gigabytes = 80 * 3 * 10 * 10 / 2**30
    for memory, streamed in ((gigabytes * 0.999, True), (gigabytes, False)):
        data = folder(root, stream=None, memory=memory)
        assert isinstance(data.read().train.images, Stream) == streamed
        dataset = load(data, cache=tmp_path / str(streamed))
        assert isinstance(dataset.train.images, Stream) == streamed
        assert (tmp_path / str(streamed)).exists() != streamed


def test_how_many_workers_and_how_much_memory_make_no_other_entry_in_the_cache(root: Path, tmp_path: Path):
    for fields in ({}, {"workers": 1}, {"memory": 9.0, "stream": None}):
        load(folder(root, **{"stream": False} | fields), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def copy(root: Path, place: Path) -> Path:
    for path in root.rglob("*.png"):
        target = place / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return place


def test_the_fingerprint_is_that_of_names_sizes_labels_and_splits(root: Path, tmp_path: Path):
    def mark(place: Path, **fields: Any) -> str:
        return folder(place, **fields).read().fingerprint

    print_ = mark(root)
    same = copy(root, tmp_path / "copy")
    assert mark(same) == mark(root, workers=3) == mark(root, memory=1e-9) == print_
    assert len({print_, mark(root, seed=1), mark(root, size=11), mark(root, stream=False)}) == 4
    (file, other, *_) = sorted(same.rglob("*.png"))
    file.write_bytes(file.read_bytes() + b"\0")
    longer = mark(same)
    other.rename(other.with_name("b.png"))
    renamed = mark(same)
    (same / "dög").rename(same / "dog")
    assert len({print_, longer, renamed, mark(same)}) == 4


def test_labels_are_part_of_the_fingerprint(root: Path):
    split = folder(root).read().train
    other = Split(split.images, 1 - split.labels)
    assert of_datasets.fingerprint([split]) != of_datasets.fingerprint([other])


def test_mean_and_deviation_of_a_large_set_are_of_a_fixed_sample(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(of_datasets, "SAMPLE", 20)
    streamed, again, whole = (folder(root, stream=stream).read() for stream in (True, True, False))
    assert streamed.mean == again.mean
    assert streamed.mean != whole.mean
    assert streamed.mean == pytest.approx(whole.mean, abs=0.02)
    assert streamed.std == pytest.approx(whole.std, rel=0.05)
    values = whole.train.images.double() / 255
    assert whole.mean == pytest.approx(values.mean((0, 2, 3)).tolist(), rel=1e-12)


# Processes.


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    yield started
    assert all(process.returncode is not None for process in started)


def test_a_pass_starts_its_workers_and_ends_them(root: Path, processes: list[Any]):
    split = folder(root, workers=2).read().train
    assert len(list(split.fetch(torch.arange(len(split)).split(8)))) == 7
    assert len(processes) == 2


def test_a_pass_that_is_left_early_ends_its_workers(root: Path, processes: list[Any]):
    images = folder(root, workers=2).read().train.fetch(torch.arange(56).split(2))
    next(images)
    assert [process.poll() for process in processes] == [None, None]
    images.close()
    assert all(process.returncode is not None for process in processes)


def test_a_bounded_number_of_blocks_is_decoded_ahead(root: Path):
    file, asked = str(next(root.rglob("*.png"))), list[int]()

    def path(row: int) -> str:
        asked.append(row)
        return file

    images = decoded(path, [[row] for row in range(9)], size=10, workers=2)
    for taken in (1, 2, 3):
        next(images)
        assert asked == list(range(taken + 3))
    images.close()


def test_a_single_block_is_not_worth_a_process(root: Path, processes: list[Any]):
    everything(folder(root, workers=2).read().train)
    assert not processes


def test_a_worker_that_dies_is_said_and_how_to_do_without(root: Path, processes: list[Any]):
    images = folder(root, workers=2).read().train.fetch(torch.arange(56).split(1))
    next(images)
    for process in processes:
        process.kill()
    with pytest.raises(RuntimeError, match=r"has ended \(exit status -9\).*lower data.workers"):
        list(images)


# Files that cannot be read.


def spoil(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.write_bytes(path.read_bytes()[:40])


def clean(place: Path) -> Path:
    for name in ("cat", "dog"):
        (place / name).mkdir(parents=True)
        for i in range(50):
            Image.new("RGB", (10, 10), (200, 10, 10)).save(place / name / f"{i:02}.png")
    return place


def greys(dataset: Dataset) -> int:
    return sum(int((everything(getattr(dataset, s)) == GREY).flatten(1).all(1).sum()) for s in SPLITS)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_grey_named_and_counted(tmp_path: Path, workers: int):
    dataset = folder(clean(tmp_path), workers=workers, unreadable=0.05).read()
    assert isinstance(dataset.train.images, Stream)
    name = dataset.train.images.names[3]
    spoil(tmp_path, name)
    rows = torch.arange(len(dataset.train))
    with pytest.warns(UserWarning, match=rf"1 of 70 images cannot be read: .*{name}\. They are grey") as said:
        images = torch.cat(list(dataset.train.fetch([*rows.split(16), torch.tensor([3, 3])])))
    assert len(said) == 1
    assert [row for row, image in enumerate(images) if (image == GREY).all()] == [3, 70, 71]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_pass_ends_where_more_than_the_share_cannot_be_read(tmp_path: Path, workers: int):
    dataset = folder(clean(tmp_path), workers=workers, unreadable=0.02).read()
    assert isinstance(dataset.train.images, Stream)
    spoil(tmp_path, *dataset.train.images.names[:2])
    images = dataset.train.fetch(torch.arange(70).split(1))
    assert (next(images) == GREY).all()
    with pytest.raises(ValueError, match=r"2 of 70 images cannot be read: .*At most 2% may be .* raise data"):
        next(images)


def test_missing_and_empty_files_are_left_out_before_anything_is_decoded(tmp_path: Path):
    clean(tmp_path)
    (tmp_path / "cat" / "07.png").write_bytes(b"")
    (tmp_path / "dog" / "09.png").unlink()
    (tmp_path / "dog" / "09.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match=r"2 of 100 images cannot be read: .*At most 1% may be unreadable"):
        folder(tmp_path).read()
    with pytest.warns(UserWarning, match=r"07.png.*They are left out|09.png.*They are left out"):
        dataset = folder(tmp_path, unreadable=0.02).read()
    assert sum(len(getattr(dataset, split)) for split in SPLITS) == 98
    assert greys(dataset) == 0
    for split in SPLITS:
        part = getattr(dataset, split)
        assert part.labels.tolist() == [name.startswith("dog") for name in part.images.names]


def test_a_file_that_vanishes_later_is_unreadable(tmp_path: Path):
    dataset = folder(clean(tmp_path), unreadable=0.05).read()
    assert isinstance(dataset.test.images, Stream)
    (tmp_path / dataset.test.images.names[0]).unlink()
    with pytest.warns(UserWarning, match="1 of 20 images cannot be read"):
        assert (everything(dataset.test)[0] == GREY).all()
