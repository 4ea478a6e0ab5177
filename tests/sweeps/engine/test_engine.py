import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from contrastive.config import value_at
from search_spaces.domains import Choice, LogUniform
from sweeps import store
from sweeps.engine import history as histories
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.closing import SAME_FAILURES
from sweeps.engine.runs import IssuedRun
from sweeps.planning.plan import Budget, Confirm, Objective
from sweeps.stoppers import by_text
from tests.crew import CHECKPOINT, Sitting, abandon, by_temperature, carry_out, plan, workers

EPOCHS = plan().epochs


@pytest.fixture(autouse=True)
def _abandoned() -> Iterator[None]:
    yield
    abandon()


def states(directory: Path) -> Counter[str]:
    return Counter(row["state"] for row in store.runs(directory).to_pylist())


def table(directory: Path) -> list[tuple[Any, ...]]:
    """What a sweep comes to: each run's state, reason and curve."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for row in store.reports(directory).to_pylist():
        if row["metric"] == "knn_top1":
            curves.setdefault(row["run"], []).append((row["epoch"], row["value"]))
    rows = store.runs(directory).to_pylist()
    return [(r["number"], r["run"], r["state"], r["reason"], curves[r["run"]]) for r in rows]


def kinds(directory: Path) -> Counter[str]:
    return Counter(event["kind"] for event in store.events(directory).to_pylist())


def test_every_run_is_recorded_to_its_end_in_store_and_study(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(stopper=by_text("none"), seeds=(3, 4)))
    carry_out(sitting)
    assert states(tmp_path) == {"complete": 12}
    trials = sitting.study.study.get_trials()
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    assert len(complete) == 12
    assert all(list(t.intermediate_values) == list(range(1, EPOCHS + 1)) for t in complete)
    assert all(t.value == t.intermediate_values[EPOCHS] for t in complete)


def test_a_stopped_run_is_pruned_with_the_values_it_had(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(arms=12, stopper=by_text("asha:grace=2")))
    carry_out(sitting, count=3)
    rows = [row for row in store.runs(tmp_path).to_pylist() if row["state"] == "stopped"]
    assert rows
    for row in rows:
        trial = sitting.study.study.get_trials()[sitting.study.entries[row["run"]].number]
        assert trial.state == TrialState.PRUNED
        assert list(trial.intermediate_values) == list(range(1, row["epochs"] + 1))
        assert row["reason"].startswith(f"rung {row['epochs']}")


@pytest.mark.parametrize(
    "stopper", ["asha:grace=1", "median:grace=1,startup=1", "one_epoch:keep=1", "promote"]
)
def test_the_default_is_trained_to_its_end_whatever_the_stopper_says(stopper: str, tmp_path: Path) -> None:
    def worst(run: IssuedRun, epoch: int) -> float:
        return -90.0 if run.number == 0 else by_temperature(run, epoch)

    carry_out(Sitting(tmp_path, plan(stopper=by_text(stopper))), worst, count=2)
    first = store.runs(tmp_path).to_pylist()[0]
    assert (first["number"], first["state"], first["epochs"]) == (0, "complete", EPOCHS)


def test_controls_are_never_stopped_and_what_would_have_stopped_them_is_kept(tmp_path: Path) -> None:
    stopper = by_text("asha:grace=1,control=0.5")
    carry_out(Sitting(tmp_path, plan(design="random", arms=24, stopper=stopper)))
    rows = store.runs(tmp_path).to_pylist()
    drawn = [row for row in rows if int(row["arm"][:8], 16) / 16**8 < 0.5]
    assert 4 <= len(drawn) <= 20
    assert {row["state"] for row in drawn} == {"complete"}
    assert "stopped" in {row["state"] for row in rows}
    spared = {event["run"] for event in store.events(tmp_path).to_pylist() if event["kind"] == "spared"}
    assert spared & {row["run"] for row in drawn}


@pytest.mark.parametrize("stopper", ["promote:grace=1", "one_epoch:keep=2", "pasha:grace=1"])
def test_a_paused_run_goes_on_where_it_paused(stopper: str, tmp_path: Path) -> None:
    epochs = carry_out(Sitting(tmp_path, plan(arms=9, stopper=by_text(stopper))), count=2)
    times = Counter((run.identity, epoch) for run, epoch in epochs)
    assert set(times.values()) == {1}
    assert kinds(tmp_path)["promoted"] >= 1
    assert set(states(tmp_path)) == {"complete", "stopped"}
    best = max(store.runs(tmp_path).to_pylist(), key=lambda row: (row["state"] == "complete", row["epochs"]))
    assert best["epochs"] == EPOCHS


@pytest.mark.parametrize(
    "stopper", ["none", "asha:grace=1", "promote:grace=1", "one_epoch", "pasha", "hyperband"]
)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(0, 15), min_size=1, max_size=4))
def test_a_sweep_killed_anywhere_comes_to_the_table_of_one_that_was_not(
    stopper: str, kills: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path = tmp_path_factory.mktemp("kills")
    given_plan = plan(stopper=by_text(stopper), confirm=Confirm(arms=1, seeds=1))
    carry_out(Sitting(tmp_path / "whole", given_plan))
    for steps in kills:
        doomed = workers(Arbiter([Sitting(tmp_path / "killed", given_plan).engine]))
        for _ in zip(range(steps), doomed, strict=False):
            pass
    carry_out(Sitting(tmp_path / "killed", given_plan))
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


def test_what_the_store_has_and_the_driver_never_heard_counts(tmp_path: Path) -> None:
    doomed = Sitting(tmp_path, plan(stopper=by_text("none")))
    run = doomed.engine.issue()
    assert isinstance(run, IssuedRun)
    with store.Writer(tmp_path, f"{run.identity}-0-0") as writer:
        writer.report(run.identity, 0, 1, {"knn_top1": 30.0, "loss": 1.0, "effective_rank": 9.0})
    again = Sitting(tmp_path, doomed.plan)
    first = again.engine.issue()
    assert isinstance(first, IssuedRun)
    assert (first.identity, first.attempt) == (run.identity, 1)
    assert again.study.study.get_trials()[0].intermediate_values == {1: 30.0}


def test_the_best_and_the_default_are_confirmed_on_fresh_seeds_and_never_stopped(tmp_path: Path) -> None:
    confirm = Confirm(arms=2, seeds=3)
    made = plan(arms=8, stopper=by_text("asha:grace=4"), confirm=confirm)
    carry_out(Sitting(tmp_path, made), lambda run, epoch: 2.0 * run.number - epoch, count=2)
    rows = store.runs(tmp_path).to_pylist()
    fresh = [row for row in rows if row["seed"] in (1, 2, 3)]
    assert Counter(row["state"] for row in fresh) == {"complete": 9}
    complete = [row for row in rows if row["seed"] == 0 and row["state"] == "complete"]
    finals = {row["arm"]: value for row in complete for value in [final(tmp_path, row["run"])]}
    best = sorted((arm for arm in finals if arm != rows[0]["arm"]), key=lambda arm: -finals[arm])[:2]
    assert {row["arm"] for row in fresh} == {rows[0]["arm"], *best}


def final(directory: Path, trial: str) -> float:
    rows = [
        r for r in store.reports(directory).to_pylist() if r["run"] == trial and r["metric"] == "knn_top1"
    ]
    return rows[-1]["value"]


@pytest.mark.parametrize("stopper", ["one_epoch:keep=1", "promote:grace=1", "pasha:grace=1"])
def test_a_search_that_runs_out_of_arms_still_takes_up_what_it_paused(stopper: str, tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.fixtures.tiny_space import TINY

    rates = Choice((0.06, 0.03, 0.01, 0.02), source="a test")
    space = replace(TINY, domains={"optimiser.lr": rates}, constraints=())
    made = plan(space=space, design="tpe", arms=4, stopper=by_text(stopper))
    carry_out(Sitting(tmp_path, made), lambda run, _: float(run.number))
    assert states(tmp_path)["complete"] >= 2  # the default, and one that was taken up again
    assert set(states(tmp_path)) <= {"complete", "stopped"}


def test_scattered_failures_are_not_in_a_row(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(design="random", arms=40, stopper=by_text("none")))
    for number in range(29):
        run = sitting.engine.issue()
        assert isinstance(run, IssuedRun), number
        if number % 2:
            sitting.engine.end(run, failed=f"OSError: no room for checkpoints/{run.identity}")
        else:
            sitting.engine.end(run, diverged="the mean loss is nan")
    for _ in range(SAME_FAILURES):
        run = sitting.engine.issue()
        assert isinstance(run, IssuedRun)
        sitting.engine.end(run, failed=f"OSError: no room for checkpoints/{run.identity}")
    assert sitting.engine.issue() is None


def test_a_failure_is_recorded_counted_and_left_behind(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(stopper=by_text("none")))
    run = sitting.engine.issue()
    assert isinstance(run, IssuedRun)
    sitting.engine.end(run, failed="Traceback:\nRuntimeError: of this run")
    carry_out(sitting)
    assert states(tmp_path) == {"failed": 1, "complete": 5}
    failed = store.runs(tmp_path).to_pylist()[0]
    assert failed["reason"] == "Traceback:\nRuntimeError: of this run"
    assert sitting.study.study.get_trials()[0].state == TrialState.FAIL


def test_failed_runs_and_no_others_are_tried_again_when_asked_for(tmp_path: Path) -> None:
    first = Sitting(tmp_path, plan(stopper=by_text("none")))
    run = first.engine.issue()
    assert isinstance(run, IssuedRun)
    first.engine.end(run, failed="once")
    carry_out(first)
    assert carry_out(Sitting(tmp_path, first.plan)) == []
    again = carry_out(Sitting(tmp_path, first.plan, {"retry_failed": True}))
    assert {one.identity for one, _ in again} == {run.identity}
    assert states(tmp_path) == {"complete": 6}
    assert carry_out(Sitting(tmp_path, first.plan, {"retry_failed": True})) == []


def test_failing_fast_ends_the_sweep_at_the_first_failure(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(), {"fail_fast": True})
    run = sitting.engine.issue()
    assert isinstance(run, IssuedRun)
    sitting.engine.end(run, failed="Traceback:\nRuntimeError: of this run")
    assert sitting.engine.issue() is None
    assert sitting.engine.closing
    assert "RuntimeError: of this run" in sitting.engine.closing.reason


def test_ten_failures_alike_in_a_row_end_the_sweep_but_not_ten_different_ones(tmp_path: Path) -> None:
    def fail(sitting: Sitting, words: str) -> int:
        for number in range(15):
            run = sitting.engine.issue()
            if not isinstance(run, IssuedRun):
                return number
            sitting.engine.end(run, failed=f"RuntimeError: {words.split()[number % 2]} at {number}")
        return 15

    assert fail(Sitting(tmp_path / "alike", plan(design="random", arms=20)), "disk disk") == SAME_FAILURES
    assert fail(Sitting(tmp_path / "other", plan(design="random", arms=20)), "disk memory") == 15


def test_a_loss_that_is_no_number_ends_the_run_as_diverged_and_leaves_nothing_open(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(stopper=by_text("none"), arms=2))
    run = sitting.engine.issue()
    assert isinstance(run, IssuedRun)
    assert not sitting.engine.report(run, 1, {"knn_top1": math.nan, "loss": 1.0})
    sitting.engine.end(run)
    other = sitting.engine.issue()
    assert isinstance(other, IssuedRun)
    sitting.engine.end(other, diverged="the mean loss of epoch 2 is nan")
    reasons = [row["reason"] for row in store.runs(tmp_path).to_pylist()]
    assert all(reason.startswith("diverged: ") for reason in reasons)
    assert {t.state for t in sitting.study.study.get_trials()} == {TrialState.PRUNED}


def test_a_collapsed_run_is_ended_with_that_reason_even_the_default(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(arms=1))
    arbiter = Arbiter([sitting.engine])
    epochs = list(workers(arbiter, effective_rank=1.01))
    assert len(epochs) < EPOCHS
    assert store.runs(tmp_path)["reason"][0].as_py().startswith("collapsed: effective rank 1.01")


def test_a_finished_equal_run_of_another_sweep_is_reused_and_marked_so(tmp_path: Path) -> None:
    one, other = (tmp_path / "sweeps" / name for name in ("one", "other"))
    for directory in (one, other):
        store.write_manifest(directory, {"id": directory.name})
    given_plan = plan(design="random", arms=4, stopper=by_text("none"))
    carry_out(Sitting(one, given_plan))
    reusable = histories.finished_elsewhere(other)
    larger = plan(design="random", arms=6, stopper=by_text("none"))
    trained = carry_out(Sitting(other, larger, reusable=reusable))
    assert len({run.identity for run, _ in trained}) == 2
    rows = store.runs(other).to_pylist()
    assert Counter(row["reason"] for row in rows) == {"reused from one": 4, "": 2}
    curves = {row[1]: row[4] for row in table(other)}
    assert all(curves[row[1]] == row[4] for row in table(one))
    assert carry_out(Sitting(other, larger, reusable=reusable)) == []


@pytest.mark.parametrize(
    ("budget", "spent"),
    [(Budget(epochs=20), 20), (Budget(runs=2), 2 * EPOCHS), (Budget(gpu_hours=30 * 2 / 3600), 30)],
)
def test_a_budget_holds_and_a_larger_one_goes_on(budget: Budget, spent: int, tmp_path: Path) -> None:
    options = {"devices": 1.0}
    made = plan(stopper=by_text("none"), budget=budget, gpus_per_worker=1.0)
    sitting = Sitting(tmp_path, made, options)
    assert len(carry_out(sitting)) == pytest.approx(spent, abs=1)
    assert sitting.engine.closing
    assert sitting.engine.closing.kind == "spent"
    assert carry_out(Sitting(tmp_path, sitting.plan, options)) == []
    carry_out(Sitting(tmp_path, plan(stopper=by_text("none")), options))
    assert states(tmp_path) == {"complete": 6}


def test_hours_are_counted_over_all_sittings(tmp_path: Path) -> None:
    now = 0.0
    sitting = Sitting(tmp_path, plan(budget=Budget(hours=2.0)))
    arbiter = Arbiter([sitting.engine], hours=1.5, clock=lambda: now)
    assert arbiter.issue()
    now = 1900.0
    assert arbiter.issue() is None
    assert arbiter.closed
    assert arbiter.closed.reason == "the budget of 2 hours is spent"


def test_the_best_arms_and_the_default_keep_their_checkpoints(tmp_path: Path) -> None:
    carry_out(Sitting(tmp_path, plan(arms=9, seeds=(0, 1), stopper=by_text("none")), keep=2))
    finals = {row[1]: row[4][-1][1] for row in table(tmp_path)}
    rows = store.runs(tmp_path).to_pylist()
    arms: dict[str, list[str]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row["run"])
    best = sorted(arms.values(), key=lambda runs: -sum(finals[run] for run in runs))[:2]
    kept = {run for runs in [*best, arms[rows[0]["arm"]]] for run in runs}
    assert {folder.name for folder in (tmp_path / "checkpoints").iterdir()} == kept


@pytest.mark.parametrize("stopper", ["one_epoch:keep=2", "promote:grace=1"])
def test_the_room_for_checkpoints_holds_though_many_runs_pause(stopper: str, tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(arms=12, stopper=by_text(stopper)), room=5 * CHECKPOINT)
    most = 0
    for _ in workers(Arbiter([sitting.engine]), count=2):
        most = max(most, sum(path.stat().st_size for path in tmp_path.glob("checkpoints/*/*")))
    sitting.writer.close()
    assert most <= 6 * CHECKPOINT  # one is in training before another goes
    assert set(states(tmp_path)) == {"complete", "stopped"}


def test_several_objectives_reach_the_study_and_a_missing_one_fails_the_run(tmp_path: Path) -> None:
    objectives = (Objective(), Objective(metric="seconds", direction="minimize", total=True))
    sitting = Sitting(tmp_path / "a", plan(arms=8, design="nsga2", objectives=objectives))
    carry_out(sitting)
    complete = sitting.study.study.get_trials(states=(TrialState.COMPLETE,))
    assert all(trial.values[1] == 2.0 * EPOCHS for trial in complete)
    assert sitting.study.study.best_trials
    other = Sitting(tmp_path / "b", plan(arms=1, objectives=(Objective(), Objective(metric="watts"))))
    carry_out(other)
    assert "no finite knn_top1, watts" in store.runs(tmp_path / "b")["reason"][0].as_py()
    assert other.study.study.get_trials()[0].state == TrialState.FAIL


def test_more_arms_and_seeds_are_added_to_what_is_there(tmp_path: Path) -> None:
    first = plan(design="random", arms=3, stopper=by_text("none"))
    carry_out(Sitting(tmp_path, first))
    larger = plan(design="random", arms=5, seeds=(0, 1), stopper=by_text("none"))
    added = carry_out(Sitting(tmp_path, larger))
    assert len({run.identity for run, _ in added}) == 7
    assert states(tmp_path) == {"complete": 10}


@pytest.mark.parametrize("design", ["tpe", "cmaes"])
def test_a_widened_space_goes_on_with_all_that_was_learnt(design: str, tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.fixtures.tiny_space import TINY

    narrow = replace(
        TINY,
        domains={
            "method.temperature": LogUniform(0.09, 0.2, source="a test"),
            "method.target_temperature": LogUniform(0.02, 0.08, source="a test"),
            "optimiser.lr": Choice((0.06, 0.03), source="a test"),
        },
        constraints=(),
    )
    wide = replace(
        narrow,
        domains={
            "method.temperature": LogUniform(0.05, 0.5, source="a test"),
            "method.target_temperature": LogUniform(0.02, 0.08, source="a test"),
            "optimiser.lr": Choice((0.06, 0.03, 0.01), source="a test"),
        },
    )
    carry_out(Sitting(tmp_path, plan(space=narrow, design=design, arms=6, stopper=by_text("none"))))
    again = Sitting(tmp_path, plan(space=wide, design=design, arms=40, stopper=by_text("none")))
    new = carry_out(again)
    assert states(tmp_path) == {"complete": 40}
    assert len({run.identity for run, _ in new}) == 34
    temperatures = [value_at(run.config, "method.temperature") for run, _ in new]
    assert min(temperatures) < 0.09 or max(temperatures) > 0.2
    assert len(again.study.study.get_trials(states=(TrialState.COMPLETE,))) == 40
    assert carry_out(Sitting(tmp_path, again.plan)) == []


def test_a_fair_arbiter_shares_by_weight_and_a_strict_one_by_order(tmp_path: Path) -> None:
    def order(name: str, **options: Any) -> list[str]:
        sittings = [Sitting(tmp_path / name / n, plan(arms=6, stopper=by_text("none"))) for n in "ab"]
        arbiter = Arbiter([sitting.engine for sitting in sittings], **options)
        found: list[str] = []
        for _ in range(6):
            issued = arbiter.issue()
            assert issued
            assert issued != "wait"
            for epoch in range(1, EPOCHS + 1):
                arbiter.report(issued, epoch, {"knn_top1": 1.0, "seconds": 1.0, "effective_rank": 9.0})
            issued.engine.end(issued.run)
            found.append(issued.engine.study.directory.name)
        return found

    assert order("fair") == ["a", "b", "a", "b", "a", "b"]
    assert Counter(order("weighted", weights=[2.0, 1.0])) == {"a": 4, "b": 2}
    assert order("strict", order="priority") == ["a"] * 6


def test_an_interrupted_sweep_leaves_its_runs_to_be_taken_up(tmp_path: Path) -> None:
    from sweeps.engine.arbiter import INTERRUPTED

    sitting = Sitting(tmp_path, plan(stopper=by_text("none")))
    arbiter = Arbiter([sitting.engine])
    epochs = workers(arbiter, count=2)
    for _ in range(5):
        next(epochs)
    arbiter.close(INTERRUPTED)
    rest = list(epochs)
    assert len(rest) <= 2  # the epochs in flight
    assert set(states(tmp_path)) == {"running"}
    carry_out(Sitting(tmp_path, sitting.plan))
    assert states(tmp_path) == {"complete": 6}
