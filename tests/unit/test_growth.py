"""What may be said beside --resume, and what the plan becomes."""

import argparse
import textwrap
from pathlib import Path

import pytest

from sweeps import command, flags
from sweeps.plan import Budget, Confirm, Plan

SPACE = """\
    from dataclasses import replace
    from search_spaces.domains import LogUniform
    from tests.fixtures.tiny_space import TINY

    def around(base, low, high, path="method.temperature"):
        return replace(TINY, base=base, domains={{path: LogUniform(low, high, source="x")}}, constraints=())

    MINE = {}
    """


def space(folder: Path, expression: str) -> str:
    """A space of one's own, as the command line names it."""
    file = folder / f"space_{abs(hash(expression))}.py"
    file.write_text(textwrap.dedent(SPACE).format(expression))
    return f"{file}:MINE"


def given(*typed: str) -> argparse.Namespace:
    return flags.parser().parse_args([*typed])


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return command.plan_of(given("--space", space(tmp_path, "around(TINY.base, 0.08, 0.2)"), "--trials", "5"))


def grown(plan: Plan, *typed: str) -> Plan:
    return command.grown(plan, given("--resume", "x", *typed))


def test_a_sweep_resumed_without_a_word_is_as_it_was(plan: Plan) -> None:
    assert grown(plan, "--store", "elsewhere", "--keep", "5", "--retry-failed", "--json") == plan


def test_arms_seeds_budget_and_confirmation_can_be_added(plan: Plan) -> None:
    larger = grown(plan, "--trials", "9", "--seeds", "4", "--budget", "epochs=70", "--confirm", "2")
    assert (larger.arms, larger.seeds) == (9, (0, 1, 2, 3))
    assert (larger.budget, larger.confirm) == (Budget(epochs=70), Confirm(arms=2))
    assert grown(larger, "--seeds", "8-9").seeds == (0, 1, 2, 3, 8, 9)
    assert larger.space == plan.space


def test_it_does_not_shrink(plan: Plan) -> None:
    with pytest.raises(ValueError, match=r"--trials 3: the sweep has 5 arms already, and can only grow"):
        grown(plan, "--trials", "3")


def test_a_space_may_be_widened_and_nothing_else(plan: Plan, tmp_path: Path) -> None:
    wide = grown(plan, "--space", space(tmp_path, "around(TINY.base, 0.05, 0.5)"))
    assert wide.space.domains["method.temperature"].corners == (0.05, 0.5)
    with pytest.raises(ValueError, match=r"narrows method.temperature; a sweep can only be widened"):
        grown(plan, "--space", space(tmp_path, "around(TINY.base, 0.1, 0.2)"))
    with pytest.raises(ValueError, match=r"narrows method.temperature"):
        grown(plan, "--space", space(tmp_path, "around(TINY.base, 0.01, 0.1, 'optimiser.lr')"))
    other = "around(replace(TINY.base, epochs=9), 0.05, 0.5)"
    with pytest.raises(ValueError, match="has another base than the sweep"):
        grown(plan, "--space", space(tmp_path, other))


@pytest.mark.parametrize(
    "typed", [("--design", "grid"), ("--workers-per-trial", "2"), ("--sampler-seed", "1")]
)
def test_what_would_make_it_another_sweep_is_refused(plan: Plan, typed: tuple[str, str]) -> None:
    with pytest.raises(
        ValueError, match=f"--resume goes on with the sweep as it was .* leave out {typed[0]}"
    ):
        grown(plan, *typed)


def test_budgets_and_objectives_are_read_or_refused_in_words() -> None:
    assert command.parse_budget("hours=1.5,trials=3") == Budget(hours=1.5, trials=3)
    with pytest.raises(ValueError, match="--budget days=2: it has no 'days'"):
        command.parse_budget("days=2")
    with pytest.raises(ValueError, match="hours wants a number"):
        command.parse_budget("hours=long")
    first, second, third = command.parse_objectives("knn_top1,seconds:min,effective_rank:max")
    assert (first.metric, second.direction, second.total, third.direction) == (
        "knn_top1",
        "minimize",
        True,
        "maximize",
    )
    with pytest.raises(ValueError, match="'low' is neither max nor min"):
        command.parse_objectives("loss:low")
