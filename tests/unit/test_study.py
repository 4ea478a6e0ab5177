from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from contrastive.config import identity, value_at
from search_spaces.domains import Choice, LogUniform
from search_spaces.space import Space
from sweeps import plan as plans
from sweeps.plan import Plan
from sweeps.searcher import Search
from sweeps.study import Run, Study
from tests.fixtures.tiny_space import TINY

LR = Space(
    name="rates",
    question="Which?",
    base=TINY.base,
    domains={"optimiser.lr": Choice((0.06, 0.03, 0.01), source="a test")},
)
OPEN = (TrialState.RUNNING, TrialState.WAITING)


def plan(**fields: Any) -> Plan:
    return plans.checked(**{"space": TINY, "arms": 6, **fields})


def study(directory: Path, **fields: Any) -> Study:
    return Study(plan(**fields), "images", directory)


def drain(found: Study, limit: int = 100) -> list[Run]:
    """All runs, each ended at once with a value that depends on the arm only."""
    runs: list[Run] = []
    while len(runs) < limit and (asked := found.ask()):
        runs.append(asked[1])
        finish(found, *asked)
    return runs


def finish(found: Study, trial: optuna.Trial, run: Run) -> None:
    value = 50 - 100 * abs(value_at(run.trial, "optimiser.lr") - 0.03)
    if run.trial.method.name == "sce":
        value -= 10 * run.trial.method.temperature
    found.report(trial, run.trial.epochs, value)
    found.tell(trial, "complete", value)


def temperatures(runs: list[Run]) -> list[float]:
    return [value_at(run.trial, "method.temperature") for run in runs]


@pytest.mark.parametrize("design", ["tpe", "random", "grid"])
def test_the_default_comes_first_and_every_arm_once_within_the_constraints(
    design: str, tmp_path: Path
) -> None:
    runs = drain(study(tmp_path, design=design))
    assert runs[0].trial == TINY.base
    assert len({run.arm for run in runs}) == len(runs) == (6 if design != "grid" else len(runs))
    assert len(runs) > 1
    assert all(TINY.allows(run.trial) for run in runs)
    assert [run.number for run in runs] == list(range(len(runs)))


@pytest.mark.parametrize("design", ["tpe", "random"])
def test_every_arm_is_run_on_every_seed(design: str, tmp_path: Path) -> None:
    runs = drain(study(tmp_path, design=design, seeds=(3, 5)))
    arms: dict[str, list[int]] = {}
    for run in runs:
        arms.setdefault(run.arm, []).append(run.seed)
        assert run.trial.seed == run.seed
        assert run.identity == identity(run.trial, "images")
    assert len(arms) == 6
    assert all(sorted(seeds) == [3, 5] for seeds in arms.values())


def test_another_sampler_seed_asks_for_other_arms(tmp_path: Path) -> None:
    first = drain(study(tmp_path / "a", sampler_seed=1)) if (tmp_path / "a").mkdir() is None else []
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    assert temperatures(first) == temperatures(drain(study(tmp_path / "b", sampler_seed=1)))
    assert temperatures(first) != temperatures(drain(study(tmp_path / "c", sampler_seed=2)))


def test_a_reopened_study_goes_on_as_one_that_was_never_closed(tmp_path: Path) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = drain(study(tmp_path / "whole"))
    first = drain(study(tmp_path / "broken"), limit=3)
    rest = drain(study(tmp_path / "broken"))
    assert temperatures(first + rest) == temperatures(whole)
    assert [run.number for run in first + rest] == list(range(6))
    assert study(tmp_path / "broken").ended()


def test_what_was_issued_and_has_not_ended_is_found_again_under_the_same_identity(tmp_path: Path) -> None:
    first = study(tmp_path)
    asked = [first.ask() for _ in range(2)]
    assert all(asked)
    again = study(tmp_path)
    assert [run for _, run in again.unfinished()] == [a[1] for a in asked if a]
    assert not again.ended()


def test_a_trial_asked_for_but_never_issued_does_not_stay_open(tmp_path: Path) -> None:
    first = study(tmp_path)
    first.study.ask(first.distributions)  # the driver was killed right here
    again = study(tmp_path)
    assert again.unfinished() == []
    assert not again.study.get_trials(states=(TrialState.RUNNING,))


def test_no_run_is_lost_wherever_the_driver_was_killed(tmp_path: Path) -> None:
    first = study(tmp_path, seeds=(0, 1), design="random", arms=3)
    first.study.ask(first.distributions)  # popped the default's first seed, and then the driver died
    runs = drain(study(tmp_path, seeds=(0, 1), design="random", arms=3))
    assert len({run.identity for run in runs}) == len(runs) == 6
    assert (TINY.base, 0) in {(run.trial, run.seed) for run in runs}


def test_an_arm_found_by_the_search_gets_its_other_seeds_after_a_crash(tmp_path: Path) -> None:
    first = study(tmp_path, seeds=(0, 1), arms=2)
    for _ in range(3):
        asked = first.ask()
        assert asked
        finish(first, *asked)
    for trial in first.study.get_trials(states=(TrialState.WAITING,)):  # as if it had never been enqueued
        first.study.ask()
        first.study.tell(trial.number, state=TrialState.FAIL)
    rest = drain(study(tmp_path, seeds=(0, 1), arms=2))
    assert [run.seed for run in rest] == [1]


def test_a_journal_whose_last_line_is_torn_can_be_written_on(tmp_path: Path) -> None:
    first = drain(study(tmp_path), limit=2)
    with (tmp_path / "study.log").open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')
    rest = drain(study(tmp_path))
    assert drain(study(tmp_path)) == []
    assert [run.number for run in first + rest] == list(range(6))


def test_a_grid_ends_when_it_is_exhausted(tmp_path: Path) -> None:
    runs = drain(study(tmp_path, space=LR, design="grid", arms=10))
    assert sorted(value_at(run.trial, "optimiser.lr") for run in runs) == [0.01, 0.03, 0.06]


def test_a_search_of_a_small_space_ends_instead_of_repeating_itself(tmp_path: Path) -> None:
    runs = drain(study(tmp_path, space=LR, arms=5))
    assert len({run.arm for run in runs}) == len(runs) == 3
    assert study(tmp_path, space=LR, arms=5).ended()


def test_a_grid_between_rounded_ends_can_be_asked_for(tmp_path: Path) -> None:
    domain = LogUniform(0.07123, 0.91239, source="a test")
    space = Space(name="odd", question="?", base=TINY.base, domains={"method.temperature": domain})
    runs = drain(study(tmp_path, space=space, design="grid", arms=5))
    assert sorted(temperatures(runs)) == [0.07123, 0.1, 0.167, 0.39, 0.912]


def test_refused_proposals_are_failures_with_their_reason(tmp_path: Path) -> None:
    found = study(tmp_path, arms=12)
    drain(found)
    refused = [t for t in found.study.get_trials() if "refused" in t.user_attrs]
    assert refused
    assert {t.state for t in refused} == {TrialState.FAIL}
    assert not found.study.get_trials(states=OPEN)


def test_the_store_fills_in_what_the_study_missed(tmp_path: Path) -> None:
    first = study(tmp_path)
    runs = [asked[1] for asked in (first.ask(), first.ask(), first.ask()) if asked]
    again = study(tmp_path)
    reports = [(runs[0].identity, 0, 1, 20.0), (runs[0].identity, 0, 2, 22.0), (runs[1].identity, 0, 1, 19.0)]
    again.reconcile(reports, {runs[0].identity: "complete", runs[1].identity: "stopped"})
    trials = {t.user_attrs["number"]: t for t in again.study.get_trials() if "number" in t.user_attrs}
    assert [trials[n].state for n in range(3)] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    assert trials[0].value == 22.0
    assert trials[0].intermediate_values == {1: 20.0, 2: 22.0}
    assert trials[1].intermediate_values == {1: 19.0}
    assert [run for _, run in again.unfinished()] == [runs[2]]


class Events:
    """A search driven by hand, and what it says."""

    def __init__(self, directory: Path, **fields: Any):
        self.states: list[tuple[int, str, str, int]] = []
        self.seen: list[tuple[int, int, float]] = []
        self.study = study(directory, **fields)
        self.search = Search(
            self.study,
            record=lambda run, state, reason, epochs: self.states.append((run.number, state, reason, epochs)),
            seen=lambda run, epoch, value: self.seen.append((run.number, epoch, value)),
            attempts={},
        )

    def optuna(self, number: int) -> optuna.trial.FrozenTrial:
        return next(t for t in self.study.study.get_trials() if t.user_attrs.get("number") == number)


def result(epoch: int, value: float) -> dict[str, Any]:
    return {"epoch": epoch, "knn_top1": value}


def test_a_run_at_its_last_epoch_is_complete_with_every_value(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    last = TINY.base.epochs
    for epoch in range(1, last + 1):
        events.search.observe("a", result(epoch, 20.0 + epoch))
    events.search.on_trial_complete("a", result(last, 20.0 + last))
    trial = events.optuna(0)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 20.0 + last)
    assert list(trial.intermediate_values) == list(range(1, last + 1))
    assert events.states == [(0, "running", "", 0), (0, "complete", "", last)]
    assert [epoch for _, epoch, _ in events.seen] == list(range(1, last + 1))


def test_a_stopped_run_is_pruned_not_complete(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    events.search.observe("a", result(1, 21.0))
    events.search.mark_stopped("a", "rung 1: too low")
    events.search.on_trial_complete("a", result(1, 21.0))
    trial = events.optuna(0)
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 21.0}
    assert events.states[-1] == (0, "stopped", "rung 1: too low", 1)


def test_a_failed_run_is_a_failure_with_its_traceback(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    events.search.observe("a", result(1, 21.0))
    events.search.on_trial_complete("a", {"epoch": 1, "failed": "Traceback: of this run"})
    assert events.optuna(0).state == TrialState.FAIL
    assert events.states[-1] == (0, "failed", "Traceback: of this run", 1)


def test_a_run_whose_process_died_is_a_failure_that_says_so(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    events.search.mark_died("a", "killed by the system")
    events.search.on_trial_complete("a", None, error=True)
    assert events.optuna(0).state == TrialState.FAIL
    assert "died after epoch 0: killed by the system" in events.states[-1][2]


def test_a_value_that_is_no_number_leaves_no_run_open(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    assert events.search.observe("a", result(1, float("nan"))) is None
    events.search.on_trial_complete("a", result(1, float("nan")))
    assert events.optuna(0).state == TrialState.FAIL


def test_the_last_report_counts_once_though_it_comes_twice(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.search.suggest("a")
    events.search.observe("a", result(1, 21.0))
    events.search.observe("a", result(1, 21.0))
    assert events.seen == [(0, 1, 21.0)]


def test_unfinished_runs_are_issued_before_new_ones_and_with_the_next_attempt(tmp_path: Path) -> None:
    first = Events(tmp_path)
    lost = first.search.suggest("a")
    again = Study(plan(), "images", tmp_path)
    search = Search(again, record=lambda *_: None, seen=lambda *_: None, attempts={lost["identity"]: 3})
    found = search.suggest("b")
    assert (found["identity"], found["attempt"]) == (lost["identity"], 3)
    assert search.suggest("c")["identity"] != lost["identity"]


def test_copies_of_a_search_are_the_search_itself(tmp_path: Path) -> None:
    import copy
    import pickle

    events = Events(tmp_path)
    assert copy.deepcopy(events.search) is events.search
    assert pickle.dumps(events.search)
