"""A sweep in one picture: where its arms lie and how each one learned.

One colour scale, dark for good, runs through both panels and stays ordered in grey. Nothing touches pyplot's
global state; the same record gives the same bytes.
"""

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from analysis.load import Record
from analysis.panels import PALE, arms_over_one, arms_over_two, learning_curves
from analysis.summarise import Summary, headline

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": "#444444",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.linewidth": 0.7,
    "axes.labelcolor": "#222222",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # text stays text: searchable, and editable by a publisher
}

COLOURS = LinearSegmentedColormap.from_list(
    "viridis, dark for good", matplotlib.colormaps["viridis_r"]([i / 255 for i in range(28, 256)])
)
"""Viridis without its lightest end, which white paper would swallow."""


def overview(record: Record, summary: Summary, *, baselines: Mapping[str, float] | None = None) -> Figure:
    """The arms over the first two parameters that vary (or the only one), beside the learning curves of all runs.

    Args:
        record: the sweep, finished or not.
        summary: what `summarise` made of it; its finding is the title.
        baselines: values of the metric to draw as dashed lines, by name; the manifest's if None.
    """
    lines = record.manifest.get("baselines", {}) if baselines is None else baselines
    space = record.manifest.get("space", {})
    lasts = [arm.last for arm in summary.arms if arm.last is not None] or [0.0, 1.0]
    norm = _norm(lasts)

    def tint(value: float | None) -> Any:
        return PALE if value is None else COLOURS(float(norm(value)))

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.5))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained", w_pad=0.08, wspace=0.05)
        left, right = figure.subplots(1, 2, width_ratios=(1.12, 1))
        figure.suptitle(_balanced(headline(summary)), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
        if len(summary.paths) > 1:
            arms_over_two(left, summary, space, tint)
            _colour_bar(left, ScalarMappable(norm, COLOURS), summary.label, cut=norm(min(lasts)) < 0)
        else:
            arms_over_one(left, summary, space, tint)
        learning_curves(right, record, summary, lines, tint)
    return figure


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Writes STEM.png (200 dots an inch) and STEM.pdf, each whole or not at all; returns both paths."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    dates: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Producer": None},
    }
    paths: list[Path] = []
    with matplotlib.rc_context(STYLE):
        for suffix, metadata in dates.items():
            path = stem.with_name(f"{stem.name}.{suffix}")
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            figure.savefig(partial, format=suffix, dpi=200, metadata=metadata)
            partial.replace(path)
            paths.append(path)
    return paths[0], paths[1]


def _balanced(title: str, width: int = 108) -> str:
    """Broken into as few lines as need be, of about one length."""
    lines = -(-len(title) // width)
    return "\n".join(textwrap.wrap(title, min(width, len(title) // lines + 10)))


def _colour_bar(axes: Axes, colours: ScalarMappable, label: str, *, cut: bool) -> None:
    extend = "min" if cut else "neither"
    bar = axes.figure.colorbar(
        colours, ax=axes, fraction=0.035, pad=0.02, aspect=32, extend=extend, extendfrac=0.03
    )
    bar.set_label(f"{label} at each arm's last epoch")
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]


def _norm(values: list[float]) -> Normalize:
    """Ends as far below the median as three times its distance from the top: collapsed runs share the lightest."""
    low, middle, high = min(values), float(np.median(values)), max(values)
    low = max(low, high - 4 * (high - middle)) if middle < high else low
    return Normalize(low if low < high else high - 1, high)
