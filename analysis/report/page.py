"""Sections as one page of HTML that needs nothing beside itself."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count

from analysis import tables
from analysis.report.blocks import Drawn, Section
from analysis.report.markup import Html, folded, join, tag
from analysis.report.stylesheet import STYLE
from analysis.tables import Table

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Whatever a record holds, the page asks nothing of any network and runs nothing."""


def page(title: str, subtitle: str, sections: Sequence[Section], foot: str) -> str:
    """The whole document.

    Args:
        title: what the page is called.
        subtitle: below it.
        sections: in order; figures and tables are numbered through them.
        foot: at the end.
    """
    links = (tag("li", tag("a", one.title, href=f"#{one.anchor}")) for one in sections)
    numbers = count(1), count(1)
    body = tag(
        "div",
        tag("header", tag("h1", title), tag("p", subtitle, class_="soft")),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *(_section(one, numbers) for one in sections)),
        tag("footer", foot),
        class_="page",
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{tag('title', title)}\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section, numbers: tuple[Iterator[int], Iterator[int]]) -> Html:
    figures, tabled = numbers
    blocks: list[Html] = []
    for block in section.blocks:
        match block:
            case Drawn():
                blocks.append(_figure(block, next(figures)))
            case Table():
                blocks.append(_table(block, next(tabled)))
            case _:
                blocks.append(block)
    return tag("section", tag("h2", section.title, id=section.anchor), *blocks)


def _figure(drawn: Drawn, number: int) -> Html:
    name = tag("b", f"Figure {number}. {drawn.title}. ")
    return tag(
        "figure",
        tag("div", drawn.picture, class_="scroll", tabindex="0", role="group", aria_label=drawn.title),
        tag("figcaption", name, drawn.caption),
        class_="narrow" if drawn.narrow else "wide",
    )


def _table(table: Table, number: int) -> Html:
    """The table, and below it the same to be copied."""
    name = f"Table {number}. "
    again = (
        folded(f"{title}", tag("pre", write(table), tabindex="0"))
        for title, write in (("as LaTeX (booktabs)", tables.latex), ("as Markdown", tables.markdown))
    )
    content = Html(tables.html(table).replace("<caption>", f"<caption><b>{name}</b>", 1))
    return join(
        tag("div", content, class_="scroll tabled", tabindex="0", role="group", aria_label=name),
        tag("details", tag("summary", f"Table {number} to be copied"), *again),
    )
