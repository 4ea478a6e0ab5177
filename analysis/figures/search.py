"""Figure of the expected best of n arms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.best_of import BestOf
from analysis.figures.labels import Label, label_ends
from analysis.figures.style import LOOKS, PAGE, note, sheet, styled
from analysis.intervals import LEVEL


@styled
def best_of_curves(found: Mapping[str, BestOf], *, label: str) -> Figure:
    """The expected best of n arms over n, a line with its band for each method; compare methods at equal n.

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
        style: Any = {"color": look.colour, "linestyle": look.dash, "marker": look.marker, "markersize": 3.5}
        axes.plot(numbers, one.expected, linewidth=1.5, markevery=max(1, len(numbers) // 6), **style)
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
