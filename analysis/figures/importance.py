"""How much each parameter matters."""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.labels import rows_high, wrapped_apart
from analysis.figures.style import COLUMN, INK, LOOKS, note, sheet, styled
from analysis.importance import Importance, Share
from analysis.naming import short

MAX_BARS = 20
"""Rows; what is more is small."""


@styled
def importance_bars(found: Importance) -> Figure:
    """A bar for the share of each parameter, or of two together beyond each alone, with its range; largest first.

    Raises:
        ValueError: there is no share, or one is not finite.
    """
    if not found.shares:
        raise ValueError(f"{found.method} gave no shares, so there are no bars; let more arms complete")
    ends = [end for share in found.shares for end in (share.low, share.share, share.high)]
    if not np.isfinite(ends).all():
        raise ValueError(f"{found.method} gave shares that are not finite: {ends}; give numbers from 0 to 1")
    rows = sorted(found.shares, key=lambda share: -share.share)
    drawn, rest = rows[:MAX_BARS], rows[MAX_BARS:]
    names = _names(drawn)
    figure = sheet(COLUMN, 0.9 + rows_high(names))
    axes = figure.subplots()
    axes.barh(range(len(drawn)), [100 * row.share for row in drawn], 0.62, color=LOOKS[5].colour)
    for place, row in enumerate(drawn):
        axes.plot([100 * row.low, 100 * row.high], [place, place], color=INK, linewidth=1.2)
    axes.set_yticks(range(len(drawn)), names, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(drawn) - 0.4, -0.6), xlabel="share of importance (%)")
    axes.set_xlim(left=0)
    left_out = f" ({found.left_out} not complete left out)" if found.left_out else ""
    others = (
        f"{len(rest)} smaller shares, {sum(r.share for r in rest):.0%} together, left out." if rest else ""
    )
    note(
        figure,
        f"{found.method}, n = {found.arms} complete arms{left_out}; {found.grounds}. {others}",
    )
    return figure


def _names(rows: list[Share]) -> list[str]:
    paths = tuple(dict.fromkeys(path for row in rows for key in row.keys for path in key.split(", ")))
    named = short(paths)
    words = [" × ".join(" & ".join(named[p] for p in key.split(", ")) for key in row.keys) for row in rows]
    numbers = [f"row {place}" for place in range(1, 1 + len(words))]
    return wrapped_apart([name.replace("_", " ") for name in words], numbers, 26, 3)
