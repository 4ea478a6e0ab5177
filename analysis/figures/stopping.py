"""Figures of early stopping: what it did at each rung, and how well ranks at an epoch tell those at the end."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.audit import Audit
from analysis.figures.labels import spaced
from analysis.figures.style import COLUMN, DASHES, GREY, INK, LOOKS, note, sheet, styled, whole_epochs
from analysis.intervals import LEVEL
from analysis.load import Record, Run
from analysis.stopping import WEAK

OUTCOMES: dict[str, dict[str, Any]] = {
    "went on": {"facecolor": "#0072B2", "edgecolor": "white"},
    "promoted": {"facecolor": "#56B4E9", "edgecolor": "white", "hatch": "...."},
    "spared": {"facecolor": "#E69F00", "edgecolor": "white", "hatch": "////"},
    "paused": {"facecolor": "white", "edgecolor": GREY, "hatch": "...."},
    "stopped": {"facecolor": "#D0D0D0", "edgecolor": "white"},
}
"""In the order in which they are stacked; hatches double the colours."""
SIGNS = {"went on": "o", "promoted": "^", "spared": "D", "paused": "s", "stopped": "x"}


@dataclass(frozen=True)
class Arrival:
    """A run at a rung: its metric, its outcome, and the cutoff it was compared with, if known."""

    run: str
    rung: int
    value: float
    outcome: str
    cutoff: float | None = None


@styled
def rung_ladder(record: Record, events: Sequence[Mapping[str, Any]] = ()) -> Figure:
    """Draw how many runs reached each rung and their outcomes, above their values there.

    Args:
        record: the sweep, finished or not; runs on fresh seeds are never stopped and have no part in it.
        events: rows of its events, {"run", "epoch", "kind", "detail"}, the detail in JSON. Of kinds "spared" and
            "promoted" the kind says what became of a run, and the "cutoff" in the detail of a "rung" is drawn.
            Without events who was spared or promoted looks like one who went on.

    Raises:
        ValueError: no run was stopped, paused or judged, so there are no rungs.
    """
    found = arrivals(record, events)
    if not found:
        name = record.manifest.get("id")
        raise ValueError(f"{name}: nothing was judged, so it has no rungs; draw its learning curves instead")
    rungs = sorted({arrival.rung for arrival in found})
    figure = sheet(COLUMN if len(rungs) < 6 else 2 * COLUMN, 4.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.1))
    _bars(above, found, rungs)
    _strips(below, found, rungs)
    below.set_xticks(range(len(rungs)), [str(rung) for rung in rungs])
    below.set(xlabel="rung (epoch)", ylabel=record.manifest.get("metric_label") or record.metric)
    cutoffs = "Short lines: the cutoffs, as they moved." if any(a.cutoff is not None for a in found) else ""
    runs = len({arrival.run for arrival in found})
    reused = sum(run.reused for run in record.search.runs)
    aside = f"Left out: {reused} from another sweep, which nobody judged here." if reused else ""
    note(figure, f"n = {runs} runs, each as often as it came to a rung; no intervals.", cutoffs, aside)
    return figure


def arrivals(record: Record, events: Sequence[Mapping[str, Any]] = ()) -> list[Arrival]:
    """Return every run of the search at every rung that it reached with a finite value, in order of issue.

    Runs that were taken from another sweep are left out: they were not judged here.
    """
    runs = [run for run in record.search.runs if record.metric in run.curve and not run.reused]
    known = {(e["run"], e["epoch"], e["kind"]): json.loads(e["detail"] or "{}") for e in events}
    ended = [run for run in runs if run.state in ("stopped", "paused")]
    rungs = {run.rung for run in runs if run.rung} | {r.epochs for r in ended if r.rung in (0, r.epochs)}
    rungs |= {epoch for _, epoch, kind in known if kind in ("rung", "spared", "promoted")}
    found: list[Arrival] = []
    for run in runs:
        epochs, values = run.curve[record.metric]
        for rung, value in zip(epochs.tolist(), values.tolist(), strict=True):
            if rung in rungs and np.isfinite(value):
                cutoff = known.get((run.identity, rung, "rung"), {}).get("cutoff")
                found.append(Arrival(run.identity, rung, value, _outcome(run, rung, known), cutoff))
    return found


def _outcome(run: Run, rung: int, known: Mapping[tuple[str, int, str], Any]) -> str:
    for kind in ("spared", "promoted"):
        if (run.identity, rung, kind) in known:
            return kind
    return run.state if run.epochs == rung and run.state in ("stopped", "paused") else "went on"


def _bars(axes: Axes, found: Sequence[Arrival], rungs: Sequence[int]) -> None:
    base = np.zeros(len(rungs), int)
    for outcome, style in OUTCOMES.items():
        counts = np.array([sum(a.rung == rung and a.outcome == outcome for a in found) for rung in rungs])
        if counts.any():
            axes.bar(range(len(rungs)), counts, 0.62, bottom=base, label=outcome, linewidth=0.7, **style)
        base += counts
    axes.set(ylabel="runs", ylim=(0, 1.15 * base.max()))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    for place, rung in enumerate(rungs):
        axes.text(place, base[place], f"{base[place]} came", ha="center", va="bottom", color=INK)
        counts = Counter(arrival.outcome for arrival in found if arrival.rung == rung)
        parts = np.array([counts[outcome] for outcome in OUTCOMES if counts[outcome]])
        middles = (np.cumsum(parts) - parts / 2).tolist()
        for height, count in zip(spaced(middles, 0.1 * base.max()), parts, strict=True):
            axes.text(place + 0.34, height, str(count), va="center", fontsize=7)
    key: Any = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 3, "frameon": False}
    axes.legend(handlelength=1.4, columnspacing=1, **key)


def _strips(axes: Axes, found: Sequence[Arrival], rungs: Sequence[int]) -> None:
    """Draw the values at each rung, from left to right in order of issue."""
    points: dict[str, list[tuple[float, float]]] = {}
    cutoffs: list[tuple[float, float]] = []
    for place, rung in enumerate(rungs):
        here = [arrival for arrival in found if arrival.rung == rung]
        offsets = np.linspace(-0.31, 0.31, len(here)) if len(here) > 1 else np.zeros(1)
        for offset, arrival in zip(offsets.tolist(), here, strict=True):
            points.setdefault(arrival.outcome, []).append((place + offset, arrival.value))
            cutoffs += [] if arrival.cutoff is None else [(place + offset, arrival.cutoff)]
    for outcome, pairs in points.items():
        ink = GREY if outcome in ("paused", "stopped") else OUTCOMES[outcome]["facecolor"]
        face = "white" if outcome == "paused" else ink
        sign: Any = {"color": ink, "markerfacecolor": face, "marker": SIGNS[outcome]}
        axes.plot(*zip(*pairs, strict=True), markersize=3.8, linestyle="none", **sign)
    axes.hlines(
        [y for _, y in cutoffs], [x - 0.03 for x, _ in cutoffs], [x + 0.03 for x, _ in cutoffs],
        color=INK, linewidth=1, zorder=2.5,
    )  # fmt: skip


@styled
def rank_agreement(audit: Audit) -> Figure:
    """Draw the rank correlation (Spearman, Kendall) of each epoch with the end, and the first rung.

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
        marks: Any = {"markersize": 3, "markevery": max(1, len(epochs) // 8)}
        axes.plot(epochs, values, label=name, **look.line, **marks)
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
