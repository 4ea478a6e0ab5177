"""Several seeds under a stopper: arms are judged, not runs, whatever fails, is killed, grows or has a wrong clock."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from sweeps import store
from sweeps.engine import history as histories
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.runs import IssuedRun
from sweeps.planning.plan import Confirm
from sweeps.stoppers import by_text
from tests.crew import Sitting, abandon, by_temperature, carry_out, place, plan, train, workers
from tests.sweeps.engine.test_engine import table

STOPPERS = ["asha:grace=1", "promote:grace=1", "one_epoch", "pasha", "hyperband", "median:grace=1,startup=2"]
SEEDS = (0, 1, 2)


@pytest.fixture(autouse=True)
def _abandoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("os.fsync", lambda _: None)  # no power cut is tested here
    yield
    abandon()


def noisy(run: IssuedRun, epoch: int) -> float:
    """Arms differ by 3 points, seeds by 2, epochs by half a point."""
    arm, own = np.random.default_rng(int(run.arm[:8], 16)), np.random.default_rng(int(run.identity[:8], 16))
    noise = np.random.default_rng([int(run.identity[:8], 16), epoch]).normal(0, 0.5)
    return 40 + arm.normal(0, 3) + own.normal(0, 2) + epoch + noise


def by_arm(directory: Path) -> dict[str, list[dict[str, Any]]]:
    arms: dict[str, list[dict[str, Any]]] = {}
    for row in store.runs(directory).to_pylist():
        arms.setdefault(row["arm"], []).append(row)
    return arms


def events(directory: Path, kind: str) -> list[dict[str, Any]]:
    found = [event for event in store.events(directory).to_pylist() if event["kind"] == kind]
    return [{**event, **json.loads(event["detail"])} for event in found]


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("stopper", [*STOPPERS, "optuna:pruner=MedianPruner"])
def test_the_runs_of_an_arm_end_alike(stopper: str, count: int, tmp_path: Path) -> None:
    made = plan(design="random", arms=10, seeds=SEEDS, stopper=by_text(stopper))
    sitting = Sitting(tmp_path, made)
    carry_out(sitting, noisy, count=count)
    arms = by_arm(tmp_path)
    assert {len(runs) for runs in arms.values()} == {3}
    complete = [arm for arm, runs in arms.items() if {run["state"] for run in runs} == {"complete"}]
    assert 2 <= len(complete) <= 10
    assert not sitting.study.unfinished()
    states = Counter(run.state for run in sitting.study.study.get_trials())
    assert states[TrialState.COMPLETE] + states[TrialState.PRUNED] == 30
    if "median" not in stopper.lower():  # which may end an arm between two meetings
        assert all(len({(run["state"], run["epochs"]) for run in runs}) == 1 for runs in arms.values())
        assert states[TrialState.COMPLETE] == 3 * len(complete) < 30


def test_at_a_rung_the_means_over_seeds_are_compared(tmp_path: Path) -> None:
    carry_out(
        Sitting(tmp_path, plan(design="random", arms=8, seeds=SEEDS, stopper=by_text("asha:grace=2"))), noisy
    )
    arms, found = by_arm(tmp_path), events(tmp_path, "rung")
    runs = {row["run"]: row for row in store.runs(tmp_path).to_pylist()}
    values = {
        (r["run"], r["epoch"]): r["value"]
        for r in store.reports(tmp_path).to_pylist()
        if r["metric"] == "knn_top1"
    }
    firsts = [event for event in found if event["epoch"] == 2]
    assert len(firsts) == 24
    for event in firsts:
        seeds = [row["run"] for row in arms[runs[event["run"]]["arm"]]]
        assert event["value"] == pytest.approx(np.mean([values[seed, 2] for seed in seeds]))
        assert event["peers"] <= 8


def test_an_arm_that_is_best_only_in_the_mean_is_kept(tmp_path: Path) -> None:
    def curve(run: IssuedRun, epoch: int) -> float:
        order = [0, 1, 2, 3].index(run.number // 3)
        return {1: [30, 30, 30], 2: [28, 28, 60], 3: [31, 31, 5], 0: [0, 0, 0]}[order][run.seed] + epoch

    carry_out(
        Sitting(tmp_path, plan(design="random", arms=4, seeds=SEEDS, stopper=by_text("asha:grace=1"))), curve
    )
    rows = store.runs(tmp_path).to_pylist()
    state = {row["number"] // 3: row["state"] for row in rows}
    assert (state[2], state[3]) == ("complete", "stopped")


@pytest.mark.parametrize("stopper", STOPPERS)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_a_sweep_of_several_seeds_killed_anywhere_comes_to_the_same_table(
    stopper: str, kills: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path = tmp_path_factory.mktemp("kills")
    given_plan = plan(arms=4, seeds=(0, 1), stopper=by_text(stopper), confirm=Confirm(arms=1, seeds=1))
    carry_out(Sitting(tmp_path / "whole", given_plan), noisy)
    for steps in kills:
        doomed = workers(Arbiter([Sitting(tmp_path / "killed", given_plan).engine]), noisy)
        for _ in zip(range(steps), doomed, strict=False):
            pass
    carry_out(Sitting(tmp_path / "killed", given_plan), noisy)
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


@pytest.mark.parametrize("epoch", [0, 1, 2])
@pytest.mark.parametrize("stopper", ["asha:grace=1", "promote:grace=1", "hyperband"])
def test_a_seed_that_fails_holds_nobody_up(stopper: str, epoch: int, tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(design="random", arms=8, seeds=SEEDS, stopper=by_text(stopper)))
    arbiter = Arbiter([sitting.engine])
    _carry_out_failing(arbiter, {(2, 1), (4, 0)}, epoch)
    sitting.writer.close()
    states = Counter(row["state"] for row in store.runs(tmp_path).to_pylist())
    assert states["failed"] == 2 if epoch == 0 else states["failed"] <= 2
    assert not set(states) - {"complete", "stopped", "failed"}
    assert not sitting.study.unfinished()
    again = Sitting(tmp_path, sitting.plan, {"retry_failed": True})
    carry_out(again, noisy)
    for runs in by_arm(tmp_path).values():
        assert len({run["state"] for run in runs}) == 1
    assert not again.study.unfinished()


def _carry_out_failing(arbiter: Arbiter, doomed: set[tuple[int, int]], epoch: int) -> None:
    """By one worker; the doomed arms (in order of issue) and seeds fail after so many epochs."""
    arms: list[str] = []
    while (busy := place(arbiter.issue())) is not None:
        issued, at = busy
        if issued.run.arm not in arms:
            arms.append(issued.run.arm)
        fails = (arms.index(issued.run.arm), issued.run.seed) in doomed
        while True:
            if fails and at >= epoch:
                issued.engine.end(issued.run, failed="RuntimeError: once")
                break
            at += 1
            if not train(arbiter, issued, at, noisy, {}):
                break


def test_where_a_seed_collapses_the_arm_ends(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(design="random", arms=6, seeds=SEEDS, stopper=by_text("asha:grace=4")))
    arbiter, arms = Arbiter([sitting.engine]), list[str]()
    while (busy := place(arbiter.issue())) is not None:
        issued, at = busy
        if issued.run.arm not in arms:
            arms.append(issued.run.arm)
        bad = arms.index(issued.run.arm) in (0, 2) and issued.run.seed == 1
        while train(arbiter, issued, at := at + 1, noisy, {"effective_rank": 1.0} if bad else {}):
            pass
    sitting.writer.close()
    default, _, third, *_ = by_arm(tmp_path).values()
    assert [run["state"] for run in default] == ["complete", "stopped", "complete"]
    assert [run["state"] for run in third] == ["stopped"] * 3
    assert third[1]["reason"].startswith("collapsed:")
    assert third[0]["reason"].startswith("another seed of its arm has ended: collapsed:")
    assert not sitting.study.unfinished()


def test_without_a_stopper_no_run_ends_with_another(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(design="random", arms=3, seeds=SEEDS, stopper=by_text("none")))
    carry_out(sitting, lambda run, epoch: float("nan") if run.number == 4 else by_temperature(run, epoch))
    assert Counter(row["state"] for row in store.runs(tmp_path).to_pylist()) == {
        "complete": 8,
        "stopped": 1,
    }


@pytest.mark.parametrize("stopper", STOPPERS)
def test_more_seeds_are_for_the_arms_that_were_kept(stopper: str, tmp_path: Path) -> None:
    made = {"design": "random", "arms": 8, "stopper": by_text(stopper)}
    carry_out(Sitting(tmp_path, plan(**made)), noisy)
    kept = {arm for arm, (run,) in by_arm(tmp_path).items() if run["state"] == "complete"}
    carry_out(Sitting(tmp_path, plan(**made, seeds=SEEDS)), noisy)
    for arm, runs in by_arm(tmp_path).items():
        assert [run["state"] for run in runs] == (["complete"] * 3 if arm in kept else ["stopped"])
    assert carry_out(Sitting(tmp_path, plan(**made, seeds=SEEDS)), noisy) == []


@pytest.mark.parametrize("killed", [0, 7])
def test_more_arms_after_more_seeds_are_compared_with_what_was_judged(killed: int, tmp_path: Path) -> None:
    made: dict[str, Any] = {"design": "random", "stopper": by_text("asha:grace=2")}
    carry_out(Sitting(tmp_path, plan(**made, arms=6)), noisy)
    carry_out(Sitting(tmp_path, plan(**made, arms=6, seeds=SEEDS)), noisy)
    larger = plan(**made, arms=14, seeds=SEEDS)
    for _ in zip(range(killed), workers(Arbiter([Sitting(tmp_path, larger).engine]), noisy), strict=False):
        pass
    carry_out(Sitting(tmp_path, larger), noisy)
    rungs = [event for event in events(tmp_path, "rung") if event["epoch"] == 2]
    assert max(event["peers"] for event in rungs) == 14
    assert len(by_arm(tmp_path)) == 14


@pytest.mark.parametrize(
    ("stopper", "seeds"),
    [("promote", (0,)), ("pasha", (0,)), ("hyperband", (0,)), ("promote:grace=1", (0, 1))],
)
def test_a_sweep_that_grows_keeps_its_rungs(stopper: str, seeds: tuple[int, ...], tmp_path: Path) -> None:
    made: dict[str, Any] = {"design": "random", "seeds": seeds, "stopper": by_text(stopper)}
    second: dict[str, list[int]] = {"grown": [], "whole": []}
    for sampler in range(2):
        grown, whole = (tmp_path / f"{name}{sampler}" for name in ("grown", "whole"))
        carry_out(Sitting(grown, plan(**made, arms=12, sampler_seed=sampler)), noisy)
        carry_out(Sitting(grown, plan(**made, arms=24, sampler_seed=sampler)), noisy)
        carry_out(Sitting(whole, plan(**made, arms=24, sampler_seed=sampler)), noisy)
        for name, folder in (("grown", grown), ("whole", whole)):
            later = list(by_arm(folder).values())[12:]
            second[name].append(sum(all(run["state"] == "complete" for run in runs) for runs in later))
            at = {event["epoch"]: event["peers"] for event in events(folder, "rung")}
            assert at[min(at)] == 24 or stopper == "hyperband"  # whose brackets compare fewer
    assert sum(second["grown"]) >= 0.6 * sum(second["whole"])
    assert sum(second["whole"]) >= 2


@pytest.mark.parametrize("stopper", ["asha:grace=1", "promote:grace=1", "hyperband"])
def test_clocks_that_disagree_do_not_change_what_was_judged_first(
    stopper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs are recorded on nodes whose clocks are hours apart; the sweep is killed and goes on."""
    made, chance = plan(design="random", arms=12, stopper=by_text(stopper)), random.Random(0)

    def skewed(directory: Path, name: str, **origin: Any) -> store.Writer:
        apart = chance.uniform(-7200, 7200)
        return store.Writer(directory, name, clock=lambda: 1.7e9 + apart, **origin)

    trained: list[tuple[str, int]] = []
    monkeypatch.setattr("tests.crew.Writer", skewed)
    for steps in (9, 14, 8):
        epochs = workers(Arbiter([Sitting(tmp_path, made).engine]), noisy, count=3)
        trained += [(run.identity, epoch) for _, (run, epoch) in zip(range(steps), epochs, strict=False)]
        assert [(run, epoch) for run, epoch, _ in histories.read_history(tmp_path).reports] == trained
    carry_out(Sitting(tmp_path, made), noisy, count=3)
    peers: dict[int, list[int]] = {}
    for event in events(tmp_path, "rung"):
        peers.setdefault(event["epoch"], []).append(event["peers"])
    assert peers
    for found in peers.values():  # each was compared with those that had come before, and no others
        assert sorted(found) == list(range(1, len(found) + 1)) or stopper == "hyperband"


def test_a_store_without_the_order_is_replayed_by_its_clocks(tmp_path: Path) -> None:
    made = plan(design="random", arms=8, stopper=by_text("asha:grace=1"))
    for _ in zip(range(20), workers(Arbiter([Sitting(tmp_path, made).engine]), noisy), strict=False):
        pass
    known = histories.read_history(tmp_path)
    for name in tmp_path.glob("segments/events-*"):
        name.unlink()
    old = histories.read_history(tmp_path)
    assert (old.heard, [r[:2] for r in old.reports]) == (0, [r[:2] for r in known.reports])
    carry_out(Sitting(tmp_path, made), noisy)
    assert histories.read_history(tmp_path).heard == len(histories.read_history(tmp_path).reports)
    whole = tmp_path / "whole"
    carry_out(Sitting(whole, made), noisy)
    assert table(tmp_path) == table(whole)
