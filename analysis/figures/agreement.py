"""How well ranks at an epoch tell those at the end, over epochs."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.audit import Audit
from analysis.figures.style import COLUMN, DASHES, GREY, LOOKS, note, sheet, styled, whole_epochs
from analysis.intervals import LEVEL
from analysis.stopping import WEAK


@styled
def rank_agreement(audit: Audit) -> Figure:
    """Spearman's and Kendall's correlation of ranks at each epoch with those at the end, and where stopping begins.

    Raises:
        ValueError: too few runs are complete to rank them at any epoch.
    """
    found = audit.agreements
    if not found:
        raise ValueError("too few runs are complete to rank them at any epoch; let more come to their end")
    epochs = [one.epoch for one in found]
    ends = np.array([one.interval or (np.nan, np.nan) for one in found])
    figure = sheet(COLUMN, 2.7)
    axes = figure.subplots()
    axes.fill_between(epochs, ends[:, 0], ends[:, 1], color=LOOKS[0].colour, alpha=0.18, linewidth=0)
    series = {"Spearman": [one.spearman for one in found], "Kendall": [one.kendall for one in found]}
    for (name, values), look in zip(series.items(), LOOKS, strict=False):
        style: Any = {"color": look.colour, "linestyle": look.dash, "marker": look.marker, "markersize": 3}
        axes.plot(epochs, values, label=name, markevery=max(1, len(epochs) // 8), **style)
    start = "first rung" if audit.rungs else "a tenth of the epochs"
    axes.axhline(WEAK, color=GREY, linewidth=0.9, linestyle=DASHES[1], zorder=1, label=f"weak ({WEAK:g})")
    axes.axvline(audit.first, color=GREY, linewidth=0.9, linestyle=DASHES[2], zorder=1, label=start)
    bottom = min(axes.get_ylim()[0], 0.0)
    axes.set(xlim=(0, audit.horizon), ylim=(max(bottom, -1.05), 1.05))
    axes.set(xlabel="epoch", ylabel="rank correlation with the end")
    whole_epochs(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, fontsize=7)
    seeds = max(one.seeds for one in found)
    band = f"band: Student's {LEVEL:.0%} interval of Spearman's over seeds" if seeds > 1 else "no intervals"
    note(figure, f"Of the complete runs, within each of n = {seeds} seed{'s' if seeds > 1 else ''}; {band}.")
    return figure
