"""Panels of the overview figure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from analysis.arms import Arm
from analysis.figures.labels import Label, label_ends, wrapped_apart
from analysis.figures.marks import drawn_note, mark_arms, marker_key, role, some, thinned
from analysis.figures.scale import hatch_excluded, parameter_scale, scale
from analysis.figures.style import GREY, INK, PALE, VERMILLION, Tint, whole_epochs
from analysis.intervals import Ends
from analysis.load import Record, Run
from analysis.naming import shown
from analysis.summary import Summary

ROW_NAME = 42
"""Characters of a line of an arm's name."""
MAX_ROWS, MAX_RUNS = 60, 300
"""Maximum numbers of arms with a row and of runs with a curve; if there are more, the title says so."""


def arms_over_two(axes: Axes, summary: Summary, space: Mapping[str, Any], tint: Tint) -> None:
    """Draw each arm at its first two parameters, coloured by its value; hatch what the space excludes."""
    paths = summary.paths[:2]
    x, y = (parameter_scale(summary, path, space, summary.arms) for path in paths)
    x.draw(axes, "x")
    y.draw(axes, "y")
    hatch_excluded(axes, x, y, paths, space)
    mark_arms(axes, summary, summary.arms, zip(x.positions, y.positions, strict=True), tint)
    axes.set_title(f"Arms ({marker_key(summary.arms, summary)})")


def arms_over_one(axes: Axes, summary: Summary, space: Mapping[str, Any], tint: Tint) -> None:
    """Draw each arm's value over the only varied parameter, or over the arm's number if none varies."""
    arms = [arm for arm in summary.arms if arm.last is not None]
    path = summary.paths[0] if summary.paths else None
    numbers = [arm.number for arm in arms]
    x = parameter_scale(summary, path, space, arms) if path else scale("arm", numbers, {})
    x.draw(axes, "x")
    axes.set_ylabel(summary.label)
    points = [(position, arm.last or 0.0) for position, arm in zip(x.positions, arms, strict=True)]
    line = sorted(point for point, arm in zip(points, arms, strict=True) if arm.score is not None)
    if path:
        axes.plot([p for p, _ in line], [value for _, value in line], color=PALE, linewidth=1, zorder=1)
    _deviations(axes, points, arms, "y", within=summary.within, capsize=3)
    axes.margins(y=0.12)
    mark_arms(axes, summary, arms, points, tint)
    axes.set_title(f"Arms ({marker_key(arms, summary)})")


def arms_in_rows(axes: Axes, summary: Summary, tint: Tint) -> None:
    """Draw each arm's value in a row of its own, the best on top."""
    arms = in_rows(summary)
    points = [(arm.last or 0.0, row) for row, arm in enumerate(arms)]
    _deviations(axes, points, arms, "x", within=summary.within, capsize=2)
    axes.set_yticks(range(len(arms)), row_names(arms), fontsize=7.5)
    axes.tick_params("y", length=0)
    axes.set(ylim=(len(arms) - 0.4, -0.6), xlabel=summary.label)
    axes.margins(x=0.06)
    mark_arms(axes, summary, arms, points, tint, size=110, digits=6.0)
    others = drawn_note(len(arms), sum(arm.last is not None for arm in summary.arms))
    title = f"Arms ({marker_key(arms, summary)})"
    axes.set_title(f"{title}\n{others}" if others else title)


def in_rows(summary: Summary) -> list[Arm]:
    """Return the arms that get a row: those with a value, at most MAX_ROWS."""
    return some([arm for arm in summary.arms if arm.last is not None], summary, MAX_ROWS)


def row_names(arms: Sequence[Arm]) -> list[str]:
    """Return the label of each arm's row."""
    names = [", ".join(map(shown, arm.values.values())) for arm in arms]
    return wrapped_apart(names, [f"arm {arm.number}" for arm in arms], ROW_NAME)


def runs_over_epochs(
    axes: Axes, record: Record, summary: Summary, baselines: Mapping[str, float], tint: Tint
) -> None:
    """Draw the learning curve of each run, with labels at the right ends."""
    horizon = record.manifest.get("epochs") or max((run.epochs for run in record.runs), default=1)
    arms = {arm.digest: arm for arm in summary.arms}
    reported = [run for run in record.runs if record.metric in run.curve]
    drawn = _some_runs(reported, summary)
    for run in drawn:
        arm = arms[run.arm]
        ink = VERMILLION if arm is summary.default else tint(arm.last)
        _curve(axes, record.metric, run, ink, front=bool(role(arm, summary)))
    for value in baselines.values():
        axes.axhline(value, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set(xlim=(0, horizon), xlabel="epoch", ylabel=summary.label)
    whole_epochs(axes)
    stopped = any(run.state == "stopped" for run in drawn)
    others = drawn_note(len(drawn), len(reported), "runs")
    title = "Runs as they learned" + (" (×: stopped early)" if stopped else "")
    axes.set_title(f"{title}\n{others}" if others else title)
    axes.margins(y=0.06)
    labels = [Label(value, f"{name} {value:.1f}", GREY) for name, value in baselines.items()]
    for arm in summary.arms:
        if arm.score is not None and (named := role(arm, summary)):
            ink = VERMILLION if arm is summary.default else INK
            labels.append(Label(arm.score, f"{named} ({arm.number}) {arm.score:.1f}", ink, "bold"))
    label_ends(axes, labels)


def colour_bar(axes: Axes, colours: ScalarMappable, label: str, *, lowest: float) -> None:
    """Add a colour bar at the right of `axes`; its end is pointed if the lowest value lies below the scale."""
    cut = lowest < colours.get_clim()[0]
    size: Any = {"fraction": 0.035, "pad": 0.02, "aspect": 32, "extendfrac": 0.03}
    bar = axes.figure.colorbar(colours, ax=axes, extend="min" if cut else "neither", **size)
    bar.set_label(label)
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]


def _some_runs(runs: Sequence[Run], summary: Summary) -> Sequence[Run]:
    """Return all runs of the best arm and the default, and as many of the others as can be drawn."""
    if len(runs) <= MAX_RUNS:
        return runs
    ranks = {arm.digest: rank for rank, arm in enumerate(summary.arms)}
    known = {arm.digest for arm in (summary.best, summary.default) if arm}
    ranked = sorted(runs, key=lambda run: ranks[run.arm])
    chosen = {ranked[place].identity for place in thinned(len(ranked), MAX_RUNS)}
    return [run for run in runs if run.identity in chosen or run.arm in known]


def _deviations(
    axes: Axes,
    points: Sequence[Any],
    arms: Sequence[Arm],
    along: Literal["x", "y"],
    *,
    within: Ends,
    capsize: float,
) -> None:
    """Draw whiskers of one standard deviation over seeds, cut at the range of possible scores."""
    found = [(*point, arm.deviation) for point, arm in zip(points, arms, strict=True) if arm.deviation]
    if found:
        x, y, deviations = map(np.array, zip(*found, strict=True))
        values = x if along == "x" else y
        reach = [np.minimum(deviations, values - within[0]), np.minimum(deviations, within[1] - values)]
        style: Any = {"color": GREY, "linewidth": 1, "capsize": capsize, "zorder": 1.5, "fmt": "none"}
        axes.errorbar(x, y, **{f"{along}err": reach}, **style)


def _curve(axes: Axes, metric: str, run: Run, ink: Any, *, front: bool) -> None:
    epochs, values = run.curve[metric]
    style: Any = {"linewidth": 2.2 if front else 1.1, "marker": "." if len(epochs) == 1 else ""}
    axes.plot(epochs, values, color=ink, zorder=4 if front else 2, **style)
    if run.state == "stopped":
        axes.plot(epochs[-1:], values[-1:], "x", color=ink, markersize=5, markeredgewidth=1.4, zorder=3)
