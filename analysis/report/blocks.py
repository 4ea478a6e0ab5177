"""Parts of a report: sections of paragraphs, figures and tables."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from analysis.report.markup import Html
from analysis.tables import Table

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
"""Captions of figures by title; descriptions of designs and stoppers by name."""


@dataclass(frozen=True)
class Illustration:
    """A figure with its title and caption."""

    title: str
    caption: str
    """What it shows, of how many runs, and what its intervals are."""
    picture: Html
    narrow: bool = False
    """Of a column's width, so that there is room beside it."""


Block = Html | Illustration | Table


@dataclass(frozen=True)
class Section:
    """A heading and its content."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Target of links to this section."""
        return self.title.lower().replace(" ", "-")
