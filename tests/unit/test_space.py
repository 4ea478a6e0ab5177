import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive.config import replace, to_json
from contrastive.methods import METHODS
from search_spaces import SPACES
from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.space import Alternative, Less, Reference, Space, based_on, by_name
from sweeps import plan as plans
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
def test_a_constraint_compares_the_values_of_the_trial(target: float, online: float) -> None:
    trial = TINY.trial({"method.target_temperature": target, "method.temperature": online})
    assert TINY.allows(trial) == (target < online)


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
        assert listed.setting(listed.trial(arm)) == {"alternative": name}
    for arm in (listed.default(), *listed.arms().values()):
        assert listed.values_of_setting(listed.setting(listed.trial(arm))) == arm
    with pytest.raises(ValueError, match="no alternative 'no queu'. Did you mean no queue|There is"):
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
        compared = [listed.base, *(listed.trial(arm) for arm in listed.arms().values())]
        assert {trial.method.name for trial in compared} == names
    budgets = Counter(to_json(trial.method)["name"] for trial in compared if trial.method.name != "bsim")
    assert set(budgets.values()) == {3}
