"""Figures of a report that are drawn only if the record has what they need."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures.style import COLUMN
from analysis.report.blocks import WORDS, Block, Illustration
from analysis.report.evidence import Evidence
from analysis.report.svg import inline


@dataclass(frozen=True)
class Plate:
    """A figure that may be drawn."""

    title: str
    """No two of a page share it."""
    draw: Callable[[], Figure]
    """Raises ValueError where it cannot be made."""
    caption: str = ""
    """What it shows, if `WORDS` has nothing under its title; the figure's own foot adds runs and intervals."""

    @property
    def says(self) -> str:
        """Caption of the figure, without its note."""
        return self.caption or WORDS["figures"].get(self.title, "")


@dataclass(frozen=True)
class Group:
    """Figures under one heading, with text and tables below them."""

    title: str
    plates: tuple[Plate, ...]
    more: Callable[[], tuple[Block, ...]] = tuple
    """Words and tables below them. Raises ValueError where there are none."""


Maker = Callable[[Evidence], Group]


def slug(title: str) -> str:
    """Convert a title to a part of a file name or of an id."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def drawn(plate: Plate, measured: str = "") -> Illustration:
    """Draw a figure; its caption begins with what is `measured` and ends with the note at its foot.

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
    return Illustration(plate.title, caption, picture, narrow=figure.get_figwidth() <= COLUMN)
