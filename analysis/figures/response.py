"""The score over one parameter, beside what others have reported of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arms import Arm
from analysis.figures.labels import wrapped
from analysis.figures.marks import key, mark_arms
from analysis.figures.scale import Scale, scale
from analysis.figures.style import COLUMN, DASHES, GREY, INK, LOOKS, note, shades, sheet, styled
from analysis.intervals import LEVEL, student_interval
from analysis.naming import short
from analysis.summary import Summary


@styled
def response_curve(
    summary: Summary, path: str, space: Mapping[str, Any], *, what: str | None = None
) -> Figure:
    """Mean and interval over seeds at each value of a parameter; reported values on an axis of their own.

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
    values = [arm.values[path] for arm in arms] + [one["values"][path] for one in reported]
    x = scale(short(summary.paths)[path], values, space.get("domains", {}).get(path, {}))
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
        f"{key(arms, summary)}.",
    ]
    if reported:
        _others(axes, reported, x.positions[len(arms) :])
        sources = "; ".join(dict.fromkeys(one["source"] for one in reported))
        words.append(f"Diamonds, right axis: reported elsewhere, no intervals ({sources}).")
    note(figure, *words)
    return figure


def _alone(summary: Summary, path: str) -> list[Arm]:
    """The arms with a value that differ from the default in this parameter only."""
    if path not in summary.paths:
        raise ValueError(
            f"{path} is no parameter of this sweep; it varies {', '.join(summary.paths) or 'nothing'}"
        )
    origin = (summary.default or summary.best or summary.arms[0]).values if summary.arms else {}
    arms = [
        arm
        for arm in summary.arms
        if arm.last is not None and all(arm.values[p] == origin[p] for p in summary.paths if p != path)
    ]
    if len(arms) < 2:
        raise ValueError(f"{len(arms)} arms vary {path} alone, a curve needs two; draw slices or a surface")
    return arms


def _reported(path: str, space: Mapping[str, Any], what: str | None) -> list[Mapping[str, Any]]:
    """What others have reported of this parameter alone."""
    there = [one for one in space.get("reported", ()) if set(one["values"]) == {path}]
    kinds = list(dict.fromkeys(one["what"] for one in there))
    if what is None and len(kinds) > 1:
        raise ValueError(f"of {path} several quantities are reported; choose one: {', '.join(kinds)}")
    if what is not None and what not in kinds:
        raise ValueError(f"of {path} no '{what}' is reported; there is: {', '.join(kinds) or 'nothing'}")
    return [one for one in there if one["what"] == (what or kinds[0])]


def _own(axes: Axes, summary: Summary, arms: Sequence[Arm], x: Scale) -> None:
    points = [(position, arm.last or 0.0) for position, arm in zip(x.positions, arms, strict=False)]
    complete = sorted(
        (place, np.array(list(arm.scores.values())))
        for (place, _), arm in zip(points, arms, strict=True)
        if arm.score is not None
    )
    means = [float(scores.mean()) for _, scores in complete]
    style: Any = {"color": LOOKS[0].colour, "linewidth": 1.3, "zorder": 1.5}
    axes.plot([place for place, _ in complete], means, linestyle="none" if x.categories else "-", **style)
    for (place, scores), mean in zip(complete, means, strict=True):
        if ends := student_interval(scores, summary.within):
            axes.errorbar([place], [mean], [[mean - ends[0]], [ends[1] - mean]], capsize=2.5, **style)
    axes.margins(y=0.12)
    tint, _ = shades([arm.last for arm in arms if arm.last is not None])
    mark_arms(axes, summary, arms, points, tint, numbered=False, size=32)


def _others(axes: Axes, reported: Sequence[Mapping[str, Any]], places: Sequence[float]) -> None:
    right = axes.twinx()
    right.spines["right"].set(visible=True, linestyle=DASHES[1])
    pairs = sorted(zip(places, (one["score"] for one in reported), strict=True))
    style: Any = {"color": GREY, "markerfacecolor": "white", "markeredgecolor": INK, "linestyle": DASHES[1]}
    right.plot(*zip(*pairs, strict=True), marker="D", markersize=4.5, linewidth=1, **style)
    right.set_ylabel(f"{wrapped('reported: ' + reported[0]['what'], 24, 4)}", color="#555555")
    right.margins(y=0.12)
