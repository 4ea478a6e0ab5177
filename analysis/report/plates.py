"""Which figures a sweep can show: each one drawn if the record has what it needs, else a sentence that says why not."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures.style import COLUMN
from analysis.report.blocks import WORDS, Block, Drawn
from analysis.report.evidence import Evidence
from analysis.report.svg import inline


@dataclass(frozen=True)
class Plate:
    """One figure to be."""

    title: str
    """No two of a page share it."""
    draw: Callable[[], Figure]
    """Raises ValueError where it cannot be made."""
    caption: str = ""
    """What it shows, if `WORDS` has nothing under its title; the figure's own foot adds runs and intervals."""

    @property
    def says(self) -> str:
        """What it shows."""
        return self.caption or WORDS["figures"].get(self.title, "")


@dataclass(frozen=True)
class Group:
    """Figures that belong together, and what is said of them."""

    title: str
    plates: tuple[Plate, ...]
    more: Callable[[], tuple[Block, ...]] = tuple
    """Words and tables below them. Raises ValueError where there are none."""


Maker = Callable[[Evidence], Group]


def slug(title: str) -> str:
    """A title as part of a name, of a file or in a page."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def drawn(plate: Plate, measured: str = "") -> Drawn:
    """Draw a figure; what is `measured` begins its caption, what stands at its foot ends it.

    Raises:
        ValueError: it cannot be made.
    """
    with warnings.catch_warnings():
        # Words stay text in SVG: what the font here lacks, one of the reader's has.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = plate.draw()
        foot = " ".join(figure.get_supxlabel().split())
        figure.supxlabel("")
        figure.suptitle("")
        picture = inline(figure, slug(plate.title), f"{plate.title}. {plate.says}")
    caption = " ".join(filter(None, [f"{measured}." if measured else "", plate.says, foot]))
    return Drawn(plate.title, caption, picture, narrow=figure.get_figwidth() <= COLUMN)
