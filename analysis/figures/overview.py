"""Overview figure of a sweep: its arms, and the learning curves of its runs.

One colour scale, dark for good, runs through both panels and stays ordered in grey.
"""

import textwrap
from collections.abc import Mapping

import matplotlib
from matplotlib.figure import Figure

from analysis.figures.labels import rows_high
from analysis.figures.panels import (
    arms_in_rows,
    arms_over_one,
    arms_over_two,
    colour_bar,
    in_rows,
    row_names,
    runs_over_epochs,
)
from analysis.figures.scale import is_number
from analysis.figures.style import shades, sheet, styled
from analysis.headline import headline
from analysis.load import Record
from analysis.summary import Summary

PANEL = 62
"""Characters of a line of a panel's title."""


@styled
def overview(record: Record, summary: Summary, *, baselines: Mapping[str, float] | None = None) -> Figure:
    """Draw the arms over the first two varied parameters (or the only one) beside the learning curves of all runs.

    Arms that are told apart by no number stand in rows, and the picture is as high as they are many.

    Args:
        record: the search, finished or not: `Record.search` where the best were run again on fresh seeds.
        summary: what `summarise` made of the sweep; its finding is the title, on fresh seeds if it has such runs.
        baselines: values of the metric to draw as dashed lines, by name; the manifest's if None.
    """
    lines = record.manifest.get("baselines", {}) if baselines is None else baselines
    space = record.manifest.get("space", {})
    lasts = [arm.last for arm in summary.arms if arm.last is not None]
    tint, colours = shades(lasts)
    matplotlib.rcParams.update({"font.size": 8.5, "axes.titlesize": 8.5})  # for a screen, not a column
    rows = row_names(in_rows(summary)) if _in_words(summary) else []
    figure = sheet(9.6, max(4.5, 1.4 + rows_high(rows)))
    figure.set_layout_engine("constrained", w_pad=0.08, wspace=0.05)
    left, right = figure.subplots(1, 2, width_ratios=(1.12, 1))
    title = _balanced(f"{'On fresh seeds: ' if summary.confirmed else ''}{headline(summary)}")
    measured = f"\n{summary.measured}" if summary.data else ""
    figure.suptitle(f"{title}{measured}", x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    if len(summary.paths) > 1:
        arms_over_two(left, summary, space, tint)
        label = f"{summary.label} at each arm's last epoch"
        colour_bar(left, colours, label, lowest=min(lasts, default=0.0))
    elif rows:
        arms_in_rows(left, summary, tint)
    else:
        arms_over_one(left, summary, space, tint)
    runs_over_epochs(right, record, summary, lines, tint)
    if summary.confirmed:
        for axes in (left, right):
            title = f"The search: {_lower(axes.get_title(loc='left'))}"
            axes.set_title("\n".join(textwrap.fill(line, PANEL) for line in title.splitlines()))
    return figure


def _in_words(summary: Summary) -> bool:
    """Return whether one parameter varies and some of its values are no numbers."""
    varied = [value for arm in summary.arms for value in arm.values.values()]
    return len(summary.paths) == 1 and not all(map(is_number, varied))


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _balanced(title: str, width: int = 108) -> str:
    """Wrap into as few lines as possible, of about equal length."""
    lines = -(-len(title) // width)
    return "\n".join(textwrap.wrap(title, min(width, len(title) // lines + 10)))
