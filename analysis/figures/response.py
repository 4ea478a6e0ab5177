"""Figures of the score over one parameter: of all arms, or of those that vary it alone with reported values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arms import Arm
from analysis.figures.labels import wrapped
from analysis.figures.marks import mark_arms, marker_key
from analysis.figures.scale import Scale, parameter_scale, require_parameter
from analysis.figures.style import COLUMN, DASHES, GREY, INK, LOOKS, PAGE, note, shades, sheet, styled
from analysis.intervals import LEVEL, student_interval
from analysis.summary import Summary


@styled
def slice_plot(summary: Summary, space: Mapping[str, Any], paths: Sequence[str] | None = None) -> Figure:
    """Draw each arm's score over each parameter, in panels that share the score axis.

    Args:
        summary: the sweep; arms that are not complete are hollow, at their last value.
        space: the manifest's, for the domains.
        paths: the parameters, in order; all that vary unless given.

    Raises:
        ValueError: no arm has a value, or there is no parameter.
    """
    chosen = summary.paths if paths is None else tuple(paths)
    arms = [arm for arm in summary.arms if arm.last is not None]
    if not arms or not chosen:
        there = f"{len(arms)} arms have a value and {len(chosen)} parameters vary"
        raise ValueError(f"{there}; slices need one of each")
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = sheet(COLUMN if columns == 1 else PAGE, 0.6 + 1.8 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    tint, _ = shades(arm.last for arm in arms)
    for axes, path in zip(grid.flat, chosen, strict=False):
        x = parameter_scale(summary, path, space, arms)
        _whiskers(axes, x, arms, summary)
        points = [(place, arm.last) for place, arm in zip(x.positions, arms, strict=True)]
        mark_arms(axes, summary, arms, points, tint, numbered=False, size=24)
    for axes in grid.flat[len(chosen) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(summary.label)
    seeds = max(len(arm.seeds) for arm in arms)
    interval = f"whiskers: Student's {LEVEL:.0%} intervals"
    whiskers = f"{interval} over {seeds} seeds" if seeds > 1 else "one seed each"
    note(figure, f"n = {len(arms)} arms; {whiskers}. {marker_key(arms, summary).capitalize()}.")
    return figure


def _whiskers(axes: Axes, x: Scale, arms: Sequence[Arm], summary: Summary) -> None:
    """Draw the axis of a parameter and the intervals of the arms."""
    x.draw(axes, "x")
    found = [
        (place, *ends)
        for place, arm in zip(x.positions, arms, strict=True)
        if arm.score is not None and (ends := student_interval(list(arm.scores.values()), summary.within))
    ]
    places, lows, highs = np.reshape(found, (-1, 3)).T
    axes.vlines(places, lows, highs, color=GREY, linewidth=0.7, zorder=1.5)


@styled
def response_curve(
    summary: Summary, path: str, space: Mapping[str, Any], *, what: str | None = None
) -> Figure:
    """Draw mean and interval over seeds at each value of a parameter; reported values get an axis of their own.

    Reported values are of other data, encoders and budgets: only the shapes of the two curves can be compared.

    Args:
        summary: the sweep. Of arms that vary more than this parameter only those otherwise like the default count.
        path: the parameter.
        space: the manifest's, for the domain and for what is reported.
        what: which reported quantity to show, where several are.

    Raises:
        ValueError: there is no such parameter or reported quantity, several are reported and none is chosen, or fewer
            than two arms vary it alone.
    """
    arms = _alone(summary, path)
    reported = _reported(path, space, what)
    x = parameter_scale(summary, path, space, arms, *(one["values"][path] for one in reported))
    figure = sheet(COLUMN, 3.0 if reported else 2.6)
    axes = figure.subplots()
    x.draw(axes, "x")
    axes.set_ylabel(summary.label)
    _own(axes, summary, arms, x)
    seeds = sorted({len(arm.scores) for arm in arms if arm.score is not None})
    several = max(seeds, default=1) > 1
    words = [
        f"n = {' or '.join(map(str, seeds)) or 0} seed{'s' if several else ''} an arm;",
        f"whiskers: Student's {LEVEL:.0%} intervals of the mean;" if several else "",
        f"{marker_key(arms, summary)}.",
    ]
    if reported:
        _others(axes, reported, x.positions[len(arms) :])
        sources = "; ".join(dict.fromkeys(one["source"] for one in reported))
        words.append(f"Diamonds, right axis: reported elsewhere, no intervals ({sources}).")
    note(figure, *words)
    return figure


def _alone(summary: Summary, path: str) -> list[Arm]:
    """Return the arms with a value that differ from the default in this parameter only."""
    require_parameter(path, summary)
    origin = (summary.default or summary.best or summary.arms[0]).values if summary.arms else {}
    others = [other for other in summary.paths if other != path]
    known = [arm for arm in summary.arms if arm.last is not None]
    arms = [arm for arm in known if all(arm.values[other] == origin[other] for other in others)]
    if len(arms) < 2:
        raise ValueError(f"{len(arms)} arms vary {path} alone, a curve needs two; draw slices or a surface")
    return arms


def _reported(path: str, space: Mapping[str, Any], what: str | None) -> list[Mapping[str, Any]]:
    """Return what others have reported of this parameter alone."""
    there = [one for one in space.get("reported", ()) if set(one["values"]) == {path}]
    kinds = list(dict.fromkeys(one["what"] for one in there))
    if what is None and len(kinds) > 1:
        raise ValueError(f"of {path} several quantities are reported; choose one: {', '.join(kinds)}")
    if what is not None and what not in kinds:
        raise ValueError(f"of {path} no '{what}' is reported; there is: {', '.join(kinds) or 'nothing'}")
    return [one for one in there if one["what"] == (what or kinds[0])]


def _own(axes: Axes, summary: Summary, arms: Sequence[Arm], x: Scale) -> None:
    points = [(position, arm.last or 0.0) for position, arm in zip(x.positions, arms, strict=False)]
    complete = [(*point, arm) for point, arm in zip(points, arms, strict=True) if arm.score is not None]
    style: Any = {"color": LOOKS[0].colour, "linewidth": 1.3, "zorder": 1.5}
    line = sorted((place, mean) for place, mean, _ in complete) or [(np.nan, np.nan)]
    axes.plot(*zip(*line, strict=True), linestyle="none" if x.categories else "-", **style)
    for place, mean, arm in complete:
        if ends := student_interval(list(arm.scores.values()), summary.within):
            axes.errorbar([place], [mean], [[mean - ends[0]], [ends[1] - mean]], capsize=2.5, **style)
    axes.margins(y=0.12)
    tint, _ = shades(arm.last for arm in arms)
    mark_arms(axes, summary, arms, points, tint, numbered=False, size=32)


def _others(axes: Axes, reported: Sequence[Mapping[str, Any]], places: Sequence[float]) -> None:
    right = axes.twinx()
    right.spines["right"].set(visible=True, linestyle=DASHES[1])
    pairs = sorted(zip(places, (one["score"] for one in reported), strict=True))
    style: Any = {"color": GREY, "markerfacecolor": "white", "markeredgecolor": INK, "linestyle": DASHES[1]}
    right.plot(*zip(*pairs, strict=True), marker="D", markersize=4.5, linewidth=1, **style)
    right.set_ylabel(f"{wrapped('reported: ' + reported[0]['what'], 24, 4)}", color="#555555")
    right.margins(y=0.12)
