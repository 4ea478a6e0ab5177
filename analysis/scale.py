"""How the values of one parameter are laid along an axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from analysis.summarise import shown


@dataclass(frozen=True)
class Scale:
    """Positions of values on an axis; `categories` names them where they are no numbers."""

    label: str
    positions: list[float]
    limits: tuple[float, float]
    log: bool = False
    categories: tuple[str, ...] = ()

    def draw(self, axes: Axes, which: Literal["x", "y"]) -> None:
        """Makes it the x or the y axis."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_label_text(self.label)
        axes.set(**{f"{which}scale": "log" if self.log else "linear", f"{which}lim": self.limits})
        if self.log:
            wide = self.limits[1] / self.limits[0] > 1000
            axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())
        if self.categories:
            axis.set_ticks(range(len(self.categories)), self.categories)

    def line(self) -> NDArray[np.float64]:
        """Points from end to end, even to the eye."""
        return np.geomspace(*self.limits, 200) if self.log else np.linspace(*self.limits, 200)


def scale(label: str, values: Sequence[Any], domain: Mapping[str, Any]) -> Scale:
    """Numbers on a line that covers their domain, logarithmic if that spans more than a factor of 5.

    Anything else, and numbers mixed with anything else, becomes categories.
    """
    label = label.replace("_", " ")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        names = sorted({shown(value) for value in values})
        positions = [float(names.index(shown(value))) for value in values]
        return Scale(label, positions, (-0.5, len(names) - 0.5), categories=tuple(names))
    ends = [*values, *(domain[end] for end in ("low", "high") if end in domain)] or [0.0, 1.0]
    low, high = float(min(ends)), float(max(ends))
    if low > 0 and high / low > 5:
        margin = (high / low) ** 0.06
        return Scale(label, list(values), (low / margin, high * margin), log=True)
    margin = 0.06 * (high - low) or 0.5
    return Scale(label, list(values), (low - margin, high + margin))
