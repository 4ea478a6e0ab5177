import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contrastive.config import Config, replace
from contrastive.methods import BSIM
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.fitting import based_on
from search_spaces.space import Alternative, Space
from sweeps.planning import plan as plans
from sweeps.planning.designs import usual_design
from sweeps.planning.designs.sampled import random_value
from sweeps.planning.plan import Budget, Confirm, Objective, Plan, expected_epochs_of, fixed_arms, ladder
from sweeps.stoppers import Asha, Never
from tests.fixtures.tiny_space import TINY

DOMAINS = [
    Uniform(-1.0, 2.0, source="x"),
    LogUniform(0.01, 10.0, source="x"),
    Choice(("a", None, 3), source="x"),
]


def plan(**fields: Any) -> Plan:
    return plans.checked(**{"space": TINY, **fields})


def test_a_grid_is_full_where_the_constraints_allow() -> None:
    found = fixed_arms(plan(design="grid", arms=30))[1:]
    values = [{arm[path] for arm in found} for path in TINY.domains]
    product = [(t, m) for t in values[0] for m in values[1]]
    assert len(found) == sum(m < t for t, m in product)
    assert TINY.default() not in found
    assert len(values[0]) == len(values[1]) >= 4


def test_a_grid_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="the smallest grid of tiny has 4 arms; raise --arms"):
        plan(design="grid", arms=3)


def test_a_plan_counts_the_arms_it_has() -> None:
    made = plan(design="grid", arms=11)
    assert made.arms == len(fixed_arms(made)) <= 11


@pytest.mark.parametrize("design", ["random", "grid", "tpe"])
def test_one_arm_is_the_default_alone_whatever_the_design(design: str) -> None:
    made = plan(design=design, arms=1)
    assert (made.arms, fixed_arms(made)) == (1, [TINY.default()])


def test_a_search_of_choices_has_no_more_arms_than_there_are() -> None:
    rates = Choice((0.06, 0.03, 0.01), source="x")
    space = Space(name="s", question="?", base=TINY.base, domains={"optimiser.lr": rates})
    assert plan(space=space, arms=12).arms == 3
    assert plan(space=space, arms=2).arms == 2
    assert plan(space=based_on(TINY, TINY.base, TINY.domains), arms=12).arms == 1  # all pinned


@given(
    design=st.sampled_from(["tpe", "random"]),
    arms=st.integers(1, 6),
    seeds=st.lists(st.integers(0, 2**31), min_size=1, max_size=3, unique=True),
    stopper=st.one_of(
        st.just(Never()),
        st.builds(Asha, grace=st.none() | st.integers(1, 9), reduction=st.integers(2, 5)),
    ),
)
def test_a_plan_survives_json(design: str, arms: int, seeds: list[int], stopper: Any) -> None:
    made = plan(design=design, arms=arms, seeds=tuple(seeds), stopper=stopper)
    assert plans.from_dict(json.loads(json.dumps(plans.to_dict(made)))) == made


def test_given_arms_follow_the_default() -> None:
    arm = {"method.temperature": 0.3, "method.target_temperature": 0.1}
    assert fixed_arms(plan(design="given", given=(arm, TINY.default()))) == [TINY.default(), arm]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.kind)
@given(seed=st.integers(0, 10**6))
def test_draws_and_points_lie_in_their_domain(domain: Any, seed: int) -> None:
    assert domain.contains(random_value(domain, np.random.default_rng(seed)))
    assert all(domain.contains(point) for point in domain.points(7))


@pytest.mark.parametrize("kind", [Uniform, LogUniform])
@given(
    ends=st.tuples(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3)),
    count=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_rounding_leads_out_of_no_domain(kind: Any, ends: tuple[float, float], count: int, seed: int) -> None:
    assume(ends[0] != ends[1])
    domain = kind(min(ends), max(ends), source="x")
    assert all(domain.contains(point) for point in domain.points(count))
    assert domain.contains(random_value(domain, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", [Uniform, LogUniform])
def test_a_draw_from_the_narrowest_range_is_one_of_its_ends(kind: Any) -> None:
    domain = kind(0.3, float(np.nextafter(0.3, 1)), source="x")
    draws = {random_value(domain, np.random.default_rng(seed)) for seed in range(100)}
    assert draws <= {domain.low, domain.high}


RANGES = st.one_of(
    st.builds(
        lambda low, width: Uniform(low, low + width, source="x"), st.floats(-10, 10), st.floats(1e-9, 9)
    ),
    st.builds(
        lambda low, width: LogUniform(low, low * (1 + width), source="x"),
        st.floats(1e-6, 1e3),
        st.floats(1e-9, 1e6),
    ),
    st.builds(
        lambda low, width, log: Integer(low, low + width, source="x", logarithmic=log),
        st.integers(1, 1000),
        st.integers(1, 5000),
        st.booleans(),
    ),
)


@given(domain=RANGES, count=st.integers(2, 40))
def test_points_are_as_many_as_asked_ascending_with_both_ends(domain: Any, count: int) -> None:
    found = domain.points(count)
    assert len(found) == min(count, domain.size or count)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (domain.low, domain.high)
    assert all(map(domain.contains, found))


@given(domain=RANGES, count=st.integers(2, 20), times=st.integers(2, 4))
def test_a_finer_grid_of_real_numbers_has_the_points_of_the_coarser(
    domain: Any, count: int, times: int
) -> None:
    assume(not isinstance(domain, Integer))
    assert set(domain.points(count)) <= set(domain.points(times * (count - 1) + 1))


def test_points_are_evenly_spaced_in_full_precision() -> None:
    momentum = Uniform(0.9995, 0.9999, source="x")
    assert momentum.points(5) == [0.9995, 0.9996, 0.9997, 0.9998, 0.9999]
    assert Uniform(0.0, 1.0, source="x").points(11) == [tenth / 10 for tenth in range(11)]
    assert Uniform(0.0, 1.0, source="x").points(4) == pytest.approx([0, 1 / 3, 2 / 3, 1], rel=1e-14)
    assert LogUniform(1.0, 8.0, source="x").points(3) == pytest.approx([1, 8**0.5, 8], rel=1e-14)
    assert LogUniform(0.05, 0.5, source="x").points(4) == pytest.approx(np.geomspace(0.05, 0.5, 4), rel=1e-14)
    assert Integer(1, 10, source="x", logarithmic=True).points(8) == [1, 2, 3, 4, 5, 6, 7, 10]


def test_points_of_a_logarithmic_domain_are_equal_factors_apart() -> None:
    assert LogUniform(0.01, 1.0, source="x").points(3) == [0.01, 0.1, 1.0]


def test_the_cost_is_arms_times_seeds_times_epochs_without_a_stopper() -> None:
    assert expected_epochs_of(plan(arms=6, seeds=(1, 2), stopper=Never())) == (96, 96)


def test_the_cost_under_asha_is_more_than_the_shares_of_its_ladder_and_less_than_all() -> None:
    made = plan(arms=8, stopper=Asha(grace=2))  # 8 epochs: rungs at 2 and 4
    assert ladder(made) == [(2, 4.0), (4, 2.0)]
    full, expected = expected_epochs_of(
        made
    )  # whoever comes first to a rung goes on, and the default always does
    assert 8 * 2 + 4 * 2 + 2 * 4 < expected < full == 64


def test_an_illegal_plan_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="arms = 0: ") as refusal:
        plan(arms=0)
    assert "\n" not in str(refusal.value)


LISTED = Space(
    name="parts",
    question="?",
    base=TINY.base,
    alternatives=(
        Alternative("one", {"method.coefficient": 0.1}, source="x"),
        Alternative("two", {"method.coefficient": 0.2, "method.queue": 32}, source="x"),
    ),
)


def test_a_listed_space_is_run_as_it_lists_its_arms_and_in_no_other_way() -> None:
    made = plans.checked(space=LISTED, seeds=(0, 1))
    assert (made.design, made.arms, made.runs) == ("leave_one_out", 3, 6)
    assert fixed_arms(made) == [LISTED.default(), *LISTED.arms().values()]
    for design in ("tpe", "grid", "random"):
        with pytest.raises(ValueError, match=f"design = {design}: parts lists its arms; take leave_one_out"):
            plans.checked(space=LISTED, design=design)
    with pytest.raises(ValueError, match="design = leave_one_out: tiny lists no arms; take tpe"):
        plan(design="leave_one_out")


def test_a_plan_of_a_listed_space_survives_json() -> None:
    made = plans.checked(space=LISTED)
    assert plans.from_dict(json.loads(json.dumps(plans.to_dict(made)))) == made


@pytest.mark.parametrize(("count", "arms", "design"), [(3, None, "grid"), (13, None, "tpe"), (3, 2, "tpe")])
def test_a_space_of_choices_is_a_grid_where_there_is_room_for_all_of_it(
    count: int, arms: int | None, design: str
) -> None:
    values = tuple(0.05 * (1 + i) for i in range(count))
    choices = Space(
        name="s",
        question="?",
        base=replace(TINY.base, {"method.coefficient": values[0]}),
        domains={"method.coefficient": Choice(values, source="x")},
    )
    assert usual_design(choices, arms) == design
    assert usual_design(TINY) == "tpe"


MINIMISED = Objective("loss", "minimize")
OBJECTIVES = (Objective(), Objective("seconds", "minimize", total=True), Objective("seconds", "minimize"))


@given(
    others=st.permutations(OBJECTIVES[1:]),
    confirm=st.none() | st.builds(Confirm, st.integers(1, 5), st.integers(1, 5)),
    budget=st.builds(
        Budget,
        runs=st.none() | st.integers(1, 99),
        hours=st.none() | st.floats(0.1, 99),
        gpu_hours=st.none() | st.floats(0.1, 99),
    ),
)
def test_a_plan_with_objectives_confirmation_and_budget_survives_json(
    others: Any, confirm: Any, budget: Any
) -> None:
    objectives = (Objective(), *others)
    made = plan(objectives=objectives, confirm=confirm, budget=budget, stopper=Never(), gpus_per_worker=1.0)
    assert plans.from_dict(json.loads(json.dumps(plans.to_dict(made)))) == made


def test_a_manifest_of_before_is_read_as_it_was_meant() -> None:
    written = plans.to_dict(plan())
    for field in ("objectives", "confirm", "budget"):
        del written[field]
    for field in ("conditions", "first"):
        del written["space"][field]
    assert plans.from_dict(written) == plan()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"objectives": (Objective(), Objective())}, "objectives = knn_top1: named twice"),
        ({"objectives": ()}, "objectives: .* at least 1"),
        ({"objectives": (MINIMISED,)}, "objectives = loss: the first is knn_top1, more of it better"),
        ({"objectives": (MINIMISED, Objective())}, "Name it first, then the others"),
        ({"budget": {"gpu_hours": 2.0}}, "budget = gpu_hours: the runs ask for no GPU"),
        ({"objectives": OBJECTIVES, "design": "cmaes"}, "cmaes: it has one objective; take nsga2 or tpe"),
        ({"budget": {"hours": 0.0}}, "budget.hours = 0.0: .*greater than 0"),
        ({"confirm": {"arms": 0}}, "confirm.*arms = 0: .*greater than or equal to 1"),
        ({"design": "given", "given": ({"method.target_temperature": 0.4},)}, "breaks a constraint of tiny"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(**fields)


def test_covariance_matrix_adaptation_needs_two_ranges() -> None:
    one = Space(
        name="one",
        question="?",
        base=TINY.base,
        domains={
            "method.coefficient": Uniform(0.0, 1.0, source="x"),
            "method.queue": Choice((64, 32), source="x"),
        },
    )
    with pytest.raises(ValueError, match="needs two ranges of numbers, and one has 1; take tpe"):
        plan(space=one, design="cmaes")


def test_what_is_confirmed_is_run_on_seeds_that_had_no_part_in_the_search() -> None:
    made = plan(arms=6, seeds=(4, 2), confirm=Confirm(arms=2, seeds=3), stopper=Never())
    assert made.confirm_seeds == (5, 6, 7)
    assert made.confirm_runs == 9  # the best two and the default
    assert expected_epochs_of(made) == (8 * (12 + 9), 8 * (12 + 9))
    assert (plan().confirm_seeds, plan().confirm_runs) == ((), 0)
    assert plan(arms=2, confirm=Confirm(arms=5, seeds=1)).confirm_runs == 2  # there are no five


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Plan(space=TINY, arms=0), "arms = 0: wants a number greater than or equal to 1"),
        (
            lambda: dataclasses.replace(plan(), seeds=(-1,)),
            "seeds.0 = -1: wants a number greater than or equal to 0",
        ),
        (lambda: Budget(hour=8), "hour = 8: there is no such field. Did you mean hours or gpu_hours?"),
        (lambda: Choice((), source="x"), "values: wants at least 1 of them, got 0"),
        (lambda: Uniform(0.0, "one", source="x"), "high = 'one': wants a number"),
        (lambda: Space(name="s", question="?"), "base: has to be given"),
        (lambda: Asha(reduction=1), "reduction = 1: "),
        (lambda: BSIM(inner=3), "inner = 3: "),
        (lambda: Config(batch="many"), "batch = 'many': wants a whole number (an integer)"),
    ],
)
def test_what_is_built_in_python_is_refused_in_a_sentence(build: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}") as refusal:
        build()
    assert "\n" not in str(refusal.value)
