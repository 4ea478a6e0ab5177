"""The score over each parameter by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arms import Arm
from analysis.figures.marks import key, mark_arms
from analysis.figures.scale import Scale, scale
from analysis.figures.style import COLUMN, GREY, PAGE, note, shades, sheet, styled
from analysis.intervals import LEVEL, student_interval
from analysis.naming import short
from analysis.summary import Summary


@styled
def slice_plot(summary: Summary, space: Mapping[str, Any], paths: Sequence[str] | None = None) -> Figure:
    """Each arm's score over each parameter, whatever its other parameters are; small multiples with one score axis.

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
        raise ValueError(
            f"{len(arms)} arms have a value and {len(chosen)} parameters vary; slices need one of each"
        )
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = sheet(COLUMN if columns == 1 else PAGE, 0.6 + 1.8 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    names, domains = short(summary.paths), space.get("domains", {})
    tint, _ = shades([arm.last for arm in arms if arm.last is not None])
    for axes, path in zip(grid.flat, chosen, strict=False):
        x = scale(names[path], [arm.values[path] for arm in arms], domains.get(path, {}))
        _whiskers(axes, x, arms, summary)
        points = [(place, arm.last) for place, arm in zip(x.positions, arms, strict=True)]
        mark_arms(axes, summary, arms, points, tint, numbered=False, size=24)
    for axes in grid.flat[len(chosen) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(summary.label)
    seeds = max(len(arm.seeds) for arm in arms)
    whiskers = (
        f"whiskers: Student's {LEVEL:.0%} intervals over {seeds} seeds" if seeds > 1 else "one seed each"
    )
    note(figure, f"n = {len(arms)} arms; {whiskers}. {key(arms, summary).capitalize()}.")
    return figure


def _whiskers(axes: Axes, x: Scale, arms: Sequence[Arm], summary: Summary) -> None:
    """The axis of a parameter, and the intervals over it."""
    x.draw(axes, "x")
    found = [
        (place, *ends)
        for place, arm in zip(x.positions, arms, strict=True)
        if arm.score is not None and (ends := student_interval(list(arm.scores.values()), summary.within))
    ]
    places, lows, highs = np.reshape(found, (-1, 3)).T
    axes.vlines(places, lows, highs, color=GREY, linewidth=0.7, zorder=1.5)
