import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.compare import compare
from analysis.load import Record, Run
from analysis.multiple import Difference, against, differences, holm
from analysis.summarise import summarise

T = "method.temperature"
P = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def record(finals: dict[float, list[float]], **manifest: Any) -> Record:
    """A sweep of {temperature: score by seed}, 100 s and 200 device seconds a run, times its temperature."""
    runs = [
        run(temperature, seed, score)
        for temperature, scores in finals.items()
        for seed, score in enumerate(scores)
    ]
    first = next(iter(finals))
    usual = {"id": "sweep", "space": {"domains": {T: {}}}, "default_arm": f"arm {first}", "epochs": 1}
    return Record(usual | {"seeds": list(range(len(finals[first])))} | manifest, tuple(runs))


def run(temperature: float, seed: int, score: float, **fields: Any) -> Run:
    usual: dict[str, Any] = {
        "identity": f"{temperature} {seed}",
        "number": round(100 * temperature),
        "arm": f"arm {temperature}",
        "seed": seed,
        "attempt": 0,
        "config": {"method": {"temperature": temperature}},
        "state": "complete",
        "reason": "",
        "epochs": 1,
        "curve": {"knn_top1": (np.array([1]), np.array([score]))},
        "seconds": 100 * temperature,
        "device_seconds": 36_000 * temperature,
    }
    return Run(**(usual | fields))


@given(P)
def test_holm_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    """Marcus, Peritz and Gabriel 1976: a claim stands if every set of claims that holds it does."""
    for place, adjusted in enumerate(holm(p)):
        sets = [
            s
            for size in range(1, len(p) + 1)
            for s in itertools.combinations(range(len(p)), size)
            if place in s
        ]
        assert adjusted == pytest.approx(max(min(1.0, len(s) * min(p[i] for i in s)) for s in sets))


@given(P)
def test_holm_keeps_the_order_and_never_makes_p_smaller(p: list[float]) -> None:
    adjusted = [value for value in holm(p) if value is not None]
    assert all(one <= other <= 1 for one, other in zip(p, adjusted, strict=True))
    for (one, first), (other, second) in itertools.combinations(zip(p, adjusted, strict=True), 2):
        assert (first <= second) if one <= other else (first >= second)


def test_holm_in_numbers_and_a_test_that_was_not_made_counts() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01, None, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06)]
    assert holm([]) == []


FINALS = {0.1: [50.0, 54.0, 58.0], 0.2: [51.0, 55.2, 58.9], 0.3: [49.0, 54.5, 50.0]}


def test_every_arm_is_compared_with_the_default_by_seed_and_corrected_for_their_number() -> None:
    better, worse = against(record(FINALS))
    assert (better.name, worse.name) == ("temperature 0.2", "temperature 0.3")
    scores = [dict(enumerate(values)) for values in FINALS.values()]
    alone = compare(scores[1], scores[0], None)
    assert (better.difference, (better.low, better.high)) == (alone.difference, alone.interval)
    assert (better.seeds, better.p, better.effect_size) == (3, alone.p, alone.effect_size)
    assert (better.p_flips, better.p_flips_smallest) == (0.25, 0.25)
    assert better.probability_of_improvement == 1.0
    assert worse.p
    assert [better.p_holm, worse.p_holm] == holm([better.p, worse.p])
    assert (better.verdict, worse.verdict) == ("significantly better", "no significant difference")


def test_a_difference_that_stands_alone_may_fall_among_many() -> None:
    many = {number / 10: [50.0, 54.0, 58.0] for number in range(3, 12)}
    row = next(row for row in against(record(FINALS | many)) if row.name == "temperature 0.2")
    assert row.p
    assert row.p_holm
    assert row.low
    assert row.p < 0.05 < row.p_holm
    assert row.low > 0
    assert row.verdict == "no significant difference after correction for all rows"


def test_an_arm_that_does_not_matter_is_equivalent_within_a_margin() -> None:
    same = {0.1: [50.0, 54.0, 58.0, 51.0], 0.2: [50.1, 53.9, 58.1, 50.8]}
    (row,) = against(record(same), margin=1.0)
    assert row.verdict == "no significant difference, equivalent within ±1"
    # Equivalence is a claim, too, and is corrected for how many are made.
    values = compare({0: 0.6, 1: -0.4, 2: 0.5, 3: 0.0}, dict.fromkeys(range(4), 0.0), None, margin=1.0)
    assert values.p_equivalence
    assert 0.01 < values.p_equivalence < 0.05
    assert differences(["a"], [values], 1.0)[0].verdict == "no significant difference, equivalent within ±1"
    few = differences(["a", *"bcde"], [values, *["running"] * 4], 1.0)
    assert [row.verdict for row in few] == ["no significant difference", *["running"] * 4]


def test_costs_are_those_of_one_run_and_of_runs_that_were_trained_here() -> None:
    (_, row) = against(record(FINALS | {0.3: [0.0, 0.0, 0.0]}))
    assert row.seconds == pytest.approx(20)
    assert row.device_hours == pytest.approx(2)
    runs = [run(0.1, 0, 50.0), run(0.1, 1, 51.0), run(0.2, 0, 52.0), run(0.2, 1, 53.0, seconds=0.0)]
    reused = Record(record({0.1: [50.0, 51.0]}).manifest, tuple(runs))
    assert against(reused)[0].seconds == pytest.approx(10)
    old = Record(reused.manifest, tuple(run(float(r.arm[4:]), r.seed, 50.0, seconds=0.0) for r in runs))
    assert (against(old)[0].seconds, against(old)[0].device_hours) == (None, None)


def test_an_arm_that_is_not_complete_has_a_row_that_says_so_and_counts() -> None:
    runs = [run(0.1, 0, 50.0), run(0.1, 1, 51.0), run(0.2, 0, 52.0), run(0.2, 1, 53.1)]
    stopped = [run(0.3, 0, 99.0), run(0.3, 1, 10.0, state="stopped")]
    manifest = record({0.1: [50.0, 51.0]}).manifest
    (alone,) = against(Record(manifest, tuple(runs)))
    first, second = against(Record(manifest, (*runs, *stopped)))
    assert second == Difference("temperature 0.3", None, None, None, 0, "stopped")
    assert first.p == alone.p == alone.p_holm
    assert first.p
    assert first.p_holm == pytest.approx(2 * first.p)


def test_only_fresh_seeds_count_where_the_best_were_run_again() -> None:
    finals = {0.1: [50.0, 50.0, 51.0], 0.2: [90.0, 50.5, 51.0]}  # the first seed chose 0.2
    (row,) = against(record(finals, seeds=[0], confirm_seeds=[1, 2]))
    assert (row.seeds, row.difference) == (2, pytest.approx(0.25))


def test_one_seed_is_judged_by_a_deviation_that_was_measured_before() -> None:
    finals = {0.1: [50.0], 0.2: [56.0], 0.3: [51.0]}
    words = [row.verdict for row in against(record(finals, seed_deviation=1.0))]
    assert words == ["significantly better", "no significant difference"]
    unknown = against(record(finals))
    assert [row.verdict for row in unknown] == ["one seed cannot tell"] * 2
    assert [(row.low, row.p, row.p_holm, row.effect_size) for row in unknown] == [(None,) * 4] * 2


def test_any_arm_can_be_the_reference_and_any_can_be_left_out() -> None:
    found = summarise(record(FINALS)).result
    by_temperature = {arm.values[T]: arm for arm in found.arms}
    (row,) = against(record(FINALS), by_temperature[0.2], arms=[("cold", by_temperature[0.3])])
    assert (row.name, row.difference) == ("cold", pytest.approx(153.5 / 3 - 165.1 / 3))


def test_a_default_that_is_not_complete_is_refused() -> None:
    with pytest.raises(
        ValueError, match="sweep: the arm to compare with is not begun; finish it on every seed"
    ):
        against(record(FINALS, default_arm="another"))
    with pytest.raises(ValueError, match="the arm to compare with is running"):
        against(record(FINALS, seeds=[0, 1, 2, 3]))
