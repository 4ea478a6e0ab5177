"""The command line of replays, recordings of the store, and searches of recorded arms."""

import dataclasses
import json
import math
import random
import re
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from analysis.intervals import half_width, student_interval
from contrastive import config as configs
from search_spaces.conditional import When
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.space import Alternative, Space
from sweeps.planning import plan as plans
from sweeps.planning.designs.sampled import random_arms
from sweeps.replay import FRACTIONS, Delays, measure_replays, of_sweep, replay
from sweeps.replay.command import main
from sweeps.replay.table import SEARCHERS, TableSearcher, searching
from sweeps.stoppers import STOPPERS, Asha, Never
from sweeps.store import Writer, write_manifest
from tests.benchmarks.replay import made
from tests.fixtures.tiny_space import TINY

CURVES = Path(__file__).parents[2] / "fixtures" / "curves"
EPOCHS = 4
SGD, LARS = ({"name": name, "warmup_epochs": 1} for name in ("sgd", "lars"))
MIXED = Space(
    name="mixed",
    question="?",
    base=TINY.base,
    domains={
        "method.temperature": LogUniform(0.01, 1.0, source="a test"),
        "method.coefficient": Uniform(0.0, 1.0, source="a test"),
        "evaluation.neighbours": Integer(5, 20, source="a test"),
        "optimiser": Choice((SGD, LARS), source="a test"),
        "optimiser.trust": LogUniform(1e-4, 1e-2, source="a test"),
    },
    conditions={"optimiser.trust": When("optimiser.name", ("lars",))},
)


def recorded(
    root: Path, ends: Mapping[tuple[int, int], tuple[str, str]] | None = None, arms: int = 8, **manifest: Any
) -> Path:
    """A sweep of two seeds: arm i rises by 10 + i an epoch; `ends` has other states, by arm and seed.

    A run that did not come to its end has two epochs, of which the guard's last value is nan.
    """
    directory = root / "sweeps" / "one"
    plan = plans.checked(space=TINY, design="random", arms=arms, seeds=(3, 5), stopper=Never())
    write_manifest(directory, {
        "id": "one", "command": "sweeps --space tiny --store somewhere", "metric": "knn_top1", "epochs": EPOCHS,
        "seeds": [3, 5], "space": {"domains": plans.to_dict(plan)["space"]["domains"]}, "plan": plans.to_dict(plan),
    } | manifest)  # fmt: skip
    runs = [
        (arm, seed, (ends or {}).get((arm, seed), ("complete", ""))) for seed in (3, 5) for arm in range(arms)
    ]
    values = plans.fixed_arms(plan)
    with Writer(directory, "w") as writer:
        for number, (arm, seed, (state, reason)) in enumerate([*runs, (0, 6, ("complete", ""))]):
            config, epochs = f"run {number}", EPOCHS if state == "complete" else 2
            for epoch in range(1, epochs + 1):
                value = math.nan if reason and epoch == 2 else (10.0 + arm) * epoch + seed
                times = {"seconds": 2.0 + arm, "evaluation_seconds": 0.5}
                writer.report(config, 0, epoch, {"knn_top1": value, **times})
            found = configs.to_dict(plan.run(values[arm], seed))
            row = {"run": config, "number": number, "arm": f"arm {arm}", "seed": seed, "attempt": 0}
            writer.run(**row, config=found, state=state, reason=reason, epochs=epochs)
    return directory


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


# Recordings of the store


def test_a_sweep_of_the_store_is_read_whole_but_for_the_runs_that_confirmed_it(tmp_path: Path) -> None:
    found = of_sweep(recorded(tmp_path))
    assert found.seeds == ["3", "5"]
    assert list(found.arms) == [str(i) for i in range(8)]
    assert found.arms["2"] == {"3": [15.0, 27.0, 39.0, 51.0], "5": [17.0, 29.0, 41.0, 53.0]}
    assert found.seconds["2"] == {"3": [4.5] * 4, "5": [4.5] * 4}
    assert found.command == "sweeps --space tiny"
    assert found.deviation == 0
    space = plans.from_dict(found.plan).space
    arms = [space.values_of_setting(setting) for setting in found.settings.values()]
    assert arms == random_arms(TINY, 8, seed=0)


def test_a_recording_survives_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory, copy = recorded(tmp_path), tmp_path / "copy.json"
    copy.write_text(json.dumps(dataclasses.asdict(of_sweep(directory))))
    options = ["--replays", "3", "--stopper", "asha", "--searcher", "tpe"]
    assert said([str(copy), *options], capsys) == said([str(directory), *options], capsys)


def test_a_run_that_the_guard_ended_stays_ended(tmp_path: Path) -> None:
    found = of_sweep(recorded(tmp_path, {(7, 3): ("stopped", "diverged: the loss is nan")}))
    assert found.unwell == {"7": {"3": "diverged: the loss is nan"}}
    curves = found.curves("3")
    assert curves["7"][0] == 20
    assert math.isnan(curves["7"][1])
    outcome = replay(curves, Never(), unwell=found.ended("3"))
    assert (outcome.best, outcome.reasons) == ("6", {"7": "diverged: the loss is nan"})
    assert found.ended("5") == {}


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (("stopped", ""), "seed 5: 1 of 8 runs were stopped early .* record a sweep with --stopper none"),
        (("failed", ""), r"1 of 16 runs have failed \(10\), so .* try them again: sweeps resume one --retry"),
        (("running", ""), r"1 of 16 runs are running \(10\), so .* finish it: sweeps resume one"),
        (("paused", ""), r"1 of 16 runs are paused \(10\), so .* finish it: sweeps resume one"),
    ],
)
def test_runs_of_which_nobody_knows_the_end_are_refused_by_name(
    end: tuple[str, str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, {(2, 5): end})
    assert re.search(sentence, refused(["one", "--store", str(tmp_path)], capsys))


def test_a_sweep_of_which_many_runs_failed_names_some_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, {(arm, 3): ("failed", "") for arm in range(8)})
    assert "8 of 16 runs have failed (0, 1, 2, 3, 4, ...)" in refused(
        ["one", "--store", str(tmp_path)], capsys
    )


# The command line


def test_stoppers_are_compared_in_a_table_and_along_their_costs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(
        [str(CURVES / "methods.json"), "--replays", "4", "--stopper", "none", "--stopper", "asha:grace=1"],
        capsys,
    ).splitlines()
    assert lines[0] == "### methods: 11 arms x 5 seeds, 24 epochs"
    assert "Paired seed deviation: 1.82 points." in lines
    assert "| random | `none` | - | 0.00 | 100% | 100% | 2 min 24 s |  |" in lines
    assert [line for line in lines if line.startswith("| random | `asha:grace=1` | ")]
    assert f"| regret at | | {' | '.join(f'{share:.0%}' for share in FRACTIONS)} |" in lines
    last = lines[-2].split(" | ")
    assert last[:3] == [
        "| random",
        "`none`",
        "-",
    ]  # two runs of eleven end first, after a sixth of the epochs
    assert last[-1] == "0.00 |"


def test_all_stoppers_are_compared_unless_some_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said([str(CURVES / "methods.json"), "--replays", "2", "--json"], capsys))
    assert [row["stopper"] for row in found["sweeps"][0]["rows"]] == list(STOPPERS)


def test_json_has_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path)
    arguments = [
        "one",
        "--store",
        str(tmp_path),
        "--replays",
        "4",
        "--stopper",
        "asha",
        "--workers",
        "3",
        "--json",
    ]
    (found,) = json.loads(said([*arguments, "--delays", "start=2,stop=1", "--seed", "9"], capsys))["sweeps"][
        0
    ]["rows"]
    same = measure_replays(
        of_sweep(tmp_path / "sweeps" / "one"),
        Asha(),
        replays=4,
        workers=3,
        delays=Delays(start=2, stop=1),
        seed=9,
    )
    assert found["regrets"] == same.regrets.tolist()
    assert found["regret"] == {"mean": same.regrets.mean(), "half_width": half_width(same.regrets)}
    assert (found["near"], found["epochs"], found["hours"]) == (same.near, same.epochs, same.hours)
    for at, share, column in zip(found["curve"], FRACTIONS, same.curve.T, strict=True):
        unknown = np.isnan(column).any()
        assert at == {
            "epochs": share,
            "regret": None if unknown else column.mean(),
            "half_width": None if unknown else half_width(column),
        }


def test_checkpoints_are_worth_what_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(CURVES / "methods.json"), "--replays", "2", "--stopper", "promote", "--json"]
    kept, repeated = (
        json.loads(said([*arguments, *more], capsys))["sweeps"][0]["rows"][0]["epochs"]
        for more in ([], ["--no-checkpoints"])
    )
    assert repeated > kept


def test_one_seed_and_missing_times_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads((CURVES / "methods.json").read_text())
    content["arms"] = {arm: {"1": curves["1"]} for arm, curves in content["arms"].items()}
    path = tmp_path / "one_seed.json"
    path.write_text(json.dumps(content))
    text = said([str(path), "--replays", "2", "--stopper", "asha"], capsys)
    assert "It has one seed: the seed deviation is unknown" in text
    assert "It has no times: an epoch takes a second" in text
    assert " | - | " in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--stopper", "ahsa"], "there is no stopper 'ahsa'. Did you mean asha or pasha?"),
        (["--stopper", "asha:rate=3"], "the stopper asha has no field 'rate'"),
        (["--searcher", "tep"], "there is no searcher 'tep'. Did you mean tpe? There is: random, qmc, tpe"),
        (["--searcher", "tpe"], "--searcher tpe: methods holds curves without the space"),
        (["--workers", "0"], "workers = 0: nothing is trained without one"),
        (["--replays", "1"], "replays = 1: an interval takes two or more"),
        (["--delays", "begin=3"], "--delays begin=3: it has no 'begin'."),
        (["--delays", "stop=-3"], "delays: stop = -3.0: a delay is 0 seconds or more"),
        (["nothing"], "there is no sweep 'nothing'. There is no store .*results"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    told = refused([str(CURVES / "methods.json"), *arguments], capsys)
    assert told.startswith("replay: ")
    assert sentence in told or re.search(sentence, told)
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda c: {**c, "arms": dict(list(c["arms"].items())[:5])},
            "methods has 5 arms, and of fewer than 6",
        ),
        (lambda c: {**c, "horizon": 30}, "11 of 11 runs were stopped early (run 0 after 24 of 30 epochs)"),
        (lambda c: {**c, "arms": {**c["arms"], "0": {"1": [1.0] * 24}}}, "arm 0 was not run on seed 2"),
        (lambda c: {"arms": c["arms"]}, "holds no recorded curves: name: has to be given"),
        (lambda _: [], "holds no recorded curves: "),
    ],
)
def test_curves_that_are_no_ground_truth_are_refused_in_a_sentence(
    change: Any, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps(change(json.loads((CURVES / "methods.json").read_text()))))
    assert sentence in refused([str(path)], capsys)


def test_it_is_a_module_to_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["replay", str(CURVES / "methods.json"), "--replays", "2", "--stopper", "asha"]
    )
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("sweeps.replay", run_name="__main__")
    assert capsys.readouterr().out.startswith("### methods: 11 arms x 5 seeds, 24 epochs\n")


# Searches of recorded arms


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("stopper", [Never(), Asha(grace=1, reduction=2)], ids=["none", "asha"])
def test_a_search_runs_every_arm_once_and_again_alike(name: str, stopper: Never) -> None:
    recording = made(14)
    begin = searching(recording, name)
    orders: list[list[str]] = []
    for _ in range(2):
        asked: list[str] = []
        order = random.Random(3).sample(list(recording.arms), 14)
        searcher = begin(order, random.Random(4)) if begin else None
        replay(recording.curves("0"), stopper, searcher=searcher and Noting(searcher, asked))
        orders.append(asked)
    assert orders[0] == orders[1]
    if begin:
        assert sorted(orders[0]) == sorted(recording.arms)
        assert orders[0][0] == "0"  # the default


class Noting:
    """A searcher whose answers are noted."""

    def __init__(self, searcher: Any, asked: list[str]):
        self.searcher, self.asked = searcher, asked
        self.report, self.tell = searcher.report, searcher.tell

    def ask(self) -> str | None:
        run = self.searcher.ask()
        self.asked += [run] if run else []
        return run


def table(space: Space, arms: int, design: str = "tpe") -> TableSearcher:
    plan = plans.checked(space=space, arms=arms, design=design, sampler_seed=1)
    return TableSearcher({str(i): values for i, values in enumerate(random_arms(space, arms, seed=7))}, plan)


def test_the_nearest_arm_is_run_by_the_scales_of_its_parameters() -> None:
    found = table(MIXED, 60)
    for wanted in random_arms(MIXED, 40, seed=8):

        def distance(arm: str, wanted: dict[str, Any] = wanted) -> float:
            values = found.arms[arm]
            trusts = [one["optimiser.trust"] for one in (values, wanted) if "optimiser.trust" in one]
            return (
                (math.log10(values["method.temperature"] / wanted["method.temperature"]) / 2) ** 2
                + (values["method.coefficient"] - wanted["method.coefficient"]) ** 2
                + ((values["evaluation.neighbours"] - wanted["evaluation.neighbours"]) / 15) ** 2
                + (values["optimiser"]["name"] != wanted["optimiser"]["name"])
                + ((math.log10(trusts[0] / trusts[1]) / 2) ** 2 if len(trusts) == 2 else len(trusts))
            )

        assert found._nearest(wanted) == min(found.points, key=distance)


def test_the_sampler_is_told_what_was_run_and_as_far_as_it_went() -> None:
    found = table(TINY, 12)
    curves = {arm: [float(arm), 2.0 + float(arm)] for arm in found.arms}
    replay(curves, Asha(grace=1, reduction=2), searcher=found, workers=1)
    configs = found.view._trials()
    assert len(configs) == 12
    told = {tuple(config.params.values()): config for config in configs}
    for arm, values in found.arms.items():
        config = told[tuple(values[path] for path in TINY.domains)]
        assert (config.state, config.value) == (TrialState.COMPLETE, 2.0 + float(arm))


def test_an_arm_that_the_guard_ended_is_told_to_be_as_bad_as_any() -> None:
    found = table(TINY, 12)
    curves = {arm: [50.0 + float(arm)] for arm in found.arms}
    replay(curves, Never(), searcher=found, unwell={"11": "diverged: the loss is nan"})
    values = [config.value for config in found.view._trials()]
    assert sorted(v for v in values if v is not None) == [50.0, *(50.0 + i for i in range(11))]


@pytest.mark.parametrize("stopper", ["none", "asha", "promote:grace=1", "one_epoch"])
def test_the_arms_that_a_model_has_proposed_are_counted(
    stopper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = recorded(tmp_path, arms=24)
    arguments = [str(directory), "--stopper", stopper, "--replays", "2"]
    for design in ("random", "qmc", "tpe", "cmaes", "nsga2"):
        arguments += ["--searcher", design]
    out = said(arguments, capsys)
    assert "| searcher | stopper | by its model |" in out
    cells = {line.split(" | ")[0][2:]: line.split(" | ")[2] for line in out.splitlines() if "% |" in line}
    assert cells["random"] == cells["qmc"] == "-"
    counted = {design: int(cells[design].removesuffix(" of 23")) for design in ("tpe", "cmaes", "nsga2")}
    assert all(9 <= count <= 20 for count in counted.values())
    rows = json.loads(said([*arguments, "--json"], capsys))["sweeps"][0]["rows"]
    found = {row["searcher"]: row["proposed"] for row in rows}
    assert {name: count and round(count) for name, count in found.items()} == {
        "random": None,
        "qmc": None,
        **counted,
    }


def test_a_search_that_learns_comes_to_the_best_arm_before_random_order_does() -> None:
    """Which on average takes half of the arms."""
    taken: list[float] = []
    for seed in range(8):
        plan = plans.checked(space=MIXED, arms=80, design="cmaes", sampler_seed=seed)
        found = TableSearcher(
            {str(i): values for i, values in enumerate(random_arms(MIXED, 80, seed=seed))}, plan
        )
        optimum = np.array([0.3, 0.6, 0.5, 0.0, 0.5])
        apart = {arm: np.nansum((point - optimum) ** 2) for arm, point in found.points.items()}
        outcome = replay({arm: [-far] for arm, far in apart.items()}, Never(), searcher=found, workers=1)
        taken.append(outcome.trace[-1][0])
    ends = student_interval(taken)
    assert ends
    assert ends[1] < 40


def test_a_space_that_lists_its_arms_is_not_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = tuple(
        Alternative(f"{n}", {"method.queue": n}, source="a test") for n in range(16, 128, 16) if n != 64
    )
    space = Space(name="parts", question="?", base=TINY.base, alternatives=rest)
    path = tmp_path / "listed.json"
    listed = {**dataclasses.asdict(made(10)), "plan": plans.to_dict(plans.checked(space=space))}
    listed["settings"] = {arm: {"alternative": "default"} for arm in listed["arms"]}
    path.write_text(json.dumps(listed))
    assert "design = tpe: parts lists its arms" in refused([str(path), "--searcher", "tpe"], capsys)
    assert said([str(path), "--stopper", "none", "--replays", "2"], capsys)
