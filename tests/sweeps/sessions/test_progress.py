import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contrastive.config import arm, identity, replace
from search_spaces.domains import Choice
from search_spaces.space import Space
from sweeps.engine.provenance import PACKAGES, provenance
from sweeps.engine.runs import IssuedRun
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.sessions.progress import Progress
from sweeps.stoppers import Never
from tests.crew import Sitting, carry_out
from tests.fixtures.tiny_space import TINY


@pytest.fixture
def plan() -> Plan:
    return plans.checked(space=TINY, arms=3)


def run(plan: Plan, number: int, temperature: float) -> IssuedRun:
    run = plan.run({"method.temperature": temperature, "method.target_temperature": 0.03}, seed=0)
    return IssuedRun(number, identity(run, "images"), arm(run, "images"), 0, run)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(renderable: Any, width: int = 120, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(renderable)
    return console.file.getvalue()  # pyright: ignore


def test_lines_are_plain_where_there_is_no_terminal(plan: Plan) -> None:
    out, clock = io.StringIO(), Clock()
    with Progress(plan, Console(file=out, width=200), clock) as progress:
        first, second = run(plan, 0, 0.1), run(plan, 1, 0.25)
        progress.state(first, "running", "", 0)
        clock.now = 2.0
        progress.training()
        clock.now = 3.0
        progress.report(first, 1, 41.25)
        progress.state(first, "stopped", "rung 1: 41.2 below 43.0, the best 1 of 2", 1)
        progress.state(second, "failed", "Traceback\n  in a file\nValueError: too much", 0)
    assert out.getvalue().splitlines() == [
        "0 s  run 0  seed 0  temperature 0.1, target temperature 0.03: starting Ray",
        "2 s  training",
        "3 s  run 0  epoch 1/8  knn_top1 41.25",
        "3 s  run 0  seed 0  temperature 0.1, target temperature 0.03: stopped"
        " (rung 1: 41.2 below 43.0, the best 1 of 2)",
        "3 s  run 1  seed 0  temperature 0.25, target temperature 0.03: failed (ValueError: too much)",
    ]


def test_the_table_shows_every_run_with_its_last_value(plan: Plan) -> None:
    progress = Progress(plan, Console(file=io.StringIO()), Clock())
    first, second = run(plan, 0, 0.1), run(plan, 1, 0.25)
    progress.state(first, "running", "", 0)
    progress.report(first, 2, 41.25)
    progress.state(second, "running", "", 0)
    progress.report(second, 1, 40.0)
    progress.state(second, "stopped", "rung 1: 40.0 below 41.2", 1)
    table = shown(progress.table())
    assert "tiny: 1 of 3 runs ended" in table
    rows = [line for line in table.splitlines() if "0.03" in line]
    assert "0.1" in rows[0]
    assert "41.25" in rows[0]
    assert "running" in rows[0]
    assert "0.25" in rows[1]
    assert rows[1].split()[-4:] == ["0", "1", "40.00", "stopped"]


def test_a_resumed_run_is_shown_once(plan: Plan) -> None:
    progress = Progress(plan, Console(file=io.StringIO()), Clock())
    again = run(plan, 0, 0.1)
    progress.state(again, "running", "", 0)
    progress.state(again, "running", "", 0)
    assert shown(progress.table()).count("0.03") == 1


def test_the_table_says_that_ray_is_started_until_a_run_trains(plan: Plan) -> None:
    progress = Progress(plan, Console(file=io.StringIO()), Clock())
    progress.state(run(plan, 0, 0.1), "running", "", 0)
    assert "starting Ray" in shown(progress.table())
    assert "running" not in shown(progress.table())
    progress.training()
    assert "running" in shown(progress.table())
    assert "starting Ray" not in shown(progress.table())


LONG = "/home/somebody/experiments/2026/self-supervised/results/sweeps/tiny-20261128-050619"
ALIKE = Choice(tuple(float(f"{0.1 + i / 1000:.4g}") for i in range(60)), source="a test")


@pytest.mark.parametrize(
    "paths",
    [
        ["method.temperature", "method.target_temperature"],
        ["method.momentum.start", "optimiser.weight_decay"],
        ["views.strong.jitter", "evaluation.temperature"],
    ],
)
def test_the_table_fits_a_terminal_of_80_by_24_with_two_parameters(paths: list[str], tmp_path: Path) -> None:
    base = replace(TINY.base, dict.fromkeys(paths, 0.1))
    space = Space(name="s", question="?", base=base, domains=dict.fromkeys(paths, ALIKE))
    plan = plans.checked(space=space, arms=30, design="random")
    console = Console(file=io.StringIO(), width=80, height=24)
    progress = Progress(plan, console, Clock())
    progress.directory = Path(LONG)
    for number in range(30):
        run = plan.run({paths[0]: 0.1 + number / 1000, paths[1]: 0.123}, 0)
        one = IssuedRun(number, identity(run, "images"), arm(run, "images"), 0, run)
        progress.state(one, "running", "", 0)
        progress.report(one, 2, 40 + number)
        progress.state(one, ("complete", "stopped")[number % 2], "epoch 2: 40.0 < 43.0", 2)
    lines = shown(progress.table(), 80, 24).rstrip().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    text = " ".join("".join(lines).split())
    assert "…" not in text
    assert "best so far: 68.00 % (run 28," in text
    assert LONG in "".join(line.strip() for line in lines)
    assert {"run", "seed", "epoch", "kNN", "state"} <= set(text.split())


def test_the_best_of_earlier_sessions_is_shown_after_a_resume(tmp_path: Path) -> None:
    plan = plans.checked(space=TINY, arms=4, design="random", stopper=Never())
    carry_out(Sitting(tmp_path, plan))
    again = Sitting(tmp_path, plan)
    progress = Progress(plan, Console(file=io.StringIO()), Clock())
    progress.begin(again.engine)
    best = max(entry.values[0] for entry in again.study.entries.values())
    table = " ".join(shown(progress.table()).split())
    assert f"best so far: {best:.2f} %" in table
    assert str(tmp_path) in table.replace(" ", "")


def test_the_provenance_names_code_versions_and_machine() -> None:
    found = provenance()
    assert {"commit", "changed", "diff", "packages", "python", "host", "machine"} == set(found)
    assert set(found["packages"]) == set(PACKAGES)  # pyright: ignore
