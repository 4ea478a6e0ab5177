"""A table of numbers whose colours show its shape: factors by data sets, methods by data sets."""

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
    """A cell for each row and column with its number in it, in an ink that can be read there.

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
        raise ValueError(
            f"values {table.shape} and halves {widths.shape} must both be ({len(rows)}, {len(columns)}): rows, columns"
        )
    if not np.isfinite(table).any():
        raise ValueError(f"none of the {table.size} values is finite; a heat map needs one or more")
    colours = _colours(table, differences=differences)
    wide = len(columns) > 3 or (halves is not None and len(columns) > 2)
    figure = sheet(PAGE if wide else COLUMN, 0.9 + 0.27 * len(rows))
    axes = figure.subplots()
    for (row, column), value in np.ndenumerate(table):
        _cell(axes, (row, column), float(value), float(widths[row, column]), colours, differences=differences)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    across, down = ([str(place) for place in range(1, 1 + count)] for count in reversed(table.shape))
    axes.set_xticks(range(len(columns)), wrapped_apart(columns, across, 14))
    axes.set_yticks(range(len(rows)), wrapped_apart(rows, down, 32, 1))
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    intervals = "" if halves is None else f" ± half of the {LEVEL:.0%} interval"
    missing = "Hatched: not measured." if not np.isfinite(table).all() else ""
    note(figure, f"{label}: mean over n = {seeds} seed{'s' if seeds > 1 else ''}{intervals}.", missing)
    return figure


def factors(found: Sequence[Result]) -> Figure | None:
    """The planned differences of a campaign whose sweeps share arms: a row an arm, a column a sweep or a data set.

    None where no two arms are in the same two sweeps: there is no table to see at once.
    """
    made = {
        (one.arm, one.sweep): one for one in found if one.difference is not None and one.against == "default"
    }
    shared = [arm for arm in dict.fromkeys(arm for arm, _ in made) if sum(a == arm for a, _ in made) > 1]
    sweeps = list(dict.fromkeys(sweep for arm, sweep in made if arm in shared))
    if len(shared) < 2:
        return None
    cells = np.array([[_numbers(made.get((arm, sweep))) for sweep in sweeps] for arm in shared])
    return heat_map(
        cells[..., 0],
        shared,
        sweeps,
        label="Arm less default, points",
        seeds=min(one.seeds for (arm, _), one in made.items() if arm in shared),
        halves=cells[..., 1],
        differences=True,
    )


def _numbers(one: Result | None) -> tuple[float, float]:
    """The difference and half of its interval; nan where there is none."""
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


def _cell(
    axes: Axes,
    place: tuple[int, int],
    value: float,
    half: float,
    colours: ScalarMappable,
    *,
    differences: bool,
) -> None:
    row, column = place
    known = np.isfinite(value)
    norm: Any = colours.norm
    colour: Any = colours.get_cmap()(norm(value)) if known else "white"
    style: Any = {"facecolor": colour, "edgecolor": "white", "linewidth": 1}
    if not known:
        style |= {"hatch": "////", "edgecolor": "#CCCCCC"}
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **style))
    number = (signed(value, 1) if differences else f"{value:.1f}") if known else "–"
    words = f"{number}{reach(half)}" if known else number
    ink = ink_on(colour) if known else GREY
    axes.text(column, row, words, ha="center", va="center_baseline", color=ink)
