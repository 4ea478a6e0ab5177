"""How notebooks show what they have found: figures in the house style, tables, sentences, and reasons for none."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import matplotlib
from IPython.display import Image, display
from matplotlib.figure import Figure

from analysis import tables
from analysis.figures.style import STYLE
from analysis.report.markup import Html
from analysis.report.svg import SCREEN_SCALE
from analysis.tables import Table
from sweeps.store.sql import ask, cell

DOTS = 200
"""An inch, as in the files that sweeps write."""


def show(*found: Figure | Table | str) -> None:
    """Displays one after the other; a figure somewhat larger than in print, a string as it is unless it is markup."""
    for one in found:
        if isinstance(one, Figure):
            _draw(one)
        elif isinstance(one, Table) and one.rows:
            display({"text/plain": tables.text(one), "text/html": tables.html(one)}, raw=True)
        elif isinstance(one, Table):
            print(f"{one.caption} There is no row.".strip())
        elif isinstance(one, Html):
            display({"text/plain": str(one), "text/html": str(one)}, raw=True)
        else:
            print(one)


@contextmanager
def saying_why() -> Generator[None]:
    """Print why something cannot be shown, and go on: a store may hold one seed, or nothing but failed runs."""
    try:
        yield
    except (ValueError, duckdb.Error) as reason:
        print(reason)


def answer(root: Path, query: str) -> None:
    """Show what a query finds in the store at `root` as it is at this moment, or why it finds nothing."""
    with saying_why():
        found = ask(root, query)
        columns = zip(*found.rows, strict=True) if found.rows else [()] * len(found.columns)
        align = "".join("r" if all(map(_numeric, column)) else "l" for column in columns)
        rows = tuple(tuple(map(cell, row)) for row in found.rows)
        show(Table("answer", "", found.columns, rows, align))


def _numeric(value: object) -> bool:
    return isinstance(value, int | float | None)


def _draw(figure: Figure) -> None:
    content = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # ticks get their letters when they are drawn
        figure.savefig(content, format="png", dpi=DOTS)
    width = round(SCREEN_SCALE * 96 * figure.get_figwidth())
    display(Image(data=content.getvalue(), format="png", width=width))
