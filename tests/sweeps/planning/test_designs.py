import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from contrastive.config import replace
from search_spaces import SPACES
from search_spaces.conditional import When
from search_spaces.domains import Choice, Integer, LogUniform, Uniform, Zip
from search_spaces.space import Alternative, Less, Space
from sweeps.planning import plan as plans
from sweeps.planning.designs import ADAPTIVE, COMPARISONS, DESIGNS, LISTS, incompatible, key, known_arms
from sweeps.planning.plan import Plan, Values, fixed_arms
from sweeps.stoppers import Asha, Never
from tests.fixtures.tiny_space import TINY

SGD, LARS = ({"name": name, "warmup_epochs": 1} for name in ("sgd", "lars"))
MIXED = Space(
    name="mixed",
    question="?",
    base=TINY.base,
    domains={
        "optimiser": Choice((SGD, LARS), source="x"),
        "optimiser.trust": LogUniform(1e-4, 1e-2, source="x"),
        "method.temperature, method.target_temperature": Zip(
            ((0.1, 0.05), (0.2, 0.05), (0.2, 0.1)), source="x"
        ),
        "method.batch_norm_splits": Choice((1, 2), source="x"),
        "evaluation.neighbours": Integer(5, 20, source="x"),
        "method.coefficient": Uniform(0.0, 1.0, source="x"),
    },
    conditions={"optimiser.trust": When("optimiser.name", ("lars",))},
    first=(Alternative("half", {"method.batch_norm_splits": 2}, source="x"),),
)
PARTS = Space(
    name="parts",
    question="?",
    base=TINY.base,
    alternatives=(
        Alternative("no relations", {"method.coefficient": 1.0}, source="x"),
        Alternative("a short queue", {"method.queue": 32}, source="x"),
        Alternative("no queue", {"method.queue": 0}, source="x"),
        Alternative("released", {"method.positive_in_target": "zero_logit"}, source="x"),
        Alternative("hot", {"method.temperature": 0.2, "method.target_temperature": 0.1}, source="x"),
    ),
)
SPREAD = ("random", "qmc", "grid", "one_at_a_time", "pairs")


def space(**domains: Any) -> Space:
    paths = {name.replace("__", "."): domain for name, domain in domains.items()}
    return Space(name="s", question="?", base=TINY.base, domains=paths)


def plan(**fields: Any) -> Plan:
    return plans.checked(**{"space": TINY, **fields})


def attempt(**fields: Any) -> Plan | str:
    """The plan, or why there is none."""
    try:
        return plan(**fields)
    except ValueError as refusal:
        return str(refusal)


@pytest.mark.parametrize("space", [TINY, MIXED], ids=lambda s: s.name)
@pytest.mark.parametrize("design", [*SPREAD, *ADAPTIVE])
@settings(max_examples=15)
@given(arms=st.integers(1, 30), seed=st.integers(0, 9))
def test_arms_begin_with_the_default_are_distinct_allowed_and_no_more_than_asked_for(
    space: Space, design: str, arms: int, seed: int
) -> None:
    made = attempt(space=space, design=design, arms=arms, sampler_seed=seed)
    if isinstance(made, str):  # it says how many it needs
        least = re.search(r"has (\d+) arms; raise --arms", made)
        assert least
        assert arms < int(least[1])
        arms = int(least[1])
        made = plan(space=space, design=design, arms=arms, sampler_seed=seed)
    found = fixed_arms(made)
    assert found[0] == space.default()
    assert len({key(arm) for arm in found}) == len(found) <= made.arms <= arms
    assert all(space.allows(space.config(arm)) for arm in found)
    assert all(space.arm_of(space.config(arm)) == arm for arm in found)
    assert fixed_arms(made) == found
    if design in ("random", "qmc"):
        assert len(found) == arms
    if design in ADAPTIVE:
        assert found == [space.default(), *space.first_arms()][:arms]


@pytest.mark.parametrize("design", [design for design in DESIGNS if ":" not in design])
def test_a_design_plans_every_named_space_or_says_in_a_sentence_why_not(design: str) -> None:
    made = {name: attempt(space=found, design=design, arms=25) for name, found in SPACES.items()}
    planned = {name: found for name, found in made.items() if isinstance(found, Plan)}
    assert planned
    assert all(fixed_arms(p)[0] == SPACES[name].default() and p.arms <= 25 for name, p in planned.items())
    refused = [found for found in made.values() if isinstance(found, str)]
    assert all("take " in text or "raise --arms" in text for text in refused)
    assert not any("\n" in text for text in refused)


@pytest.mark.parametrize("design", SPREAD)
def test_a_space_in_which_nothing_varies_has_its_default(design: str) -> None:
    if design == "pairs":
        with pytest.raises(ValueError, match="s has fewer than two parameters"):
            plan(space=space(), design=design)
    else:
        assert fixed_arms(plan(space=space(), design=design)) == [{}]


@pytest.mark.parametrize("design", ["random", "qmc", *ADAPTIVE[:1]])
def test_a_finite_space_is_not_drawn_from_for_ever(design: str) -> None:
    found = space(
        evaluation__neighbours=Integer(18, 20, source="x"), method__queue=Choice((64, 32), source="x")
    )
    assert plan(space=found, design=design, arms=50).arms == 6
    if design not in ADAPTIVE:
        assert len(fixed_arms(plan(space=found, design=design, arms=50))) == 6


@pytest.mark.parametrize("design", ["random", "qmc"])
def test_another_sampler_seed_draws_other_arms(design: str) -> None:
    first, second = (fixed_arms(plan(design=design, sampler_seed=seed))[1:] for seed in (0, 1))
    assert not {key(arm) for arm in first} & {key(arm) for arm in second}


@settings(max_examples=20)
@given(st.integers(0, 30), st.sampled_from([16, 24, 32]))
def test_sobol_points_cover_the_space_more_evenly_than_random_draws(seed: int, arms: int) -> None:
    open_space = space(
        method__coefficient=Uniform(0.0, 1.0, source="x"),
        method__momentum__start=Uniform(0.0, 1.0, source="x"),
    )

    def discrepancy(design: str) -> float:
        made = plan(space=open_space, design=design, arms=arms + 1, sampler_seed=seed)
        return qmc.discrepancy(np.array([list(arm.values()) for arm in fixed_arms(made)[1:]]))

    assert discrepancy("qmc") < discrepancy("random")


def test_sobol_points_are_drawn_on_where_constraints_refuse_some() -> None:
    temperature, target = "method.temperature", "method.target_temperature"
    narrow = Space(
        name="s",
        question="?",
        base=TINY.base,
        domains={
            temperature: Uniform(0.01, 0.5, source="x"),
            target: Uniform(0.01, 0.5, source="x"),
            "method.momentum.start": Uniform(0.1, 0.95, source="x"),
        },
        constraints=(Less(target, temperature, "x"), Less(temperature, "method.momentum.start", "x")),
    )
    found = fixed_arms(plan(space=narrow, design="qmc", arms=50))  # a sixth or so of the cube is allowed
    assert len(found) == 50
    assert all(narrow.allows(narrow.config(arm)) for arm in found)


def test_a_grid_has_each_combination_once_though_some_parameters_do_not_always_exist() -> None:
    found = fixed_arms(plan(space=MIXED, design="grid", arms=300))  # three points in each range
    assert Counter(arm["optimiser"]["name"] for arm in found) == {"sgd": 3 * 2 * 9, "lars": 3 * 2 * 27}
    assert all(("optimiser.trust" in arm) == (arm["optimiser"]["name"] == "lars") for arm in found)


def changed(arm: Values, default: Values) -> set[str]:
    return {path for path in arm | default if arm.get(path) != default.get(path)}


def test_around_changes_one_parameter_at_a_time_on_as_many_points_as_fit() -> None:
    default, found = TINY.default(), fixed_arms(plan(design="one_at_a_time", arms=11))
    assert all(len(changed(arm, default)) == 1 for arm in found[1:])
    assert 1 + 2 * 4 <= len(found) <= 11
    assert len(fixed_arms(plan(design="one_at_a_time", arms=30))) > len(found)


def test_around_tries_what_does_not_exist_in_the_default_beside_what_it_needs() -> None:
    default, found = MIXED.default(), fixed_arms(plan(space=MIXED, design="one_at_a_time", arms=20))
    trusts = {arm["optimiser.trust"] for arm in found if "optimiser.trust" in arm}
    assert trusts >= {1e-4, 1e-3, 1e-2}  # 1e-3: as LARS has it
    together = [
        {"optimiser", "optimiser.trust"},
        {"method.temperature", "method.target_temperature"},
        {"method.batch_norm_splits"},
        {"evaluation.neighbours"},
        {"method.coefficient"},
    ]
    assert all(any(changed(arm, default) <= paths for paths in together) for arm in found)


def test_pairs_of_parameters_are_crossed_with_the_others_at_the_default() -> None:
    three = space(
        method__temperature=LogUniform(0.06, 0.5, source="x"),
        method__coefficient=Uniform(0.0, 1.0, source="x"),
        method__queue=Choice((64, 32), source="x"),
    )
    default, found = three.default(), fixed_arms(plan(space=three, design="pairs", arms=30))
    assert all(len(changed(arm, default)) <= 2 for arm in found)
    levels = {path: {arm[path] for arm in found[1:]} - {default[path]} for path in default}
    for first, second in combinations(default, 2):
        for a, b in product(levels[first], levels[second]):
            assert {**default, first: a, second: b} in found
    assert len(levels["method.temperature"]) >= 2


def test_pairs_need_two_parameters() -> None:
    with pytest.raises(ValueError, match="fewer than two parameters; take grid"):
        plan(space=space(method__coefficient=Uniform(0.0, 1.0, source="x")), design="pairs")


def test_pairs_of_alternatives_are_all_that_can_stand_together() -> None:
    made = plan(space=PARTS, design="pairs")
    assert (made.arms, made.stopper) == (1 + 5 + 10 - 2, Never())
    names = [PARTS.named_arms.name_of(arm) for arm in fixed_arms(made)]
    assert names[:6] == ["default", *PARTS.named_arms.arms]
    assert "no relations & hot" in names
    refused = incompatible(PARTS)
    assert list(refused) == [("a short queue", "no queue"), ("no queue", "released")]
    assert refused["a short queue", "no queue"] == "both change method.queue"
    assert "zero_logit' is defined on a queue" in refused["no queue", "released"]
    assert not {" & ".join(pair) for pair in refused} & set(names)


def without(name: str) -> Space:
    rest = tuple(a for a in PARTS.alternatives if a.name != name)
    return Space(name="parts", question="?", base=TINY.base, alternatives=rest)


def test_added_is_the_bare_method_with_each_component_taken_back_beside_the_base() -> None:
    made = plan(space=without("released"), design="add_one_in")
    names = [made.space.named_arms.name_of(arm) for arm in fixed_arms(made)]
    assert names == [
        "default",
        "all",
        "a short queue & hot",
        "no relations & hot",
        "no relations & a short queue",
    ]
    assert fixed_arms(made)[1] == {
        "method.coefficient": 1.0,
        "method.queue": 32,  # "a short queue" stands for "no queue", which comes after it
        "method.temperature": 0.2,
        "method.target_temperature": 0.1,
    }


def test_what_cannot_be_added_to_is_refused_with_the_names() -> None:
    with pytest.raises(ValueError, match="'no relations & no queue & released & hot' .* defined on a queue"):
        plan(space=without("a short queue"), design="add_one_in")
    with pytest.raises(
        ValueError, match="the alternatives of methods all change the same; take leave_one_out"
    ):
        plan(space=SPACES["methods"], design="add_one_in")


def test_added_arms_that_break_a_constraint_are_refused() -> None:
    fine = Alternative("cool", {"method.temperature": 0.08}, source="x")
    other = Alternative("blunt", {"method.target_temperature": 0.09}, source="x")
    apart = Space(
        name="s", question="?", base=TINY.base, alternatives=(fine, other), constraints=TINY.constraints
    )
    assert incompatible(apart) == {("cool", "blunt"): "together they break a constraint"}
    with pytest.raises(ValueError, match="cool & blunt break a constraint of s"):
        plan(space=apart, design="add_one_in")


@pytest.mark.parametrize("design", COMPARISONS)
def test_arms_that_are_compared_are_not_stopped_unless_asked_for(design: str) -> None:
    listed = design in LISTS
    fields: dict[str, Any] = {"space": without("released") if listed else TINY, "design": design}
    if design == "path":
        fields["given"] = ({**TINY.default(), "method.temperature": 0.2},)
    assert plan(**fields).stopper == Never()
    assert plan(**fields, stopper=Asha()).stopper == Asha()


FOUR = space(
    method__coefficient=Uniform(0.0, 1.0, source="x"),
    method__temperature=LogUniform(0.06, 0.5, source="x"),
    method__queue=Choice((64, 32), source="x"),
    optimiser__lr=LogUniform(0.01, 1.0, source="x"),
)
TARGET = {"method.coefficient": 1.0, "method.temperature": 0.3, "method.queue": 32, "optimiser.lr": 0.3}
WORTH = {"method.coefficient": 1.0, "method.temperature": 4.0, "method.queue": -2.0, "optimiser.lr": 3.0}


def worth(arm: Values) -> float:
    return sum(WORTH[path] for path in changed(arm, FOUR.default()))


def unknown(arm: Values) -> float | None:
    """As if every run had failed."""
    return None


def walk(made: Plan, score: Callable[[Values], float | None]) -> list[Values]:
    """All arms of a path, each measured as soon as it is known."""
    scores: dict[str, float | None] = {}
    while True:
        arms = known_arms(made, scores)
        if all(key(arm) in scores for arm in arms):
            return arms
        assert arms[: len(scores)] == [json.loads(text) for text in scores]  # what was known stays
        scores |= {key(arm): score(arm) for arm in arms}


def path_plan(**fields: Any) -> Plan:
    return plan(**{"space": FOUR, "design": "path", "given": (TARGET,), **fields})


def steps(arms: list[Values], default: Values) -> list[set[str]]:
    """What is changed in the arms of each step, in one set of paths for each arm."""
    return [changed(arm, default) for arm in arms]


def test_the_path_makes_the_changes_of_an_additive_function_in_the_order_of_their_worth() -> None:
    made = path_plan()
    arms = walk(made, worth)
    assert made.arms == len(arms) == 1 + 4 + 3 + 2 + 1
    sizes = [len(paths) for paths in steps(arms, FOUR.default())]
    assert sizes == [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4]
    order = sorted(WORTH, key=lambda path: -WORTH[path])
    for made_before in range(4):
        kept = set(order[:made_before])
        tried = [paths for paths in steps(arms, FOUR.default()) if len(paths) == made_before + 1]
        assert all(kept < paths for paths in tried)
    assert arms[-1] == TARGET


def test_the_path_waits_for_every_arm_of_a_step() -> None:
    made = path_plan()
    first = known_arms(made, {})
    assert len(first) == 5
    scores = {key(arm): worth(arm) for arm in first[:-1]}
    assert known_arms(made, scores) == first
    assert len(known_arms(made, {**scores, key(first[-1]): worth(first[-1])})) == 8


def test_a_failed_step_of_the_path_counts_as_the_worst() -> None:
    best = "method.temperature"

    def fails_alone(arm: Values) -> float | None:
        return None if changed(arm, FOUR.default()) == {best} else worth(arm)

    second = steps(walk(path_plan(), fails_alone), FOUR.default())[5:8]
    assert all("optimiser.lr" in paths for paths in second)
    assert walk(path_plan(), unknown)[-1] == TARGET  # even if nothing is known, it gets there


def test_the_path_has_only_whole_steps() -> None:
    made = path_plan(arms=9)
    assert made.arms == len(walk(made, worth)) == 1 + 4 + 3
    with pytest.raises(ValueError, match="the first step of the path has 5 arms; raise --arms"):
        path_plan(arms=4)


def test_the_path_to_the_default_has_no_steps() -> None:
    with pytest.raises(ValueError, match="the target is the default of s itself"):
        path_plan(given=(FOUR.default(),))
    with pytest.raises(ValueError, match="it leads to one arm, and 0 are given"):
        path_plan(given=())


def test_a_change_of_the_path_that_breaks_a_constraint_alone_comes_behind_the_one_it_needs() -> None:
    target = {"method.temperature": 0.3, "method.target_temperature": 0.15}
    arms = walk(path_plan(space=TINY, given=(target,)), unknown)
    assert arms == [TINY.default(), {**TINY.default(), "method.temperature": 0.3}, target]


def test_changes_of_the_path_that_can_only_be_made_together_are() -> None:
    narrow = {"method.projector.output": 4, "method.predictor.output": 4}
    both = Space(
        name="both",
        question="?",
        base=replace(TINY.base, {"method.predictor": {"hidden": [8], "output": 8}}),
        alternatives=(Alternative("narrow", narrow, source="x"),),
    )
    assert walk(path_plan(space=both, given=(narrow,)), unknown) == [both.default(), narrow]


def test_the_path_changes_a_sub_configuration_with_what_is_inside_it_and_a_zip_at_once() -> None:
    default = MIXED.default()
    lars = MIXED.domains["optimiser"].corners[1]
    target = {
        **default,
        "optimiser": lars,
        "optimiser.trust": 0.01,
        "method.temperature": 0.2,
        "method.target_temperature": 0.1,
    }
    made = path_plan(space=MIXED, given=(target,))
    assert made.arms == 1 + 2 + 1
    first = steps(known_arms(made, {}), default)[1:]
    assert first == [
        {"optimiser", "optimiser.trust"},
        {"method.temperature", "method.target_temperature"},
    ]
    inside = {**target, "optimiser.trust": 0.002}
    lars_space = Space(
        name="m",
        question="?",
        base=MIXED.config(target),
        domains=MIXED.domains,
        conditions=MIXED.conditions,
    )
    only = path_plan(space=lars_space, given=(inside,))
    assert only.arms == 2
    back = path_plan(space=lars_space, given=(default,))
    assert known_arms(back, {})[1] == {
        path: value for path, value in target.items() if path != "optimiser.trust"
    } | {"optimiser": default["optimiser"]}


def test_a_static_design_knows_all_its_arms_from_the_start() -> None:
    made = plan(design="grid", arms=12)
    assert known_arms(made, {}) == known_arms(made, dict.fromkeys(map(key, fixed_arms(made)), 1.0))
