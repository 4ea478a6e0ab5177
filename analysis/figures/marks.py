"""How arms are marked, the same in every figure: filled if complete, a ring for the best, a square for the default."""

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke
from matplotlib.transforms import Transform

from analysis.arms import Arm
from analysis.figures.places import aside
from analysis.figures.style import INK, VERMILLION, Tint, ink_on
from analysis.summary import Summary

CROWD = 40
"""More arms than this have no numbers, and are drawn together."""


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
    """Markers of `size` square points, the first arm on top; in a crowd small and without numbers.

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


def key(arms: Sequence[Arm], summary: Summary) -> str:
    """What the markers mean, of those that are there."""
    hollow = sorted({arm.state for arm in arms if arm.score is None})
    parts = {
        "filled: complete": any(arm.score is not None for arm in arms),
        f"hollow: {' or '.join(hollow)}": hollow,
        "ring: best": summary.best in arms and summary.best,
        "square: default": summary.default in arms,
    }
    return ", ".join(part for part, there in parts.items() if there)


def role(arm: Arm, summary: Summary) -> str:
    """Whether an arm is the default, the best, both or neither."""
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
    """Arms of one shape, the default or others, at their points or moved aside from them, the last on top."""
    if not pairs:
        return
    default = pairs[0][0] is summary.default
    filled = [arm.score is not None for arm, _ in pairs]
    inks = [tint(arm.last) for arm, _ in pairs]
    rims = ["white" if full else ink for full, ink in zip(filled, inks, strict=True)]
    style: Any = {
        "marker": "s" if default else "o",
        "s": [size if full else 0.62 * size for full in filled],
        "facecolors": [ink if full else "white" for full, ink in zip(filled, inks, strict=True)],
        "edgecolors": VERMILLION if default else rims,
        "linewidths": 2.0 if default else [0.8 if full else 1.7 for full in filled],
    }
    drawn = [
        axes.scatter(*zip(*(point for _, point in pairs), strict=True), zorder=order, clip_on=False, **style)
    ]
    for point in (point for arm, point in pairs if arm is summary.best):
        halo = [Stroke(linewidth=3, foreground="white"), Normal()]  # without it a dark surface hides the ring
        ring: Any = {"facecolors": "none", "edgecolors": INK, "clip_on": False, "path_effects": halo}
        drawn.append(
            axes.scatter(*point, s=(size**0.5 + 5.5) ** 2, linewidths=1.5, zorder=order + 0.01, **ring)
        )
    for one in drawn:  # after they were added: what is moved on paper moves no limit of the axes
        one.set_offset_transform(place or axes.transData)
