"""How arms are marked, the same in every figure: filled if complete, a ring for the best, a square for the default."""

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes

from analysis.figures.style import INK, VERMILLION, Tint, ink_on
from analysis.summarise import Arm, Summary


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

    Numbers are `digits` points high.
    """
    numbered = numbered and len(arms) <= 40
    for rank, (arm, point) in enumerate(zip(arms, points, strict=True)):
        order = 10 - rank / len(arms)
        _marker(
            axes,
            point,
            arm,
            summary,
            ink=tint(arm.last),
            size=size if numbered else min(size, 45),
            order=order,
        )
        if numbered:
            ink = ink_on(tint(arm.last)) if arm.score is not None else INK
            style: Any = {"ha": "center", "va": "center_baseline", "fontsize": digits, "color": ink}
            axes.text(*point, s=str(arm.number), zorder=order, **style)


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
