import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from scipy import stats

from analysis.arms import Arm, front, ranked
from analysis.best_of import BestOf
from analysis.campaign import Result
from analysis.figures import (
    best_of_curves,
    factors,
    forest,
    heat_map,
    importance_bars,
    pareto_front,
    seed_slopes,
)
from analysis.figures.style import contrast_ratio
from analysis.importance import Importance, Share
from analysis.load import Record, Run
from analysis.multiple import Difference
from analysis.summary import Summary

LABEL = "kNN top-1 (%)"
ROWS = [
    Difference("better", 2.0, 0.5, 3.5, 5, "significantly better"),
    Difference("unclear", -0.4, -1.5, 0.7, 5, "no significant difference"),
    Difference("single", 1.0, None, None, 1, "one seed cannot tell"),
    Difference("later", None, None, None, 0, "not begun"),
    Difference("worse", -3.0, -4.0, -2.0, 5, "significantly worse"),
]


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_forest_has_each_difference_in_its_row_with_its_interval():
    axes = forest(ROWS, label="points", margin=1.5).axes[0]
    points = {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() == "o"}
    assert {row: line.get_xdata()[0] for row, line in points.items()} == {0: 2.0, 1: -0.4, 2: 1.0, 4: -3.0}
    whiskers = [
        line for line in axes.lines if line.get_marker() == "None" and len(set(line.get_ydata())) == 1
    ]
    assert {
        line.get_ydata()[0]: tuple(line.get_xdata()) for line in whiskers if line.get_linewidth() > 1
    } == {
        0: (0.5, 3.5),
        1: (-1.5, 0.7),
        4: (-4.0, -2.0),
    }
    filled = {row: to_rgb(line.get_markerfacecolor()) != (1, 1, 1) for row, line in points.items()}
    assert filled == {0: True, 1: False, 2: False, 4: True}
    (band,) = axes.patches
    assert (band.get_x(), band.get_width()) == (-1.5, 3.0)
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first row is at the top"
    assert set(words(axes)) >= {"+2.00", "+0.50 to +3.50", "−0.40", "significantly better", "not begun", "0"}


def test_a_forest_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="none of 1 differences is known"):
        forest(ROWS[3:4], label="points")
    for low, high in ((2.5, 3.0), (math.nan, 3.0), (1.0, math.inf)):
        with pytest.raises(ValueError, match="tilted: 2.0 does not lie within"):
            forest([Difference("tilted", 2.0, low, high, 5, "")], label="points")


def test_slopes_join_each_seed_and_show_the_means():
    scores = {"default": {1: 50.0, 2: 52.0, 3: 51.0, 4: 40.0}, "tuned": {1: 53.0, 2: 51.0, 3: 54.0, 5: 1.0}}
    figure = seed_slopes(scores, label=LABEL)
    axes = figure.axes[0]
    lines = [line for line in axes.lines if line.get_marker() == "."]
    assert [tuple(line.get_ydata()) for line in lines] == [(50.0, 53.0), (52.0, 51.0), (51.0, 54.0)]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-"]
    (bars,) = axes.containers
    means, _, (segments,) = bars
    assert means.get_ydata() == pytest.approx([51.0, 158 / 3])
    half = stats.t.ppf(0.975, 2) * np.std([53, 51, 54], ddof=1) / 3**0.5
    assert segments.get_segments()[1][:, 1] == pytest.approx([158 / 3 - half, 158 / 3 + half])
    foot = figure.get_supxlabel().replace("\n", " ")
    assert "n = 3" in foot
    assert "+1.67 points over 3 paired seeds" in foot
    assert "seeds 4, 5" in foot


def test_slopes_of_one_seed_have_no_interval_and_those_without_a_shared_seed_are_refused():
    figure = seed_slopes({"one": {1: 50.0}, "two": {1: 51.0, 2: math.nan}}, label=LABEL)
    assert "interval" not in figure.get_supxlabel()
    with pytest.raises(ValueError, match="no seed of .* has a finite score in all of one, two"):
        seed_slopes({"one": {1: 50.0}, "two": {1: math.nan, 2: 3.0}}, label=LABEL)
    with pytest.raises(ValueError, match="two to eight arms, got 1"):
        seed_slopes({"one": {1: 50.0}}, label=LABEL)


def test_a_heat_map_writes_its_numbers_in_an_ink_that_can_be_read():
    values = [[-6.0, 0.0, 1.2], [4.0, np.nan, -0.1]]
    figure = heat_map(values, ["a", "b"], ["x", "y", "z"], label="points", seeds=3, differences=True)
    axes = figure.axes[0]
    assert words(axes) == ["−6.0", "+0.0", "+1.2", "+4.0", "–", "−0.1"]
    for cell, text in zip(axes.patches, axes.texts, strict=True):
        assert contrast_ratio(cell.get_facecolor()[:3], text.get_color()) > 3.9
        assert bool(cell.get_hatch()) == (text.get_text() == "–")
        assert text.get_position() == (cell.get_x() + 0.5, cell.get_y() + 0.5)
    middle = axes.patches[1].get_facecolor()[:3]
    assert max(middle) - min(middle) < 0.01, "0 has no hue"
    assert "n = 3 seeds" in figure.get_supxlabel()


def test_a_heat_map_refuses_names_that_do_not_fit_and_tables_of_nothing():
    with pytest.raises(ValueError, match=r"values \(1, 2\) and halves \(1, 2\) must both be \(2, 2\)"):
        heat_map([[1.0, 2.0]], ["a", "b"], ["x", "y"], label="", seeds=1)
    with pytest.raises(ValueError, match="none of the 1 values is finite"):
        heat_map([[math.nan]], ["a"], ["x"], label="", seeds=1)


def shares(*values: float) -> Importance:
    parts = tuple(
        Share((f"method.p{i}",), value, value - 0.01, value + 0.02) for i, value in enumerate(values)
    )
    return Importance("fANOVA", parts, 24, 3)


def test_importance_bars_are_in_order_with_their_intervals():
    figure = importance_bars(shares(0.2, 0.5, 0.3))
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([50, 30, 20])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["p1", "p2", "p0"]
    ends = np.array([line.get_xdata() for line in axes.lines])
    assert ends == pytest.approx(np.array([(49, 52), (29, 32), (19, 22)]))
    assert "fANOVA, n = 24 complete arms (3 not complete left out)" in figure.get_supxlabel().replace(
        "\n", " "
    )


def test_importance_bars_say_what_they_leave_out_and_refuse_what_is_no_number():
    figure = importance_bars(shares(*[0.04] * 25))
    assert len(figure.axes[0].patches) == 20
    assert "5 smaller shares, 20% together, left out" in figure.get_supxlabel().replace("\n", " ")
    with pytest.raises(ValueError, match="gave no shares"):
        importance_bars(shares())
    with pytest.raises(ValueError, match="not finite"):
        importance_bars(shares(math.nan))


def summary(points: list[tuple[float, float]]) -> Summary:
    arms = tuple(
        Arm(f"arm {i}", i, {}, (0,), "complete", 5, {0: y}, y, {"seconds": x, "knn_top1": y})
        for i, (x, y) in enumerate(points)
    )
    return Summary("made-up", LABEL, (), arms, arms[0], arms[-1], {}, 0, 0)


SECONDS = {"metric": "seconds", "direction": "minimize"}
ACCURACY = {"metric": "knn_top1", "direction": "maximize"}
grid = st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(float))


@settings(max_examples=40)
@given(st.lists(grid, min_size=1, max_size=10))
def test_no_arm_lies_beyond_the_line_of_the_front(points):
    axes = pareto_front(summary(points), [SECONDS, ACCURACY]).axes[0]
    (line,) = (line for line in axes.lines if line.get_drawstyle().startswith("steps"))
    on = set(zip(line.get_xdata(), line.get_ydata(), strict=True))
    beaten = {(x, y) for x, y in points if any(a <= x and b >= y and (a, b) != (x, y) for a, b in points)}
    assert on == set(points) - beaten
    for x, y in points:
        assert y <= max(b for a, b in on if a <= x), "the step to the left of a point is at least as high"
    assert line.get_drawstyle() == "steps-post"
    numbers = {text.get_text() for text in axes.texts}
    assert numbers == {str(i) for i, point in enumerate(points) if point not in beaten}


def test_a_front_says_which_way_is_better_and_needs_two_objectives():
    axes = pareto_front(summary([(1.0, 2.0)]), [SECONDS, ACCURACY]).axes[0]
    assert axes.get_xlabel() == "seconds (less is better)"
    assert axes.get_ylabel() == "knn top1 (more is better)"
    with pytest.raises(ValueError, match="needs two objectives of knn_top1; got knn_top1"):
        pareto_front(summary([(1.0, 2.0)]), [ACCURACY])
    with pytest.raises(ValueError, match="two objectives of seconds, knn_top1; got seconds, loss"):
        pareto_front(summary([(1.0, 2.0)]), [SECONDS, ACCURACY], ("seconds", "loss"))
    with pytest.raises(ValueError, match="no arm is complete with seconds and loss"):
        pareto_front(summary([(1.0, 2.0)]), [SECONDS, {"metric": "loss", "direction": "minimize"}])


def test_best_of_n_has_a_line_and_a_band_for_each_method():
    found = {
        "tpe": BestOf(
            np.array([50.0, 52.0, 53.0]), np.array([48.0, 50.0, np.nan]), np.full(3, 55.0), 1, 1, "tpe"
        ),
        "random": BestOf(np.array([49.0]), np.array([np.nan]), np.array([np.nan]), 0, 0, "random"),
    }
    figure = best_of_curves(found, label=LABEL)
    axes = figure.axes[0]
    lines = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert [line.get_xydata().tolist() for line in lines] == [[[1, 50], [2, 52], [3, 53]], [[1, 49]]]
    assert to_hex(lines[0].get_color()) != to_hex(lines[1].get_color())
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max(), band[:, 0].max()) == (48.0, 55.0, 2.0)
    assert words(axes) == ["random 49.0", "tpe 53.0"]
    said = figure.get_supxlabel().replace("\n", " ")
    assert "tpe n = 3, random n = 1" in said
    assert "1 arms that were stopped count by their last value. 1 that failed count as the worst" in said
    with pytest.raises(ValueError, match="one to 12 methods"):
        best_of_curves({}, label=LABEL)
    with pytest.raises(ValueError, match="none with 0 arms"):
        best_of_curves({"none": BestOf(*[np.empty(0)] * 3, 0, 0, "tpe")}, label=LABEL)


def test_an_arm_of_which_an_objective_was_not_reported_has_no_place_on_the_front():
    arms = summary([(1.0, 2.0), (2.0, 3.0), (0.0, 9.0)]).result.arms
    lacking = replace(arms[2], objectives={"knn_top1": 9.0})
    record = Record({"objectives": [SECONDS, ACCURACY]}, ())
    assert front(record, (arms[0], arms[1], lacking)) == (0, 1)
    assert front(record, arms) == (2,)


def test_what_is_not_finite_is_no_objective():
    curve = {"knn_top1": (np.array([1]), np.array([50.0])), "loss": (np.array([1]), np.array([np.nan]))}
    run = Run("t", 0, "a", 0, 0, {}, "complete", "", 1, curve)
    objectives = [{**one, "total": False} for one in (ACCURACY, {"metric": "loss", "direction": "minimize"})]
    (arm,) = ranked(Record({"objectives": objectives, "seeds": [0]}, (run,)))
    assert arm.objectives == {"knn_top1": 50.0}


def planned(arm: str, sweep: str, difference: float | None, low: float | None = None) -> Result:
    high = None if low is None or difference is None else 2 * difference - low
    return Result(sweep, arm, "default", difference, low, high, 5, "")


def test_sweeps_of_a_campaign_that_share_arms_are_seen_as_factors_by_data():
    found = [
        planned("no queue", "cifar10", -1.0, -1.5),
        planned("no masking", "cifar10", 0.5),
        planned("no queue", "cifar100", -2.0, -2.25),
        planned("no masking", "cifar100", None),
        planned("no masking", "stl10", 0.25, 0.0),
        planned("best", "stl10", 3.0, 1.0),
    ]
    figure = factors(found)
    assert figure
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {"−1.0 ± 0.5", "+0.5", "−2.0 ± 0.2", "+0.2 ± 0.2", "–"}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["no queue", "no masking"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [
        "cifar10",
        "cifar100",
        "stl10",
    ]
    assert factors(found[:2]) is factors([]) is factors([found[0], found[2]]) is None


@pytest.mark.filterwarnings("error")
def test_a_forest_of_one_row_has_room_for_the_heads_of_its_columns():
    figure = forest([Difference("alone", 1.05, -0.09, 2.19, 5, "no significant difference")], label="points")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    heads = [text for text in axes.texts if text.get_text() in ("difference", "interval", "n", "verdict")]
    assert len(heads) == 4
    for text in axes.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
