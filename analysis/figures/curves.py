"""Learning curves of arms over their seeds."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.arms import Arm
from analysis.figures.labels import Label, label_ends, names_by_digest
from analysis.figures.marks import drawn_note, role, thinned
from analysis.figures.style import DEFAULT_LOOK, LOOKS, PAGE, PALE, Look, note, sheet, styled, whole_epochs
from analysis.intervals import LEVEL, Ends, student_interval
from analysis.load import Record, Run
from analysis.summary import Summary

THIN = 200
"""Arms that are drawn thin, at most."""


@styled
def learning_curves(record: Record, summary: Summary, *, top: int = 3) -> Figure:
    """Draw the metric after each epoch: mean and interval of the best arms and the default, thin lines for the others.

    An arm's mean goes as far as all its runs do; a cross is where a run was stopped. Of two seeds, whose interval
    would be 13 times as wide as their distance, the band goes from one to the other.

    Args:
        record: the sweep.
        summary: what `summarise` made of it.
        top: how many of the best arms stand out, up to six.

    Raises:
        ValueError: no run has reported the metric, or `top` is not from 1 to 6.
    """
    if not 1 <= top <= 6:
        raise ValueError(f"one to six arms can stand out, got {top}")
    reported = tuple(run for run in record.runs if record.metric in run.curve)
    runs = Record(record.manifest, reported).by_arm
    if not reported:
        raise ValueError(f"no run has reported {record.metric} yet, so no curves; wait for a first epoch")
    looks = _looks(summary, top)
    figure = sheet(PAGE, 3.2)
    axes = figure.subplots()
    labels: list[Label] = []
    others = [arm for arm in summary.arms if arm.digest in runs and arm.digest not in looks]
    thin = {others[place].digest for place in thinned(len(others), THIN)}
    names = names_by_digest([arm for arm in summary.arms if arm.digest in looks])
    for arm in (arm for arm in summary.arms if arm.digest in looks or arm.digest in thin):
        members, look = runs.get(arm.digest, []), looks.get(arm.digest)
        epochs, table = _table(members, record.metric)
        _draw(axes, epochs, table, look, record.within)
        _stops(axes, members, record.metric, look)
        ends = [value for value in table.mean(axis=0).tolist() if np.isfinite(value)] if epochs.size else []
        if look and ends:
            labels.append(Label(ends[-1], _words(arm, names[arm.digest], summary), look=look))
    horizon = record.manifest.get("epochs") or max(run.epochs for run in record.runs)
    axes.set(xlim=(0, horizon), xlabel="epoch", ylabel=summary.label)
    whole_epochs(axes)
    cut = _limit(axes, [run.curve[record.metric][1] for run in reported])
    label_ends(axes, labels, size=7)
    some = drawn_note(len(thin), len(others), "of the other arms")
    note(figure, *_notes(summary, runs), some, "Bands are cut at the edges." if cut else "")
    return figure


def _looks(summary: Summary, top: int) -> dict[str, Look]:
    """Choose the line style of the default and of the best others."""
    others = [arm for arm in summary.arms if arm is not summary.default and arm.last is not None][:top]
    looks = {arm.digest: look for arm, look in zip(others, LOOKS, strict=False)}
    return looks | ({summary.default.digest: DEFAULT_LOOK} if summary.default else {})


def _table(members: Sequence[Run], metric: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the epochs that all runs of an arm have, and their values, (runs, epochs)."""
    if not members:
        return np.empty(0, np.int64), np.empty((0, 0))
    curves = [run.curve[metric] for run in members]
    shared = reduce(np.intersect1d, [epochs for epochs, _ in curves])
    return shared, np.array([values[np.isin(epochs, shared)] for epochs, values in curves])


def _draw(
    axes: Axes, epochs: NDArray[np.int64], table: NDArray[np.float64], look: Look | None, within: Ends
) -> None:
    if not epochs.size:
        return
    if look is None:
        axes.plot(epochs, table.mean(axis=0), color=PALE, linewidth=0.7, zorder=1)
        return
    mean = table.mean(axis=0)
    if len(table) > 1:
        low, high = _band(table, within)
        axes.fill_between(epochs, low, high, color=look.colour, alpha=0.18, linewidth=0, zorder=2)
    style: Any = {"markersize": 3.5, "clip_on": False, "zorder": 4, **look.line}
    axes.plot(epochs, mean, linewidth=1.6, markevery=max(1, len(epochs) // 6), **style)


def _band(table: NDArray[np.float64], within: Ends) -> NDArray[np.float64]:
    """Return both ends of the band, (2, epochs): range of two seeds, or Student's interval; nan if all are equal."""
    if len(table) == 2:
        return np.array([table.min(axis=0), table.max(axis=0)])
    return np.array([student_interval(column, within) or (np.nan, np.nan) for column in table.T]).T


def _stops(axes: Axes, members: Sequence[Run], metric: str, look: Look | None) -> None:
    ends = [tuple(column[-1] for column in run.curve[metric]) for run in members if run.state == "stopped"]
    if ends:
        ink = look.colour if look else "#999999"
        axes.plot(*zip(*ends, strict=True), "x", color=ink, markersize=4, markeredgewidth=1, zorder=3)


def _limit(axes: Axes, values: Sequence[NDArray[np.float64]]) -> bool:
    """Fit the axis to the runs, and not to bands of two seeds; return whether some are cut."""
    whole = np.concatenate(values)
    finite = whole[np.isfinite(whole)]
    if finite.size:
        margin = 0.05 * float(np.ptp(finite)) or 0.5
        axes.set_ylim(float(finite.min()) - margin, float(finite.max()) + margin)
    low, high = axes.get_ylim()
    return axes.dataLim.ymin < low or axes.dataLim.ymax > high


def _words(arm: Arm, name: str, summary: Summary) -> str:
    end = "" if arm.last is None else f"({arm.last:.1f})" if arm.score is None else f"{arm.score:.1f}"
    return " ".join(part for part in (role(arm, summary), name, end) if part)


def _notes(summary: Summary, runs: dict[str, list[Run]]) -> list[str]:
    seeds = sorted({len(members) for members in runs.values()})
    bands = [
        f"Student's {LEVEL:.0%} interval of the mean at each epoch" if seeds[-1] > 2 else "",
        "from one seed to the other where there are two" if 2 in seeds else "",
    ]
    words = f"; bands: {' or '.join(band for band in bands if band)}" if any(bands) else ""
    count = f"n = {' or '.join(map(str, seeds))} seed{'s' if seeds != [1] else ''}"
    stopped = "×: a run was stopped." if summary.states.get("stopped") else ""
    return [f"Means over {count} of {len(runs)} arms{words}. Thin grey: the other arms.", stopped]
