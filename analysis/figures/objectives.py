"""Two objectives against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arms import Arm, pareto
from analysis.figures.marks import key, mark_arms
from analysis.figures.style import COLUMN, DASHES, INK, note, shades, sheet, styled
from analysis.summary import Summary


@styled
def pareto_front(
    summary: Summary, objectives: Sequence[Mapping[str, Any]], axes: tuple[str, str] | None = None
) -> Figure:
    """Every complete arm at its two objectives, and the line of those that no other beats in both.

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
        raise ValueError(
            f"a front needs two objectives of {', '.join(known) or 'none'}; got {', '.join(names) or 'none'}"
        )
    arms = [arm for arm in summary.arms if set(names) <= arm.objectives.keys()]
    if not arms:
        raise ValueError(f"no arm is complete with {' and '.join(names)}; wait for one that is")
    points = [(arm.objectives[names[0]], arm.objectives[names[1]]) for arm in arms]
    figure = sheet(COLUMN, 3.0)
    panel = figure.subplots()
    _staircase(panel, arms, points, (known[names[0]], known[names[1]]))
    tint, _ = shades([arm.last for arm in arms if arm.last is not None])
    mark_arms(panel, summary, arms, points, tint, numbered=False, size=32)
    panel.margins(0.12)
    panel.set(
        **{f"{which}label": _label(name, more=known[name]) for which, name in zip("xy", names, strict=True)}
    )
    seeds = max(len(arm.scores) for arm in arms)
    note(
        figure,
        f"n = {len(arms)} complete arms, means over {seeds} seed{'s' if seeds > 1 else ''}, no intervals.",
        f"Line, with arm numbers: not beaten in both. {key(arms, summary).capitalize()}.",
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
