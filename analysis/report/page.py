"""HTML page of sections that needs no other file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import quote

from analysis import tables
from analysis.report.blocks import Illustration, Section
from analysis.report.markup import Html, folded, join, tag
from analysis.tables import Table

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Whatever a record holds, the page asks nothing of any network and runs nothing."""
STYLESHEET = Path(__file__).with_name("report.css").read_text("utf-8").partition("*/")[2]
MAX_TABLE_ROWS = 100
"""Rows of a table that a page shows."""
MANY_COLUMNS = 14
"""Columns of a table from which on it is set small, to fit into a window of 1280 pixels."""


def page(title: str, subtitle: str, sections: Sequence[Section], foot: str, folder: str) -> str:
    """Build the HTML document.

    Args:
        title: what the page is called.
        subtitle: below it.
        sections: in order; figures and tables are numbered through them.
        foot: at the end.
        folder: beside the page, in which NAME.csv has each table in full.
    """
    links = (tag("li", tag("a", one.title, href=f"#{one.anchor}")) for one in sections)
    numbers = count(1), count(1)
    body = tag(
        "div",
        tag("header", tag("h1", title), tag("p", subtitle, class_="soft")),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *(_section(one, numbers, folder) for one in sections)),
        tag("footer", foot),
        class_="page",
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{tag('title', title)}\n<style>{STYLESHEET}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section, numbers: tuple[Iterator[int], Iterator[int]], folder: str) -> Html:
    figures, tabled = numbers
    blocks: list[Html] = []
    for block in section.blocks:
        match block:
            case Illustration():
                blocks.append(_figure(block, next(figures)))
            case Table():
                blocks.append(_table(block, next(tabled), folder))
            case _:
                blocks.append(block)
    return tag("section", tag("h2", section.title, id=section.anchor), *blocks)


def _figure(drawn: Illustration, number: int) -> Html:
    name = tag("b", f"Figure {number}. {drawn.title}. ")
    return tag(
        "figure",
        tag("div", drawn.picture, class_="scroll", tabindex="0", role="group", aria_label=drawn.title),
        tag("figcaption", name, drawn.caption),
        class_="narrow" if drawn.narrow else "wide",
    )


def _table(table: Table, number: int, folder: str) -> Html:
    """Build a table or its first rows, and below it copies in LaTeX and Markdown and a link to the full CSV file."""
    name, file, rows = f"Table {number}. ", f"{folder}/{table.name}.csv", len(table.rows)
    table = tables.first(table, MAX_TABLE_ROWS)
    if len(table.rows) < rows:
        others = " and the default" if table.kept else ""
        shown = f"Shown: {len(table.rows)} of {rows:,} rows, the first{others}."
        table = replace(table, caption=f"{table.caption} {shown}")
    again = (
        folded(f"{title}", tag("pre", write(table), tabindex="0"))
        for title, write in (("as LaTeX (booktabs)", tables.latex), ("as Markdown", tables.markdown))
    )
    content = Html(tables.html(table).replace("<caption>", f"<caption><b>{name}</b>", 1))
    many = " many" if len(table.head) >= MANY_COLUMNS else ""
    return join(
        tag("div", content, class_=f"scroll tabled{many}", tabindex="0", role="group", aria_label=name),
        tag("details", tag("summary", f"Table {number} to be copied"), *again),
        tag("p", "All of it, with all digits: ", tag("a", file, href=quote(file)), class_="soft"),
    )
