from pathlib import Path
from typing import Any

import pytest

from contrastive.config import Config, arm, identity, replace, to_dict
from contrastive.data import Dataset
from contrastive.distributed import World
from sweeps import store
from sweeps.backend.worker import Places, work
from sweeps.store import segments

ALONE = World()


class Stopped(BaseException):
    pass


def run_of(sweep: Path, config: Config, dataset: Dataset, attempt: int = 0) -> dict[str, Any]:
    return {
        "number": 0,
        "identity": identity(config, dataset.fingerprint),
        "arm": arm(config, dataset.fingerprint),
        "seed": config.seed,
        "config": to_dict(config),
        "attempt": attempt,
        "sweep": str(sweep),
    }


@pytest.fixture
def places(tmp_path: Path, cache: Path) -> Places:
    store.write_manifest(tmp_path, {"id": "a test"})
    return Places(cache=str(cache))


def epochs(sweep: Path) -> list[int]:
    rows = store.reports(sweep).to_pylist()
    return [row["epoch"] for row in rows if row["metric"] == "knn_top1"]


def written(sweep: Path) -> list[int]:
    found = [segments.read_segment(path) for path in segments.paths(sweep, "reports")]
    rows = [row for one in found if one and one.table is not None for row in one.table.to_pylist()]
    return sorted(row["epoch"] for row in rows)


def test_every_epoch_is_in_the_store_before_tune_hears_of_it(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    def tell(result: dict[str, Any]) -> None:
        assert epochs(tmp_path)[-1] == result["epoch"]

    assert not work(run_of(tmp_path, config, dataset), places, tell, ALONE)
    assert epochs(tmp_path) == [1, 2, 3]


def test_a_stopped_run_leaves_what_it_reported_and_is_no_failure(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    told: list[int] = []

    def tell(result: dict[str, Any]) -> None:
        told.append(result["epoch"])
        if result["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        work(run_of(tmp_path, config, dataset), places, tell, ALONE)
    assert told == epochs(tmp_path) == [1, 2]


def test_a_run_taken_up_again_writes_no_epoch_twice(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    def stop(result: dict[str, Any]) -> None:
        if result["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        work(run_of(tmp_path, config, dataset), places, stop, ALONE)
    told: list[int] = []
    assert not work(
        run_of(tmp_path, config, dataset, attempt=1), places, lambda r: told.append(r["epoch"]), ALONE
    )
    assert told == [2, 3]  # Tune may not have heard of the last one
    assert written(tmp_path) == [1, 2, 3]


def test_an_epoch_that_was_trained_but_not_recorded_is_recorded_later(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    work(run_of(tmp_path, config, dataset), places, lambda _: None, ALONE)
    for segment in (tmp_path / "segments").iterdir():
        segment.unlink()  # as if the process had died between checkpoint and report
    work(run_of(tmp_path, config, dataset, attempt=1), places, lambda _: None, ALONE)
    assert written(tmp_path) == [3]


def test_a_failure_is_told_with_its_traceback_and_its_last_epoch(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: Config, report: Any, **_: Any) -> None:
        report(1, {"knn_top1": 50.0})
        raise RuntimeError("the second epoch is too much")

    monkeypatch.setattr("sweeps.backend.worker.train", broken)
    told: list[dict[str, Any]] = []
    assert work(run_of(tmp_path, config, dataset), places, told.append, ALONE)
    assert told[-1]["epoch"] == 1
    assert told[-1]["failed"].startswith("Traceback")
    assert "RuntimeError: the second epoch is too much" in told[-1]["failed"]


def test_a_loss_that_is_no_number_is_told_as_divergence(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    told: list[dict[str, Any]] = []
    wild = replace(config, {"optimiser.lr": 1e30})
    assert not work(run_of(tmp_path, wild, dataset), places, told.append, ALONE)
    assert told[-1]["epoch"] == len(told) - 1
    assert "the mean loss of epoch" in told[-1]["diverged"]


def test_images_that_have_changed_are_a_failure_that_says_so(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    told: list[dict[str, Any]] = []
    run = {**run_of(tmp_path, config, dataset), "identity": "of other images"}
    assert work(run, places, told.append, ALONE)
    assert "the images have changed since this sweep was planned" in told[0]["failed"]


def test_only_the_first_process_of_several_writes(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    def fake(config: Config, report: Any, **_: Any) -> None:
        report(1, {"knn_top1": 50.0})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweeps.backend.worker.train", fake)
        work(run_of(tmp_path, config, dataset), places, lambda _: None, World(1, 2))
        assert written(tmp_path) == []
        work(run_of(tmp_path, config, dataset), places, lambda _: None, World(0, 2))
    assert written(tmp_path) == [1]


def test_a_node_that_does_not_share_the_store_says_so(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path
) -> None:
    (tmp_path / "sweep.json").unlink()
    told: list[dict[str, Any]] = []
    assert work(run_of(tmp_path, config, dataset), places, told.append, ALONE)
    assert "holds no sweep" in told[0]["failed"]


def test_the_loss_of_another_worker_is_not_this_runs_failure(
    config: Config, dataset: Dataset, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise RuntimeError("[gloo] Connection closed by peer [127.0.0.1]:1234")

    monkeypatch.setattr("sweeps.backend.worker.train", lost)
    with pytest.raises(RuntimeError, match="closed by peer"):
        work(run_of(tmp_path, config, dataset), places, lambda _: None, World(0, 2))
