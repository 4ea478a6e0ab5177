"""A sweep's folder: how it is begun, found again, and kept to one driver."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search_spaces.fitting import based_on
from sweeps import store
from sweeps.engine import lifecycle
from sweeps.engine.sweep import Sweep
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.store import driver
from tests.fixtures.tiny_space import TINY


def plan(**fields: Any) -> Plan:
    return plans.checked(**{"space": TINY, "arms": 3, **fields})


def begin(root: Path, cache: Path, **fields: Any) -> Sweep:
    made = plan(**fields)
    images = lifecycle.check_images(made, cache=cache)
    return lifecycle.begin(
        made, images, root=root, cache=cache, command="as typed", program="sweeps {}".format
    )


def test_the_manifest_holds_all_that_is_needed_to_go_on(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    manifest = json.loads((begun.directory / "sweep.json").read_text())
    assert plans.from_dict(manifest["plan"]) == begun.plan
    assert manifest["data"] == begun.dataset.fingerprint
    assert manifest["default_arm"] == begun.default_arm
    assert manifest["command"] == "as typed"
    assert set(manifest["baselines"]) == {"raw pixels", "untrained encoder"}
    assert lifecycle.reopen(begun.directory, cache=cache).default_arm == begun.default_arm


def test_sweeps_begun_in_the_same_second_get_folders_of_their_own(tmp_path: Path, cache: Path) -> None:
    folders = {begin(tmp_path / "results", cache).directory for _ in range(3)}
    assert len(folders) == 3
    assert set(store.sweep_directories(tmp_path / "results")) == folders


def test_images_that_cannot_be_used_leave_no_store_behind(tmp_path: Path) -> None:
    base = replace(TINY.base, data={"name": "folder", "root": str(tmp_path / "missing")})
    with pytest.raises(FileNotFoundError, match="missing"):
        begin(tmp_path / "results", tmp_path / "cache", space=based_on(TINY, base))
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("seeds", "fresh"), [((0,), "1-5"), ((0, 1, 2), "3-7"), ((9, 4), "10-14")])
def test_the_command_that_settles_it_takes_seeds_that_were_not_used(
    seeds: tuple[int, ...], fresh: str, tmp_path: Path, cache: Path
) -> None:
    begun = begin(tmp_path / "results", cache, seeds=seeds)
    command = store.read_manifest(begun.directory)["settle_command"]
    assert command.startswith(f"sweeps run --design rerun:{begun.directory.name} ")
    assert f"--seeds {fresh} " in command


def test_a_sweep_is_found_by_its_id_and_by_its_folder(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = begin(tmp_path / "results", cache).directory
    assert store.find(directory.name, root=tmp_path / "results") == directory
    assert store.find(str(directory), root=tmp_path / "elsewhere") == directory
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.find(directory.name, root=Path("~/results")) == directory


def test_an_unknown_sweep_is_refused_with_those_there_are(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ValueError, match="no sweep 'x'. There is no store .*; name the one"):
        store.find("x", root=tmp_path / "results")
    with pytest.raises(ValueError, match="no sweep 'x'. .* is no result store; name the one"):
        store.find("x", root=tmp_path)
    store.open_store(tmp_path / "results")
    with pytest.raises(ValueError, match="no sweep 'x'. The store .* holds no sweep yet"):
        store.find("x", root=tmp_path / "results")
    name = begin(tmp_path / "results", cache).directory.name
    with pytest.raises(ValueError, match=f"no sweep 'x'. The store .* holds: {name}"):
        store.find("x", root=tmp_path / "results")


@pytest.mark.parametrize(
    ("field", "expected"),
    [("data", "the images of .* have changed"), ("default_arm", "configurations give other numbers")],
)
def test_a_sweep_that_would_go_on_differently_is_not_reopened(
    field: str, expected: str, tmp_path: Path, cache: Path
) -> None:
    directory = begin(tmp_path / "results", cache).directory
    store.write_manifest(directory, {**store.read_manifest(directory), field: "another"})
    with pytest.raises(ValueError, match=expected):
        lifecycle.reopen(directory, cache=cache)


def test_a_second_driver_is_kept_away_and_a_later_one_is_not(tmp_path: Path) -> None:
    refused = pytest.raises(ValueError, match=f"another process is running {tmp_path.name}")
    with driver.alone(tmp_path), refused, driver.alone(tmp_path):
        pass
    with driver.alone(tmp_path):
        pass
