"""Places of markers that would hide each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

APART = 1.05
"""Distance, in widths of a marker, between neighbours that were moved apart."""


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
            own[group[member]] = axes.transData + ScaledTranslation(
                shift[0] / 72, shift[1] / 72, figure.dpi_scale_trans
            )
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
