"""The panels of the figures, each drawn on axes it is given."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.transforms import blended_transform_factory

from analysis.load import Record, Run
from analysis.scale import Scale, scale
from analysis.summarise import Arm, Summary, short

INK, GREY, PALE = "#222222", "#777777", "#BBBBBB"
VERMILLION = "#D55E00"
"""Okabe and Ito's; marks the default, and nothing else."""

Tint = Callable[[float | None], Any]
"""The colour of a value of the metric."""


def arms_over_two(axes: Axes, summary: Summary, space: Mapping[str, Any], tint: Tint) -> None:
    """Each arm at its two first parameters, coloured by its value; what the space excludes is hatched."""
    names, domains, paths = short(summary.paths), space.get("domains", {}), summary.paths[:2]
    x, y = (scale(names[p], [arm.values[p] for arm in summary.arms], domains.get(p, {})) for p in paths)
    x.draw(axes, "x")
    y.draw(axes, "y")
    for constraint in space.get("constraints", []):
        if set(constraint.get("less", ())) == set(paths):
            _hatch(axes, x, y, above=constraint["less"][0] == paths[1])
    _mark_arms(axes, summary, summary.arms, zip(x.positions, y.positions, strict=True), tint)


def arms_over_one(axes: Axes, summary: Summary, space: Mapping[str, Any], tint: Tint) -> None:
    """Each arm's value over the one parameter that varies, or over the arm's number if none does."""
    arms = [arm for arm in summary.arms if arm.last is not None]
    path = summary.paths[0] if summary.paths else None
    values = [arm.values[path] if path else arm.number for arm in arms]
    label = short(summary.paths)[path] if path else "arm"
    x = scale(label, values, space.get("domains", {}).get(path, {}))
    x.draw(axes, "x")
    axes.set_ylabel(summary.label)
    points = [(position, arm.last or 0.0) for position, arm in zip(x.positions, arms, strict=True)]
    line = sorted(point for point, arm in zip(points, arms, strict=True) if arm.score is not None)
    if path and not x.categories:
        axes.plot([p for p, _ in line], [value for _, value in line], color=PALE, linewidth=1, zorder=1)
    for (position, value), arm in zip(points, arms, strict=True):
        if arm.deviation is not None:
            axes.errorbar(position, value, arm.deviation, color=GREY, linewidth=1, capsize=3, zorder=1.5)
    axes.margins(y=0.12)
    _mark_arms(axes, summary, arms, points, tint)


def learning_curves(
    axes: Axes, record: Record, summary: Summary, baselines: Mapping[str, float], tint: Tint
) -> None:
    """The metric after each epoch of each run; names and values stand at the right end of what they name."""
    horizon = record.manifest.get("epochs") or max((run.epochs for run in record.runs), default=1)
    arms = {arm.digest: arm for arm in summary.arms}
    for run in record.runs:
        if record.metric in run.curve:
            arm = arms[run.arm]
            ink = VERMILLION if arm is summary.default else tint(arm.last)
            _curve(axes, record.metric, run, ink, front=bool(_role(arm, summary)))
    for value in baselines.values():
        axes.axhline(value, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set(xlim=(0, horizon), xlabel="epoch", ylabel=summary.label)
    stopped = any(run.state == "stopped" for run in record.runs)
    axes.set_title("Runs as they learned" + (" (×: stopped early)" if stopped else ""))
    axes.margins(y=0.06)
    labels = [(value, f"{name} {value:.1f}", GREY, "normal") for name, value in baselines.items()]
    for arm in summary.arms:
        if arm.score is not None and _role(arm, summary):
            ink = VERMILLION if arm is summary.default else INK
            labels.append((arm.score, f"{_role(arm, summary)} ({arm.number}) {arm.score:.1f}", ink, "bold"))
    _label_ends(axes, sorted(labels))


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Ascending values moved as little as need be until neighbours are `gap` apart (pooled adjacent violators)."""
    blocks: list[list[float]] = []
    for index, value in enumerate(values):
        blocks.append([value - index * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    places = [float(np.mean(block)) for block in blocks for _ in block]
    return [place + index * gap for index, place in enumerate(places)]


def _curve(axes: Axes, metric: str, run: Run, ink: Any, *, front: bool) -> None:
    epochs, values = run.curve[metric]
    axes.plot(epochs, values, color=ink, linewidth=2.2 if front else 1.1, zorder=4 if front else 2)
    if run.state == "stopped":
        axes.plot(epochs[-1:], values[-1:], "x", color=ink, markersize=5, markeredgewidth=1.4, zorder=3)


def _mark_arms(axes: Axes, summary: Summary, arms: Sequence[Arm], points: Iterable[Any], tint: Tint) -> None:
    """Numbered markers, the best on top; without numbers where there would be a crowd."""
    crowd = len(arms) > 40
    for rank, (arm, point) in enumerate(zip(arms, points, strict=True)):
        order = 10 - rank / len(arms)
        _marker(axes, point, arm, summary, ink=tint(arm.last), size=45 if crowd else 210, order=order)
        if not crowd:
            ink = "white" if arm.score is not None and _dark(tint(arm.last)) else INK
            style: Any = {"ha": "center", "va": "center_baseline", "fontsize": 7.5, "color": ink}
            axes.text(*point, s=str(arm.number), zorder=order, **style)
    axes.set_title(_key(arms, summary))


def _marker(
    axes: Axes, point: Any, arm: Arm, summary: Summary, *, ink: Any, size: float, order: float
) -> None:
    filled, default = arm.score is not None, arm is summary.default
    edge, width = (VERMILLION, 2.0) if default else ("white", 0.8) if filled else (ink, 1.7)
    style = {
        "marker": "s" if default else "o",
        "facecolors": [ink if filled else "white"],
        "edgecolors": [edge],
    }
    axes.scatter(
        *point, s=size if filled else 0.62 * size, linewidths=width, zorder=order, clip_on=False, **style
    )
    if arm is summary.best:
        ring = {"facecolors": "none", "edgecolors": INK, "clip_on": False}
        axes.scatter(*point, s=(size**0.5 + 5.5) ** 2, linewidths=1.5, zorder=order, **ring)


def _key(arms: Sequence[Arm], summary: Summary) -> str:
    """What the markers mean, of those that are there."""
    hollow = sorted({arm.state for arm in arms if arm.score is None})
    parts = {
        "filled: complete": any(arm.score is not None for arm in arms),
        f"hollow: {' or '.join(hollow)}": hollow,
        "ring: best": summary.best,
        "square: default": summary.default in arms,
    }
    return f"Arms ({', '.join(part for part, there in parts.items() if there)})"


def _role(arm: Arm, summary: Summary) -> str:
    roles = {"default": summary.default, "best": summary.best}
    return " and ".join(role for role, holder in roles.items() if holder is arm)


def _hatch(axes: Axes, x: Scale, y: Scale, *, above: bool) -> None:
    """Hatches y >= x, or y <= x, and says so in the corner if that lies inside."""
    line, end = x.line(), y.limits[1] if above else y.limits[0]
    inside = line < end if above else line > end
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "#DDDDDD", "hatch": "////", "linewidth": 0}
    axes.fill_between(line, line, end, where=inside.tolist(), zorder=0, **style)
    corner, inner = ((0.025, 0.975), (0.25, 0.84)) if above else ((0.975, 0.025), (0.75, 0.16))
    spot = axes.transData.inverted().transform(axes.transAxes.transform(inner))
    if (spot[1] > spot[0]) == above:
        words = f"excluded:\n{y.label}\n{'≥' if above else '≤'} {x.label}"
        sides: Any = {"ha": "left", "va": "top"} if above else {"ha": "right", "va": "bottom"}
        axes.text(*corner, words, transform=axes.transAxes, color=GREY, fontsize=7.5, **sides)


def _label_ends(axes: Axes, labels: Sequence[tuple[float, str, str, str]]) -> None:
    """Writes beside the right edge, moved apart just enough not to overlap."""
    figure = axes.get_figure(root=True)
    if figure is None or not labels:
        return
    figure.draw_without_rendering()  # the layout decides how tall a line of text is in data units
    low, high = axes.get_ylim()
    gap = 11.5 / 72 * figure.dpi / axes.bbox.height * (high - low)
    heights = spread([value for value, *_ in labels], gap)
    place = blended_transform_factory(axes.transAxes, axes.transData)
    for height, (_, words, ink, weight) in zip(heights, labels, strict=True):
        axes.text(1.02, height, words, transform=place, color=ink, fontsize=8, fontweight=weight, va="center")


def _dark(colour: Any) -> bool:
    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
