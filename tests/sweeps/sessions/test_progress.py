import io
from typing import Any

import pytest
from rich.console import Console

from contrastive.config import arm, identity
from sweeps.engine.provenance import PACKAGES, provenance
from sweeps.engine.study import Run
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.sessions.progress import Progress
from tests.fixtures.tiny_space import TINY


@pytest.fixture
def plan() -> Plan:
    return plans.checked(space=TINY, arms=3)


def run(plan: Plan, number: int, temperature: float) -> Run:
    trial = plan.run({"method.temperature": temperature, "method.target_temperature": 0.03}, seed=0)
    return Run(number, identity(trial, "images"), arm(trial, "images"), 0, trial)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(renderable: Any) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(renderable)
    return console.file.getvalue()  # pyright: ignore


def test_lines_are_plain_where_there_is_no_terminal(plan: Plan) -> None:
    out, clock = io.StringIO(), Clock()
    with Progress(plan, Console(file=out, width=200), clock) as progress:
        first, second = run(plan, 0, 0.1), run(plan, 1, 0.25)
        progress.state(first, "running", "", 0)
        clock.now = 3.0
        progress.report(first, 1, 41.25)
        progress.state(first, "stopped", "rung 1: 41.2 below 43.0, the best 1 of 2", 1)
        progress.state(second, "failed", "Traceback\n  in a file\nValueError: too much", 0)
    assert out.getvalue().splitlines() == [
        "0 s  run 0  seed 0  temperature 0.1, target_temperature 0.03: running",
        "3 s  run 0  epoch 1/8  knn_top1 41.25",
        "3 s  run 0  seed 0  temperature 0.1, target_temperature 0.03: stopped"
        " (rung 1: 41.2 below 43.0, the best 1 of 2)",
        "3 s  run 1  seed 0  temperature 0.25, target_temperature 0.03: failed (ValueError: too much)",
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
    rows = [line for line in table.splitlines() if line.startswith("│")]
    assert "0.1" in rows[0]
    assert "41.25" in rows[0]
    assert "running" in rows[0]
    assert "0.25" in rows[1]
    assert "stopped at rung 1" in rows[1]


def test_a_resumed_run_is_shown_once(plan: Plan) -> None:
    progress = Progress(plan, Console(file=io.StringIO()), Clock())
    again = run(plan, 0, 0.1)
    progress.state(again, "running", "", 0)
    progress.state(again, "running", "", 0)
    assert sum(line.startswith("│") for line in shown(progress.table()).splitlines()) == 1


def test_the_provenance_names_code_versions_and_machine() -> None:
    found = provenance()
    assert {"commit", "changed", "diff", "packages", "python", "host", "machine"} == set(found)
    assert set(found["packages"]) == set(PACKAGES)  # pyright: ignore
