"""What the sampler of a search sees of its study: that it learns under every stopper, and what from."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from contrastive import config as configs
from contrastive.config import value_at
from search_spaces.domains import LogUniform
from search_spaces.space import Alternative
from sweeps import store
from sweeps.engine import history as histories
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.runs import IssuedRun
from sweeps.engine.sampler_view import SamplerView, estimates
from sweeps.planning.designs import ADAPTIVE
from sweeps.planning.plan import Objective
from sweeps.stoppers import by_text
from tests.benchmarks.searchers import Searched
from tests.crew import Sitting, abandon, by_temperature, carry_out, plan, workers
from tests.fixtures.rates_space import RATES
from tests.fixtures.tiny_space import TINY

SPACE = replace(
    TINY,
    base=configs.replace(TINY.base, {"epochs": 6}),
    domains={**TINY.domains, "optimiser.lr": LogUniform(0.001, 1.0, source="a test")},
    constraints=(),
)
STOPPERS = (
    *("none", "asha", "promote", "promote:grace=1,reduction=6,noise=1"),
    *("hyperband", "pasha", "one_epoch", "median"),
)


@pytest.fixture(autouse=True)
def _abandoned() -> Iterator[None]:
    yield
    abandon()


def rising(run: IssuedRun, epoch: int) -> float:
    """Better the nearer its rate is to 0.03, in decades."""
    return (60 - 10 * abs(np.log10(value_at(run.config, "optimiser.lr") / 0.03))) * (1 - 0.7**epoch)


def origins(sitting: Sitting) -> list[str | None]:
    return [entry.origin for entry in sitting.study.entries.values()]


def drawn(sitting: Sitting) -> list[str]:
    return [entry.arm for entry in sitting.study.entries.values()]


@pytest.mark.parametrize("stopper", STOPPERS)
@pytest.mark.parametrize("design", ADAPTIVE)
def test_a_model_proposes_two_fifths_of_forty_arms_and_more(design: str, stopper: str) -> None:
    assert Searched(design, stopper, seed=0).proposed >= 16


@pytest.mark.parametrize("stopper", ["asha", "promote"])
def test_no_two_samplers_draw_the_same_arms(stopper: str, tmp_path: Path) -> None:
    found: list[set[str]] = []
    for design in ADAPTIVE:
        sitting = Sitting(
            tmp_path / design, plan(space=SPACE, design=design, arms=16, stopper=by_text(stopper))
        )
        carry_out(sitting, rising, count=2)
        proposed = [e.arm for e in sitting.study.entries.values() if e.origin == "model"]
        assert proposed
        found.append(set(proposed))
    assert len(set.union(*found)) == sum(map(len, found))


@pytest.mark.parametrize("design", [d for d in ADAPTIVE if d != "gp"])
def test_a_killed_search_goes_on_with_the_proposals_that_it_would_have_had(
    design: str, tmp_path: Path
) -> None:
    made = plan(space=SPACE, design=design, arms=24, stopper=by_text("promote:grace=1,reduction=6"))
    whole = Sitting(tmp_path / "whole", made)
    carry_out(whole, rising)
    doomed = workers(Arbiter([Sitting(tmp_path / "killed", made).engine]), rising)
    for _ in zip(range(25), doomed, strict=False):
        pass
    again = Sitting(tmp_path / "killed", made)
    carry_out(again, rising)
    assert drawn(again) == drawn(whole)
    assert origins(again) == origins(whole)
    assert Counter(origins(again))["model"] >= 10


def test_an_arm_that_went_less_far_gains_what_the_others_have_gained() -> None:
    curves = [{1: (10.0,), 2: (14.0,), 3: (15.0,)}, {1: (8.0,), 2: (10.0,)}, {1: (9.0,)}]
    assert [float(value[0]) for value in estimates(curves)] == [15.0, 11.0, 9.0 + 3.0 + 1.0]


def test_several_objectives_are_each_taken_as_far_as_can_be_told() -> None:
    curves = [{1: (10.0, 5.0), 2: (12.0, 9.0)}, {1: (8.0, 1.0)}]
    assert [list(value) for value in estimates(curves)] == [[12.0, 9.0], [10.0, 5.0]]


def test_nothing_reported_is_nothing_told() -> None:
    assert estimates([]) == []


def view(**fields: Any) -> SamplerView:
    found = SamplerView(plan(space=SPACE, **fields))
    for i, lr in enumerate((0.01, 0.02, 0.03)):
        found.add(f"arm {i}", {**SPACE.default(), "optimiser.lr": lr}, {})
    return found


def seen(found: SamplerView) -> list[tuple[TrialState, list[float] | None]]:
    return [(trial.state, trial.values) for trial in found._trials()]


def test_the_seeds_of_an_arm_are_one_trial_with_their_mean() -> None:
    found = view(seeds=(0, 1))
    found.report("arm 0", 0, 1, (10.0,))
    found.report("arm 0", 1, 1, (20.0,))
    running = (TrialState.RUNNING, None)
    assert seen(found) == [(TrialState.COMPLETE, [15.0]), running, running]


def test_a_collapsed_arm_is_as_bad_as_the_worst_and_a_failed_one_tells_nothing() -> None:
    found = view()
    for i, value in enumerate((10.0, 40.0, 50.0)):
        found.report(f"arm {i}", 0, 1, (value,))
    found.judge("arm 2", 0, unwell=True)
    found.judge("arm 1", 0, failed=True)
    assert seen(found) == [
        (TrialState.COMPLETE, [10.0]),
        (TrialState.FAIL, None),
        (TrialState.COMPLETE, [10.0]),
    ]
    found.judge("arm 1", 0)  # it is tried again
    assert seen(found)[1] == (TrialState.COMPLETE, [40.0])


def test_a_collapsed_arm_says_nothing_of_what_others_would_have_gained() -> None:
    found = view()
    for epoch, values in enumerate(((10.0, 40.0, 50.0), (20.0, 41.0)), start=1):
        for i, value in enumerate(values):
            found.report(f"arm {i}", 0, epoch, (value,))
    found.judge("arm 1", 0, unwell=True)
    assert [values for _, values in seen(found)] == [[20.0], [20.0], [60.0]]


def test_where_less_is_better_the_worst_is_the_largest() -> None:
    found = view(objectives=(Objective(), Objective(metric="seconds", direction="minimize", total=True)))
    for i, values in enumerate(((10.0, 3.0), (40.0, 7.0), (50.0, 1.0))):
        found.report(f"arm {i}", 0, 1, values)
    found.judge("arm 2", 0, unwell=True)
    assert seen(found)[2] == (TrialState.COMPLETE, [10.0, 7.0])


@pytest.mark.parametrize("design", ["tpe", "gp", "nsga2", "nsga3"])
def test_a_search_for_several_objectives_learns_from_paused_runs_too(design: str, tmp_path: Path) -> None:
    objectives = (Objective(), Objective(metric="loss", direction="minimize"))
    made = plan(
        space=SPACE, design=design, arms=16, stopper=by_text("promote:grace=1"), objectives=objectives
    )
    sitting = Sitting(tmp_path, made)
    carry_out(sitting, rising, count=2)
    assert Counter(origins(sitting))["model"] >= 5
    again = Sitting(tmp_path, made)
    assert [t.values for t in again.study.view._trials()] == [t.values for t in sitting.study.view._trials()]


def test_every_proposal_says_where_it_comes_from_in_the_study_and_in_the_store(tmp_path: Path) -> None:
    values = {"method.temperature": 0.2, "method.target_temperature": 0.05}
    space = replace(TINY, first=(Alternative("theirs", values, source="a test"),))
    made = plan(space=space, arms=10, seeds=(0, 1), stopper=by_text("none"))
    sitting = Sitting(tmp_path, made)
    carry_out(sitting, by_temperature)
    found = [
        (event["run"], detail["origin"], detail["arm"])
        for event, detail in events(tmp_path)
        if event["kind"] == "asked"
    ]
    assert [origin for _, origin, _ in found[:2]] == ["default", "published"]
    asked = {origin for _, origin, _ in found} - {"default", "published"}
    assert {"start-up", "model"} <= asked <= {"start-up", "model", "chance"}
    by_arm: dict[str, set[str]] = {}
    for _, origin, arm in found:
        by_arm.setdefault(str(arm), set()).add(origin)
    assert all(len(told) == 1 for told in by_arm.values())  # on every seed
    again = Sitting(tmp_path, made)
    assert origins(again) == [origin for _, origin, _ in found]


def test_arms_that_a_design_knows_beforehand_are_listed(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(design="random"))
    carry_out(sitting)
    assert origins(sitting) == ["default"] + ["listed"] * 5


def test_an_arm_that_is_taken_from_another_sweep_keeps_its_origin(tmp_path: Path) -> None:
    one, other = (tmp_path / "sweeps" / name for name in ("one", "other"))
    for directory in (one, other):
        store.write_manifest(directory, {"id": directory.name})
    made = plan(stopper=by_text("none"))
    carry_out(Sitting(one, made))
    carry_out(Sitting(other, made, reusable=histories.finished_elsewhere(other)))
    told = [detail["origin"] for event, detail in events(other) if event["kind"] == "reused"]
    assert told == ["default"] + ["start-up"] * 3 + ["model"] * 2


def events(directory: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(event, json.loads(event["detail"] or "{}")) for event in store.events(directory).to_pylist()]


def test_a_clean_sweep_has_as_many_trials_as_runs_and_none_has_failed(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(arms=30, stopper=by_text("promote")))
    carry_out(sitting, by_temperature, count=2)
    trials = sitting.study.study.get_trials()
    assert len(trials) == len(store.runs(tmp_path)) == 30
    assert {trial.state for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}


def test_a_model_that_insists_on_what_is_refused_is_overruled_by_chance(tmp_path: Path) -> None:
    found = view()
    for i in range(3):
        found.report(f"arm {i}", 0, 1, (float(i),))
    refused = [0]

    def allows(_: Any) -> bool:
        refused[0] += 1
        return refused[0] > 10

    proposal = found.ask(allows)
    assert proposal is not None
    assert proposal.origin == "chance"
    assert found.ask(lambda _: False) is None


@pytest.mark.parametrize("design", [d for d in ADAPTIVE if d != "cmaes"])
def test_a_search_draws_each_rate_from_the_range_of_its_optimiser(design: str, tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(space=RATES, design=design, arms=16, stopper=by_text("none")))
    carry_out(sitting, lambda _, epoch: 50 + epoch, count=2)
    drawn = [json.loads(entry.arm) for entry in sitting.study.entries.values()]
    assert len(drawn) == 16
    assert {arm["optimiser.name"] for arm in drawn} == {"sgd", "adam"}
    for arm in drawn:
        key = f"optimiser.lr ({arm['optimiser.name']})"
        assert RATES.domains[key].contains(arm["optimiser.lr"])
    params = [trial.params.keys() for trial in sitting.study.study.get_trials()]
    assert {len(names) for names in params} == {2}
    assert set().union(*params) == RATES.domains.keys()
