"""Downloads happen when asked for, through torchvision; a set that is not there says how to ask."""

from pathlib import Path
from typing import Any, get_args

import pytest
from torchvision import datasets

from contrastive.data import DATA_SETS, Data, load, parse
from contrastive.data.download import command, download

NAMES = [kind.name for kind in get_args(get_args(Data)[0])]
FETCHED = {kind.name: kind.fetched for kind in DATA_SETS if kind.fetched}
ELSEWHERE = [kind.name for kind in DATA_SETS if kind.elsewhere]


@pytest.mark.parametrize("name", FETCHED)
def test_torchvision_fetches_what_it_can(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    assert hasattr(datasets, FETCHED[name])
    monkeypatch.setattr(datasets, FETCHED[name], lambda *place, **how: asked.append((place, how)))
    download(name, tmp_path / "new" / "folder")
    assert asked == [((str(tmp_path / "new" / "folder"),), {"download": True})]
    assert (tmp_path / "new" / "folder").is_dir()


@pytest.mark.parametrize("error", [RuntimeError("File not found or corrupted."), OSError("no route to host")])
def test_a_server_that_does_not_answer_is_said(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(datasets, "CIFAR10", fail)
    with pytest.raises(RuntimeError, match=f"cifar10 could not be downloaded: {error}. Run the same command"):
        download("cifar10", tmp_path)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_sets_say_where_they_are(name: str, tmp_path: Path):
    with pytest.raises(ValueError, match="not downloaded|name"):
        download(name, tmp_path / "untouched")
    assert not (tmp_path / "untouched").exists()


def test_an_unknown_set_is_refused_with_the_known(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"no data set 'cifar'\. Can be downloaded: fashion_mnist, mnist, kmnist, cifar10"
    ):
        download("cifar", tmp_path)


def test_every_set_can_be_downloaded_or_says_where_it_is():
    assert sorted([*FETCHED, *ELSEWHERE]) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"shapes", "folder"}))
def test_a_set_that_is_not_there_names_the_command(name: str, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=f"`python -m contrastive download {name} --root "):
        load(parse(f"{name}:{tmp_path / 'nowhere'}"), cache=tmp_path / "cache")


def test_a_root_with_a_space_is_quoted():
    assert command("stl10", Path("my data")) == "python -m contrastive download stl10 --root 'my data'"
