"""Figures of a search: importance of parameters, expected best of n arms, and two objectives."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.arms import Arm, pareto
from analysis.best_of import BestOf
from analysis.figures.labels import Label, label_ends, rows_high, wrapped_apart
from analysis.figures.marks import mark_arms, marker_key
from analysis.figures.style import COLUMN, DASHES, INK, LOOKS, PAGE, note, shades, sheet, styled
from analysis.importance import Importance, Share
from analysis.intervals import LEVEL
from analysis.naming import short
from analysis.summary import Summary

MAX_BARS = 20
"""Rows; what is more is small."""


@styled
def importance_bars(found: Importance) -> Figure:
    """Draw a bar for the share of each parameter, or of an interaction of two, with its range; largest first.

    Raises:
        ValueError: there is no share, or one is not finite.
    """
    if not found.shares:
        raise ValueError(f"{found.method} gave no shares, so there are no bars; let more arms complete")
    ends = [end for share in found.shares for end in (share.low, share.share, share.high)]
    if not np.isfinite(ends).all():
        raise ValueError(f"{found.method} gave shares that are not finite: {ends}; give numbers from 0 to 1")
    rows = sorted(found.shares, key=lambda share: -share.share)
    drawn, rest = rows[:MAX_BARS], rows[MAX_BARS:]
    names = _names(drawn)
    figure = sheet(COLUMN, 0.9 + rows_high(names))
    axes = figure.subplots()
    axes.barh(range(len(drawn)), [100 * row.share for row in drawn], 0.62, color=LOOKS[5].colour)
    for place, row in enumerate(drawn):
        axes.plot([100 * row.low, 100 * row.high], [place, place], color=INK, linewidth=1.2)
    axes.set_yticks(range(len(drawn)), names, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(drawn) - 0.4, -0.6), xlabel="share of importance (%)")
    axes.set_xlim(left=0)
    left_out = f" ({found.left_out} not complete left out)" if found.left_out else ""
    together = f"{sum(row.share for row in rest):.0%} together"
    others = f"{len(rest)} smaller shares, {together}, left out." if rest else ""
    note(figure, f"{found.method}, n = {found.arms} complete arms{left_out}; {found.grounds}. {others}")
    return figure


def _names(rows: list[Share]) -> list[str]:
    paths = tuple(dict.fromkeys(path for row in rows for key in row.keys for path in key.split(", ")))
    named = short(paths)
    words = [" × ".join(" & ".join(named[p] for p in key.split(", ")) for key in row.keys) for row in rows]
    numbers = [f"row {place}" for place in range(1, 1 + len(words))]
    return wrapped_apart([name.replace("_", " ") for name in words], numbers, 26, 3)


@styled
def best_of_curves(found: Mapping[str, BestOf], *, label: str) -> Figure:
    """Draw the expected best of n arms over n, a line with its band for each method; compare methods at equal n.

    Args:
        found: by name of the method or sweep, up to twelve.
        label: the metric, with its unit.

    Raises:
        ValueError: there is no method, more than twelve, one without arms, or none with two arms that have a score.
    """
    if not 0 < len(found) <= len(LOOKS) or not all(len(one.expected) for one in found.values()):
        counts = ", ".join(f"{name} with {len(one.expected)} arms" for name, one in found.items())
        raise ValueError(f"one to {len(LOOKS)} methods with arms can be told apart, got {counts or 'none'}")
    longest = max(len(one.expected) for one in found.values())
    if max(one.scored for one in found.values()) == 1:
        raise ValueError("one arm has a score: what the best of n reaches takes two or more")
    figure = sheet(PAGE, 3.0)
    axes = figure.subplots()
    labels: list[Label] = []
    for (name, one), look in zip(found.items(), LOOKS, strict=False):
        numbers = np.arange(1, len(one.expected) + 1)
        axes.fill_between(numbers, one.low, one.high, color=look.colour, alpha=0.15, linewidth=0)
        style: Any = {"markersize": 3.5, "markevery": max(1, len(numbers) // 6), **look.line}
        axes.plot(numbers, one.expected, linewidth=1.5, **style)
        labels.append(Label(float(one.expected[-1]), f"{name} {one.expected[-1]:.1f}", look=look))
    axes.set(xlim=(1, longest), xlabel="arms tried (n)", ylabel=f"expected best {label}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    label_ends(axes, labels, size=7)
    sizes = ", ".join(f"{name} n = {len(one.expected)}" for name, one in found.items())
    unfinished = sum(one.unfinished for one in found.values())
    by_last = f" {unfinished} arms that were stopped count by their last value." if unfinished else ""
    failed = sum(one.failed for one in found.values())
    as_worst = f" {failed} that failed count as the worst of the others." if failed else ""
    bands = "No intervals: they take four arms or more, not all equal."
    if any(one.known for one in found.values()):
        bands = f"Bands: {LEVEL:.0%} intervals (Student, jackknife) as far as they cover, to a quarter of the arms."
    note(figure, f"Arms: {sizes}. {bands}{by_last}{as_worst}")
    return figure


@styled
def pareto_front(
    summary: Summary, objectives: Sequence[Mapping[str, Any]], axes: tuple[str, str] | None = None
) -> Figure:
    """Draw every complete arm at its two objectives, and the line of the Pareto-optimal ones.

    Args:
        summary: the sweep.
        objectives: the manifest's, {"metric", "direction"}.
        axes: the metrics of the x and the y axis, where there are more than two.

    Raises:
        ValueError: there are not two objectives, or none of the arms has both.
    """
    known = {one["metric"]: one["direction"] == "maximize" for one in objectives}
    names = tuple(known) if axes is None else axes
    if len(names) != 2 or not set(names) <= set(known) or len(set(names)) != 2:
        listed, got = (", ".join(some) or "none" for some in (known, names))
        raise ValueError(f"a front needs two objectives of {listed}; got {got}")
    arms = [arm for arm in summary.arms if set(names) <= arm.objectives.keys()]
    if not arms:
        raise ValueError(f"no arm is complete with {' and '.join(names)}; wait for one that is")
    points = [(arm.objectives[names[0]], arm.objectives[names[1]]) for arm in arms]
    figure = sheet(COLUMN, 3.0)
    panel = figure.subplots()
    _staircase(panel, arms, points, (known[names[0]], known[names[1]]))
    tint, _ = shades(arm.last for arm in arms)
    mark_arms(panel, summary, arms, points, tint, numbered=False, size=32)
    panel.margins(0.12)
    panel.set_xlabel(_label(names[0], more=known[names[0]]))
    panel.set_ylabel(_label(names[1], more=known[names[1]]))
    seeds = max(len(arm.scores) for arm in arms)
    note(
        figure,
        f"n = {len(arms)} complete arms, means over {seeds} seed{'s' if seeds > 1 else ''}, no intervals.",
        f"Line, with arm numbers: not beaten in both. {marker_key(arms, summary).capitalize()}.",
    )
    return figure


def _staircase(
    axes: Axes, arms: Sequence[Arm], points: Sequence[tuple[float, float]], more: tuple[bool, bool]
) -> None:
    """Draw the staircase between the arms of the front, with their numbers on its unreached side."""
    signs = [1 if better else -1 for better in more]
    best = pareto([[sign * value for sign, value in zip(signs, point, strict=True)] for point in points])
    front = sorted((points[i], arms[i].number) for i in best)
    line = [point for point, _ in front]
    style: Any = {"color": INK, "linestyle": DASHES[1], "linewidth": 1, "zorder": 1}
    axes.plot(*zip(*line, strict=True), drawstyle="steps-pre" if more[0] else "steps-post", **style)
    for point, number in front:
        sides: Any = {"ha": "left" if more[0] else "right", "va": "bottom" if more[1] else "top"}
        offset = (5 * signs[0], 4 * signs[1])
        axes.annotate(str(number), point, offset, textcoords="offset points", fontsize=7, zorder=12, **sides)


def _label(metric: str, *, more: bool) -> str:
    return f"{metric.replace('_', ' ')} ({'more' if more else 'less'} is better)"
