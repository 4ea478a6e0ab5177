"""Differences between arms that share their seeds: each with its interval, or seed by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from analysis.compare import compare
from analysis.figures.labels import beside, rows_high, wrapped, wrapped_apart
from analysis.figures.style import COLUMN, DASHES, GREY, INK, LOOKS, PAGE, PALE, note, sheet, styled
from analysis.intervals import EVERYWHERE, LEVEL, Ends, signed, spanned, student_interval
from analysis.multiple import Difference

WHISKERS = f"Student's {LEVEL:.0%} intervals of paired differences, each for itself; verdicts allow for all rows (Holm)"
VERDICT = 34
"""Characters of a line of a verdict."""
Scores = Mapping[str, Mapping[int, float]]
"""By name of the arm, then by seed."""
LEAST = 0.5
"""Inches that the rows of a forest plot take at least, so that the heads of its columns have room."""


@styled
def forest(
    differences: Sequence[Difference], *, label: str, margin: float | None = None, interval: str = WHISKERS
) -> Figure:
    """Draw a row for each comparison, in the order given: its difference, interval, paired seeds and verdict.

    Args:
        differences: one row each; of one that could not be made only the verdict is shown.
        label: what the differences are of, with its unit.
        margin: half the width of the band within which arms count as equivalent, in the same unit.
        interval: what the whiskers are.

    Raises:
        ValueError: no difference is known, or an interval does not hold its difference.
    """
    _check(differences)
    numbers = [f"row {n}" if r.number is None else f"arm {r.number}" for n, r in enumerate(differences, 1)]
    lines = wrapped_apart([row.name for row in differences], numbers, 34)
    verdicts = [wrapped(row.verdict, VERDICT) for row in differences]
    tallest = [max(pair, key=lambda words: words.count("\n")) for pair in zip(lines, verdicts, strict=True)]
    figure = sheet(PAGE, 1.05 + max(rows_high(tallest), LEAST))
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=0.9, zorder=1)
    if margin is not None:
        axes.axvspan(-margin, margin, facecolor="#EEEEEE", zorder=0)
    for place, row in enumerate(differences):
        _row(axes, place, row)
    axes.set(ylim=(len(differences) - 0.5, -0.5), xlabel=label)
    axes.set_yticks(range(len(differences)), lines, color=INK)
    axes.tick_params(axis="y", length=0)
    _columns(axes, differences)
    band = "" if margin is None else f"Grey band: equivalent, within ±{margin:g}."
    note(figure, f"Whiskers: {interval}. n: paired seeds. Filled: the interval excludes 0.", band)
    return figure


@styled
def seed_slopes(
    scores: Scores, *, label: str, verdict: str | None = None, within: Ends = EVERYWHERE
) -> Figure:
    """Draw a line for each seed through its scores in all arms, with each arm's mean and interval beside it.

    Args:
        scores: by name of the arm, in order, then by seed.
        label: the metric, with its unit.
        verdict: what is said of the last less the first; what they alone say unless given.
        within: where a score can lie; intervals are cut there.

    Raises:
        ValueError: fewer than two arms or more than eight, or no seed has a finite score in all.
    """
    if not 2 <= len(scores) <= 8:
        raise ValueError(f"slopes join two to eight arms, got {len(scores)}; use forest for many")
    seeds, left_out = _shared(scores)
    table = np.array([[arm[seed] for seed in seeds] for arm in scores.values()])
    places = np.arange(len(scores))
    figure = sheet(COLUMN if len(scores) < 5 else PAGE, 2.9)
    axes = figure.subplots()
    for column in table.T:
        look = LOOKS[0] if column[-1] >= column[0] else LOOKS[1]
        style: Any = {**look.line, "linewidth": 1.1, "marker": ".", "markersize": 4, "zorder": 2}
        axes.plot(places, column, **style)
    ends = [student_interval(row, within) or (np.nan, np.nan) for row in table]
    reach = abs(np.array(ends).T - table.mean(axis=1))
    means: Any = {"color": INK, "markersize": 5, "linewidth": 1.2, "capsize": 2.5, "markerfacecolor": "white"}
    axes.errorbar(places + 0.12, table.mean(axis=1), reach, fmt="D", **means, zorder=3)
    width = 16 if len(scores) < 5 else 12
    numbers = [str(place + 1) for place in places]
    axes.set_xticks(places, wrapped_apart(list(scores), numbers, width, 3), color=INK)
    axes.set(xlim=(-0.3, len(scores) - 0.65), ylabel=label)
    first, *_, last = scores
    low, high = (dict(zip(seeds, row, strict=True)) for row in (table[0], table[-1]))
    intervals = f" with Student {LEVEL:.0%} intervals" if np.isfinite(reach).any() else ""
    lines = f"A line is a seed, n = {len(seeds)}; dashed: lower in the last arm than in the first."
    says = f"{last} less {first}: {verdict or compare(high, low, None).sentence}."
    without = f"Left out, not in all arms: seeds {', '.join(map(str, left_out))}." if left_out else ""
    note(figure, lines, f"Diamonds: means{intervals}.", says, without)
    return figure


def _check(differences: Sequence[Difference]) -> None:
    known = [row for row in differences if row.difference is not None]
    if not known:
        raise ValueError(f"none of {len(differences)} differences is known; a forest plot needs one or more")
    for row in known:
        ends = [end for end in (row.low, row.difference, row.high) if end is not None]
        if not np.isfinite(ends).all() or ends != sorted(ends):
            outside = f"{row.difference} does not lie within {row.low} to {row.high}"
            raise ValueError(f"{row.name}: {outside}; give finite ends around it, or None")


def _row(axes: Axes, place: int, row: Difference) -> None:
    axes.axhline(place, color=PALE, linewidth=0.4, linestyle=DASHES[2], zorder=0.5)
    if row.difference is None:
        return
    excludes = False
    if row.low is not None and row.high is not None:
        excludes = row.low > 0 or row.high < 0
        axes.plot([row.low, row.high], [place, place], color=INK, linewidth=1.2, zorder=2)
    face = INK if excludes else "white"
    axes.plot([row.difference], [place], "o", color=INK, markerfacecolor=face, markersize=4.5, zorder=3)


def _columns(axes: Axes, differences: Sequence[Difference]) -> None:
    """Write the numbers and verdict of each row in columns at the right."""
    table = [["difference", "interval", "n", "verdict"]]
    for row in differences:
        numbers = [_signed(row.difference), spanned(row.low, row.high), str(row.seeds)]
        table.append([*numbers, wrapped(row.verdict, VERDICT)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for place, row in enumerate(table, start=-1):
        for column, words in enumerate(row):
            last = column == len(row) - 1
            edge = sum(widths[: column + (not last)]) + 1.5 * (column + 1)
            right = beside(axes, 4.4 * edge)
            style: Any = {"ha": "left" if last else "right"}
            if place < 0:  # the heads
                axes.text(1, 1, words, transform=right, va="bottom", color=GREY, **style)
                continue
            where = blended_transform_factory(right, axes.transData)
            axes.text(1, place, words, transform=where, va="center_baseline", color=INK, **style)


def _signed(value: float | None) -> str:
    return "" if value is None else signed(value)


def _shared(scores: Scores) -> tuple[list[int], list[int]]:
    """Return the seeds with a finite score in all arms, and the others."""
    everyone = sorted({seed for arm in scores.values() for seed in arm})
    shared = [s for s in everyone if all(np.isfinite(arm.get(s, np.nan)) for arm in scores.values())]
    if not shared:
        arms = ", ".join(scores)
        raise ValueError(f"no seed of {everyone} has a finite score in all of {arms}; run them there")
    return shared, [seed for seed in everyone if seed not in shared]
