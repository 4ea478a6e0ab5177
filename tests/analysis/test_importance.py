"""The data are drawn anew for each test from a seed that the test names; shares are compared with closed forms,
with other implementations, or with brute force."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from analysis.fanova import boxes, fanova, fractions, random_forest
from analysis.importance import Importance, Share, disagreement
from analysis.load import Record, Run, parameters
from analysis.observed import Axis, Observed, by_domain, chosen, observed
from analysis.pedanova import density, ped_anova
from analysis.report.parameters import beyond_chance

RATE = {"kind": "log_uniform", "low": 0.01, "high": 1.0}
UNIT = {"kind": "uniform", "low": 0.0, "high": 1.0}
DEPTH = {"kind": "integer", "low": 1, "high": 8, "logarithmic": False}
KIND = {"kind": "choice", "values": ["a", "b", "c"]}


def record(
    arms: Sequence[dict[str, Any]],
    scores: Sequence[float],
    domains: dict[str, Any],
    states: Sequence[str] | None = None,
    **space: Any,
) -> Record:
    """One run for each arm, its configuration with the given values at their dotted paths."""
    runs = []
    for number, (values, score) in enumerate(zip(arms, scores, strict=True)):
        config: dict[str, Any] = {}
        for path, value in values.items():
            *parents, name = path.split(".")
            node = config
            for parent in parents:
                node = node.setdefault(parent, {})
            node[name] = value
        state = states[number] if states else "complete"
        curve = {"knn_top1": (np.array([1]), np.array([float(score)]))}
        runs.append(Run(str(number), number, str(number), 0, 0, config, state, "", 1, curve))
    return Record({"seeds": [0], "epochs": 1, "space": {"domains": domains, **space}}, tuple(runs))


def drawn(count: int, seed: int) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    """Arms of five domains drawn from them, and an additive score in which `dummy` has no part."""
    generator = np.random.default_rng(seed)
    u, log, dummy = generator.random((3, count))
    depth, kind = generator.integers(1, 9, count), generator.integers(0, 3, count)
    scores = 3 * u + 2 * log + 0.2 * depth + np.array([0, 0.5, 1.5])[kind]
    arms = [
        {"u": u[i], "rate": 0.01 * 100 ** log[i], "depth": int(depth[i]), "kind": "abc"[kind[i]], "dummy": d}
        for i, d in enumerate(dummy)
    ]
    return [{k: v.item() if isinstance(v, np.generic) else v for k, v in a.items()} for a in arms], scores


DRAWN = {"u": UNIT, "rate": RATE, "depth": DEPTH, "kind": KIND, "dummy": UNIT}
VARIANCES = {"u": 9 / 12, "rate": 4 / 12, "depth": 0.04 * 63 / 12, "kind": 7 / 18, "dummy": 0.0}


def study(arms: Sequence[dict[str, Any]], scores: Sequence[float], names: Sequence[str]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {
        "u": optuna.distributions.FloatDistribution(0, 1),
        "rate": optuna.distributions.FloatDistribution(0.01, 1, log=True),
        "depth": optuna.distributions.IntDistribution(1, 8),
        "kind": optuna.distributions.CategoricalDistribution("abc"),
        "dummy": optuna.distributions.FloatDistribution(0, 1),
    }
    found = optuna.create_study(direction="maximize")
    for arm, score in zip(arms, scores, strict=True):
        params = {name: arm[name] for name in names}
        kept = {name: distributions[name] for name in names}
        found.add_trial(optuna.trial.create_trial(params=params, distributions=kept, value=float(score)))
    return found


def by_name(found: Importance) -> dict[str, float]:
    return {" ".join(share.keys): share.share for share in found.shares}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_fanova_finds_the_variances_of_an_additive_score_and_nothing_in_a_dummy() -> None:
    arms, scores = drawn(800, seed=1)
    found = by_name(fanova(observed(record(arms, scores, DRAWN)), rng(), trees=16))
    total = sum(VARIANCES.values())
    assert found == pytest.approx({name: v / total for name, v in VARIANCES.items()}, abs=0.04)
    assert found["dummy"] < 0.002


def test_an_interaction_is_found_beside_what_each_does_alone() -> None:
    # 1 where both a and b lie above 1/2: of the variance 3/16, one 16th each is due to a, to b and to both together.
    positions = np.random.default_rng(2).random((600, 3))
    scores = (positions[:, :2] > 0.5).all(axis=1).astype(float)
    axes = tuple(Axis(name, column) for name, column in zip("abc", positions.T, strict=True))
    found = by_name(fanova(Observed(axes, scores), rng(), trees=16, pairs=True))
    assert found == pytest.approx(
        dict.fromkeys(("a", "b", "a b"), 1 / 3) | dict.fromkeys(("c", "a c", "b c"), 0), abs=0.03
    )
    alone = by_name(fanova(Observed(axes, scores), rng(), trees=16))
    assert alone == pytest.approx({"a": 1 / 2, "b": 1 / 2, "c": 0}, abs=0.03)


@given(st.integers(0, 2**31), st.integers(2, 20))
def test_the_shares_of_a_tree_are_those_of_its_predictions_on_every_cell_that_its_splits_cut(
    seed: int, count: int
) -> None:
    generator = np.random.default_rng(seed)
    points, scores = generator.random((count, 3)), generator.normal(size=count)
    tree = DecisionTreeRegressor(random_state=0).fit(points, scores)
    cuts = [np.unique(np.r_[0, tree.tree_.threshold[tree.tree_.feature == axis], 1]) for axis in range(3)]
    middles, widths = [(c[1:] + c[:-1]) / 2 for c in cuts], [np.diff(c) for c in cuts]
    grid = np.stack(np.meshgrid(*middles, indexing="ij"), axis=-1)
    values = tree.predict(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    weights = np.einsum("i,j,k->ijk", *widths)
    values -= (weights * values).sum()
    alone = [np.einsum(f"ijk,{rest}->{kept}", values, *w) for rest, kept, w in (
        ("j,k", "i", widths[1:]), ("i,k", "j", widths[::2]), ("i,j", "k", widths[:2]))]  # fmt: skip
    variances = [(w * a**2).sum() for w, a in zip(widths, alone, strict=True)]
    both = np.einsum("ijk,k->ij", values, widths[2])
    pair = (np.outer(widths[0], widths[1]) * both**2).sum() - variances[0] - variances[1]
    expected = np.array([*variances, pair]) / (weights * values**2).sum()
    assert fractions(boxes(tree), [(0,), (1,), (2,), (0, 1)]) == pytest.approx(expected, abs=1e-6)


def test_fanova_agrees_with_optunas_on_linear_scales() -> None:
    # Optuna integrates over raw values, also where they were drawn from a logarithmic scale, and over all points of
    # the unit cube for a category's indicators: both are left out.
    arms, scores = drawn(200, seed=3)
    names = ["u", "depth", "dummy"]
    scores = np.array([3 * arm["u"] + 0.2 * arm["depth"] for arm in arms])
    theirs = get_param_importances(study(arms, scores, names), evaluator=FanovaImportanceEvaluator(seed=0))
    found = by_name(fanova(observed(record(arms, scores, {name: DRAWN[name] for name in names})), rng()))
    assert found == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize(
    ("target", "region", "local"), [(0.1, 1.0, True), (0.25, 0.5, True), (0.25, 1.0, False)]
)
def test_ped_anova_agrees_with_optunas_on_numbers(target: float, region: float, local: bool) -> None:
    # Optuna's cells are centred on the ends of a range, ours fill it; its prior is a wide normal, ours uniform.
    arms, scores = drawn(500, seed=4)
    names = ["u", "rate", "depth", "dummy"]
    evaluator = PedAnovaImportanceEvaluator(
        target_quantile=target, region_quantile=region, evaluate_on_local=local
    )
    theirs = get_param_importances(study(arms, scores, names), evaluator=evaluator)
    known = observed(record(arms, scores, {name: DRAWN[name] for name in names}))
    found = by_name(ped_anova(known, rng(), target=target, region=region, local=local, resamples=2))
    assert found == pytest.approx(theirs, abs=0.03)


def test_ped_anova_of_categories_is_the_divergence_of_their_counts() -> None:
    # Optuna counts an arm only in part for its own category, so its shares of categories are smaller.
    kinds = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 20)
    flags = np.tile([True, False], 50)
    scores = np.where(kinds == "a", 1.0, 0.0) + np.where(flags, 0.1, 0.0)
    arms = [{"kind": str(k), "flag": bool(f)} for k, f in zip(kinds, flags, strict=True)]
    domains = {"kind": KIND, "flag": {"kind": "choice", "values": [False, True]}}
    found = by_name(ped_anova(observed(record(arms, scores, domains)), rng(), target=0.2, resamples=2))
    top, everyone = np.array([20 + 1 / 3, 1 / 3, 1 / 3]) / 21, np.array([40, 40, 20]) / 101 + 1 / 303
    kind = (everyone * (top / everyone - 1) ** 2).sum()
    top, everyone = np.array([0.5, 20.5]) / 21, np.array([0.5, 0.5])
    flag = (everyone * (top / everyone - 1) ** 2).sum()
    assert found["kind"] == pytest.approx(kind / (kind + flag))


def test_ped_anova_gives_a_dummy_next_to_nothing() -> None:
    generator = np.random.default_rng(5)
    u, dummy = generator.random((2, 3000))
    axes = Axis("u", u, cells=10, ordered=False), Axis("dummy", dummy, cells=10, ordered=False)
    found = by_name(ped_anova(Observed(axes, u), rng(), target=0.1, local=False, resamples=2))
    assert found["dummy"] < 0.01


def test_the_local_form_does_not_take_where_the_search_looked_for_importance() -> None:
    # All arms but a few lie at low values of `searched`, good and bad ones alike.
    generator = np.random.default_rng(6)
    u, searched = generator.random(1000), generator.beta(1, 8, 1000)
    known = Observed((Axis("u", u), Axis("searched", searched)), u)
    assert by_name(ped_anova(known, rng(), resamples=2))["searched"] < 0.03
    assert by_name(ped_anova(known, rng(), local=False, resamples=2))["searched"] > 0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 50), st.booleans())
def test_a_density_sums_to_one_and_is_positive_everywhere(
    positions: list[float], cells: int, ordered: bool
) -> None:
    found = density(Axis("a", np.array(positions), cells, ordered), np.array(positions))
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


def test_nine_tenths_of_a_lone_arm_lie_in_its_own_cell_and_a_bandwidth_follows_scotts_rule() -> None:
    found = density(Axis("a", np.array([0.5])), np.array([0.51])) * 2 - 1 / 50
    assert found[25] == pytest.approx(0.9, abs=0.002)
    places = np.random.default_rng(11).normal(0.5, 0.06, 200)
    found = density(Axis("a", places), places)
    middles = (np.arange(50) + 0.5) / 50
    width = ((middles**2 @ found) - (middles @ found) ** 2) ** 0.5
    spread = places.std(ddof=1)
    prior = (1 / 12 + 200 * spread**2 * (1 + (1.059 * 200**-0.2) ** 2)) / 201
    assert width == pytest.approx(prior**0.5, rel=0.03)


def test_a_forest_has_64_trees_unless_told_otherwise() -> None:
    arms, scores = drawn(20, seed=12)
    known = observed(record(arms, scores, DRAWN))
    assert len(random_forest(known, rng()).estimators_) == 64
    assert fanova(known, rng()) == fanova(known, rng(), trees=64) != fanova(known, rng(), trees=63)


@given(st.integers(0, 2**31), st.integers(20, 40))
def test_shares_sum_to_one_lie_in_their_intervals_scale_and_are_the_same_again(seed: int, count: int) -> None:
    arms, scores = drawn(count, seed=seed)
    known = observed(record(arms, scores, DRAWN))
    first, again = (ped_anova(known, np.random.default_rng(seed), resamples=5) for _ in range(2))
    assert first == again
    assert sum(share.share for share in first.shares) == pytest.approx(1)
    assert all(0 <= share.low <= share.high <= 1 for share in first.shares)
    stretched = Observed(known.axes, np.exp(known.scores))
    assert ped_anova(stretched, np.random.default_rng(seed), resamples=5) == first


def test_the_range_over_trees_narrows_with_arms() -> None:
    widths = []
    for count in (40, 400):
        arms, scores = drawn(count, seed=7)
        found = fanova(observed(record(arms, scores, DRAWN)), rng(), trees=32)
        share = next(share for share in found.shares if share.keys == ("u",))
        assert share.low < VARIANCES["u"] / sum(VARIANCES.values()) < share.high
        widths.append(share.high - share.low)
    assert widths[1] < widths[0] / 2


def noise(arms: int, seed: int, effect: float = 0.0) -> Observed:
    """Four parameters that do nothing, or of which the first moves the score."""
    generator = np.random.default_rng(seed)
    places = generator.random((4, arms))
    axes = tuple(Axis(name, place) for name, place in zip("abcd", places, strict=True))
    return Observed(axes, generator.normal(50, 2, arms) + effect * places[0])


def drawn_of(effect: float, arms: int = 24, sweeps: int = 20) -> list[Importance]:
    found = []
    for seed in range(sweeps):
        with suppress(ValueError):
            found.append(fanova(noise(arms, seed, effect), rng()))
    return found


def test_a_forest_that_knows_nothing_of_arms_it_has_not_seen_ranks_no_parameter() -> None:
    of_noise, of_effect = drawn_of(0.0), drawn_of(12.0)
    assert len(of_noise) <= 5  # of 20; all of them were drawn, the first parameter with 41 % on average
    assert len(of_effect) == 20
    assert all(found.fit is not None and 0 < found.fit < 1 for found in (*of_noise, *of_effect))
    assert all(found.shares[0].keys == ("a",) for found in of_effect)
    says = of_effect[0].sentence
    assert (
        f"out-of-bag R² {of_effect[0].fit:.2f}; ranges: the middle 95% over its trees, no confidence" in says
    )
    refused = next(seed for seed in range(20) if not drawn_fits(noise(24, seed)))
    with pytest.raises(
        ValueError, match="no better than their mean does .out-of-bag R² -?0.*, so it says nothing"
    ):
        fanova(noise(24, refused), rng())


def drawn_fits(known: Observed) -> bool:
    with suppress(ValueError):
        return bool(fanova(known, rng()))
    return False


def test_the_fit_of_a_forest_is_scikit_learns_out_of_bag_score() -> None:
    known = noise(40, 3, 12.0)
    theirs = RandomForestRegressor(64, oob_score=True, random_state=int(rng().integers(2**31)))
    places = np.stack([axis.positions for axis in known.axes], axis=1)
    assert fanova(known, rng()).fit == pytest.approx(theirs.fit(places, known.scores).oob_score_)


def test_ped_anova_says_how_often_shuffled_scores_give_as_much() -> None:
    of_noise = [ped_anova(noise(24, seed), rng(), resamples=99).chance or 1.0 for seed in range(20)]
    of_effect = [ped_anova(noise(24, seed, 25.0), rng(), resamples=99).chance or 1.0 for seed in range(20)]
    assert np.mean(np.array(of_noise) <= 0.05) <= 0.15  # of 20, 5 % are nominal
    assert 0.3 < np.mean(of_noise) < 0.7
    assert np.mean(np.array(of_effect) <= 0.05) > 0.6
    with pytest.raises(ValueError, match="finds no more than .*% of shuffles of their scores do"):
        beyond_chance(ped_anova(noise(24, int(np.argmax(of_noise))), rng(), resamples=99))
    clear = ped_anova(noise(24, int(np.argmin(of_effect)), 25.0), rng(), resamples=99)
    assert beyond_chance(clear) == clear


def test_two_methods_that_put_another_parameter_first_are_said_to_disagree() -> None:
    def of(method: str, **shares: float) -> Importance:
        rows = sorted(shares.items(), key=lambda row: -row[1])
        return Importance(method, tuple(Share(tuple(k.split("_")), v, v, v) for k, v in rows), 24, 0)

    variance = of("fANOVA", a_b=0.5, a=0.3, b=0.2)
    assert disagreement(variance, of("PED-ANOVA", a=0.9, b=0.1)) is None
    says = disagreement(variance, of("PED-ANOVA", b=0.9, a=0.1))
    assert says
    assert says.startswith("The two disagree: fANOVA puts a first (30%), PED-ANOVA b (90%).")


def test_a_share_is_of_a_domain_also_of_several_paths_or_where_some_arms_have_no_such() -> None:
    generator = np.random.default_rng(8)
    domains = {
        "crop.low, crop.high": {"kind": "zip", "values": [[0.1, 0.5], [0.2, 1.0]]},
        "kernel": {"kind": "choice", "values": [{"name": "cosine"}, {"name": "rbf", "width": 1.0}]},
        "kernel.width": {"kind": "log_uniform", "low": 0.1, "high": 10.0},
        "steps": {"kind": "integer", "low": 1, "high": 1024, "logarithmic": True},
    }
    arms, scores = [], []
    for _ in range(400):
        wide, rbf, width = generator.random() < 0.5, generator.random() < 0.5, generator.random()
        low, high = ([0.1, 0.5], [0.2, 1.0])[wide]
        kernel = {"name": "rbf", "width": 10 ** (2 * width - 1)} if rbf else {"name": "cosine"}
        steps = int(2 ** generator.uniform(0, 10))
        arms.append({"crop.low": low, "crop.high": high, "kernel": kernel, "steps": steps})
        scores.append(wide + (3 * width if rbf else 1.5))
    known = observed(record(arms, scores, domains))
    assert [axis.cells for axis in known.axes] == [2, 2, 50, 11]
    width = known.axes[2].positions
    assert np.isnan(width).sum() == sum("width" not in arm["kernel"] for arm in arms)
    # Alone: crops 1/4; a width 9/12, halved, and halved again, by being there half of the time; a kernel nothing.
    found = by_name(fanova(known, rng(), trees=16, pairs=True))
    assert found["crop.low, crop.high"] > found["kernel.width"] > 0.15
    assert found["kernel kernel.width"] == pytest.approx(found["kernel.width"], abs=0.1)
    assert found["kernel"] + found["steps"] < 0.03
    found = by_name(ped_anova(known, rng(), resamples=2))
    assert found["steps"] < 0.1 < min(found["crop.low, crop.high"], found["kernel.width"])


def test_several_domains_of_one_path_each_have_the_arms_that_they_exist_in() -> None:
    generator = np.random.default_rng(11)
    domains = {
        "kind": {"kind": "choice", "values": ["sgd", "adam"]},
        **{
            f"rate ({kind})": {
                "kind": "log_uniform",
                "low": low,
                "high": 100 * low,
                "when": {"path": "kind", "values": [kind]},
            }
            for kind, low in (("sgd", 0.01), ("adam", 1e-4))
        },
    }
    arms, scores = [], []
    for _ in range(200):
        kind, place = ["sgd", "adam"][generator.integers(2)], generator.random()
        arms.append({"kind": kind, "rate": {"sgd": 0.01, "adam": 1e-4}[kind] * 100**place})
        scores.append(3 * place if kind == "adam" else 1.5)
    whole = record(arms, scores, domains)
    assert parameters(whole) == ("kind", "rate")
    known = observed(whole)
    assert [axis.key for axis in known.axes] == ["kind", "rate (sgd)", "rate (adam)"]
    for axis, kind in zip(known.axes[1:], ("sgd", "adam"), strict=True):
        assert [not np.isnan(p) for p in axis.positions] == [
            arms[int(digest.removeprefix("arm "))]["kind"] == kind for digest in known.digests
        ]
        assert 0 <= np.nanmin(axis.positions) <= np.nanmax(axis.positions) <= 1
    found = by_name(fanova(known, rng(), trees=16))
    assert found["rate (adam)"] > 0.2
    assert found["rate (sgd)"] < 0.05


def test_only_complete_arms_count_and_the_others_are_counted() -> None:
    arms, scores = drawn(30, seed=9)
    states = ["stopped"] * 6 + ["failed"] + ["complete"] * 23
    known = observed(record(arms, scores, DRAWN, states))
    assert (len(known.scores), known.left_out) == (23, 7)
    assert sorted(known.scores) == pytest.approx(sorted(scores[7:]))
    assert "over 23 arms, 7 that are not complete left out: " in fanova(known, rng(), trees=4).sentence


def test_runs_on_fresh_seeds_have_no_part() -> None:
    arms, scores = drawn(4, seed=10)
    whole = record(arms, scores, DRAWN)
    again = [Run(**{**vars(run), "seed": 7, "identity": f"{run.identity} again"}) for run in whole.runs[:2]]
    known = observed(Record({**whole.manifest, "confirm_seeds": [7]}, (*whole.runs, *again)))
    assert sorted(known.scores) == pytest.approx(sorted(scores))


def test_positions_are_uniform_on_the_domains_own_scale() -> None:
    arms = [
        {"u": 0.25, "rate": 0.1, "depth": 1, "kind": "c"},
        {"u": 1.0, "rate": 1.0, "depth": 8, "kind": "a"},
    ]
    known = observed(record(arms, [2.0, 1.0], {name: DRAWN[name] for name in arms[0]}))
    places = {axis.key: axis.positions.tolist() for axis in known.axes}
    assert places["u"] == pytest.approx([0.25, 1])
    assert places["rate"] == pytest.approx([0.5, 1])
    assert places["depth"] == pytest.approx([1 / 16, 15 / 16])
    assert places["kind"] == pytest.approx([0.75, 0.25])  # two levels were tried


def test_a_space_that_lists_its_arms_is_read_by_what_they_change() -> None:
    arms = [{"queue": queue, "crops": crops} for queue in (0, 64) for crops in (1, 2)]
    domains = {"queue": {"kind": "choice", "values": [64, 0]}, "crops": {"kind": "choice", "values": [2, 1]}}
    names = {f"arm {number}": arm for number, arm in enumerate(arms)}
    known = observed(record(arms, [1, 2, 3, 4], domains, alternatives=names))
    assert [axis.key for axis in known.axes] == ["queue", "crops"]


def test_a_sub_configuration_comes_without_what_varies_by_itself() -> None:
    domains = {"kernel": {"kind": "choice"}, "kernel.inner.width": UNIT}
    values = {"kernel": {"name": "rbf", "inner": {"width": 0.3, "form": 1}}, "kernel.inner.width": 0.3}
    assert chosen(values, domains)["kernel"] == ({"name": "rbf", "inner": {"form": 1}},)
    assert by_domain(record([], [], domains)).manifest["space"]["domains"] == domains


def test_a_parameter_of_two_values_is_enough() -> None:
    flag = np.tile([0.25, 0.75], 10)
    known = Observed((Axis("flag", flag, cells=2, ordered=False),), flag)
    assert by_name(fanova(known, rng())) == pytest.approx({"flag": 1})


@pytest.mark.parametrize(
    ("count", "change", "says"),
    [
        (15, {}, "fANOVA: 15 arms are complete, it needs 16; let the sweep grow"),
        (20, {"scores": np.ones(20)}, "all 20 arms score 1; take a metric that tells them apart"),
        (20, {"axes": (Axis("a", np.full(20, 0.5)),)}, "no parameter has two values in 20 arms"),
    ],
)
def test_too_little_is_refused_with_what_is_needed(count: int, change: dict[str, Any], says: str) -> None:
    places = np.random.default_rng(0).random(count)
    known = Observed(**{"axes": (Axis("a", places),), "scores": places, **change})
    with pytest.raises(ValueError, match=says):
        fanova(known, rng())


def test_ped_anova_says_how_many_arms_its_quantile_needs_and_which_quantiles_it_takes() -> None:
    places = np.random.default_rng(0).random(30)
    known = Observed((Axis("a", places),), places)
    with pytest.raises(ValueError, match="PED-ANOVA of the best 10%: 30 arms are complete, it needs 50"):
        ped_anova(known, rng(), target=0.1)
    with pytest.raises(ValueError, match="give 0 < target < region <= 1"):
        ped_anova(known, rng(), target=0.5, region=0.5)
    with pytest.raises(ValueError, match="region 0.5 has no meaning in the whole domain"):
        ped_anova(known, rng(), region=0.5, local=False)
    with pytest.raises(ValueError, match="no parameter makes a difference"):
        ped_anova(Observed((Axis("a", places),), np.r_[0.0, np.ones(29)]), rng(), region=0.9)
