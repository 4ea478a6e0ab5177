import doctest
import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.load import Record, Run, parameters, setting
from contrastive.config import Config, replace, to_dict, to_json
from contrastive.methods import METHODS
from search_spaces import FILES, SPACES, conditional, domains, parts
from search_spaces.conditional import When
from search_spaces.domains import Choice, Integer, LogUniform, Uniform, Zip
from search_spaces.fitting import based_on
from search_spaces.laptop import laptop
from search_spaces.literals import check_keys
from search_spaces.named import by_name
from search_spaces.space import Alternative, Less, Reference, Space
from sweeps.planning import plan as plans
from sweeps.sessions.spaces import preset
from tests.fixtures.tiny_space import TINY


def space(**fields: Any) -> Space:
    return Space(**{"name": "s", "question": "?", "base": TINY.base, "domains": {}, **fields})


@pytest.mark.parametrize("name", SPACES)
def test_every_named_space_has_a_source_for_each_range_and_a_question(name: str) -> None:
    found = SPACES[name]
    assert found.name == name
    assert found.question.endswith("?")
    assert all(domain.source for domain in found.domains.values())
    assert found.allows(found.base)


@pytest.mark.parametrize("name", SPACES)
def test_a_plan_of_every_named_space_survives_json(name: str) -> None:
    plan = plans.checked(space=SPACES[name])
    assert plans.from_dict(json.loads(json.dumps(plans.to_dict(plan)))) == plan


def test_a_path_that_does_not_exist_is_found_when_the_space_is_built() -> None:
    with pytest.raises(ValueError, match="has no field 'temprature'. Did you mean temperature"):
        space(domains={"method.temprature": LogUniform(0.1, 1.0, source="x")})


def test_a_range_that_leaves_the_legal_values_is_found_at_its_corner() -> None:
    with pytest.raises(ValueError, match=r"coefficient = 1.5: .*less than or equal to 1"):
        space(domains={"method.coefficient": Uniform(0.0, 1.5, source="x")})


def test_corners_are_tried_together() -> None:
    fine = {"method.queue": Choice((64, 32), source="x")}
    space(domains=fine)
    with pytest.raises(ValueError, match="not a multiple"):
        space(domains={**fine, "batch": Choice((16, 48), source="x")})


@pytest.mark.parametrize("kind", [Uniform, LogUniform])
def test_a_range_from_high_to_low_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="from low to high"):
        kind(0.5, 0.1, source="x")


def test_a_default_outside_its_own_domain_is_refused() -> None:
    with pytest.raises(ValueError, match="the default method.temperature = 0.1 is outside its own domain"):
        space(domains={"method.temperature": LogUniform(0.2, 1.0, source="x")})


def test_a_base_that_breaks_a_constraint_is_refused_with_both_values() -> None:
    with pytest.raises(ValueError, match=r"target_temperature = 0.3, .*temperature = 0.1"):
        based_on(TINY, replace(TINY.base, {"method.target_temperature": 0.3}), ["method.target_temperature"])


@given(st.floats(0.02, 0.2), st.floats(0.05, 0.5))
def test_a_constraint_compares_the_values_of_the_configuration(target: float, online: float) -> None:
    config = TINY.config({"method.target_temperature": target, "method.temperature": online})
    assert TINY.allows(config) == (target < online)


def test_a_pinned_path_no_longer_varies() -> None:
    pinned = based_on(TINY, replace(TINY.base, {"method.temperature": 0.2}), ["method.temperature"])
    assert list(pinned.domains) == ["method.target_temperature"]
    assert pinned.default() == {"method.target_temperature": 0.05}


def test_what_was_measured_on_another_base_is_not_carried_over() -> None:
    known = Reference(seed_deviation=1.0, seeds=5, source="a test")
    measured = space(reference=known)
    assert based_on(measured, measured.base).reference == known
    assert based_on(measured, replace(measured.base, {"epochs": 9})).reference is None


def test_an_unknown_space_is_refused_with_the_closest_names() -> None:
    with pytest.raises(ValueError, match="no space 'sce_temperature'. Did you mean sce_temperatures"):
        by_name("sce_temperature", SPACES)


@pytest.mark.parametrize(
    ("path", "value"),
    [("evaluation.neighbours", "20"), ("views.strong.size", "None"), ("method.symmetric", "False")],
)
def test_a_range_of_real_numbers_needs_a_real_number(path: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{path} = {value} is no real number; .* Choice"):
        space(domains={path: Uniform(0.0, 50.0, source="x")})


def test_equal_values_have_one_spelling() -> None:
    whole = space(domains={"method.coefficient": Choice((0, 0.5, 1, 1.0), source="x")})
    assert whole.domains["method.coefficient"].corners == (0.0, 0.5, 1.0)
    assert all(isinstance(value, float) for value in whole.domains["method.coefficient"].corners)
    part = space(domains={"method.momentum": Choice(({"start": 0.9}, {"start": 0.99}), source="x")})
    assert part.domains["method.momentum"].corners[1] == {"start": 0.99, "schedule": "constant"}


@pytest.mark.parametrize("path", ["seed", "epochs", "data.seed"])
def test_what_makes_runs_incomparable_cannot_vary(path: str) -> None:
    with pytest.raises(ValueError, match="cannot vary within a sweep"):
        space(domains={path: Choice((1, 2), source="x")})


def test_a_constraint_names_paths_that_exist() -> None:
    with pytest.raises(ValueError, match="has no field 'heat'"):
        space(constraints=(Less("method.heat", "method.temperature", "x"),))


LISTED = {
    "alternatives": (
        Alternative("no positive", {"method.coefficient": 0}, source="a"),
        Alternative("hard and short", {"method.coefficient": 1, "method.queue": 32}, source="b"),
    )
}


def test_a_space_of_alternatives_has_an_arm_for_each_and_domains_that_follow() -> None:
    listed = space(**LISTED)
    paths = ("method.coefficient", "method.queue")
    assert listed.default() == dict(zip(paths, (0.5, 64), strict=True))
    assert listed.arms() == {
        "no positive": dict(zip(paths, (0.0, 64), strict=True)),
        "hard and short": dict(zip(paths, (1.0, 32), strict=True)),
    }
    assert {p: d.corners for p, d in listed.domains.items()} == {
        "method.coefficient": (0.5, 0.0, 1.0),
        "method.queue": (64, 32),
    }
    assert listed.domains["method.coefficient"].source == "a; b"


def test_a_run_of_a_listed_space_is_called_by_its_alternative() -> None:
    listed = space(**LISTED)
    assert listed.setting(listed.base) == {"alternative": "default"}
    for name, arm in listed.arms().items():
        assert listed.setting(listed.config(arm)) == {"alternative": name}
    for arm in (listed.default(), *listed.arms().values()):
        assert listed.values_of_setting(listed.setting(listed.config(arm))) == arm
    with pytest.raises(ValueError, match="no alternative 'no queu'. There is: default, no positive"):
        listed.values_of_setting({"alternative": "no queu"})
    named = space(**LISTED, base_name="sce")
    assert named.setting(named.base) == {"alternative": "sce"}
    plain = space(domains={"method.queue": Choice((64, 32), source="x")})
    assert plain.setting(plain.base) == {"method.queue": 64}


def test_an_illegal_alternative_is_found_when_the_space_is_built() -> None:
    with pytest.raises(ValueError, match="has no field 'coeff'"):
        space(alternatives=(Alternative("x", {"method.coeff": 1}, source="x"),))
    with pytest.raises(
        ValueError, match=r"s, 'short' \(method.queue = 24\): .*not a multiple.* Pin the path"
    ):
        space(alternatives=(Alternative("short", {"method.queue": 24}, source="x"),))


def test_pinning_what_an_alternative_changes_leaves_it_the_rest() -> None:
    listed = space(**LISTED)
    pinned = based_on(listed, replace(listed.base, {"method.coefficient": 0.3}), ["method.coefficient"])
    assert pinned.arms() == {"hard and short": {"method.queue": 32}}


def test_alternatives_that_need_each_others_values_are_not_combined() -> None:
    together = Alternative(
        "released code", {"method.queue": 32, "method.positive_in_target": "zero_logit"}, source="x"
    )
    without = Alternative("no queue", {"method.queue": 0}, source="x")  # zero_logit needs a queue
    assert len(space(alternatives=(together, without)).arms()) == 2


@pytest.mark.parametrize("name", SPACES)
def test_every_alternative_differs_from_the_default_and_from_the_others(name: str) -> None:
    arms = [SPACES[name].default(), *SPACES[name].arms().values()]
    assert all(arm not in arms[:i] for i, arm in enumerate(arms))


def test_every_method_has_a_leave_one_out_ablation_and_is_in_the_comparisons() -> None:
    names = {method().name for method in METHODS}
    assert {f"{name}_ablation" for name in names} <= set(SPACES)
    for space_name in ("methods", "method_comparison"):
        listed = SPACES[space_name]
        compared = [listed.base, *(listed.config(arm) for arm in listed.arms().values())]
        assert {config.method.name for config in compared} == names
    budgets = Counter(config.method for config in compared)
    assert set(budgets.values()) == {3}


TEMPERATURES = "method.temperature, method.target_temperature"
ZIPPED = Zip(((0.1, 0.05), (0.2, 0.05), (1, 0.5)), source="x")
SGD = {"name": "sgd", "warmup_epochs": 1}
OPTIMISERS: dict[str, Any] = {
    "domains": {
        "optimiser.trust": LogUniform(1e-4, 1e-2, source="x"),
        "optimiser": Choice((SGD, {"name": "lars", "warmup_epochs": 1}), source="x"),
        "optimiser.lr": LogUniform(0.01, 1.0, source="x"),
        TEMPERATURES: ZIPPED,
    },
    "conditions": {"optimiser.trust": When("optimiser.name", ("lars",))},
}
"""A sub-configuration with a parameter that only one of them has and one that all have, and a zip."""


def test_whole_numbers_have_both_ends_and_nothing_between_them_is_a_fraction() -> None:
    eight = Integer(1, 8, source="x")
    assert [eight.contains(v) for v in (0, 1, 8, 9, 1.5, True)] == [False, True, True, False, False, False]
    assert eight.points(3) == [1, 4, 8]
    assert eight.points(99) == list(range(1, 9))
    assert Integer(1, 100, source="x", logarithmic=True).points(3) == [1, 10, 100]


def test_whole_numbers_are_equally_likely_or_their_factors_are() -> None:
    draws = Counter(Integer(1, 8, source="x").at((i + 0.5) / 8000) for i in range(8000))
    assert draws == dict.fromkeys(range(1, 9), 1000)
    log = Integer(1, 64, source="x", logarithmic=True)
    below = sum(log.at(i / 1000) <= 8 for i in range(1000))
    assert below == pytest.approx(1000 * np.log(8.5 / 0.5) / np.log(64.5 / 0.5), abs=1)


@pytest.mark.parametrize(
    ("path", "value"),
    [("method.temperature", "0.1"), ("method.symmetric", "False"), ("method.predictor", "None")],
)
def test_a_range_of_whole_numbers_needs_a_whole_number(path: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"s: {path} = {value} is no whole number"):
        space(domains={path: Integer(0, 50, source="x")})


def test_a_logarithmic_range_of_whole_numbers_begins_above_zero() -> None:
    with pytest.raises(ValueError, match="begins at 1 or above, got 0"):
        Integer(0, 9, source="x", logarithmic=True)


def test_whole_numbers_that_must_be_multiples_of_something_are_found_out() -> None:
    with pytest.raises(ValueError, match=r"method.queue = 17\): .*not a multiple of the 16 keys"):
        space(domains={"method.queue": Integer(16, 64, source="x")})


def test_parameters_that_change_together_are_one_choice_and_several_values() -> None:
    zipped = space(domains={TEMPERATURES: ZIPPED})
    assert zipped.paths == ["method.temperature", "method.target_temperature"]
    assert zipped.default() == {"method.temperature": 0.1, "method.target_temperature": 0.05}
    assert zipped.flat({TEMPERATURES: [0.2, 0.05]}) == {**zipped.default(), "method.temperature": 0.2}
    assert zipped.chosen(zipped.default()) == {TEMPERATURES: (0.1, 0.05)}
    assert zipped.domains[TEMPERATURES].corners[2] == (1.0, 0.5)
    assert all(isinstance(value, float) for value in zipped.domains[TEMPERATURES].corners[2])


def test_a_zip_has_a_value_for_each_of_its_paths() -> None:
    with pytest.raises(ValueError, match="one part for each of its 2 paths"):
        space(domains={TEMPERATURES: Zip(((0.1, 0.05), (0.2,)), source="x")})
    with pytest.raises(ValueError, match="has no field 'heat'"):
        space(domains={"method.temperature, method.heat": ZIPPED})


def test_no_path_varies_twice() -> None:
    alone = {"method.temperature": LogUniform(0.05, 0.5, source="x")}
    with pytest.raises(ValueError, match="method.temperature varies twice"):
        space(domains={TEMPERATURES: ZIPPED, **alone})


def test_what_is_pinned_of_a_zip_leaves_the_rest() -> None:
    zipped = space(domains={TEMPERATURES: ZIPPED})
    pinned = based_on(zipped, zipped.base, ["method.temperature"])
    assert pinned.domains == {"method.target_temperature": Choice((0.05, 0.5), source="x")}
    assert based_on(zipped, zipped.base, zipped.paths).domains == {}


def test_a_parameter_of_one_sub_configuration_exists_only_beside_it() -> None:
    found = space(**OPTIMISERS)
    assert "optimiser.trust" not in found.default()
    sgd, lars = found.domains["optimiser"].corners
    assert not found.conditional.is_active("optimiser.trust", {"optimiser": sgd})
    assert found.conditional.is_active("optimiser.trust", {"optimiser": lars})
    assert not found.conditional.is_active("optimiser.trust", {})
    assert "optimiser.trust" not in found.flat({"optimiser": sgd, "optimiser.trust": 0.01})


def test_a_sub_configuration_is_put_in_before_what_is_changed_inside_it() -> None:
    found = space(**OPTIMISERS)
    lars = found.domains["optimiser"].corners[1]
    config = found.config({"optimiser.trust": 0.01, "optimiser.lr": 0.5, "optimiser": lars})
    assert to_json(config.optimiser) == {**lars, "trust": 0.01, "lr": 0.5}


def test_domains_stand_behind_what_they_hang_on() -> None:
    keys = list(space(**OPTIMISERS).domains)
    assert keys.index("optimiser") < keys.index("optimiser.trust")
    assert keys.index("optimiser") < keys.index("optimiser.lr")


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_what_was_chosen_is_found_again_from_the_arm_and_from_the_configuration(
    fractions: list[float],
) -> None:
    found = space(**OPTIMISERS)
    drawn = {key: d.at(f) for (key, d), f in zip(found.domains.items(), fractions, strict=True)}
    arm = found.flat(drawn)
    assert found.chosen(arm) == {
        key: v for key, v in drawn.items() if found.conditional.is_active(key, drawn)
    }
    assert found.arm_of(found.config(arm)) == arm == found.flat(found.chosen(arm))
    assert found.values_of_setting(found.setting(found.config(arm))) == arm


def test_every_corner_is_tried_once_however_many_domains_do_not_exist_in_it() -> None:
    found = space(**OPTIMISERS)
    corners = list(
        found.conditional.combinations({key: domain.corners for key, domain in found.domains.items()})
    )
    assert len(corners) == (1 + 2) * 2 * 3  # sgd, or lars with two trusts; two rates; three pairs
    assert len({json.dumps(found.flat(corner), sort_keys=True) for corner in corners}) == len(corners)


def test_a_change_of_a_sub_configuration_brings_what_it_has_inside() -> None:
    found = space(**OPTIMISERS)
    lars = found.domains["optimiser"].corners[1]
    arm = found.conditional.arm({"optimiser": lars})
    assert arm == {**found.default(), "optimiser": lars, "optimiser.trust": 1e-3}


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (
            {"optimiser.trust": When("optimiser.name", ("adam",))},
            "optimiser.trust never exists: optimiser.name",
        ),
        ({"optimiser.lr": When("optimiser.trust", (0.01,))}, "optimiser.trust, which is a range of real"),
        ({"optimiser": When("optimiser.trust", (0.01,))}, "exist only if one another do"),
        (
            {"optimiser.rate": When("optimiser.name", ("lars",))},
            "a condition on 'optimiser.rate'. Did you mean",
        ),
    ],
)
def test_a_condition_that_cannot_be_is_refused(conditions: dict[str, When], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        space(domains=OPTIMISERS["domains"], conditions={**OPTIMISERS["conditions"], **conditions})


def test_a_condition_may_be_on_whole_numbers_and_on_what_does_not_vary() -> None:
    queues = {"method.momentum.start": When("method.batch_norm_splits", (2,))}
    domains: dict[str, Any] = {
        "method.momentum.start": Uniform(0.5, 0.99, source="x"),
        "method.batch_norm_splits": Integer(1, 2, source="x"),
    }
    found = space(domains=domains, conditions=queues)
    assert found.default() == {"method.batch_norm_splits": 1}
    fixed = {"method.momentum.start": When("method.name", ("sce",))}
    assert "method.momentum.start" in space(domains=domains, conditions=fixed).default()


def test_a_parameter_of_one_sub_configuration_needs_a_condition() -> None:
    with pytest.raises(ValueError, match=r"optimiser.trust: optimiser \(sgd\) has no field 'trust'"):
        space(domains=OPTIMISERS["domains"])


def test_two_choices_of_the_same_configuration_are_refused() -> None:
    rates = Choice((SGD, {**SGD, "lr": 0.1}), source="x")
    with pytest.raises(ValueError, match="are the same configuration; leave out one"):
        space(domains={"optimiser": rates, "optimiser.lr": LogUniform(0.01, 1.0, source="x")})


def test_a_base_that_differs_from_its_default_arm_is_refused() -> None:
    given: dict[str, Any] = {
        "domains": {
            "optimiser": Choice((SGD, {"name": "lars", "warmup_epochs": 1}), source="x"),
            "optimiser.lr": LogUniform(0.01, 1.0, source="x"),
        },
        "conditions": {"optimiser.lr": When("optimiser.name", ("lars",))},
    }
    space(**given)
    with pytest.raises(ValueError, match="the base differs from its default arm"):
        space(**given, base=replace(TINY.base, {"optimiser.lr": 0.2}))


def test_pinning_a_sub_configuration_decides_what_exists() -> None:
    found = space(**OPTIMISERS)
    assert "optimiser.trust" not in based_on(found, found.base, ["optimiser"]).domains
    lars = replace(found.base, {"optimiser": found.domains["optimiser"].corners[1]})
    assert based_on(found, lars, ["optimiser"]).default()["optimiser.trust"] == 1e-3


def test_a_constraint_holds_where_a_configuration_lacks_one_of_its_fields() -> None:
    found = space(**OPTIMISERS, constraints=(Less("optimiser.trust", "optimiser.lr", "x"),))
    lars = found.domains["optimiser"].corners[1]
    assert found.allows(found.base)
    assert not found.allows(found.config({"optimiser": lars, "optimiser.trust": 0.01, "optimiser.lr": 0.01}))


def test_a_run_is_told_by_its_real_paths_in_the_space_and_in_the_analysis_alike() -> None:
    found = space(**OPTIMISERS)
    record = Record({"space": {"domains": {key: {} for key in found.domains}}}, ())
    assert list(parameters(record)) == found.paths
    for chosen in found.conditional.combinations(
        {key: domain.corners for key, domain in found.domains.items()}
    ):
        config = found.config(found.flat(chosen))
        run = Run("r", 0, "a", 0, 0, to_dict(config), "complete", "", 1, {})
        assert setting(record, run) == found.setting(config)
    assert found.setting(found.base)["optimiser.trust"] == ""


def test_a_space_with_all_of_it_survives_json() -> None:
    first = Alternative("slow", {"optimiser.lr": 0.02}, source="x")
    whole = {"method.batch_norm_splits": Integer(1, 2, source="x")}
    made = space(**{**OPTIMISERS, "domains": {**OPTIMISERS["domains"], **whole}}, first=(first,))
    planned = plans.checked(space=made, arms=3)
    assert plans.from_dict(json.loads(json.dumps(plans.to_dict(planned)))) == planned


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method.temperature": 0.9}, "outside its domain"),
        (
            {"method.temperature": 0.06, "method.target_temperature": 0.1},
            "'x' wants method.target_temperature <",
        ),
        ({"optimiser.lr": 0.1}, "changes what does not vary; what varies is method.temperature"),
        ({"method.heat": 0.1}, "has no field 'heat'"),
    ],
)
def test_what_is_tried_first_must_be_an_arm_of_the_space(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        space(
            domains=TINY.domains,
            constraints=TINY.constraints,
            first=(Alternative("x", values, source="x"),),
        )


def test_what_is_tried_first_and_no_longer_fits_another_base_is_left_out() -> None:
    values = {"a": 0.08, "b": 0.3}
    first = tuple(Alternative(name, {"method.temperature": v}, source="x") for name, v in values.items())
    found = space(domains=TINY.domains, constraints=TINY.constraints, first=first)
    assert [arm["method.temperature"] for arm in found.first_arms()] == [0.08, 0.3]
    path = "method.target_temperature"
    moved = based_on(found, replace(found.base, {path: 0.09}), [path])
    assert moved.first_arms() == [{"method.temperature": 0.3}]
    assert based_on(found, found.base, ["method.temperature"]).first_arms() == []


@pytest.mark.parametrize("name", SPACES)
def test_first_arms_of_every_named_space_differ_from_its_default(name: str) -> None:
    found = SPACES[name]
    assert found.default() not in found.first_arms()
    assert len(found.first_arms()) == len(found.first)


def test_a_listed_space_has_neither_conditions_nor_first_arms() -> None:
    with pytest.raises(ValueError, match="neither conditions nor first"):
        space(**LISTED, first=(Alternative("x", {"method.coefficient": 0.2}, source="x"),))


def test_an_alternative_that_breaks_a_constraint_is_refused() -> None:
    with pytest.raises(ValueError, match="s, 'hot' wants method.target_temperature < method.temperature"):
        space(
            constraints=TINY.constraints,
            alternatives=(Alternative("hot", {"method.target_temperature": 0.4}, source="x"),),
        )


PARTS = space(
    alternatives=(
        Alternative("no relations", {"method.coefficient": 1.0}, source="x"),
        Alternative("a short queue", {"method.queue": 32}, source="x"),
        Alternative("no queue", {"method.queue": 0}, source="x"),
        Alternative("hot", {"method.temperature": 0.2, "method.target_temperature": 0.1}, source="x"),
        Alternative("quick", {"optimiser.lr": 0.1}, source="x"),
    )
)


def test_several_alternatives_at_once_are_called_by_their_names() -> None:
    assert PARTS.named_arms.name_of(PARTS.combined("hot", "no queue")) == "no queue & hot"
    standing = ["no relations", "a short queue", "hot", "quick"]
    assert PARTS.named_arms.name_of(PARTS.combined(*standing)) == "all"
    assert PARTS.named_arms.name_of(PARTS.combined(*standing[:3])) == "all but quick"
    half = {**PARTS.default(), "method.temperature": 0.2}
    assert PARTS.named_arms.name_of(half) == "method.temperature = 0.2"
    assert PARTS.named_arms.name_of(PARTS.default()) == "default"


def test_an_arm_of_several_alternatives_is_found_again_by_its_name() -> None:
    names = list(PARTS.named_arms.arms)
    some = [c for count in range(6) for c in combinations(names, count)]
    for together in (c for c in some if not {"a short queue", "no queue"} <= set(c)):
        arm = PARTS.combined(*together)
        assert PARTS.values_of_setting(PARTS.setting(PARTS.config(arm))) == arm


def test_the_analysis_does_not_take_an_arm_without_a_name_for_the_default() -> None:
    domains = plans.to_dict(plans.checked(space=PARTS))["space"]["domains"]
    record = Record({"space": {"domains": domains, "alternatives": PARTS.arms(), "base_name": "sce"}}, ())

    def called(arm: dict[str, Any]) -> str:
        run = Run("r", 0, "a", 0, 0, to_dict(PARTS.config(arm)), "complete", "", 1, {})
        return setting(record, run)["alternative"]

    assert called(PARTS.default()) == "sce"
    assert called(PARTS.arms()["quick"]) == "quick"
    assert called(PARTS.combined("no queue", "quick")) == "method.queue = 0 & optimiser.lr = 0.1"


def test_names_of_alternatives_cannot_be_taken_for_several() -> None:
    with pytest.raises(ValueError, match="' & ' joins names of alternatives; rename 'a & b'"):
        space(alternatives=(Alternative("a & b", {"method.queue": 0}, source="x"),))


@pytest.mark.parametrize("name", SPACES)
def test_every_named_space_finds_each_of_its_arms_again(name: str) -> None:
    found = SPACES[name]
    for arm in (found.default(), *found.first_arms(), *found.arms().values()):
        assert found.arm_of(found.config(arm)) == arm
        assert found.values_of_setting(found.setting(found.config(arm))) == arm


def recipe(name: str) -> Config:
    return replace(laptop("simclr"), preset(name))


@pytest.mark.parametrize(
    ("around", "base", "message"),
    [
        (
            SPACES["simclr_temperature"],
            recipe("sce:cifar10"),
            "simclr_temperature varies method.temperature around method simclr, and method would be sce",
        ),
        (SPACES["simclr_ablation"], recipe("byol:cifar10"), "method.projector around method simclr, .* byol"),
        (SPACES["methods"], recipe("sce:cifar10"), "methods varies method around method simclr, .* be sce"),
        (
            space(domains={"encoder.width": Choice((2, 4), source="a test")}),
            replace(TINY.base, {"encoder.name": "resnet"}),
            "varies encoder.width around encoder strided, and encoder would be resnet",
        ),
        (
            space(
                base=laptop("bsim on moco"), domains={"method.inner.queue": Choice((512,), source="a test")}
            ),
            laptop("bsim on simclr"),
            "varies method.inner.queue around method.inner moco, and method.inner would be simclr",
        ),
    ],
)
def test_a_base_of_another_kind_than_what_the_space_varies_is_refused(
    around: Space, base: Config, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        based_on(around, base)


def test_another_kind_is_welcome_where_no_field_of_the_old_one_varies() -> None:
    simclr = SPACES["simclr_temperature"]
    assert based_on(simclr, recipe("simclr:cifar10")).paths == simclr.paths
    assert based_on(simclr, recipe("sce:cifar10"), ["method.temperature"]).paths == []
    assert based_on(simclr, replace(simclr.base, {"optimiser.name": "lars"})).paths == simclr.paths
    longer = replace(TINY.base, {"epochs": 12})
    kinds = space(base=longer, domains={"optimiser.name": Choice(("sgd", "lars"), source="a test")})
    assert based_on(kinds, replace(kinds.base, {"optimiser.name": "lars"})).default() == {
        "optimiser.name": "lars"
    }


RATES: dict[str, Any] = {
    "optimiser.name": Choice(("sgd", "adam", "lars"), source="a test"),
    "optimiser.lr (sgd)": LogUniform(0.01, 1.0, source="a test"),
    "optimiser.lr (adam)": LogUniform(1e-4, 1e-2, source="a test"),
    "optimiser.lr (lars)": LogUniform(0.4, 4.0, source="a test"),
}
OF_KIND = {f"optimiser.lr ({kind})": When("optimiser.name", (kind,)) for kind in ("sgd", "adam", "lars")}
LONGER = replace(TINY.base, {"epochs": 12})


def rates() -> Space:
    """Each optimiser with its own range of learning rates; LARS's default rate lies outside of its range."""
    return space(base=LONGER, domains=RATES, conditions=OF_KIND)


def test_each_optimiser_has_its_own_range_of_learning_rates() -> None:
    found = rates()
    assert found.paths == ["optimiser.name", "optimiser.lr"]
    assert found.default() == {"optimiser.name": "sgd", "optimiser.lr": 0.06}
    for kind, low, high in (("sgd", 0.01, 1.0), ("adam", 1e-4, 1e-2), ("lars", 0.4, 4.0)):
        arm = {"optimiser.name": kind, "optimiser.lr": high}
        assert found.chosen(arm) == {"optimiser.name": kind, f"optimiser.lr ({kind})": high}
        assert (
            found.flat({"optimiser.name": kind, **{f"{key}": 0.5 for key in OF_KIND}})["optimiser.lr"] == 0.5
        )
        assert found.arm_of(found.config(arm)) == arm
        assert found.config({**arm, "optimiser.lr": low}).optimiser.lr == low


def test_a_kind_that_is_chosen_brings_its_own_rate_or_the_middle_of_its_range() -> None:
    assert rates().conditional.arm({"optimiser.name": "adam"}) == {
        "optimiser.name": "adam",
        "optimiser.lr": 1e-3,
    }
    lars = rates().conditional.arm({"optimiser.name": "lars"})
    assert lars["optimiser.lr"] == pytest.approx(1.6**0.5)


def test_a_range_of_a_kind_that_is_pinned_away_no_longer_exists() -> None:
    adam = replace(LONGER, {"optimiser.name": "adam"})
    pinned = based_on(rates(), adam, ["optimiser.name"])
    assert list(pinned.domains) == ["optimiser.lr (adam)"]
    assert pinned.default() == {"optimiser.lr": 1e-3}
    assert list(based_on(rates(), LONGER, ["optimiser.lr"]).domains) == ["optimiser.name"]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (
            OF_KIND | {"optimiser.lr (adam)": When("optimiser.name", ("adam", "sgd"))},
            "optimiser.lr varies twice, as 'optimiser.lr .sgd.' and as 'optimiser.lr .adam.', where "
            'optimiser.name = "sgd"; leave out one, or give both conditions that never hold together',
        ),
        ({key: when for key, when in OF_KIND.items() if "sgd" not in key}, "varies twice.* = .adam"),
        ({}, "optimiser.lr varies twice, as .* and as 'optimiser.lr .adam.'; leave out one"),
        (
            OF_KIND | {"optimiser.lr (lars)": When("method.coefficient", (0.5,))},
            "optimiser.lr varies twice, as 'optimiser.lr .sgd.' and as 'optimiser.lr .lars.'",
        ),
    ],
)
def test_two_domains_of_one_path_never_exist_together(conditions: dict[str, When], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        space(base=LONGER, domains=RATES, conditions=conditions)


def test_conditions_on_several_paths_may_be_disjoint() -> None:
    nested = {
        "optimiser.name": Choice(("sgd", "lars"), source="a test"),
        "optimiser.nesterov": Choice((False, True), source="a test"),
        "optimiser.lr (lars)": LogUniform(0.1, 4.0, source="a test"),
        "optimiser.lr (plain)": LogUniform(0.01, 1.0, source="a test"),
        "optimiser.lr (nesterov)": LogUniform(0.01, 0.5, source="a test"),
    }
    conditions = {
        "optimiser.nesterov": When("optimiser.name", ("sgd",)),
        "optimiser.lr (lars)": When("optimiser.name", ("lars",)),
        "optimiser.lr (plain)": When("optimiser.nesterov", (False,)),
        "optimiser.lr (nesterov)": When("optimiser.nesterov", (True,)),
    }
    found = space(base=LONGER, domains=nested, conditions=conditions)
    arms = [
        found.flat(c)
        for c in found.conditional.combinations({k: d.points(2) for k, d in found.domains.items()})
    ]
    assert len(arms) == 6
    assert {arm["optimiser.lr"] for arm in arms if arm.get("optimiser.nesterov")} == {0.01, 0.5}


@pytest.mark.parametrize("design", ["grid", "one_at_a_time", "random", "qmc", "pairs"])
def test_every_design_copes_with_several_domains_of_a_path(design: str) -> None:
    plan = plans.checked(space=rates(), design=design, arms=40)
    arms = plans.fixed_arms(plan)
    assert len(arms) > 6
    for arm in arms:
        key = f"optimiser.lr ({arm['optimiser.name']})"
        assert plan.space.domains[key].contains(arm["optimiser.lr"]), arm


def test_every_domain_and_condition_has_an_example_that_is_true() -> None:
    for module in (domains, conditional, parts):
        assert doctest.testmod(module).failed == 0
    for kind in (Uniform, LogUniform, Integer, Choice, Zip, When, Less):
        assert ">>>" in (kind.__doc__ or ""), kind


@pytest.mark.parametrize("file", FILES)
def test_named_spaces_have_no_key_twice(file: ModuleType) -> None:
    check_keys(Path(str(file.__file__)))
