"""Markers of arms: which arms are drawn, where their markers stand, and how they look."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from analysis.arms import Arm
from analysis.figures.style import INK, VERMILLION, Tint, ink_on
from analysis.summary import Summary

BEST = 10
"""One in this many of the drawn arms is one of the first ranks."""
CROWD = 40
"""More arms than this have no numbers, and are drawn together."""
APART = 1.05
"""Distance, in widths of a marker, between neighbours that were moved apart."""


def thinned(count: int, most: int) -> list[int]:
    """Choose `most` of `count` ranks: the first tenth, the others at even steps; all ranks if there are no more."""
    if count <= most:
        return list(range(count))
    first = most // BEST
    steps = np.linspace(first, count - 1, most - first).round().astype(int)
    return [*range(first), *steps.tolist()]


def some(arms: Sequence[Arm], summary: Summary, most: int) -> list[Arm]:
    """Return at most `most` of the arms, in their order, and the best and the default."""
    chosen = set(thinned(len(arms), most))
    known = {arm.digest for arm in (summary.best, summary.default) if arm}
    return [arm for rank, arm in enumerate(arms) if rank in chosen or arm.digest in known]


def drawn_note(drawn: int, count: int, what: str = "arms") -> str:
    """Say in a caption how many are drawn; nothing where all are."""
    of = f"{drawn:,} of {count:,} {what}"
    return f"Drawn: {of}, the best and others at even steps of rank." if drawn < count else ""


def aside(axes: Axes, points: Sequence[Any], width: float, near: float) -> list[Transform]:
    """Return for each point in data coordinates the transform to its marker's centre; markers are `width` points wide.

    A marker stays at its point, unless others are within `near` widths of it: these stand in a circle around their
    common centre, wide enough to tell them apart, in the order in which they lie around it.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    own: list[Transform] = [axes.transData] * len(points)
    places = _on_paper(axes, points)
    for group in _groups(places, near * width):
        radius = 0.5 * APART * width / np.sin(np.pi / len(group))
        centre = places[group].mean(axis=0)
        x, y = (places[group] - centre).T
        angles = np.arctan2(y, x) if np.hypot(x, y).max() > width / 10 else np.full(len(group), np.pi / 2)
        order = np.argsort(-angles, kind="stable")  # clockwise; markers at one point keep their order
        for turn, member in enumerate(order):
            angle = angles[order[0]] - 2 * np.pi * turn / len(group)
            shift = centre + radius * np.array([np.cos(angle), np.sin(angle)]) - places[group[member]]
            x_shift, y_shift = shift / 72
            own[group[member]] = axes.transData + ScaledTranslation(x_shift, y_shift, figure.dpi_scale_trans)
    return own


def _on_paper(axes: Axes, points: Sequence[Any]) -> NDArray[np.float64]:
    """Coordinates on paper, (points, 2) in points; approximate, as the layout comes later."""
    if not len(points):
        return np.empty((0, 2))
    scaled = axes.transScale.transform(np.array(points, float))
    ends = axes.transScale.transform(np.array([axes.get_xlim(), axes.get_ylim()]).T)
    low = np.where(_automatic(axes), np.minimum(scaled.min(axis=0), ends[0]), ends[0])
    high = np.where(_automatic(axes), np.maximum(scaled.max(axis=0), ends[1]), ends[1])
    size = np.array([axes.bbox.width, axes.bbox.height]) * 72 / axes.figure.dpi
    return (scaled - low) / np.where(high == low, 1.0, high - low) * size


def _automatic(axes: Axes) -> NDArray[np.bool_]:
    return np.array([axes.get_autoscalex_on(), axes.get_autoscaley_on()])


def _groups(places: NDArray[np.float64], near: float) -> list[list[int]]:
    """Groups of two or more places near the first of them."""
    left, found = list(range(len(places))), list[list[int]]()
    while left:
        first, *others = left
        group = [first, *(i for i in others if np.hypot(*(places[i] - places[first])) < near)]
        left = [i for i in others if i not in group]
        found += [group] if len(group) > 1 else []
    return found


def mark_arms(
    axes: Axes,
    summary: Summary,
    arms: Sequence[Arm],
    points: Iterable[Any],
    tint: Tint,
    *,
    numbered: bool = True,
    size: float = 210,
    digits: float = 7.5,
) -> None:
    """Draw markers of `size` square points, the first arm on top; more than CROWD are small and without numbers.

    Markers that would hide each other, or each other's numbers, are moved apart; in a crowd they are not.
    Numbers are `digits` points high.
    """
    pairs = list(zip(arms, points, strict=True))
    if len(arms) > CROWD:
        for order, default in ((9, False), (9.5, True)):
            group = [pair for pair in reversed(pairs) if (pair[0] is summary.default) is default]
            _markers(axes, group, summary, tint, size=min(size, 45), order=order)
        return
    size = size if numbered else min(size, 45)
    places = aside(axes, [point for _, point in pairs], size**0.5, near=0.8 if numbered else 0.4)
    for rank, ((arm, point), place) in enumerate(zip(pairs, places, strict=True)):
        order = 10 - rank / len(arms)
        _markers(axes, [(arm, point)], summary, tint, size=size, order=order, place=place)
        if numbered:
            ink = ink_on(tint(arm.last)) if arm.score is not None else INK
            style: Any = {"ha": "center", "va": "center_baseline", "fontsize": digits, "color": ink}
            axes.text(*point, s=str(arm.number), zorder=order, transform=place, **style)


def marker_key(arms: Sequence[Arm], summary: Summary) -> str:
    """Explain the markers that are drawn."""
    hollow = sorted({arm.state for arm in arms if arm.score is None})
    parts = {
        "filled: complete": any(arm.score is not None for arm in arms),
        f"hollow: {' or '.join(hollow)}": hollow,
        "ring: best": summary.best in arms and summary.best,
        "square: default": summary.default in arms,
    }
    return ", ".join(part for part, there in parts.items() if there)


def role(arm: Arm, summary: Summary) -> str:
    """Return "default", "best", "default and best" or ""."""
    roles = {"default": summary.default, "best": summary.best}
    return " and ".join(name for name, holder in roles.items() if holder is arm)


def _markers(
    axes: Axes,
    pairs: Sequence[tuple[Arm, Any]],
    summary: Summary,
    tint: Tint,
    *,
    size: float,
    order: float,
    place: Transform | None = None,
) -> None:
    """Draw arms of one shape (the default, or others), the last on top; `place` may move them."""
    if not pairs:
        return
    default = pairs[0][0] is summary.default
    looks = [
        (size, ink, "white", 0.8) if arm.score is not None else (0.62 * size, "white", ink, 1.7)
        for arm, ink in ((arm, tint(arm.last)) for arm, _ in pairs)
    ]
    sizes, faces, rims, widths = zip(*looks, strict=True)
    style: Any = {"marker": "s" if default else "o", "s": sizes, "facecolors": faces, "clip_on": False}
    style |= {"edgecolors": VERMILLION if default else rims, "linewidths": 2.0 if default else widths}
    drawn = [axes.scatter(*zip(*(point for _, point in pairs), strict=True), zorder=order, **style)]
    halo = [Stroke(linewidth=3, foreground="white"), Normal()]  # without it a dark surface hides the ring
    ring: Any = {"facecolors": "none", "edgecolors": INK, "clip_on": False, "path_effects": halo}
    ring |= {"s": (size**0.5 + 5.5) ** 2, "linewidths": 1.5, "zorder": order + 0.01}
    drawn += [axes.scatter(*point, **ring) for arm, point in pairs if arm is summary.best]
    for one in drawn:  # after they were added: what is moved on paper moves no limit of the axes
        one.set_offset_transform(place or axes.transData)
