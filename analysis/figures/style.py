"""House style of all figures.

Colours are safe for colour-blind eyes (Okabe and Ito's by category, viridis by amount) and never alone: dashes and
markers double them, so a figure printed in grey says the same. Nothing touches pyplot's global state, nothing
depends on the user's settings, and the same data give the same bytes.
"""

import os
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import cycle
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

SHEET = Path(__file__).with_name("house.mplstyle")
STYLE: Any = dict(matplotlib.rc_params_from_file(SHEET, use_default_template=False))

COLUMN, PAGE = 3.3, 6.8
"""Widths of a paper's column and of its page, in inches."""

INK, GREY, PALE = "#222222", "#777777", "#BBBBBB"
VERMILLION = "#D55E00"
"""Okabe and Ito's; marks the default, and nothing else."""

CATEGORICAL = ("#0072B2", "#CC79A7", INK, "#E69F00", "#009E73", "#56B4E9")
"""Okabe and Ito's without yellow, which paper swallows; neighbours in this order differ in grey."""
BROKEN = ((5, 1.5), (1.2, 1.2), (6, 1.5, 1.2, 1.5), (3, 1, 1, 1, 1, 1))
DASHES: tuple[Any, ...] = ("-", *((0, lengths) for lengths in BROKEN))
MARKERS = "o^DvPX*<>phd"

VIRIDIS = matplotlib.colormaps["viridis_r"]([i / 255 for i in range(28, 256)])
SEQUENTIAL = LinearSegmentedColormap.from_list("viridis, dark for good", VIRIDIS)
"""Viridis without its lightest end, which white paper would swallow."""
BLUE_TO_VERMILLION = ["#0B5080", "#6FA8CF", "#F7F7F7", "#D98A55", "#7A3300"]
DIVERGING = LinearSegmentedColormap.from_list("blue to vermillion", BLUE_TO_VERMILLION)
"""Equally dark at both ends: in grey it tells how far from the middle, and a sign that is written which way."""

UNDATED: dict[str, Any] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}
"""Metadata by format without dates and versions: the same figure gives the same bytes."""

P = ParamSpec("P")
Tint = Callable[[float | None], Any]
"""The colour of a value of the metric."""


@dataclass(frozen=True)
class Look:
    """Style of one of several series; no two share all three fields."""

    colour: str
    dash: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """Keyword arguments of `Axes.plot`."""
        return {"color": self.colour, "linestyle": self.dash, "marker": self.marker}


LOOKS = tuple(map(Look, cycle(CATEGORICAL), cycle(DASHES), MARKERS))
DEFAULT_LOOK = Look(VERMILLION, "-", "s")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function to draw in the house style, without a change to the settings of matplotlib."""

    @wraps(draw)
    def within(*arguments: P.args, **options: P.kwargs) -> Figure:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*arguments, **options)

    return within


def sheet(width: float, height: float) -> Figure:
    """Create an empty figure, in inches, whose layout keeps labels apart."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.05, h_pad=0.05)
    return figure


def titled(figure: Figure, title: str) -> None:
    """Put a title above a figure, in as many lines as it takes, and make room for them."""
    size = 7.5
    lines = textwrap.wrap(title, int(figure.get_figwidth() * 72 / (0.6 * size)))
    figure.set_figheight(figure.get_figheight() + len(lines) * 1.3 * size / 72)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=size, fontweight="bold")


def whole_epochs(axes: Axes) -> None:
    """Put the ticks of the x axis at whole numbers only: there is no half an epoch."""
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def note(figure: Figure, *sentences: str) -> None:
    """Write at the foot of a figure what its marks and intervals are, and how many runs it shows."""
    size = 6.5
    width = int(figure.get_figwidth() * 72 / (0.55 * size))
    words = "\n".join(textwrap.wrap(" ".join(sentence for sentence in sentences if sentence), width))
    figure.supxlabel(words, x=0.01, ha="left", fontsize=size, color="#555555", linespacing=1.25)


def save(figure: Figure, stem: str | Path, formats: Sequence[str] = ("png", "pdf")) -> tuple[Path, ...]:
    """Write STEM.png (200 dots an inch), STEM.pdf or STEM.svg, each whole or not at all; return their paths.

    Raises:
        ValueError: a format is none of these.
    """
    stem = Path(stem)
    if unknown := set(formats) - set(UNDATED):
        wrong = ", ".join(sorted(unknown))
        raise ValueError(f"{stem}: no format {wrong}; a figure is written as pdf, png or svg")
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    with matplotlib.rc_context(STYLE):
        for suffix in formats:
            path = stem.with_name(f"{stem.name}.{suffix}")
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            figure.savefig(partial, format=suffix, dpi=200, metadata=UNDATED[suffix])
            partial.replace(path)
            paths.append(path)
    return tuple(paths)


def shades(values: Iterable[float | None]) -> tuple[Tint, ScalarMappable]:
    """Choose a colour for each value, dark for good and pale for none; return it and what a colour bar needs.

    The scale ends as far below the median as three times its distance from the top: collapsed runs share the lightest.
    """
    known = [value for value in values if value is not None] or [0.0, 1.0]
    low, middle, high = min(known), float(np.median(known)), max(known)
    low = max(low, high - 4 * (high - middle)) if middle < high else low
    bottom = low if low < high else high - 1
    norm, levels = Normalize(bottom, high), SEQUENTIAL(np.arange(SEQUENTIAL.N)).tolist()

    def tint(value: float | None) -> Any:  # without matplotlib, which takes a second for ten thousand arms
        if value is None:
            return PALE
        share = min(max((value - bottom) / (high - bottom), 0.0), 1.0)
        return tuple(levels[min(int(share * SEQUENTIAL.N), SEQUENTIAL.N - 1)])

    return tint, ScalarMappable(norm, SEQUENTIAL)


def luminance(colour: Any) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2)."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast_ratio(one: Any, other: Any) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: Any) -> str:
    """Return the ink, dark or white, with the higher contrast on a colour."""
    return max((INK, "white"), key=lambda ink: contrast_ratio(ink, colour))
