import json
import shutil
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from contrastive.config import identity, value_at
from search_spaces.domains import Choice, LogUniform
from search_spaces.space import Space
from sweeps.engine.runs import IssuedRun
from sweeps.engine.study import Study
from sweeps.planning import parameters
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.stoppers import by_text
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


def drain(found: Study, limit: int = 100) -> list[IssuedRun]:
    """All runs, each ended at once with a value that depends on the arm only."""
    runs: list[IssuedRun] = []
    while len(runs) < limit and (run := found.ask()):
        runs.append(run)
        finish(found, run)
    return runs


def finish(found: Study, run: IssuedRun) -> None:
    value = 50 - 100 * abs(value_at(run.config, "optimiser.lr") - 0.03)
    if run.config.method.name == "sce":
        value -= 10 * run.config.method.temperature
    found.report(run.identity, run.config.epochs, value)
    found.tell(run.identity, "complete", (value,))


def ended(found: Study) -> bool:
    return not found.unfinished() and found.ask() is None


def temperatures(runs: list[IssuedRun]) -> list[float]:
    return [value_at(run.config, "method.temperature") for run in runs]


@pytest.mark.parametrize("design", ["tpe", "random", "grid"])
def test_the_default_comes_first_and_every_arm_once_within_the_constraints(
    design: str, tmp_path: Path
) -> None:
    runs = drain(study(tmp_path, design=design))
    assert runs[0].config == TINY.base
    assert len({run.arm for run in runs}) == len(runs) == (6 if design != "grid" else len(runs))
    assert len(runs) > 1
    assert all(TINY.allows(run.config) for run in runs)
    assert [run.number for run in runs] == list(range(len(runs)))


@pytest.mark.parametrize("design", ["tpe", "random"])
def test_every_arm_is_run_on_every_seed(design: str, tmp_path: Path) -> None:
    runs = drain(study(tmp_path, design=design, seeds=(3, 5)))
    arms: dict[str, list[int]] = {}
    for run in runs:
        arms.setdefault(run.arm, []).append(run.seed)
        assert run.config.seed == run.seed
        assert run.identity == identity(run.config, "images")
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
    assert ended(study(tmp_path / "broken"))


def test_what_was_issued_and_has_not_ended_is_found_again_under_the_same_identity(tmp_path: Path) -> None:
    first = study(tmp_path)
    asked = [first.ask() for _ in range(2)]
    assert all(asked)
    assert study(tmp_path).unfinished() == asked


def test_a_trial_asked_for_but_never_issued_does_not_stay_open(tmp_path: Path) -> None:
    first = study(tmp_path)
    first.study.ask()  # the driver was killed right here
    again = study(tmp_path)
    assert again.unfinished() == []
    assert not again.study.get_trials(states=(TrialState.RUNNING,))


def test_an_arm_found_by_the_search_gets_its_other_seeds_after_a_crash(tmp_path: Path) -> None:
    first = study(tmp_path, seeds=(0, 1), arms=2)
    runs = [run for run in (first.ask(), first.ask(), first.ask()) if run]
    for run in runs:
        finish(first, run)
    assert [run.seed for run in runs] == [0, 1, 0]
    rest = drain(study(tmp_path, seeds=(0, 1), arms=2))
    assert [(run.arm, run.seed) for run in rest] == [(runs[2].arm, 1)]


def test_a_journal_whose_last_line_is_torn_can_be_written_on(tmp_path: Path) -> None:
    first = drain(study(tmp_path), limit=2)
    with (tmp_path / "study.log").open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')
    rest = drain(study(tmp_path))
    assert drain(study(tmp_path)) == []
    assert [run.number for run in first + rest] == list(range(6))


def test_a_grid_ends_when_it_is_exhausted(tmp_path: Path) -> None:
    runs = drain(study(tmp_path, space=LR, design="grid", arms=10))
    assert sorted(value_at(run.config, "optimiser.lr") for run in runs) == [0.01, 0.03, 0.06]


def test_a_search_of_a_small_space_ends_instead_of_repeating_itself(tmp_path: Path) -> None:
    runs = drain(study(tmp_path, space=LR, arms=5))
    assert len({run.arm for run in runs}) == len(runs) == 3
    assert ended(study(tmp_path, space=LR, arms=5))


def test_a_grid_between_rounded_ends_can_be_asked_for(tmp_path: Path) -> None:
    domain = LogUniform(0.07123, 0.91239, source="a test")
    space = Space(name="odd", question="?", base=TINY.base, domains={"method.temperature": domain})
    runs = drain(study(tmp_path, space=space, design="grid", arms=5))
    assert sorted(temperatures(runs)) == pytest.approx([0.07123, 0.1, 0.1667, 0.3899, 0.91239], rel=1e-3)


def test_refused_proposals_are_no_trials(tmp_path: Path) -> None:
    found = study(tmp_path, arms=12)
    runs = drain(found)
    assert len(found.study.get_trials()) == len(runs) == 12
    assert {t.state for t in found.study.get_trials()} == {TrialState.COMPLETE}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize("design", ["random", "tpe"])
def test_a_run_lasts_as_long_in_every_time_zone(
    zone: str, design: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        before = datetime.now().astimezone()
        drain(study(tmp_path, design=design, arms=3))
        for trial in study(tmp_path, design=design, arms=3).study.get_trials():
            assert trial.datetime_start
            assert trial.datetime_complete
            assert before <= trial.datetime_start.astimezone() <= trial.datetime_complete.astimezone()
            assert trial.datetime_complete.astimezone() <= datetime.now().astimezone()
    finally:
        monkeypatch.undo()
        time.tzset()


PLAIN = Space(
    name="plain",
    question="?",
    base=TINY.base,
    domains={
        "optimiser.lr": Choice((0.06, 0.03, 0.01), source="a test"),
        "evaluation.neighbours": Choice((20, 200), source="a test"),
        "optimiser.nesterov": Choice((True, False), source="a test"),
        "method.predictor": Choice((None, {"hidden": [16], "output": 8}), source="a test"),
        "method.momentum.schedule": Choice(("constant", "cosine"), source="a test"),
    },
)


def test_plain_values_of_choices_are_stored_as_they_are_and_others_as_text(tmp_path: Path) -> None:
    drain(study(tmp_path, space=PLAIN, design="random", arms=20))
    trials = study(tmp_path, space=PLAIN, design="random", arms=20).study.get_trials()
    for name in ("optimiser.lr", "evaluation.neighbours", "optimiser.nesterov", "method.momentum.schedule"):
        values = PLAIN.domains[name].points(0)
        told = [trial.params[name] for trial in trials]
        assert {(type(value), value) for value in told} == {(type(value), value) for value in values}
    texts = {trial.params["method.predictor"] for trial in trials}
    assert None in texts
    assert [json.loads(text)["hidden"] for text in texts if text] == [[16]]


def test_values_that_python_takes_for_equal_are_told_apart() -> None:
    domain = Choice((1, True, "true", None), source="a test")
    told = [parameters._parameter(value, domain) for value in domain.values]
    assert len(set(map(repr, told))) == 4
    assert told == parameters._categories(domain)


@pytest.mark.parametrize("space", [PLAIN, TINY])
def test_plain_optuna_goes_on_from_a_copy_of_the_study(space: Space, tmp_path: Path) -> None:
    found = study(tmp_path, space=space, arms=6, design="tpe")
    drain(found)
    (tmp_path / "copy").mkdir()
    copy = shutil.copy(tmp_path / "study.log", tmp_path / "copy")
    theirs = optuna.load_study(
        study_name=found.study.study_name, storage=JournalStorage(JournalFileBackend(copy))
    )

    def objective(trial: optuna.Trial) -> float:
        for name, distribution in theirs.trials[0].distributions.items():
            trial._suggest(name, distribution)
        return float(trial.number)

    theirs.optimize(objective, n_trials=3)
    assert [trial.state for trial in theirs.trials] == [TrialState.COMPLETE] * 9
    assert theirs.trials[-1].params.keys() == theirs.trials[0].params.keys()


def test_a_study_whose_choices_were_kept_as_text_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(parameters, "PLAIN", ())
        first = drain(study(tmp_path, space=PLAIN, arms=8), limit=5)
    again = study(tmp_path, space=PLAIN, arms=8)
    assert [trial.params["optimiser.lr"] for trial in again.study.get_trials()] == [
        value_at(run.config, "optimiser.lr") for run in first
    ]
    rest = drain(again)
    assert [run.number for run in first + rest] == list(range(8))
    assert len({run.arm for run in first + rest}) == 8


def test_an_issued_run_is_one_entry_of_the_journal(tmp_path: Path) -> None:
    found = study(tmp_path, design="random")
    lines = len((tmp_path / "study.log").read_text().splitlines())
    run = found.ask()
    assert run
    assert len((tmp_path / "study.log").read_text().splitlines()) == lines + 1
    trial = found.study.get_trials()[0]
    assert trial.user_attrs["number"] == run.number == 0
    assert trial.params


def test_a_run_taken_up_again_after_its_failure_is_the_same_run(tmp_path: Path) -> None:
    first = study(tmp_path, design="random")
    run = first.ask()
    assert run
    first.tell(run.identity, "failed")
    again = study(tmp_path, design="random")
    assert again.retry(run.identity) == run
    last = study(tmp_path, design="random")
    assert last.unfinished() == [run]
    assert [t.state for t in last.study.get_trials()] == [TrialState.FAIL, TrialState.RUNNING]


def test_scores_are_of_arms_that_ended_on_every_seed(tmp_path: Path) -> None:
    found = study(tmp_path, seeds=(0, 1), arms=3, design="random", stopper=by_text("none"))
    runs = [run for run in (found.ask() for _ in range(6)) if run]
    for run, state, value in zip(
        runs[:4], ("complete", "complete", "failed", "complete"), (1, 2, 3, 4), strict=True
    ):
        found.tell(run.identity, state, (float(value),))
    assert list(found.standings.scores().values()) == [2.5]
    found.tell(runs[5].identity, "complete", (5.0,))
    assert list(found.standings.scores().values()) == [2.5, None]
    assert found.standings.ranking() == [next(iter(found.standings.scores()))]


@pytest.mark.parametrize("design", ["tpe", "gp", "cmaes", "nsga2", "nsga3"])
def test_every_sampler_issues_what_the_plan_asks_for(design: str, tmp_path: Path) -> None:
    runs = drain(study(tmp_path, design=design, arms=10))
    assert len({run.arm for run in runs}) == 10
    assert runs[0].config == TINY.base


@pytest.mark.parametrize("design", ["grid", "random", "qmc", "one_at_a_time"])
def test_no_more_arms_are_run_than_planned_though_the_design_has_others_now(
    design: str, tmp_path: Path
) -> None:
    before = study(tmp_path, design=design, arms=12)
    runs = [run for run in (before.ask() for _ in range(5)) if run]
    wide = {**TINY.domains, "method.temperature": LogUniform(0.05, 0.6, source="wider")}
    other = plans.checked(space=replace(TINY, domains=wide), design=design, arms=12)
    after = Study(replace(other, arms=before.plan.arms), "images", tmp_path)
    for run in runs:
        finish(after, run)
    assert len(drain(after)) + len(runs) == before.plan.arms
