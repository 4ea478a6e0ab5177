"""How long a sweep will take: from earlier sweeps, from a measurement, or not known, with the reason."""

import dataclasses
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from contrastive.config import Config, replace, to_dict
from contrastive.data import Dataset
from sweeps import store
from sweeps.backend.probe import seconds_per_epoch
from sweeps.planning import estimate as estimates
from sweeps.planning import plan as plans
from sweeps.planning.estimate import (
    CostEstimate,
    Pace,
    duration,
    estimate_cost,
    measured,
    parallel,
    recorded_pace,
    remaining,
)
from sweeps.planning.plan import Plan
from tests.fixtures.tiny_space import TINY


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_remains_is_what_is_not_done_shared_by_the_workers() -> None:
    assert remaining(done=40, expected=100, seconds_per_epoch=3.0, workers=2) == 90.0
    assert remaining(done=40, expected=100, seconds_per_epoch=3.0, workers=0) == 180.0


def test_a_sweep_that_takes_more_epochs_than_expected_has_nothing_left_and_never_less() -> None:
    assert remaining(done=120, expected=100, seconds_per_epoch=3.0, workers=2) == 0.0


def test_nothing_is_foretold_before_an_epoch_was_timed() -> None:
    assert remaining(done=0, expected=100, seconds_per_epoch=None, workers=2) is None


def test_the_time_of_a_plan_is_its_epochs_at_their_pace_as_many_at_once_as_there_is_room_for() -> None:
    cost = CostEstimate(epochs_full=288, epochs_expected=120, parallel=2, pace=Pace(2.5, "measured"))
    assert (cost.seconds_full, cost.seconds_expected) == (360.0, 150.0)
    unknown = dataclasses.replace(cost, pace=Pace(None, "why"))
    assert (unknown.seconds_full, unknown.seconds_expected) == (None, None)


@pytest.mark.parametrize(
    ("cores", "fields", "runs"),
    [(8, {}, 8), (8, {"workers_per_run": 2}, 4), (2, {"workers_per_run": 8}, 1), (64, {"arms": 3}, 3)],
)
def test_as_many_runs_go_at_once_as_there_are_cores_and_runs(
    cores: int, fields: dict[str, Any], runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert parallel(plans.checked(space=TINY, **{"arms": 20, **fields})) == runs


def test_gpus_limit_how_many_runs_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert parallel(plans.checked(space=TINY, arms=50, gpus_per_worker=0.25)) == 16
    assert parallel(plans.checked(space=TINY, arms=50, gpus_per_worker=1.0, workers_per_run=2)) == 2


# --- earlier sweeps ---


def sweep(
    root: Path, name: str, config: Config, seconds: float, *, created: str = "2026-01-31", **plan: Any
) -> None:
    """A sweep of one run whose two epochs took so long on average, evaluation included."""
    directory = store.open_store(root) / "sweeps" / name
    resources = {"workers_per_run": 1, "gpus_per_worker": 0.0} | plan
    manifest = {"id": name, "created": created, "plan": resources, "provenance": {"host": "node7"}}
    store.write_manifest(directory, manifest)
    with store.Writer(directory, "w") as writer:
        row = {"run": "r", "number": 0, "arm": "a", "seed": 0, "attempt": 0}
        writer.run(**row, config=to_dict(config), state="running")
        for epoch, share in ((1, 0.5), (2, 1.5)):
            times = {"seconds": 0.75 * seconds * share, "evaluation_seconds": 0.25 * seconds * share}
            writer.report("r", 0, epoch, {"knn_top1": 40.0, **times})


@pytest.fixture
def plan() -> Plan:
    return plans.checked(space=TINY, arms=3)


def test_an_earlier_sweep_of_the_same_kind_tells_the_pace_and_is_named(plan: Plan, tmp_path: Path) -> None:
    sweep(tmp_path, "before", TINY.base, 6.0)
    assert recorded_pace(plan, tmp_path) == Pace(6.0, "mean of 2 epochs of before on node7")


def test_of_several_earlier_sweeps_the_latest_tells(plan: Plan, tmp_path: Path) -> None:
    sweep(tmp_path, "a", TINY.base, 6.0, created="2026-02-01")
    sweep(tmp_path, "b", TINY.base, 8.0, created="2026-01-01")
    found = recorded_pace(plan, tmp_path)
    assert found is not None
    assert found.seconds == 6.0


@pytest.mark.parametrize(
    "changes",
    [{"method.temperature": 0.4}, {"method.queue": 0}, {"epochs": 3}, {"seed": 7}, {"optimiser.lr": 0.01}],
    ids=str,
)
def test_what_does_not_change_the_pace_does_not_matter(
    changes: dict[str, Any], plan: Plan, tmp_path: Path
) -> None:
    sweep(tmp_path, "before", replace(TINY.base, changes), 6.0)
    assert recorded_pace(plan, tmp_path) is not None


@pytest.mark.parametrize(
    "changes",
    [{"data.train": 64}, {"encoder.width": 8}, {"batch": 32}, {"method": {"name": "simclr"}},
     {"views.strong.blur": 0.5}, {"precision": "float64"}],
    ids=str,
)  # fmt: skip
def test_a_sweep_of_another_kind_tells_nothing(changes: dict[str, Any], plan: Plan, tmp_path: Path) -> None:
    sweep(tmp_path, "before", replace(TINY.base, changes), 6.0)
    assert recorded_pace(plan, tmp_path) is None


@pytest.mark.parametrize("resources", [{"workers_per_run": 2}, {"gpus_per_worker": 1.0}], ids=str)
def test_runs_on_other_resources_tell_nothing(resources: dict[str, Any], plan: Plan, tmp_path: Path) -> None:
    sweep(tmp_path, "before", TINY.base, 6.0, **resources)
    assert recorded_pace(plan, tmp_path) is None


def test_images_may_have_moved() -> None:
    config = replace(TINY.base, {"data": {"name": "cifar10", "root": "/here"}})
    moved = replace(config, {"data.root": "/there"})
    assert estimates._kind(to_dict(config)) == estimates._kind(to_dict(moved))


def test_a_store_that_does_not_exist_tells_nothing_and_is_not_made(plan: Plan, tmp_path: Path) -> None:
    assert recorded_pace(plan, tmp_path / "results") is None
    assert not (tmp_path / "results").exists()


def test_what_was_recorded_is_preferred_to_a_measurement(plan: Plan, tmp_path: Path) -> None:
    def probe(*_: Any) -> Pace:
        return Pace(9.0, "measured")

    cache = tmp_path / "cache"
    assert estimate_cost(plan, tmp_path, cache, probe=probe).pace == Pace(9.0, "measured")
    sweep(tmp_path, "before", TINY.base, 6.0)
    cost = estimate_cost(plan, tmp_path, cache, probe=probe)
    assert cost.pace.seconds == 6.0
    assert (cost.epochs_full, cost.epochs_expected) == plans.expected_epochs_of(plan)


# --- measured now ---


class Clock:
    """Every look at it takes so many seconds."""

    def __init__(self, tick: float):
        self.times = itertools.count(0.0, tick)

    def __call__(self) -> float:
        return next(self.times)


def test_where_an_epoch_fits_the_second_is_what_one_takes(config: Config, dataset: Dataset) -> None:
    seconds, source = seconds_per_epoch(config, dataset, limit=1e9, clock=Clock(1.0))
    # Each epoch looks at the clock when it starts, at each of its 6 steps, after them, and after the evaluation.
    assert seconds == 6 + 1 + 1
    assert source == "one epoch of the base configuration, measured now"


def test_where_an_epoch_does_not_fit_its_steps_are_timed_in_whole_blocks_and_a_part_of_the_evaluation(
    config: Config, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.backend.probe.RENDERED_AT_ONCE", 2 * config.batch)
    monkeypatch.setattr("sweeps.backend.probe.BANK", 48)
    monkeypatch.setattr("sweeps.backend.probe.QUERIES", 20)
    seconds, source = seconds_per_epoch(config, dataset, limit=2.0, clock=Clock(1.0))
    # A step a second; the first block of two is not counted. Of 96 + 40 images 48 + 20 are embedded in a second.
    assert seconds == pytest.approx(6 * 1.0 + 1.0 * (96 + 40) / (48 + 20))
    assert source == "2 of the 6 steps of an epoch and a part of its evaluation, measured now"


def test_protocols_that_run_after_training_are_no_part_of_an_epoch(config: Config, dataset: Dataset) -> None:
    linear = replace(config, {"evaluation.after": [{"name": "linear"}], "epochs": 2})
    assert seconds_per_epoch(linear, dataset, limit=1e9, clock=Clock(1.0))[0] == 8


def test_a_measurement_is_real_and_made_in_a_process_of_its_own(plan: Plan, cache: Path) -> None:
    found = measured(plan, cache)
    assert found.seconds is not None
    assert 0.0 < found.seconds < 60.0
    assert found.source == "one epoch of the base configuration, measured now"


def test_a_measurement_that_takes_too_long_is_given_up(plan: Plan, cache: Path) -> None:
    assert measured(plan, cache, patience=0.1) == Pace(
        None, "0 seconds were too few to read the images and time some steps"
    )


def test_images_that_cannot_be_read_are_a_reason_not_an_error(tmp_path: Path) -> None:
    config = replace(TINY.base, {"data": {"name": "cifar10", "root": str(tmp_path / "nowhere")}})
    found = measured(plans.checked(space=dataclasses.replace(TINY, base=config), arms=3), tmp_path)
    assert found.seconds is None
    assert found.source.startswith("it cannot be measured: FileNotFoundError")


def test_what_runs_on_gpus_is_not_measured_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    found = measured(plans.checked(space=TINY, arms=3, gpus_per_worker=1.0), tmp_path)
    assert found.seconds is None
    assert "none is measured on GPUs" in found.source


def test_several_workers_are_taken_to_share_a_measured_epoch_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = tmp_path / "python"
    answer.write_text(f"#!/bin/sh\necho '{json.dumps([6.0, 'measured'])}'\n")
    answer.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(answer))
    found = measured(plans.checked(space=TINY, arms=3, workers_per_run=2), tmp_path)
    assert found == Pace(3.0, "measured, divided by 2 workers, which may be too hopeful")
