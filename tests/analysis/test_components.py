import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from analysis.compare import compare
from analysis.components import ablation, add_one_in, interactions, leave_one_out
from analysis.load import Record, Run
from analysis.multiple import holm
from contrastive.config import to_dict
from search_spaces import SPACES
from search_spaces.space import Alternative, Space
from sweeps.planning import plan as plans
from sweeps.planning.designs import incompatible, key
from tests.fixtures.tiny_space import TINY

ABLATIONS = [name for name, space in SPACES.items() if len(space.named_arms.standing) > 1]
BARE = [
    "mmcl_ablation",
    "wcl_ablation",
    "bsim_ablation",
    "simclr_ablation",
    "byol_ablation",
    "ressl_ablation",
]
"""Those of which all components can be left out at once."""
PARTS = Space(
    name="parts",
    question="?",
    base=TINY.base,
    alternatives=(
        Alternative("no relations", {"method.coefficient": 1.0}, source="x"),
        Alternative("no queue", {"method.queue": 0}, source="x"),
        Alternative("no cold", {"method.temperature": 0.2}, source="x"),
        # What the next leaves out is part of it, and with the last it is just the one before.
        Alternative(
            "no temperatures", {"method.temperature": 0.2, "method.target_temperature": 0.1}, source="x"
        ),
        Alternative("no cold target", {"method.target_temperature": 0.1}, source="x"),
    ),
)
SEEDS = 4


def record(space: Space, design: str, score: Callable[[frozenset[str], int], float]) -> Record:
    """A finished sweep, as its store would give it back; an arm's score follows from what it leaves out."""
    plan = plans.checked(space=space, design=design, seeds=tuple(range(SEEDS)))
    arms, written, sets = plans.fixed_arms(plan), plans.to_dict(plan), left_out(space)
    joined = {space.named_arms.name_of(arm): arm for arm in arms[1:]}
    manifest = {
        "id": "sweep",
        "plan": written,
        "space": {"domains": written["space"]["domains"], "alternatives": {**space.arms(), **joined}},
        "seeds": list(range(SEEDS)),
        "default_arm": "0",
        "epochs": 1,
    }
    runs = [
        Run(
            identity=f"{number} {seed}",
            number=number,
            arm=str(number),
            seed=seed,
            attempt=0,
            config=json.loads(json.dumps(to_dict(space.config(arm)))),
            state="complete",
            reason="",
            epochs=1,
            curve={"knn_top1": (np.array([1]), np.array([score(sets[key(arm)], seed)]))},
            seconds=100.0 - number,
            device_seconds=3600.0 * number,
        )
        for number, arm in enumerate(arms)
        for seed in range(SEEDS)
    ]
    return Record(json.loads(json.dumps(manifest)), tuple(runs))


def left_out(space: Space) -> dict[str, frozenset[str]]:
    """By the key of an arm, the alternatives that it is; the fewest that explain it."""
    refused, standing = incompatible(space), space.named_arms.standing
    pairs = [pair for pair in combinations(space.named_arms.arms, 2) if pair not in refused]
    most = [names for count in (len(standing), len(standing) - 1) for names in combinations(standing, count)]
    found: dict[str, frozenset[str]] = {key(space.default()): frozenset()}
    for names in [*((name,) for name in space.named_arms.arms), *pairs, *most]:
        with suppress(ValueError):  # not all can be left out at once
            found.setdefault(key(space.combined(*names)), frozenset(names))
    return found


def worth(name: str) -> float:
    """Of a component, in points: a different one for each name."""
    return len(name) / 4


def additive(names: frozenset[str], seed: int) -> float:
    return 60.0 + 5 * seed - sum(map(worth, names)) + 0.1 * np.sin(seed + len(names))


@pytest.mark.parametrize("name", ABLATIONS)
def test_each_component_of_a_named_ablation_is_taken_from_the_full_method(name: str) -> None:
    space = SPACES[name]
    rows = leave_one_out(record(space, "leave_one_out", additive))
    assert [row.name for row in rows] == [alternative.name for alternative in space.alternatives]
    for number, row in enumerate(rows, start=1):
        assert row.difference == pytest.approx(-worth(row.name), abs=0.2)
        assert row.seeds == SEEDS
        assert row.seconds == pytest.approx(-number)  # the first arms after the default, in order
        assert row.device_hours == pytest.approx(number)
    assert [row.p_holm for row in rows] == holm([row.p for row in rows])


def test_a_row_is_the_paired_comparison_with_the_full_method() -> None:
    sweep = record(PARTS, "leave_one_out", additive)
    row = leave_one_out(sweep, margin=3.0)[1]
    without, full = (
        {seed: additive(names, seed) for seed in range(SEEDS)}
        for names in (frozenset({"no queue"}), frozenset[str]())
    )
    alone = compare(without, full, None, margin=3.0)
    assert (row.difference, (row.low, row.high), row.p) == (alone.difference, alone.interval, alone.p)
    assert row.verdict == "significantly worse, equivalent within ±3"


@pytest.mark.parametrize("name", BARE)
def test_each_component_is_given_back_to_the_bare_method(name: str) -> None:
    space = SPACES[name]
    sweep = record(space, "add_one_in", additive)
    rows = add_one_in(sweep)
    standing = space.named_arms.standing
    assert [row.name for row in rows] == list(standing)
    for row in rows:
        assert row.difference == pytest.approx(worth(row.name), abs=0.2)
    assert leave_one_out(sweep) == interactions(sweep) == ()


def test_a_sweep_that_has_no_bare_method_has_nothing_to_add_to() -> None:
    assert add_one_in(record(PARTS, "leave_one_out", additive)) == ()


def synergy(names: frozenset[str], seed: int) -> float:
    """The relations are worth 3 points more where there is a queue, and nothing else depends on anything."""
    return additive(names, seed) + 3.0 * ({"no relations", "no queue"} <= names)


def test_the_interaction_of_two_components_is_what_their_losses_do_not_add_up_to() -> None:
    rows = {row.name: row for row in interactions(record(PARTS, "pairs", synergy))}
    refused = incompatible(PARTS)
    names = [alternative.name for alternative in PARTS.alternatives]
    assert list(rows) == [" & ".join(pair) for pair in combinations(names, 2) if pair not in refused]
    row = rows.pop("no relations & no queue")
    assert row.difference == pytest.approx(3, abs=0.2)
    assert row.verdict == "significantly better"
    assert row.low
    assert row.low > 2
    assert row.seconds is None
    named_otherwise = rows.pop("no cold & no cold target")  # the arm goes by the name of "no temperatures"
    assert named_otherwise.difference == pytest.approx(
        worth("no cold") + worth("no cold target") - worth("no temperatures"), abs=0.2
    )
    for other in rows.values():
        assert other.difference == pytest.approx(0, abs=0.2)


def test_the_interaction_is_taken_seed_by_seed() -> None:
    sweep = record(PARTS, "pairs", synergy)
    row = next(row for row in interactions(sweep) if row.name == "no relations & no queue")
    relations, queue = frozenset({"no relations"}), frozenset({"no queue"})
    contrast = {
        seed: synergy(relations | queue, seed) - synergy(relations, seed) - synergy(queue, seed)
        + synergy(frozenset(), seed)
        for seed in range(SEEDS)
    }  # fmt: skip
    alone = compare(contrast, dict.fromkeys(range(SEEDS), 0.0), None)
    assert row.p == pytest.approx(alone.p)
    assert (row.low, row.high) == pytest.approx(alone.interval)


@pytest.mark.parametrize("name", ["bsim_ablation", "simclr_ablation"])
def test_every_pair_of_a_named_ablation_is_found(name: str) -> None:
    space = SPACES[name]
    rows = interactions(record(space, "pairs", additive))
    refused = incompatible(space)
    names = [alternative.name for alternative in space.alternatives]
    assert [row.name for row in rows] == [" & ".join(p) for p in combinations(names, 2) if p not in refused]
    assert all(row.difference == pytest.approx(0, abs=0.2) for row in rows)


def test_a_component_without_which_training_fails_has_a_row_that_says_so() -> None:
    sweep = record(PARTS, "pairs", additive)
    failed = Record(
        sweep.manifest,
        tuple(
            replace(run, state="failed") if (run.number, run.seed) == (2, 3) else run for run in sweep.runs
        ),
    )
    row = next(row for row in leave_one_out(failed) if row.name == "no queue")
    assert (row.difference, row.p, row.verdict) == (None, None, "failed")
    pair = next(row for row in interactions(failed) if row.name == "no relations & no queue")
    assert (pair.difference, pair.verdict) == (None, "failed")


def test_only_fresh_seeds_count_where_a_sweep_was_confirmed() -> None:
    sweep = record(PARTS, "leave_one_out", additive)
    confirmed = Record(sweep.manifest | {"seeds": [0], "confirm_seeds": [1, 2, 3]}, sweep.runs)
    assert {row.seeds for row in leave_one_out(confirmed)} == {3}


def test_a_sweep_without_components_or_without_the_full_method_is_refused() -> None:
    sweep = record(PARTS, "leave_one_out", additive)
    with pytest.raises(ValueError, match="its space lists no alternatives; take a sweep of one that does"):
        ablation(Record({"id": "sweep", "space": {"domains": {}}}, sweep.runs))
    with pytest.raises(ValueError, match="its default has not begun; wait for it"):
        ablation(Record(sweep.manifest, sweep.runs[SEEDS:]))
    with pytest.raises(ValueError, match="the arm to compare with is running"):
        leave_one_out(Record(sweep.manifest, sweep.runs[1:]))
