"""What may be said beside --resume, and what the plan becomes."""

import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from sweeps.cli import running
from sweeps.planning import texts
from sweeps.planning.designs import key
from sweeps.planning.plan import Budget, Confirm, Plan, fixed_arms
from sweeps.sessions import growth
from tests.fixtures import tiny_space
from tests.typed import given, planned

TINY_FILE = tiny_space.__file__

SPACE = """\
    from dataclasses import replace
    from contrastive import config as configs
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


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned("--space", space(tmp_path, "around(TINY.base, 0.08, 0.2)"), "--arms", "5")


def grown(plan: Plan, *typed: str) -> Plan:
    return growth.grown(plan, given("x", *typed, command=running.resume)[0])


def test_a_sweep_resumed_without_a_word_is_as_it_was(plan: Plan) -> None:
    assert grown(plan, "--store", "elsewhere", "--keep", "5", "--retry-failed", "--json") == plan


def test_arms_seeds_budget_and_confirmation_can_be_added(plan: Plan) -> None:
    larger = grown(plan, "--arms", "9", "--seeds", "4", "--budget", "epochs=700", "--confirm", "2")
    assert (larger.arms, larger.seeds) == (9, (0, 1, 2, 3))
    assert (larger.budget, larger.confirm) == (Budget(epochs=700), Confirm(arms=2))
    assert grown(larger, "--seeds", "8-9").seeds == (0, 1, 2, 3, 8, 9)
    assert larger.space == plan.space


def test_it_does_not_shrink(plan: Plan) -> None:
    with pytest.raises(ValueError, match=r"--arms 3: the sweep has 5 arms already, and can only grow"):
        grown(plan, "--arms", "3")


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


@pytest.mark.parametrize("typed", [("--design", "grid"), ("--workers-per-run", "2"), ("--sampler-seed", "1")])
def test_what_would_make_it_another_sweep_is_refused(plan: Plan, typed: tuple[str, str]) -> None:
    with pytest.raises(
        ValueError, match=f"--resume goes on with the sweep as it was .* leave out {typed[0]}"
    ):
        grown(plan, *typed)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("knn_top1,nonsense",), r"--objectives nonsense: no run of sce .* There is: loss, knn_top1"),
        (("knn_top1,effective_rnk",), "Did you mean effective_rank"),
        (("knn_top1,linear_top1",), "given by evaluation.after"),
        (("knn_top1,mmcl_margin",), "no run of sce in this sweep reports it"),
        (
            ("knn_top1,linear_top2", "--set", 'evaluation.after=[{"name": "linear"}]'),
            "Did you mean linear_top",
        ),
    ],
)
def test_an_objective_that_no_run_reports_is_refused_before_the_start(
    typed: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        planned("--space", f"{TINY_FILE}:TINY", "--objectives", *typed)


def test_what_is_measured_after_training_can_be_an_objective() -> None:
    after = ("--set", 'evaluation.after=[{"name": "linear"}, {"name": "finetune", "draws": 2}]')
    for metric in (
        "linear_top1",
        "linear_top5",
        "finetune_10pct_top1_interval",
        "effective_rank",
        "seconds:min",
    ):
        typed = ("--space", f"{TINY_FILE}:TINY", "--objectives", f"knn_top1,{metric}", *after)
        assert len(planned(*typed).objectives) == 2


def test_budgets_and_objectives_are_read_or_refused_in_words() -> None:
    assert texts.parse_budget("hours=1.5,runs=3") == Budget(hours=1.5, runs=3)
    with pytest.raises(ValueError, match="--budget days=2: it has no 'days'"):
        texts.parse_budget("days=2")
    with pytest.raises(ValueError, match="hours wants a number"):
        texts.parse_budget("hours=long")
    first, second, third = texts.parse_objectives("knn_top1,seconds:min,effective_rank:max")
    assert (first.metric, second.direction, second.total, third.direction) == (
        "knn_top1",
        "minimize",
        True,
        "maximize",
    )
    with pytest.raises(ValueError, match="'low' is neither max nor min"):
        texts.parse_objectives("loss:low")


def arms_of(plan: Plan) -> list[str]:
    return [key(arm) for arm in fixed_arms(plan)]


NARROW = ((0.9995, 0.9999), (0.99, 0.9999), (0.999, 0.99999))


@pytest.mark.parametrize(("low", "high"), NARROW)
@pytest.mark.parametrize("design", ["grid", "one_at_a_time"])
def test_a_narrow_range_fills_a_grid(design: str, low: float, high: float, tmp_path: Path) -> None:
    where = space(
        tmp_path,
        f"around(configs.replace(TINY.base, {{'method.momentum.start': 0.9995}}), {low}, {high}, "
        "'method.momentum.start')",
    )
    made = planned("--space", where, "--design", design, "--arms", "12")
    assert made.arms in (11, 12)  # the default may be one of the points
    assert len(set(arms_of(made))) == made.arms


@pytest.mark.parametrize("design", ["grid", "one_at_a_time", "pairs"])
def test_a_grid_that_grows_keeps_its_points_or_is_refused(design: str) -> None:
    typed = ("--space", f"{TINY_FILE}:TINY", "--design", design, "--arms")
    plan = planned(*typed, "12")
    refused = 0
    for arms in (plan.arms + 1, plan.arms + 6, 26, 33, 41, 49):
        with suppress(ValueError):
            refused += 1
            larger = grown(plan, "--arms", str(arms))
            assert set(arms_of(plan)) < set(arms_of(larger))
            assert len(arms_of(larger)) == larger.arms <= arms
            refused -= 1
    assert 0 < refused < 6
    assert grown(plan, "--arms", "200").arms > plan.arms


def test_the_refusal_of_a_grid_names_the_arms_it_takes(plan: Plan, tmp_path: Path) -> None:
    typed = ("--space", f"{TINY_FILE}:TINY", "--design", "grid", "--arms")
    before = planned(*typed, "12")
    with pytest.raises(ValueError, match=r"no grid of more than \d+ and at most \d+ arms") as refused:
        grown(before, "--arms", str(before.arms + 1))
    named = str(refused.value).rpartition("--arms ")[2]
    assert grown(before, "--arms", named).arms == int(named)


def test_a_grid_of_a_wider_space_has_other_points(plan: Plan, tmp_path: Path) -> None:
    narrow, wide = (space(tmp_path, f"around(TINY.base, {low}, 0.5)") for low in (0.06, 0.05))
    before = planned("--space", narrow, "--design", "grid", "--arms", "5")
    with pytest.raises(ValueError, match="begin a new sweep"):
        grown(before, "--space", wide)
