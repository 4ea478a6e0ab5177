from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.best_of import BestOf, best_of, expected_best
from analysis.figures import best_of_curves
from analysis.load import Record, Run
from analysis.tuning import predicted, tunability

DOMAINS = {
    "rate": {"kind": "log_uniform", "low": 0.01, "high": 1.0},
    "queue, momentum": {"kind": "zip", "values": [[0, 0.0], [64, 0.9]]},
    "kernel": {"kind": "choice", "values": ["cosine", "rbf"]},
    "width": {"kind": "uniform", "low": 0.0, "high": 1.0},
}
DEFAULT = {"rate": 0.1, "queue": 0, "momentum": 0.0, "kernel": "cosine"}


def record(
    arms: list[tuple[dict[str, Any], Mapping[int, float]]],
    states: Mapping[int, str] | None = None,
    **manifest: Any,
) -> Record:
    """What each arm changes of the default, and its scores by seed; the first is the default."""
    runs = []
    for number, (changes, scores) in enumerate(arms):
        for seed, score in scores.items():
            curve = {"knn_top1": (np.array([1]), np.array([float(score)]))}
            state = (states or {}).get(number, "complete")
            config = f"{number} on {seed}"
            runs.append(Run(config, len(runs), str(number), seed, 0, DEFAULT | changes, state, "", 1, curve))
    seeds = sorted({run.seed for run in runs} - set(manifest.get("confirm_seeds", ())))
    made = {"id": "s", "seeds": seeds, "epochs": 1, "default_arm": "0", "space": {"domains": DOMAINS}}
    return Record(made | manifest, tuple(runs))


def test_what_tuning_gains_is_the_best_arm_less_the_default_paired_by_seed() -> None:
    default, better = {0: 50.0, 1: 54.0}, {0: 51.0, 1: 55.4}
    found = tunability(record([({}, default), ({"rate": 0.3}, better), ({"rate": 0.4}, {0: 1.0, 1: 2.0})]))[0]
    interval = stats.ttest_rel(list(better.values()), list(default.values())).confidence_interval(0.95)
    assert found.comparison.difference == pytest.approx(1.2)
    assert found.comparison.interval == pytest.approx((interval.low, interval.high))
    assert (found.arms, found.best.digest, found.fresh, found.held_out) == (3, "1", False, None)
    assert found.keys == tuple(DOMAINS)
    assert "best of 3 on the seeds that chose it, so expect less: +1.20 points" in found.sentence


def test_what_one_parameter_gains_is_of_arms_that_change_it_alone_the_most_first() -> None:
    arms = [
        ({}, {0: 50.0}),
        ({"rate": 0.3}, {0: 51.0}),
        ({"rate": 0.03}, {0: 49.0}),
        ({"queue": 64, "momentum": 0.9}, {0: 53.0}),
        ({"kernel": "rbf", "width": 0.4}, {0: 52.0}),  # the width hangs on the kernel
        ({"rate": 0.3, "kernel": "rbf", "width": 0.4}, {0: 60.0}),
    ]
    whole, *alone = tunability(record(arms, seed_deviation=0.5))
    assert whole.comparison.difference == 10
    assert [(gain.keys, gain.comparison.difference, gain.arms) for gain in alone] == [
        (("queue, momentum",), 3, 2),
        (("kernel",), 2, 2),
        (("rate",), 1, 3),
    ]
    assert [gain.comparison.significant for gain in alone] == [True, True, False]  # three deviations are 1.5


def test_a_parameter_that_is_best_at_its_default_gains_nothing() -> None:
    gains = tunability(record([({}, {0: 50.0, 1: 51.0}), ({"rate": 0.3}, {0: 49.0, 1: 49.0})]))
    assert [gain.comparison.difference for gain in gains] == [0, 0]
    assert not gains[0].comparison.significant
    assert gains[1].sentence == "Tuning rate gains nothing: the default is the best of 2."


def test_the_arm_chosen_in_the_search_is_measured_on_fresh_seeds_even_if_another_is_better_there() -> None:
    arms = [({}, {0: 50.0, 7: 50.0, 8: 51.0}), ({"rate": 0.3}, {0: 55.0, 7: 51.0, 8: 52.2}),
            ({"rate": 0.4}, {0: 54.0, 7: 59.0, 8: 60.0}), ({"kernel": "rbf"}, {0: 53.0})]  # fmt: skip
    gains = tunability(record(arms, confirm_seeds=[7, 8]))
    assert [(gain.keys, gain.best.digest, gain.fresh) for gain in gains] == [
        (tuple(DOMAINS), "1", True),
        (("kernel",), "3", False),  # it was not confirmed
        (("rate",), "1", True),
    ]
    assert [gain.comparison.difference for gain in gains] == pytest.approx([1.1, 3.0, 1.1])
    assert "on fresh seeds: +1.10 points" in gains[0].sentence


def test_a_held_out_seed_is_scored_by_the_arm_that_the_others_choose() -> None:
    table = {0: [50.0, 50.0, 50.0], 1: [59.0, 50.0, 51.0], 2: [52.0, 58.0, 53.0]}
    arms = [({"rate": 0.1 + n / 10}, dict(enumerate(scores))) for n, scores in table.items()]
    gain = tunability(record(arms))[0]
    assert gain.held_out  # without seed 1 arm 1 is best, without seed 0 or 2 arm 2 is
    assert gain.held_out.difference == pytest.approx((2 + 0 + 3) / 3)
    assert gain.held_out.difference < gain.comparison.difference
    assert "Chosen on the other seeds: +" in gain.sentence


def test_of_arms_that_differ_by_seeds_alone_tuning_seems_to_gain_and_held_out_seeds_tell() -> None:
    generator = np.random.default_rng(0)
    seen, held = [], []
    for _ in range(60):
        scores = generator.normal(50, 1, (12, 4))
        arms = [({"rate": 0.1 + n / 100}, dict(enumerate(row.tolist()))) for n, row in enumerate(scores)]
        gain = tunability(record(arms))[0]
        seen.append(gain.comparison.difference)
        held.append(gain.held_out.difference if gain.held_out else np.nan)
    assert np.mean(seen) > 0.6
    assert abs(np.mean(held)) < 3 * np.std(held) / 60**0.5


@pytest.mark.parametrize(("arms", "seeds"), [(4, 3), (12, 5), (12, 10)])
def test_what_the_held_out_seeds_say_is_a_mean_without_a_verdict(arms: int, seeds: int) -> None:
    """Its values depend on one another: Student's interval of them claims too often, 16 % at 12 arms x 10 seeds."""
    scores = np.random.default_rng(arms).normal(50, 0.1, (arms, seeds))
    scores[1] += 9.0  # however clear it is
    found = tunability(
        record([({"rate": 0.1 + n / 100}, dict(enumerate(s.tolist()))) for n, s in enumerate(scores)])
    )
    held = found[0].held_out
    assert held
    assert (held.significant, held.interval, held.p) == (None, None, None)
    assert held.difference == pytest.approx((scores[1] - scores[0]).mean())
    says = found[0].sentence.split("Chosen on the other seeds: ")[1]
    mean = f"{held.difference:+.2f} points, the mean of {seeds} seeds"
    assert says == f"{mean} whose values depend on one another, so without an interval."


def test_a_gain_on_the_seeds_that_chose_the_arm_is_corrected_for_all_arms_that_ran_there() -> None:
    default = {0: 50.0, 1: 51.0, 2: 52.0}
    better = {
        seed: score + gain for (seed, score), gain in zip(default.items(), (1.7, 2.0, 2.6), strict=True)
    }
    worse = [({"rate": 0.3 + n / 100}, {0: 49.0 - n, 1: 51.5, 2: 47.0 + n}) for n in range(9)]
    alone = tunability(record([({}, default), ({"kernel": "rbf"}, better)]))[0]
    assert alone.p_holm == alone.comparison.p
    assert "better by itself" not in alone.sentence
    for gain in tunability(record([({}, default), ({"kernel": "rbf"}, better), *worse]))[:2]:
        assert gain.best.digest == "1"
        assert gain.comparison.significant
        assert gain.p_holm == pytest.approx(10 * (alone.p_holm or 0.0))
        assert (
            f"significantly better by itself, but not among all arms (p {gain.p_holm:.2g}, Holm)."
            in gain.sentence
        )


def test_a_gain_on_fresh_seeds_is_corrected_for_the_arms_that_ran_there_alone() -> None:
    fresh = {7: 50.0, 8: 51.0, 9: 52.0}
    better = {7: 51.9, 8: 53.0, 9: 54.3}
    others = [({"rate": 0.3 + n / 100}, {0: 49.0}) for n in range(9)]
    arms = [({}, {0: 50.0} | fresh), ({"kernel": "rbf"}, {0: 55.0} | better), *others]
    gain = tunability(record(arms, confirm_seeds=[7, 8, 9]))[0]
    assert gain.fresh
    assert gain.p_holm == gain.comparison.p


def test_without_a_complete_default_there_is_nothing_to_gain_over() -> None:
    without = record([({}, {0: 50.0}), ({"rate": 0.3}, {0: 51.0})], states={0: "failed"})
    with pytest.raises(ValueError, match="s: what tuning gains is against the default; let that complete"):
        tunability(without)
    with pytest.raises(ValueError, match="s: the default is not complete"):
        predicted(without, np.random.default_rng(0))


def test_a_forest_predicts_what_each_parameter_gains_alone() -> None:
    # A rate of 0.05 is best, 20 log10(2)^2 points above the default; the first kernel by 2; the queue does nothing.
    generator = np.random.default_rng(1)
    domains = DOMAINS | {"kernel": {"kind": "choice", "values": ["rbf", "cosine"]}}
    arms = [({}, {0: 50 - 20 * np.log10(2) ** 2})]
    for _ in range(400):
        rate, rbf, queue = 10 ** generator.uniform(-2, 0), generator.random() < 0.5, generator.random() < 0.5
        changes = {"rate": rate, "queue": 64 if queue else 0, "momentum": 0.9 if queue else 0.0}
        changes |= {"kernel": "rbf", "width": generator.random()} if rbf else {}
        arms.append((changes, {0: 50 - 20 * np.log10(rate / 0.05) ** 2 + 2 * rbf}))
    found = predicted(record(arms, space={"domains": domains}), generator)
    assert found == pytest.approx({"rate": 20 * np.log10(2) ** 2, "queue, momentum": 0, "kernel": 2}, abs=0.3)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=7))
def test_the_expected_best_is_the_mean_over_all_choices(scores: list[float]) -> None:
    expected = [np.mean([max(c) for c in combinations(scores, n)]) for n in range(1, len(scores) + 1)]
    assert expected_best(np.array(scores)) == pytest.approx(expected, abs=1e-9)


def test_the_expected_best_is_right_on_average_where_drawing_with_replacement_is_too_low() -> None:
    # All samples of four draws from 0, 1 and 4, each as likely as any other.
    samples = np.array(list(product((0.0, 1.0, 4.0), repeat=4)))
    truth = [np.mean([max(draws) for draws in product((0.0, 1.0, 4.0), repeat=n)]) for n in range(1, 5)]
    assert expected_best(samples).mean(axis=0) == pytest.approx(truth)
    ranked, rank = np.sort(samples, axis=1), np.arange(1, 5) / 4
    replaced = [(ranked @ (rank**n - (rank - 1 / 4) ** n)).mean() for n in range(1, 5)]
    assert replaced[0] == pytest.approx(truth[0])
    assert all(low < true - 0.05 for low, true in zip(replaced[1:], truth[1:], strict=True))


def test_the_curve_of_many_arms_is_finite_rises_and_ends_at_the_best() -> None:
    scores = np.random.default_rng(2).normal(size=3000)
    curve = expected_best(scores)
    assert curve[0] == pytest.approx(scores.mean())
    assert curve[-1] == pytest.approx(scores.max())
    assert (np.diff(curve) > -1e-9).all()


def best(scores: Mapping[int, float], states: Mapping[int, str] | None = None, **manifest: Any) -> BestOf:
    arms = [({"rate": 0.1 + n / 100}, {0: score}) for n, score in scores.items()]
    return best_of({"a": record(arms, states, **manifest)})["a"]


def test_the_interval_of_one_arm_is_students_and_that_of_all_arms_is_none() -> None:
    scores = np.random.default_rng(3).normal(50, 2, 9)
    found = best(dict(enumerate(scores.tolist())))
    expected = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))
    assert found.known == 2  # of nine, a quarter
    assert np.isnan([found.low[2:], found.high[2:]]).all()


@given(st.lists(st.integers(0, 1000).map(lambda s: s / 10), min_size=4, max_size=24))
def test_the_interval_never_falls_as_n_grows_holds_its_curve_and_stays_within_percentages(
    scores: list[float],
) -> None:
    found = best(dict(enumerate(scores)))
    known = len(scores) // 4 if len(set(scores)) > 1 else 0  # equal scores tell nothing
    assert found.known == known
    for ends in (found.low, found.high):
        assert (np.diff(ends[:known]) >= 0).all()
        assert np.isnan(ends[known:]).all()
        assert ((ends[:known] >= 0) & (ends[:known] <= 100)).all()
    assert (found.low[:known] <= found.expected[:known] + 1e-9).all()
    assert (found.expected[:known] <= found.high[:known] + 1e-9).all()


@pytest.mark.parametrize(
    "design", ["one_at_a_time", "leave_one_out", "add_one_in", "pairs", "given", "path", "grid", "rerun:s"]
)
def test_arms_that_were_listed_beforehand_are_no_search(design: str) -> None:
    with pytest.raises(
        ValueError, match=f"a: its arms were listed beforehand .design '{design}'., so n of them are"
    ):
        best({n: 50.0 + n for n in range(5)}, plan={"design": design})


def test_one_arm_is_no_choice() -> None:
    found = best({0: 55.0})
    assert found.sentence == "One arm has a score, 55.0: what the best of n reaches takes two or more."
    assert best({0: 55.0, 1: 50.0}, plan={"design": "tpe"}).sentence.startswith("Expected best")


def test_one_arm_beside_failed_ones_is_no_choice() -> None:
    found = best({0: 55.0, 1: 0.0, 2: 0.0}, {1: "failed", 2: "failed"})
    assert found.sentence == "One arm has a score, 55.0: what the best of n reaches takes two or more."
    with pytest.raises(ValueError, match="one arm has a score"):
        best_of_curves({"a": found}, label="kNN top-1 (%)")


def test_stopped_arms_count_by_their_last_value_and_failed_ones_as_the_worst() -> None:
    found = best({0: 50.0, 1: 40.0, 2: 99.0, 3: 45.0}, {1: "stopped", 2: "failed"})
    assert found.expected == pytest.approx(expected_best(np.array([50.0, 40.0, 45.0, 40.0])))
    assert (found.unfinished, found.failed) == (1, 1)
    with pytest.raises(ValueError, match="a: no arm has a score"):
        best({0: 50.0}, {0: "failed"})


def test_the_curve_says_where_its_arms_are_no_draws() -> None:
    scores = {n: 50.0 + n for n in range(5)}
    found = best(scores, plan={"design": "random"}).sentence
    assert found.startswith("Expected best of n arms: 1: 52.5 (")  # the default was not drawn
    assert found.endswith("), 2: 53.3, 4: 54.0.")
    published = {"design": "random", "space": {"first": [{"name": "published"}]}}
    assert best({0: 50.0, 1: 60.0, 2: 55.0}, plan=published).sentence.startswith("One arm has a score, 55.0:")
    with pytest.raises(ValueError, match="a: no arm has a score"):
        best({0: 50.0}, plan={"design": "random"})
    assert best(scores, plan={"design": "tpe"}).sentence.endswith(
        "the intervals are those of independent draws; 'tpe' does not draw them, so order matters too."
    )


def test_several_sweeps_are_told_apart_by_name() -> None:
    sweeps = {name: record([({}, {0: score})]) for name, score in (("a", 50.0), ("b", 60.0))}
    found = best_of(sweeps)
    assert {name: curve.expected.tolist() for name, curve in found.items()} == {"a": [50], "b": [60]}
