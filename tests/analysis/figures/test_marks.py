"""What a reader may rely on in every figure: whole epochs, whiskers where values can lie, and every arm in sight."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from analysis import figures
from analysis.audit import audit
from analysis.load import Record
from analysis.multiple import Difference
from analysis.summarise import summarise
from tests.recorded import DOMAINS, TARGET, TEMPERATURE, sweep

EPOCH_AXES: dict[str, Callable[[Record], Figure]] = {
    "overview": lambda record: figures.overview(record, summarise(record)),
    "learning curves": lambda record: figures.learning_curves(record, summarise(record)),
    "rank agreement": lambda record: figures.rank_agreement(audit(record, [])),
}


def at(record: Record, ends: dict[int, float]) -> Record:
    """The same runs, those of an arm moved so that its first seed ends at a value."""
    shifted = []
    for run in record.runs:
        epochs, values = run.curve["knn_top1"]
        end = ends[int(run.arm.split()[-1])] + 1.5 * run.seed
        curve = np.clip(values - values[-1] + end, 0, 100)
        shifted.append(replace(run, curve={"knn_top1": (epochs, curve)}))
    return replace(record, runs=tuple(shifted))


def settings(record: Record, values: list[dict[str, Any]]) -> Record:
    """The same runs with other settings of their arms."""
    method = [{"temperature": 0.1, "target_temperature": 0.05, **one} for one in values]
    runs = [replace(run, config={"method": method[int(run.arm.split()[-1])]}) for run in record.runs]
    return replace(record, runs=tuple(runs))


def centres(axes: Axes) -> list[tuple[float, float]]:
    """Where markers of arms are, in pixels; rings around the best are no arms."""
    found = []
    for marks in axes.collections:
        if isinstance(marks, PathCollection) and len(marks.get_facecolor()):
            shown = marks.get_offset_transform().transform(marks.get_offsets())
            found += [tuple(point) for point in shown.tolist()]
    return found


@pytest.mark.parametrize("name", EPOCH_AXES)
@pytest.mark.parametrize("epochs", [2, 3, 5, 12, 130])
def test_an_axis_of_epochs_has_whole_numbers_only(name: str, epochs: int) -> None:
    figure = EPOCH_AXES[name](sweep(8, epochs=epochs, seeds=(0, 1)))
    figure.draw_without_rendering()
    for axes in (one for one in figure.axes if "epoch" in one.get_xlabel()):
        ticks = [tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
        assert len(ticks) > 1
        assert [tick for tick in ticks if tick != round(tick)] == []


@pytest.mark.parametrize("end", [99.2, 0.4])
@pytest.mark.parametrize("spaces", ["rows", "one"])
def test_no_whisker_leaves_what_a_percentage_can_be(end: float, spaces: str) -> None:
    record = at(sweep(3, seeds=(0, 1)), {0: end, 1: end - 0.1 if end > 50 else end, 2: 50.0})
    if spaces == "one":
        domains: dict[str, Any] = {TEMPERATURE: DOMAINS[TEMPERATURE]}
    else:
        domains = {"method.kernel": {"kind": "choice", "values": ["rbf", "linear"]}}
    record = replace(record, manifest={**record.manifest, "space": {"domains": domains, "constraints": []}})
    figure = figures.overview(record, summarise(record))
    lines = [one for axes in figure.axes for one in axes.collections if isinstance(one, LineCollection)]
    ends = np.concatenate([path for one in lines for path in one.get_segments()])
    values = ends[:, 0] if spaces == "rows" else ends[:, 1]
    assert lines
    assert values.min() >= 0
    assert values.max() <= 100


def test_no_arm_is_hidden_behind_another_that_has_the_same_place() -> None:
    kernels = [{"kernel": kernel} for kernel in ("rbf", "linear", "poly", "tanh")]
    record = settings(sweep(4, seeds=(0,)), kernels)
    domains = {**DOMAINS, "method.kernel": {"kind": "choice", "values": ["rbf", "linear", "poly", "tanh"]}}
    record = replace(record, manifest={**record.manifest, "space": {"domains": domains, "constraints": []}})
    figure = figures.overview(record, summarise(record))
    figure.draw_without_rendering()
    found = centres(figure.axes[0])
    assert len(found) == 4
    for one, two in combinations(found, 2):
        assert np.hypot(*np.subtract(one, two)) > 8  # pixels at 100 dots an inch


@pytest.mark.parametrize("way", [(1.01, 1.04), (1.04, 1.01), (1.0, 0.96), (0.96, 1.0)])
def test_the_numbers_of_arms_that_lie_close_together_can_all_be_read(way: tuple[float, float]) -> None:
    near = [{"temperature": 0.1 * way[0] ** k, "target_temperature": 0.05 * way[1] ** k} for k in range(3)]
    record = settings(sweep(4), [*near, {"temperature": 0.5}])
    figure = figures.overview(record, summarise(record))
    figure.draw_without_rendering()
    found = centres(figure.axes[0])
    assert len(found) == 4
    width = 210**0.5 * 100 / 72  # of a marker, in pixels at 100 dots an inch
    assert min(np.hypot(*np.subtract(one, two)) for one, two in combinations(found, 2)) > 0.95 * width


def test_a_run_of_one_epoch_is_seen() -> None:
    record = sweep(3, epochs=1)
    lines = figures.overview(record, summarise(record)).axes[1].lines
    assert [line.get_marker() for line in lines if len(line.get_xdata()) == 1] == ["."] * 3


def test_arms_of_equal_score_on_one_parameter_are_all_seen_in_slices() -> None:
    targets = [{"target_temperature": target} for target in (0.05, 0.06, 0.07)]
    record = at(settings(sweep(3), targets), dict.fromkeys(range(3), 50.0))
    record = replace(record, manifest={**record.manifest, "space": {"domains": DOMAINS, "constraints": []}})
    figure = figures.slice_plot(summarise(record), record.manifest["space"])
    figure.draw_without_rendering()
    found = centres(figure.axes[0])
    assert len(found) == 3
    assert min(np.hypot(*np.subtract(one, two)) for one, two in combinations(found, 2)) > 2


def test_arms_that_have_room_stay_exactly_where_their_values_are() -> None:
    record = sweep(6)
    summary = summarise(record)
    figure = figures.overview(record, summary)
    axes = figure.axes[0]
    figure.draw_without_rendering()
    expected = {(arm.values[TEMPERATURE], arm.values[TARGET]) for arm in summary.arms}
    shown = [axes.transData.transform(point) for point in expected]
    for centre in centres(axes):
        assert min(np.hypot(*np.subtract(centre, point)) for point in shown) < 1e-6


def test_the_title_of_the_overview_names_unit_and_data_set() -> None:
    record = sweep(4)
    data = {"name": "cifar10", "validation": 5000}
    plan = {"space": {"base": {"data": data}}}
    record = replace(record, manifest={**record.manifest, "plan": plan})
    title = figures.overview(record, summarise(record)).get_suptitle().replace("\n", " ")
    assert "kNN top-1 (%)" in title
    assert "cifar10, 5,000 validation images" in title


def test_verdicts_of_two_lines_do_not_run_into_the_next_row() -> None:
    long = "no significant difference after correction for all rows"
    rows = [Difference(f"m{place}", 1.0, 0.5, 1.5, 5, long) for place in range(4)]
    figure = figures.forest(rows, label="points")
    figure.draw_without_rendering()
    texts = [one for one in figure.axes[0].texts if one.get_text().startswith("no significant")]
    boxes = sorted((one.get_window_extent() for one in texts), key=lambda box: box.y0)
    assert len(boxes) == 4
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
