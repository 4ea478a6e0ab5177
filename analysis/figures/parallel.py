"""Parallel coordinates: each arm as a line through its parameters to its score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from analysis.arms import Arm
from analysis.figures.labels import wrapped_apart
from analysis.figures.marks import drawn_note, role, some
from analysis.figures.scale import Scale, parameter_scale, scale
from analysis.figures.style import GREY, INK, PAGE, PALE, VERMILLION, note, shades, sheet, styled
from analysis.summary import Summary

MAX_AXES, MAX_LINES = 10, 200
"""Axes that a page's width has room for, the score's among them; and arms that can be told from a grey area."""
MANY_AXES = 8
"""Number of axes from which on their names are small."""


@styled
def parallel_coordinates(
    summary: Summary, space: Mapping[str, Any], paths: Sequence[str] | None = None
) -> Figure:
    """Draw a line for each arm, dark for good, over an axis for each parameter and one for the score.

    Args:
        summary: the sweep; arms that are not complete are dashed and pale.
        space: the manifest's, for the domains.
        paths: the parameters, from left to right; all that vary unless given.

    Raises:
        ValueError: no arm has a value, or there is no parameter, or more than nine.
    """
    chosen = summary.paths if paths is None else tuple(paths)
    known = [arm for arm in summary.arms if arm.last is not None]
    arms = some(known, summary, MAX_LINES)
    if not arms:
        raise ValueError("no arm has a value of the metric yet, so no lines; wait for a first epoch")
    if not 0 < len(chosen) < MAX_AXES:
        fit = f"one to {MAX_AXES - 1} parameters fit side by side"
        raise ValueError(f"{fit}, got {len(chosen)}; name those that matter")
    scales = [parameter_scale(summary, path, space, arms) for path in chosen]
    scales.append(scale(summary.label, [arm.last for arm in arms], {}))
    numbers = [str(place + 1) for place in range(len(scales))]
    labels = wrapped_apart([one.label for one in scales], numbers, 14 if len(scales) < MANY_AXES else 12, 3)
    figure = sheet(PAGE, 3.1)
    axes = figure.subplots()
    table = np.stack([one.unit(one.positions) for one in scales], axis=1)
    tint, _ = shades(arm.last for arm in arms)
    for rank, (arm, heights) in enumerate(zip(arms, table, strict=True)):
        axes.plot(heights, zorder=3 - rank / len(arms), **_look(arm, summary, tint(arm.last)))
    for place, (one, label) in enumerate(zip(scales, labels, strict=True)):
        _axis(axes, place, one, label, count=len(scales))
    axes.set(xlim=(-0.35, len(chosen) + 0.35), ylim=(-0.02, 1.02))
    axes.set_axis_off()
    note(figure, _words(known, summary), drawn_note(len(arms), len(known)))
    return figure


def _look(arm: Arm, summary: Summary, colour: Any) -> dict[str, Any]:
    if arm is summary.default:
        return {"color": VERMILLION, "linewidth": 1.8, "marker": "s", "markersize": 4}
    if arm is summary.best:
        return {"color": INK, "linewidth": 1.8, "marker": "o", "markersize": 4}
    if arm.score is None:
        return {"color": PALE, "linewidth": 0.7, "linestyle": (0, (4, 2))}
    return {"color": colour, "linewidth": 1.0}


def _axis(axes: Axes, place: int, one: Scale, label: str, *, count: int) -> None:
    """Draw a vertical axis, one of `count`, with its ticks and its name."""
    last = place == count - 1
    axes.plot([place, place], [0, 1], color=GREY, linewidth=0.8, zorder=3.5)
    ticks, words = _ticks(one)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    style: Any = {"fontsize": 6.5, "color": "#444444", "va": "center", "zorder": 5, "bbox": box}
    for height, word in zip(one.unit(ticks), words, strict=True):
        axes.plot([place - 0.02, place + 0.02], [height] * 2, color=GREY, linewidth=0.8, zorder=3.5)
        axes.annotate(word, (place, float(height)), (4 if last else -4, 0), textcoords="offset points",
                      ha="left" if last else "right", **style)  # fmt: skip
    axes.annotate(label, (place, 1), (0, 8), textcoords="offset points", ha="center", color=INK,
                  fontsize=7.5 if count < MANY_AXES else 6)  # fmt: skip


def _ticks(one: Scale) -> tuple[list[float], list[str]]:
    if one.categories:
        return [float(place) for place in range(len(one.categories))], one.named(12, 2)
    locator = LogLocator(subs=one.steps) if one.log else MaxNLocator(5)
    inside = [float(t) for t in locator.tick_values(*one.limits) if one.limits[0] <= t <= one.limits[1]]
    return inside, [f"{tick:g}" for tick in inside]


def _words(arms: Sequence[Arm], summary: Summary) -> str:
    others = sum(arm.score is None for arm in arms)
    seeds = max(len(arm.seeds) for arm in arms)
    roles = {role(arm, summary) for arm in arms}
    marks = {"default": "squares: the default", "best": "dots: the best"}
    marks["default and best"] = "squares: default and best"
    pale = f"; {others} not complete, dashed, at their last value" if others else ""
    means = f"means over {seeds} seeds" if seeds > 1 else "one seed each"
    squares = ", ".join(words for name, words in marks.items() if name in roles)
    return f"n = {len(arms)} arms, {means}, no intervals{pale}. Dark: good; {squares}."
