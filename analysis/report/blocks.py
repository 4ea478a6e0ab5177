"""What a report is made of: sections of paragraphs, figures and tables, in the order in which they are read."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from analysis.report.markup import Html
from analysis.tables import Table

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
"""Captions of figures, and what designs and stoppers are called, by name."""


@dataclass(frozen=True)
class Drawn:
    """A figure with all that is said of it."""

    title: str
    caption: str
    """What it shows, of how many runs, and what its intervals are."""
    picture: Html
    narrow: bool = False
    """Of a column's width, so that there is room beside it."""


Block = Html | Drawn | Table


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Where links to it lead."""
        return self.title.lower().replace(" ", "-")
