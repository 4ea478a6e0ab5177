import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from scipy import stats

from analysis.figures import (
    learning_curves,
    overview,
    parallel_coordinates,
    response_curve,
    response_surface,
    slice_plot,
)
from analysis.figures.scale import excluded, scale
from analysis.figures.style import PALE, VERMILLION
from analysis.figures.surface import surface
from analysis.load import Record
from analysis.summarise import summarise
from analysis.summary import Summary
from tests.recorded import DOMAINS, KERNEL, KERNELS, TARGET, TEMPERATURE, sweep

LAMBDA = "method.coefficient"
VALUES = (0.5, 0.0, 1.0, 0.25)


def marks(axes) -> dict[tuple[float, float], str]:
    """Where arms are marked, and the face of the marker."""
    found: dict[tuple[float, float], str] = {}
    for one in axes.collections:
        if isinstance(one, PathCollection) and len(one.get_facecolor()):
            found[tuple(one.get_offsets()[0].tolist())] = to_hex(one.get_facecolor()[0])
    return found


def curve(run, epoch: int) -> float:
    return float(run.curve["knn_top1"][1][epoch - 1])


def test_curves_are_means_over_seeds_with_their_intervals():
    record = sweep(6, seeds=(0, 1, 2), epochs=5)
    summary = summarise(record)
    axes = learning_curves(record, summary, top=2).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 5]
    assert sum(to_hex(line.get_color()) == PALE.lower() for line in lines) == 3
    (default,) = (line for line in lines if to_hex(line.get_color()) == VERMILLION.lower())
    runs = [run for run in record.runs if run.arm == "arm 0"]
    table = np.array([[curve(run, epoch) for epoch in range(1, 6)] for run in runs])
    assert default.get_ydata() == pytest.approx(table.mean(axis=0))
    half = stats.t.ppf(0.975, 2) * table.std(axis=0, ddof=1) / 3**0.5
    bands = [band.get_paths()[0].vertices for band in axes.collections]
    ends = [(rows[:, 1].min(), rows[:, 1].max()) for rows in (band[band[:, 0] == 5] for band in bands)]
    expected = table.mean(axis=0)[-1] - half[-1], table.mean(axis=0)[-1] + half[-1]
    assert any(end == pytest.approx(expected) for end in ends)
    words = {text.get_text().split()[0] for text in axes.texts}
    assert words >= {"best", "default"}


def test_each_stopped_run_has_a_cross_where_it_ended():
    record = sweep(12, rungs=(3, 6))
    axes = learning_curves(record, summarise(record)).axes[0]
    crosses = {tuple(line.get_xydata()[0].tolist()) for line in axes.lines if line.get_marker() == "x"}
    stopped = [run for run in record.runs if run.state == "stopped"]
    assert crosses == {(run.epochs, curve(run, run.epochs)) for run in stopped} != set()


def test_of_two_seeds_the_band_goes_from_one_to_the_other_and_one_seed_has_none():
    record = sweep(2, seeds=(0, 1), epochs=4)
    figure = learning_curves(record, summarise(record), top=1)
    (band,) = (b.get_paths()[0].vertices for b in figure.axes[0].collections[:1])
    both = [curve(run, 4) for run in record.runs if run.arm == summarise(record).arms[0].digest]
    ends = band[band[:, 0] == 4, 1]
    assert (ends.min(), ends.max()) == pytest.approx((min(both), max(both)))
    assert "from one seed to the other" in figure.get_supxlabel()
    one = sweep(2, epochs=4)
    figure = learning_curves(one, summarise(one))
    assert not figure.axes[0].collections
    assert "n = 1 seed of 2 arms" in figure.get_supxlabel()


def test_a_gap_in_a_curve_is_a_gap_in_its_line():
    record = sweep(3, epochs=6)
    epochs, values = record.runs[0].curve["knn_top1"]
    broken = replace(record.runs[0], curve={"knn_top1": (epochs, np.where(epochs == 3, math.nan, values))})
    record = Record(record.manifest, (broken, *record.runs[1:]))
    axes = learning_curves(record, summarise(record)).axes[0]
    (line,) = (
        line
        for line in axes.lines
        if to_hex(line.get_color()) == VERMILLION.lower() and len(line.get_xdata()) > 1
    )
    assert np.isnan(line.get_ydata()).tolist() == [False, False, True, False, False, False]


def test_curves_need_a_report():
    record = Record(sweep(1).manifest, ())
    with pytest.raises(ValueError, match="no run has reported knn_top1 yet"):
        learning_curves(record, summarise(record))
    with pytest.raises(ValueError, match="one to six arms can stand out, got 0"):
        learning_curves(sweep(2), summarise(sweep(2)), top=0)


def coefficient(index: int, _: np.random.Generator) -> tuple[dict[str, Any], float]:
    return {"coefficient": VALUES[index]}, 50 - 8 * (VALUES[index] - 0.4) ** 2


def reported(*whats: str) -> list[dict[str, Any]]:
    return [
        {"values": {LAMBDA: value}, "score": 80.0 + value, "what": what, "source": "a paper"}
        for what in whats
        for value in (1.0, 0.0)
    ]


def lambdas(*whats: str, seeds: int = 3) -> tuple[Summary, dict[str, Any]]:
    space = {"domains": {LAMBDA: {"kind": "choice"}}, "constraints": [], "reported": reported(*whats)}
    record = sweep(4, seeds=range(seeds), config=coefficient, **space)
    return summarise(record), record.manifest["space"]


def test_reported_values_stand_beside_the_curve_on_an_axis_of_their_own():
    summary, space = lambdas("linear top-1")
    figure = response_curve(summary, LAMBDA, space)
    own, other = figure.axes
    line = next(line for line in own.lines if len(line.get_xdata()) == 4)
    scores = {arm.values[LAMBDA]: np.array(list(arm.scores.values())) for arm in summary.arms}
    assert line.get_xdata().tolist() == sorted(VALUES)
    assert line.get_ydata() == pytest.approx([scores[value].mean() for value in sorted(VALUES)])
    assert other.lines[0].get_xydata().tolist() == [[0.0, 80.0], [1.0, 81.0]]
    assert other.get_ylabel().replace("\n", " ") == "reported: linear top-1"
    assert "a paper" in figure.get_supxlabel()
    half = stats.t.ppf(0.975, 2) * scores[1.0].std(ddof=1) / 3**0.5
    bars = [bar[2][0].get_segments()[0] for bar in own.containers]
    assert any(
        bar[:, 1] == pytest.approx([scores[1.0].mean() - half, scores[1.0].mean() + half]) for bar in bars
    )


def test_a_response_curve_refuses_what_it_cannot_draw():
    summary, space = lambdas("linear top-1", "kNN top-1")
    with pytest.raises(
        ValueError, match="several quantities are reported; choose one: linear top-1, kNN top-1"
    ):
        response_curve(summary, LAMBDA, space)
    assert len(response_curve(summary, LAMBDA, space, what="kNN top-1").axes) == 2
    with pytest.raises(ValueError, match="no 'mAP' is reported; there is: linear top-1, kNN top-1"):
        response_curve(summary, LAMBDA, space, what="mAP")
    with pytest.raises(
        ValueError, match=r"method\.lr is no parameter of this sweep; it varies method\.coefficient"
    ):
        response_curve(summary, "method.lr", space)
    two = sweep(5)
    with pytest.raises(ValueError, match=r"1 arms vary method\.temperature alone"):
        response_curve(summarise(two), TEMPERATURE, two.manifest["space"])


def test_without_reported_values_there_is_one_axis():
    summary, space = lambdas(seeds=1)
    assert len(response_curve(summary, LAMBDA, space).axes) == 1


LONG = "a kernel whose name is long and begins as that of all the others"
NAMED = ["one more long name of a norm", "one more long name of a norm that is another"]


def named(index: int, generator: np.random.Generator) -> tuple[dict[str, Any], float]:
    """Arms of two parameters that have long names and nothing else."""
    kernel, norm = f"{LONG}: {index % 3}", NAMED[index // 3 % 2]
    return {"kernel": kernel, "norm": norm}, 50 + generator.normal()


def test_long_names_leave_room_for_the_arms_on_every_axis():
    choices = {KERNEL: {"kind": "choice"}, "method.norm": {"kind": "choice"}}
    record = sweep(6, seeds=(0, 1), config=named, domains=choices)
    summary, space = summarise(record), record.manifest["space"]
    drawn = {
        "overview": overview(record, summary),
        "response": response_curve(summary, KERNEL, space),
        "slices": slice_plot(summary, space),
    }
    for name, figure in drawn.items():
        figure.draw_without_rendering()  # a layout without room for the axes warns, which is an error here
        for axes in (one for one in figure.axes if one.get_label() != "<colorbar>"):
            width, height = axes.get_position().size
            assert min(width, height) > 0.2, name
            ticks = [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
            assert len(ticks) == len(set(ticks)), name


MIXED = {**DOMAINS, KERNEL: {"kind": "choice", "values": KERNELS}}


def test_slices_show_every_arm_at_each_of_its_parameters():
    record = sweep(7, rungs=(3,), domains=MIXED)
    summary = summarise(record)
    figure = slice_plot(summary, record.manifest["space"])
    assert [axes.get_xlabel() for axes in figure.axes] == ["temperature", "target temperature", "kernel"]
    assert [axes.get_xscale() for axes in figure.axes] == ["log", "log", "linear"]
    found = marks(figure.axes[0])
    assert set(found) == {(arm.values[TEMPERATURE], arm.last) for arm in summary.arms}
    hollow = {place for place, face in found.items() if face == "#ffffff"}
    assert (
        hollow == {(arm.values[TEMPERATURE], arm.last) for arm in summary.arms if arm.score is None} != set()
    )
    names = [label.get_text().replace("\n", " ") for label in figure.axes[2].get_xticklabels()]
    assert names == sorted(KERNELS)
    with pytest.raises(ValueError, match="7 arms have a value and 0 parameters vary"):
        slice_plot(summary, record.manifest["space"], ())


def test_parallel_coordinates_lead_each_arm_through_its_values_to_its_score():
    record = sweep(5, domains=MIXED)
    summary = summarise(record)
    axes = parallel_coordinates(summary, record.manifest["space"]).axes[0]
    lines = {to_hex(line.get_color()): line for line in axes.lines if len(line.get_xdata()) == 4}
    heights = lines[VERMILLION.lower()].get_ydata()
    low, high = (domain * factor for domain, factor in ((0.05, 16**-0.06), (0.8, 16**0.06)))
    assert heights[0] == pytest.approx(math.log(0.1 / low) / math.log(high / low))
    assert heights[2] == pytest.approx((sorted(KERNELS).index("rbf") + 0.5) / 3)
    whole = sorted(
        (line for line in axes.lines if len(line.get_xdata()) == 4), key=lambda line: line.get_zorder()
    )
    ends = [line.get_ydata()[-1] for line in whole]
    assert ends == sorted(ends), "the best lies on top"
    scores = np.array(sorted(arm.last for arm in summary.arms))
    low, high = scores.min() - 0.06 * np.ptp(scores), scores.max() + 0.06 * np.ptp(scores)
    assert ends == pytest.approx((scores - low) / (high - low))
    assert {"0.2", "rbf", "linear", "temperature", "kNN top-1 (%)"} <= {
        text.get_text() for text in axes.texts
    }


def test_parallel_coordinates_need_arms_and_room():
    record = sweep(3)
    with pytest.raises(ValueError, match="one to 9 parameters fit side by side, got 0"):
        parallel_coordinates(summarise(record), record.manifest["space"], ())
    empty = Record(record.manifest, ())
    with pytest.raises(ValueError, match="no arm has a value"):
        parallel_coordinates(summarise(empty), record.manifest["space"])


def fitted(record: Record, shift: float = 0.0):
    """The surface of a sweep, each later seed `shift` points better still."""
    arms = summarise(record).arms
    arms = [
        replace(arm, scores={seed: value + shift * seed for seed, value in arm.scores.items()})
        for arm in arms
    ]
    columns = [[arm.values[path] for arm in arms] for path in (TEMPERATURE, TARGET)]
    x, y = (scale("", values, DOMAINS[path]) for values, path in zip(columns, DOMAINS, strict=True))
    return surface(arms, list(zip(*columns, strict=True)), x, y), arms


def test_the_surface_finds_a_smooth_optimum_and_knows_where_it_knows_little():
    found, arms = fitted(sweep(25, seeds=(0, 1, 2)))
    top = np.unravel_index(found.mean.argmax(), found.mean.shape)
    assert abs(math.log(found.x[top[1]] / 0.24)) < 0.4
    column = np.abs(found.x[:, None] - [arm.values[TEMPERATURE] for arm in arms]).argmin(axis=0)
    row = np.abs(found.y[:, None] - [arm.values[TARGET] for arm in arms]).argmin(axis=0)
    scores = [np.mean(list(arm.scores.values())) for arm in arms]
    assert found.mean[row, column] == pytest.approx(scores, abs=2.0)
    assert found.deviation[row, column].max() < found.deviation.max() / 2
    assert found.deviation[row, column].max() < found.noise, "three runs an arm know it better than one does"
    assert 0.3 < found.noise < 1.5  # runs were made with 0.7 over seeds and 0.4 over epochs


def test_what_a_seed_adds_to_all_arms_is_no_noise_of_the_surface():
    one, _ = fitted(sweep(12, seeds=(0, 1, 2)))
    other, _ = fitted(sweep(12, seeds=(0, 1, 2)), shift=20.0)
    assert other.noise == pytest.approx(one.noise, rel=1e-3)
    assert other.mean == pytest.approx(one.mean + 20.0, abs=0.01)


def test_the_surface_marks_complete_arms_and_leaves_out_what_is_excluded():
    record = sweep(20, rungs=(3,))
    summary = summarise(record)
    figure = response_surface(summary, (TEMPERATURE, TARGET), record.manifest["space"])
    left, right = figure.axes
    assert set(marks(left)) >= {(arm.values[TEMPERATURE], arm.values[TARGET]) for arm in summary.arms}
    dots = next(line for line in right.lines if line.get_marker() == ".").get_xydata()
    complete = {
        (arm.values[TEMPERATURE], arm.values[TARGET]) for arm in summary.arms if arm.score is not None
    }
    assert {tuple(dot) for dot in dots.tolist()} == complete
    assert f"n = {len(complete)} runs of {len(complete)} complete arms" in figure.get_supxlabel()
    assert any(one.get_hatch() for one in left.collections)
    lines = np.geomspace(0.02, 0.8, 7)
    out = excluded(lines, lines, (TEMPERATURE, TARGET), record.manifest["space"])
    assert out.tolist() == [[y >= x for x in lines] for y in lines]
    assert excluded(lines, lines, (TARGET, TEMPERATURE), record.manifest["space"]).tolist() == out.T.tolist()
    assert not excluded(lines, lines, (TARGET, KERNEL), record.manifest["space"]).any()


def test_a_surface_needs_two_numeric_parameters_and_six_complete_arms():
    record = sweep(5, domains=MIXED)
    summary, space = summarise(record), record.manifest["space"]
    with pytest.raises(ValueError, match="needs 6 complete arms, got 5"):
        response_surface(summary, (TEMPERATURE, TARGET), space)
    with pytest.raises(ValueError, match=r"method\.kernel has names, so no surface"):
        response_surface(summary, (TEMPERATURE, KERNEL), space)
    with pytest.raises(ValueError, match=r"method\.lr is no parameter of this sweep"):
        response_surface(summary, (TEMPERATURE, "method.lr"), space)
