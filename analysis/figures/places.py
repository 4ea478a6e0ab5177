"""Where markers stand that would hide each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

NEAR = 0.4
"""Of a marker's width: nearer ones hide each other."""
APART = 0.8
"""Of a marker's width between neighbours that stand around their place."""


def aside(axes: Axes, points: Sequence[Any], width: float) -> list[Transform]:
    """For each point in data coordinates the transform to where its marker stands, `width` points of paper wide.

    That is its own place, unless several lie there: these stand in a circle around it, wide enough to tell them apart.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    own: list[Transform] = [axes.transData] * len(points)
    for group in _groups(_on_paper(axes, points), NEAR * width):
        radius = 0.5 * APART * width / np.sin(np.pi / len(group))
        for turn, member in enumerate(group):
            angle = np.pi / 2 - 2 * np.pi * turn / len(group)
            x, y = radius * np.cos(angle) / 72, radius * np.sin(angle) / 72
            own[member] = axes.transData + ScaledTranslation(x, y, figure.dpi_scale_trans)
    return own


def _on_paper(axes: Axes, points: Sequence[Any]) -> NDArray[np.float64]:
    """(points, 2) in points of paper, by the limits that the axes will have; before the layout, so about so."""
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
    """Two or more that lie near the first of them, in order."""
    left, found = list(range(len(places))), list[list[int]]()
    while left:
        first, *others = left
        group = [first, *(i for i in others if np.hypot(*(places[i] - places[first])) < near)]
        left = [i for i in others if i not in group]
        found += [group] if len(group) > 1 else []
    return found
