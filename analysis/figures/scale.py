"""Axes for the values of a parameter."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from analysis.arms import Arm
from analysis.figures.labels import wrapped_apart
from analysis.figures.style import GREY
from analysis.naming import short, shown
from analysis.summary import Summary

ROOM = {"x": (10, 3), "y": (24, 2)}
"""Characters of a line, and lines, that a category's name has below the x axis and beside the y axis."""


@dataclass(frozen=True)
class Scale:
    """Positions of values on an axis; values that are no numbers become `categories`."""

    label: str
    positions: list[float]
    limits: tuple[float, float]
    log: bool = False
    categories: tuple[str, ...] = ()

    def draw(self, axes: Axes, which: Literal["x", "y"]) -> None:
        """Set up the x or y axis; names of categories are cut to fit."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_label_text(self.label)
        axes.set(**{f"{which}scale": "log" if self.log else "linear", f"{which}lim": self.limits})
        if self.log:
            axis.set_major_locator(LogLocator(subs=self.steps))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())
        if self.categories:
            width, lines = ROOM[which]
            axis.set_ticks(range(len(self.categories)), self.named(width, lines))

    def named(self, width: int, lines: int) -> list[str]:
        """Wrap the categories to this many lines; where two are cut alike, add their places."""
        places = [str(place) for place in range(1, 1 + len(self.categories))]
        return wrapped_apart(self.categories, places, width, lines)

    @property
    def steps(self) -> tuple[int, ...]:
        """Ticks of each decade of a logarithmic axis."""
        return (1,) if self.limits[1] / self.limits[0] > 1000 else (1, 2, 5)

    def line(self, count: int = 200) -> NDArray[np.float64]:
        """Return `count` points from end to end, evenly spaced as drawn."""
        return (np.geomspace if self.log else np.linspace)(*self.limits, count)

    def unit(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Convert positions to shares of the axis as drawn."""
        ends, values = np.array(self.limits), np.asarray(positions, float)
        low, high = np.log(ends) if self.log else ends
        return ((np.log(values) if self.log else values) - low) / (high - low)


def parameter_scale(
    summary: Summary, path: str, space: Mapping[str, Any], arms: Sequence[Arm], *also: Any
) -> Scale:
    """Lay the values that arms have of a parameter, and others, along an axis that covers its domain."""
    values = [*(arm.values[path] for arm in arms), *also]
    return scale(short(summary.paths)[path], values, space.get("domains", {}).get(path, {}))


def require_parameter(path: str, summary: Summary) -> None:
    """Raise ValueError if the path does not vary."""
    if path not in summary.paths:
        varied = ", ".join(summary.paths) or "nothing"
        raise ValueError(f"{path} is no parameter of this sweep; it varies {varied}")


def scale(label: str, values: Sequence[Any], domain: Mapping[str, Any]) -> Scale:
    """Place numbers on a line that covers their domain, logarithmic if it spans more than a factor of 5.

    Anything else, and numbers mixed with anything else, becomes categories.
    """
    label = label.replace("_", " ")
    if not all(map(is_number, values)):
        words = short_forms(values)
        names = sorted(set(words))
        places = [float(names.index(word)) for word in words]
        return Scale(label, places, (-0.5, len(names) - 0.5), categories=tuple(names))
    ends = [*values, *(domain[end] for end in ("low", "high") if end in domain)] or [0.0, 1.0]
    low, high = float(min(ends)), float(max(ends))
    if low > 0 and high / low > 5:
        margin = (high / low) ** 0.06
        return Scale(label, list(values), (low / margin, high * margin), log=True)
    margin = 0.06 * (high - low) or 0.5
    return Scale(label, list(values), (low - margin, high + margin))


def short_forms(values: Sequence[Any]) -> list[str]:
    """Format each value shortly, or in full where short forms are equal."""
    whole = [json.dumps(value, sort_keys=True, default=str) for value in values]
    words = dict(zip(whole, map(shown, values), strict=True))
    alike = Counter(words.values())
    return [words[one] if alike[words[one]] == 1 else one for one in whole]


def is_number(value: Any) -> bool:
    """Return whether a value is a number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def hatch_excluded(axes: Axes, x: Scale, y: Scale, paths: Sequence[str], space: Mapping[str, Any]) -> None:
    """Hatch what the constraints of a space exclude in the plane of two of its parameters."""
    for above in _above(paths, space):
        _hatch(axes, x, y, above=above)


def excluded(
    x: NDArray[np.float64], y: NDArray[np.float64], paths: Sequence[str], space: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Return which points of the grid of two parameters, (len(y), len(x)), the constraints of a space exclude."""
    out = np.zeros((len(y), len(x)), bool)
    for above in _above(paths, space):
        out |= (y[:, None] >= x) if above else (y[:, None] <= x)
    return out


def _above(paths: Sequence[str], space: Mapping[str, Any]) -> list[bool]:
    """Return, for each constraint on both parameters, whether it excludes the points above the diagonal."""
    constraints = [constraint.get("less", ()) for constraint in space.get("constraints", [])]
    return [less[0] == paths[1] for less in constraints if set(less) == set(paths)]


def _hatch(axes: Axes, x: Scale, y: Scale, *, above: bool) -> None:
    """Hatch y >= x, or y <= x, and say so in the corner if that lies inside."""
    line, end = x.line(), y.limits[1] if above else y.limits[0]
    inside = line < end if above else line > end
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": "#DDDDDD", "hatch": "////", "linewidth": 0}
    axes.fill_between(line, line, end, where=inside.tolist(), zorder=2.5, **style)
    corner, inner = ((0.025, 0.975), (0.25, 0.84)) if above else ((0.975, 0.025), (0.75, 0.16))
    spot = axes.transData.inverted().transform(axes.transAxes.transform(inner))
    if (spot[1] > spot[0]) == above:
        words = f"excluded:\n{y.label}\n{'≥' if above else '≤'} {x.label}"
        sides: Any = {"ha": "left", "va": "top"} if above else {"ha": "right", "va": "bottom"}
        axes.text(*corner, words, transform=axes.transAxes, color=GREY, fontsize=7.5, **sides)
