import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.compare import compare
from analysis.headline import headline
from analysis.load import load, parameters, recorded_value
from analysis.multiple import against
from analysis.naming import short, shown
from analysis.summarise import summarise
from analysis.terminal import summary_text
from sweeps.store import StoreError, Writer, write_manifest

T = "method.temperature"


def sweep(directory: Path, finals: dict[float, dict[int, tuple[str, float]]], **manifest) -> Path:
    """A sweep of {temperature: {seed: (state, last value)}}; complete runs have 4 epochs, others 2."""
    write_manifest(directory, {
        "id": "sweep", "space": {"name": "s", "domains": {T: {}}, "constraints": []}, "metric": "knn_top1",
        "metric_label": "kNN top-1 (%)", "epochs": 4, "seeds": [0], "default_arm": "arm 0.1", "seed_deviation": 0.5,
    } | manifest)  # fmt: skip
    runs = [(t, seed, *end) for t, seeds in finals.items() for seed, end in seeds.items()]
    with Writer(directory, "w") as writer:
        for number, (temperature, seed, state, last) in enumerate(runs):
            row = {
                "run": f"run {number}",
                "number": number,
                "arm": f"arm {temperature}",
                "seed": seed,
                "attempt": 0,
            }
            epochs = 4 if state == "complete" else 2
            for epoch in range(1, epochs + 1):
                writer.report(row["run"], 0, epoch, {"knn_top1": last - 3 * (epochs - epoch), "loss": 1.0})
            writer.run(**row, config={"method": {"temperature": temperature}}, state=state, epochs=epochs)
    return directory


def one_seed(directory: Path, finals: dict[float, tuple[str, float]], **manifest):
    return summarise(load(sweep(directory, {t: {0: end} for t, end in finals.items()}, **manifest)))


def test_what_others_have_reported_stands_below_the_verdict(tmp_path):
    figure = {"values": {T: 0.1}, "score": 82.94, "what": "linear top-1 (%)", "source": "a paper"}
    space = {"name": "s", "domains": {T: {}}, "reported": [figure]}
    summary = one_seed(tmp_path, {0.1: ("complete", 50.0)}, space=space)
    last = summary_text(summary).splitlines()[-1]
    assert last == f"Reported elsewhere: {T} 0.1: 82.94, linear top-1 (%) (a paper)."


def test_a_sweep_is_loaded_with_its_curves_in_order_of_epoch(tmp_path):
    record = load(sweep(tmp_path, {0.1: {0: ("complete", 50.0)}, 0.2: {0: ("stopped", 40.0)}}))
    first, second = record.runs
    epochs, values = first.curve["knn_top1"]
    assert (epochs.tolist(), values.tolist()) == ([1, 2, 3, 4], [41.0, 44.0, 47.0, 50.0])
    assert (first.number, first.seed, first.state, first.epochs) == (0, 0, "complete", 4)
    assert (second.state, second.epochs, second.last("knn_top1"), second.last("none")) == (
        "stopped",
        2,
        40.0,
        None,
    )
    assert parameters(record) == (T,)
    assert recorded_value(second.config, T) == 0.2


def test_a_running_run_counts_the_epochs_it_has_reported(tmp_path):
    directory = sweep(tmp_path, {})
    with Writer(directory, "late") as writer:
        row = {"run": "x", "number": 0, "arm": "arm 0.1", "seed": 0, "attempt": 0}
        writer.run(**row, config={"method": {"temperature": 0.1}}, state="running")
        writer.report("x", 0, 3, {"knn_top1": 40.0})
    assert load(directory).runs[0].epochs == 3


def test_a_path_that_is_not_there_is_named_with_what_is():
    with pytest.raises(ValueError, match=r"method\.tau: .*no field 'tau' there, only temperature"):
        recorded_value({"method": {"temperature": 0.1}}, "method.tau")
    with pytest.raises(ValueError, match="no field 'deep' there, only"):
        recorded_value({"method": 0.1}, "method.deep")


def test_a_folder_without_a_sweep_is_refused(tmp_path):
    with pytest.raises(StoreError, match="name a folder under STORE/sweeps"):
        load(tmp_path)


def test_only_complete_arms_are_ranked_however_well_a_stopped_one_did(tmp_path):
    summary = one_seed(tmp_path, {0.1: ("complete", 50.0), 0.2: ("stopped", 60.0), 0.3: ("complete", 53.0)})
    assert [arm.values[T] for arm in summary.arms] == [0.3, 0.1, 0.2]
    assert (summary.best.number, summary.best.score, summary.default.score) == (2, 53.0, 50.0)
    assert summary.arms[2].score is None
    assert summary.arms[2].last == 60.0
    assert summary.states == {"complete": 2, "stopped": 1}
    assert (summary.epochs_spent, summary.epochs_full) == (10, 12)


@pytest.mark.parametrize(
    ("gain", "deviation", "significant"), [(1.3, 0.5, False), (1.4, 0.5, True), (9.0, None, None)]
)
def test_one_seed_tells_arms_apart_only_beyond_what_a_known_deviation_passes_once_in_twenty(
    tmp_path, gain, deviation, significant
):
    finals = {0.1: ("complete", 50.0), 0.2: ("complete", 50.0 + gain)}
    summary = one_seed(
        tmp_path, finals, seed_deviation=deviation, settle_command="sweeps --space rerun:sweep"
    )
    assert summary.comparison.difference == pytest.approx(gain)
    assert summary.comparison.significant is significant
    assert ("To settle it: sweeps --space rerun:sweep" in summary_text(summary)) is (significant is not True)
    ends = {True: "significantly better", False: "no significant difference", None: "one seed cannot tell"}
    assert headline(summary).endswith(ends[significant])


def test_several_seeds_are_compared_in_pairs(tmp_path):
    default, better = [50.0, 54.0, 58.0], [51.0, 55.2, 58.9]
    runs = {
        t: {s: ("complete", v) for s, v in enumerate(values)} for t, values in ((0.1, default), (0.2, better))
    }
    summary = summarise(load(sweep(tmp_path, runs, seeds=[0, 1, 2])))
    expected = stats.ttest_rel(better, default).confidence_interval(0.95)
    assert summary.comparison.interval == pytest.approx((expected.low, expected.high))
    assert summary.comparison.significant  # though the seeds themselves differ by eight points
    assert summary.best.deviation == pytest.approx(np.std(better, ddof=1))
    assert "± 4.0" in summary_text(summary)
    assert "score ± sd" in summary_text(summary).splitlines()[2]


def test_an_arm_counts_as_complete_only_on_all_seeds_of_the_sweep(tmp_path):
    runs = {
        0.1: {0: ("complete", 50.0), 1: ("complete", 51.0)},
        0.2: {0: ("complete", 90.0)},
        0.3: {0: ("complete", 70.0), 1: ("failed", 9.0)},
    }
    summary = summarise(load(sweep(tmp_path, runs, seeds=[0, 1])))
    assert summary.best is summary.default
    assert {arm.values[T]: arm.state for arm in summary.arms} == {
        0.1: "complete",
        0.2: "running",
        0.3: "failed",
    }
    assert headline(summary) == "Only the default is complete, at 50.5"
    assert summary.comparison is None


def test_a_run_that_ends_without_a_finite_value_is_no_result(tmp_path):
    summary = one_seed(tmp_path, {0.1: ("complete", 50.0), 0.2: ("complete", math.nan)})
    assert summary.best is summary.default
    assert (summary.arms[1].state, summary.arms[1].last) == ("failed", None)


def test_a_default_that_is_not_complete_is_not_compared_with(tmp_path):
    summary = one_seed(tmp_path, {0.1: ("stopped", 50.0), 0.2: ("complete", 60.0)})
    assert summary.comparison is None
    assert headline(summary) == "Best: temperature 0.2 at 60.0; the default is not complete"


def test_a_sweep_without_results_says_so(tmp_path):
    assert headline(summarise(load(sweep(tmp_path / "a", {})))) == "No arm is complete: no run has started"
    summary = one_seed(tmp_path / "b", {0.1: ("running", 50.0), 0.2: ("failed", 60.0)})
    assert headline(summary) == "No arm is complete: 1 failed, 1 running"
    assert "trained 4 of 8 epochs (50%)" in summary_text(summary)


def test_the_text_lists_the_best_arms_and_always_the_default(tmp_path):
    finals = {round(0.1 + i / 100, 2): ("complete", 50.0 + i) for i in range(30)}
    lines = summary_text(one_seed(tmp_path, finals), limit=3).splitlines()
    assert lines[3].split()[:3] == ["best", "29", "0.39"]
    assert lines[6].split()[:3] == ["default", "0", "0.1"]
    assert lines[7] == "... and 26 more arms"
    assert "It is the best of 30 on these very seeds: expect less on fresh ones." in lines


def test_the_best_of_many_is_not_beyond_noise_for_being_so_by_itself(tmp_path):
    default, better = [50.0, 54.0, 58.0], [51.0, 55.2, 58.9]
    finals = {0.1: default, 0.2: better, **{0.3 + i / 10: [49.0, 55.0 - i, 58.0] for i in range(8)}}
    runs = {t: {s: ("complete", v) for s, v in enumerate(values)} for t, values in finals.items()}
    summary = summarise(load(sweep(tmp_path, runs, seeds=[0, 1, 2])))
    assert summary.comparison.significant
    assert not summary.significant
    assert summary.p_holm == pytest.approx(9 * summary.comparison.p)
    assert summary.p_holm == next(
        row.p_holm for row in against(load(tmp_path)) if row.name == "temperature 0.2"
    )
    assert headline(summary).endswith(
        "+1.0 over the default: no significant difference after correction for 9 arms"
    )
    assert f"by itself, but not as the best of 9 (p {summary.p_holm:.2g}, Holm)." in summary_text(summary)


@pytest.mark.parametrize(
    ("better", "proposed"),
    [
        ([51.0, 56.0, 58.0], "--seeds 3-12 "),
        ([53.0, 51.5, 58.6], "--seeds 3-22 "),
        ([51.0, 55.2, 58.7], "--seeds 3-7 "),
    ],
)
def test_as_many_seeds_are_proposed_as_show_what_was_seen(tmp_path, better, proposed):
    finals = {0.1: [50.0, 54.0, 58.0], 0.2: better}
    runs = {t: {s: ("complete", v) for s, v in enumerate(values)} for t, values in finals.items()}
    command = "sweeps --design rerun:sweep --arms 2 --seeds 3-7 --stopper none"
    summary = summarise(load(sweep(tmp_path, runs, seeds=[0, 1, 2], settle_command=command)))
    assert proposed in summary.settling
    needed = summary.comparison.seeds_needed
    first, last = map(int, proposed.split()[1].split("-"))
    assert last - first + 1 == min(max(needed, 5), 20)
    assert summarise(load(sweep(tmp_path / "without", runs, seeds=[0, 1, 2]))).settling is None


def test_arms_without_a_common_seed_cannot_be_compared():
    with pytest.raises(ValueError, match=r"seeds \[0\] and \[1\] share none"):
        compare({0: 50.0}, {1: 50.0}, None)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=8))
def test_the_interval_holds_the_mean_difference_and_the_verdict_follows_from_it(pairs):
    arm, other = ({seed: pair[side] for seed, pair in enumerate(pairs)} for side in (0, 1))
    found, mirrored = compare(arm, other, None), compare(other, arm, None)
    if found.interval is None:
        assert np.ptp(np.round([a - b for a, b in pairs], 9)) == 0
        assert not found.significant
    else:
        low, high = found.interval
        assert low <= found.difference <= high
        assert found.significant == (not low <= 0 <= high)
        assert mirrored.interval == pytest.approx((-high, -low))
    assert found.difference == pytest.approx(np.mean([a - b for a, b in pairs]), abs=1e-9)


def test_an_interval_misses_a_true_difference_about_once_in_twenty():
    generator = np.random.default_rng(0)
    missed = 0
    for _ in range(2000):
        arm, other = (dict(enumerate(generator.normal(mean, 1.0, 4))) for mean in (52.0, 50.0))
        low, high = compare(arm, other, None).interval
        missed += not low <= 2.0 <= high
    assert 70 < missed < 130  # 100 expected, 9.7 their deviation


def test_paths_are_shortened_where_that_is_unambiguous():
    assert short(("method.temperature", "evaluation.temperature", "optimiser.lr")) == {
        "method.temperature": "method.temperature",
        "evaluation.temperature": "evaluation.temperature",
        "optimiser.lr": "lr",
    }
    assert [shown(value) for value in (0.123456, 7, True, None, "rbf", {"name": "cosine"}, [1])] == [
        "0.123", "7", "true", "null", "rbf", "cosine", "[1]",
    ]  # fmt: skip


def test_different_values_look_different_in_the_table_and_in_the_verdict(tmp_path):
    finals = {0.9995: ("complete", 50.0), 0.9996: ("complete", 60.0), 0.99965: ("complete", 40.0)}
    summary = one_seed(tmp_path, {**finals, 0.123456: ("complete", 30.0)}, default_arm="arm 0.9995")
    said = summary_text(summary)
    assert "Best: temperature 0.9996 at 60.0" in said
    rows = [line.split() for line in said.splitlines() if line.rstrip().endswith("0") and "complete" in line]
    assert [row[-5] for row in rows] == ["0.9996", "0.9995", "0.9997", "0.123"]


def test_beside_the_winner_of_a_search_stands_what_luck_alone_would_give(tmp_path):
    arms = {0.1 + n / 100: ("complete", 50.0 + n / 10) for n in range(12)}
    summary = one_seed(tmp_path / "twelve", arms, seed_deviation=2.0)
    luck = "By luck 11 arms of equal worth would lead by 3.2 points on average (seed deviation 2, 1 seed)"
    assert summary.luck == luck
    assert f"{luck}." in summary_text(summary).splitlines()
    assert one_seed(tmp_path / "unknown", arms, seed_deviation=None).luck is None
    assert one_seed(tmp_path / "best", {0.1: ("complete", 60.0)} | dict([*arms.items()][1:])).luck is None
    two = {0.1: ("complete", 50.0), 0.2: ("complete", 51.0)}
    assert one_seed(tmp_path / "two", two).luck is None  # nothing was chosen
