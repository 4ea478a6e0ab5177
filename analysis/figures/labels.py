"""Text in figures: names shortened to fit, and labels at the ends of lines."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from analysis.arms import Arm
from analysis.figures.style import INK, Look
from analysis.naming import shown


@dataclass(frozen=True)
class Label:
    """A text at a height of the y axis; with a look its marker stands before the text."""

    height: float
    words: str
    ink: str = INK
    weight: str = "normal"
    look: Look | None = None


def label_ends(axes: Axes, labels: Sequence[Label], *, size: float = 8) -> None:
    """Write labels beside the right edge, moved apart just enough not to overlap."""
    figure = axes.get_figure(root=True)
    if figure is None or not labels:
        return
    ordered = sorted(labels, key=lambda label: (label.height, label.words))
    figure.draw_without_rendering()  # the layout decides how tall a line of text is in data units
    gap = 1.375 * size / 72 * figure.dpi / axes.bbox.height
    heights = spaced([_fraction(axes, label.height) for label in ordered], gap)
    for height, label in zip(heights, ordered, strict=True):
        _write(axes, height, label, size)


def spaced(values: Sequence[float], gap: float) -> list[float]:
    """Move ascending values as little as possible until neighbours are `gap` apart (pooled adjacent violators)."""
    blocks: list[list[float]] = []
    for index, value in enumerate(values):
        blocks.append([value - index * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    places = [float(np.mean(block)) for block in blocks for _ in block]
    return [place + index * gap for index, place in enumerate(places)]


def wrapped(name: str, width: int, lines: int = 2) -> str:
    """Wrap a name to `lines` lines of at most `width` characters; an ellipsis marks what is cut."""
    rows = textwrap.wrap(name, width) or [""]
    if len(rows) > lines:
        rows = [*rows[: lines - 1], f"{rows[lines - 1][: width - 1].rstrip()}…"]
    return "\n".join(rows)


def wrapped_apart(names: Sequence[str], numbers: Sequence[str], width: int, lines: int = 2) -> list[str]:
    """Wrap each name; where two come out equal, end each with its number."""
    cut = [wrapped(name, width, lines) for name in names]
    alike = Counter(cut)
    return [
        _numbered(name, number, width, lines) if alike[short] > 1 else short
        for name, number, short in zip(names, numbers, cut, strict=True)
    ]


def rows_high(names: Sequence[str]) -> float:
    """Return the height, in inches, of equally high rows with these wrapped names."""
    return len(names) * (0.08 + 0.105 * max((name.count("\n") + 1 for name in names), default=1))


def names_by_digest(arms: Sequence[Arm], limit: int = 24) -> dict[str, str]:
    """Name each arm, by its digest: by its values if they are short and unique, else by its number."""
    names = {arm.digest: ", ".join(map(shown, arm.values.values())) for arm in arms}
    alike = Counter(names.values())
    return {
        arm.digest: name if 0 < len(name) <= limit and alike[name] == 1 else f"arm {arm.number}"
        for arm, name in ((arm, names[arm.digest]) for arm in arms)
    }


def _numbered(name: str, number: str, width: int, lines: int) -> str:
    """Wrap a name that ends with its number; the number is never cut."""
    whole, end = wrapped(f"{name} ({number})", width, lines), f"({number})"
    if not whole.endswith("…"):
        return whole
    if lines == 1:
        return f"{wrapped(name, max(width - len(end) - 1, 1), 1)} {end}"
    return f"{wrapped(name, width, lines - 1)}\n{end}"


def _fraction(axes: Axes, height: float) -> float:
    """Convert a data coordinate to a share of the y axis."""
    place = axes.transAxes.inverted().transform(axes.transData.transform((0.0, height)))
    return float(place[1])


def _write(axes: Axes, height: float, label: Label, size: float) -> None:
    start = 4.0
    if label.look:
        key: Any = {"color": label.look.colour, "marker": label.look.marker, "markersize": 4}
        axes.plot([1], [height], transform=beside(axes, 7), clip_on=False, linestyle="none", **key)
        start = 12.0
    style: Any = {"color": label.ink, "fontsize": size, "fontweight": label.weight, "va": "center"}
    axes.text(1, height, label.words, transform=beside(axes, start), **style)


def beside(axes: Axes, points: float) -> Any:
    """Return the transform from shares of the axes, shifted to the right by `points` points."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("labels are written on axes of a figure, and these belong to none; add them to one")
    return axes.transAxes + ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)
