"""Heat maps: factors by data sets, methods by data sets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from analysis.campaign import Result
from analysis.figures.labels import wrapped_apart
from analysis.figures.style import COLUMN, DIVERGING, GREY, PAGE, SEQUENTIAL, ink_on, note, sheet, styled
from analysis.intervals import LEVEL, reach, signed


@styled
def heat_map(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    seeds: int,
    halves: ArrayLike | None = None,
    differences: bool = False,
) -> Figure:
    """Draw a coloured cell for each row and column with its number in it.

    Args:
        values: (rows, columns), in units of the metric; nan where nothing was measured.
        rows: their names, such as factors.
        columns: their names, such as data sets.
        label: what the numbers are, with their unit.
        seeds: how many each number is the mean of.
        halves: (rows, columns), half widths of the intervals of the means.
        differences: whether they are differences: coloured to both sides of 0, and written with their sign.

    Raises:
        ValueError: shapes and names do not fit, or no value is finite.
    """
    table = np.asarray(values, float)
    widths = np.full_like(table, np.nan) if halves is None else np.asarray(halves, float)
    if table.shape != (len(rows), len(columns)) or widths.shape != table.shape:
        both, shape = f"values {table.shape} and halves {widths.shape}", (len(rows), len(columns))
        raise ValueError(f"{both} must both be {shape}: rows, columns")
    if not np.isfinite(table).any():
        raise ValueError(f"none of the {table.size} values is finite; a heat map needs one or more")
    colours = _colours(table, differences=differences)
    wide = len(columns) > 3 or (halves is not None and len(columns) > 2)
    figure = sheet(PAGE if wide else COLUMN, 0.9 + 0.27 * len(rows))
    axes = figure.subplots()
    _cells(axes, table, widths, colours, differences=differences)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), wrapped_apart(columns, _places(columns), 14))
    axes.set_yticks(range(len(rows)), wrapped_apart(rows, _places(rows), 32, 1))
    over = f"n = {seeds} seed{'s' if seeds > 1 else ''}"
    intervals = "" if halves is None else f" ± half of the {LEVEL:.0%} interval"
    missing = "" if np.isfinite(table).all() else "Hatched: not measured."
    note(figure, f"{label}: mean over {over}{intervals}.", missing)
    return figure


def _places(names: Sequence[str]) -> list[str]:
    return [str(place) for place in range(1, 1 + len(names))]


def factors(found: Sequence[Result]) -> Figure | None:
    """Draw the planned differences of a campaign whose sweeps share arms: a row for each arm, a column for each sweep.

    None where no two arms are in the same two sweeps: there is no table to see at once.
    """
    known = [one for one in found if one.difference is not None and one.against == "default"]
    made = {(one.arm, one.sweep): one for one in known}
    shared = [arm for arm in dict.fromkeys(arm for arm, _ in made) if sum(a == arm for a, _ in made) > 1]
    sweeps = list(dict.fromkeys(sweep for arm, sweep in made if arm in shared))
    if len(shared) < 2:
        return None
    cells = np.array([[_numbers(made.get((arm, sweep))) for sweep in sweeps] for arm in shared])
    seeds = min(one.seeds for (arm, _), one in made.items() if arm in shared)
    about: Any = {"label": "Arm less default, points", "seeds": seeds, "differences": True}
    return heat_map(cells[..., 0], shared, sweeps, halves=cells[..., 1], **about)


def _numbers(one: Result | None) -> tuple[float, float]:
    """Return the difference and the half-width of its interval; nan where there is none."""
    if one is None or one.difference is None:
        return np.nan, np.nan
    return one.difference, np.nan if one.low is None or one.high is None else (one.high - one.low) / 2


def _colours(table: NDArray[np.float64], *, differences: bool) -> ScalarMappable:
    known = table[np.isfinite(table)]
    if differences:
        end = float(np.abs(known).max()) or 1.0
        return ScalarMappable(Normalize(-end, end), DIVERGING)
    low, high = float(known.min()), float(known.max())
    return ScalarMappable(Normalize(low if low < high else high - 1, high), SEQUENTIAL)


def _cells(
    axes: Axes,
    table: NDArray[np.float64],
    widths: NDArray[np.float64],
    colours: ScalarMappable,
    *,
    differences: bool,
) -> None:
    """Draw a rectangle for each value with the value in it, hatched where there is none, and no axes."""
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    norm: Any = colours.norm
    for (row, column), value in np.ndenumerate(table):
        number = signed(value, 1) if differences else f"{value:.1f}"
        words, colour = f"{number}{reach(float(widths[row, column]))}", colours.get_cmap()(norm(value))
        style: Any = {"facecolor": colour, "edgecolor": "white"}
        if not np.isfinite(value):
            words, style = "–", {"facecolor": "white", "edgecolor": "#CCCCCC", "hatch": "////"}
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, linewidth=1, **style))
        ink = ink_on(colour) if np.isfinite(value) else GREY
        axes.text(column, row, words, ha="center", va="center_baseline", color=ink)
