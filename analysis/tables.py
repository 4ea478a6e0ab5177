"""One table, written as plain text, Markdown, LaTeX, HTML or CSV; whatever a cell holds stays what it is."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from analysis.rows import Rows
from sweeps import store

ASIDE = {"l": "---", "r": "---:"}
MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_|[]~$"} | {"<": "&lt;", "&": "&amp;"})
LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    | {"[": "{[}", "]": "{]}"}  # else one after \\ would be its option
    | {"−": "$-$", "±": r"$\pm$", "×": r"$\times$", "–": "--", "…": r"\ldots{}"}
)


@dataclass(frozen=True, repr=False)
class Table:
    """Cells in words, and what they are made from in full.

    >>> table = Table("arms", "Two arms.", ("arm", "mean"), (("sce", "61.8"), ("moco", "41.8")), "lr")
    >>> print(markdown(table))
    | arm | mean |
    | --- | ---: |
    | sce | 61.8 |
    | moco | 41.8 |
    <BLANKLINE>
    >>> table.to_arrow().column("mean").to_pylist()
    ['61.8', '41.8']

    Raises:
        ValueError: a row, or the alignment, is not as long as the head, or a column of values as the table.
    """

    name: str
    """Stem of its files, and its label in LaTeX."""
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    """Of each column l or r, as in LaTeX: words to the left, numbers to the right."""
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    """What the words are made from, in full: by name of the column a value for each row. Without, the words are all."""
    kept: frozenset[int] = frozenset()
    """Rows that are shown also where a page has no room for all."""

    def __post_init__(self) -> None:
        lengths = sorted({len(self.head), len(self.align), *map(len, self.rows)})
        if len(lengths) > 1 or not set(self.align) <= set(ASIDE):
            raise ValueError(
                f"table {self.name}: {len(self.head)} columns, aligned '{self.align}', rows of {lengths} cells; "
                "give l or r for each column, and a cell for each in every row"
            )
        for name, column in self.values.items():
            if len(column) != len(self.rows):
                raise ValueError(
                    f"table {self.name}: {len(column)} values of {name} for {len(self.rows)} rows; give one for each"
                )

    def to_arrow(self) -> Any:
        """All values in full as a `pyarrow.Table`; without such the words of the cells."""
        return self._rows().to_arrow()

    def to_frame(self) -> Any:
        """All values in full as a `pandas.DataFrame`; ImportError where pandas is not installed."""
        return self._rows().to_frame()

    def __repr__(self) -> str:
        return f"<Table {self.name}: {len(self.rows)} rows of {', '.join(filter(None, self.head))[:100]}>"

    def _rows(self) -> Rows:
        heads = [name or f"column {place}" for place, name in enumerate(self.head)]
        words = {name: [row[place] for row in self.rows] for place, name in enumerate(heads)}
        return Rows(self.name, self.values or words)


def dense(table: Table) -> Table:
    """The same without columns in which no row has anything; a table without rows keeps all."""
    kept = [i for i in range(len(table.head)) if not table.rows or any(row[i] for row in table.rows)]
    head, *rows = (tuple(row[i] for i in kept) for row in (table.head, *table.rows))
    return replace(table, head=head, rows=tuple(rows), align="".join(table.align[i] for i in kept))


def first(table: Table, most: int) -> Table:
    """The same with its first rows only, and those that are always kept."""
    places = [place for place in range(len(table.rows)) if place < most or place in table.kept]
    values = {name: [column[place] for place in places] for name, column in table.values.items()}
    kept = frozenset(place for place, row in enumerate(places) if row in table.kept)
    return replace(table, rows=tuple(table.rows[place] for place in places), values=values, kept=kept)


def text(table: Table) -> str:
    """Format the caption, and columns of equal width, the numbers to the right."""
    rows = [[_line(cell) for cell in row] for row in (table.head, *table.rows)]
    return "\n".join([table.caption, "", *aligned(rows, table.align), ""])


def aligned(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Pad the cells of each column to one width; return a line for each row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pad = [str.ljust if side == "l" else str.rjust for side in align]
    return ["  ".join(f(c, w) for f, c, w in zip(pad, row, widths, strict=True)).rstrip() for row in rows]


def markdown(table: Table) -> str:
    """A table as GitHub reads it; its caption is not part of it."""
    rows = [[_line(cell).translate(MARKDOWN) for cell in row] for row in (table.head, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"| {' | '.join(ASIDE[side] for side in table.align)} |", *lines[1:], ""])


def latex(table: Table) -> str:
    r"""A float for \input, with the rules of booktabs."""
    lines = [" & ".join(_line(c).translate(LATEX) for c in row) for row in (table.head, *table.rows)]
    head, *rows = (f"    {line} \\\\" for line in lines)
    caption = f"  \\caption{{{_line(table.caption).translate(LATEX)}}}"
    start = (r"\begin{table}", r"  \centering", caption, f"  \\label{{tab:{table.name}}}")
    body = (r"    \toprule", head, r"    \midrule", *rows, r"    \bottomrule")
    columns = f"  \\begin{{tabular}}{{{table.align}}}"
    return "\n".join([*start, columns, *body, r"  \end{tabular}", r"\end{table}", ""])


def html(table: Table) -> str:
    """A table element with its caption; numbers have the class "r"."""
    head, *rows = (_row(row, table.align) for row in (table.head, *table.rows))
    head = head.replace("<td", '<th scope="col"').replace("</td>", "</th>")
    parts = [f"<caption>{escape(table.caption)}</caption>", f"<thead>{head}</thead>", "<tbody>", *rows]
    return "\n".join(["<table>", *parts, "</tbody>", "</table>"])


def comma_separated(table: Table) -> str:
    """All values in full behind a line of their names (RFC 4180); nothing where there is none, lists as JSON."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if table.values:
        writer.writerow(table.values)
        writer.writerows(map(_plain, row) for row in zip(*table.values.values(), strict=True))
    else:
        writer.writerows([table.head, *table.rows])
    return file.getvalue()


Format = Callable[[Table], str]
FORMATS: dict[str, Format] = {"txt": text, "md": markdown, "tex": latex, "csv": comma_separated}
"""By the suffix of their files."""


def save_tables(
    tables: Sequence[Table], directory: str | Path, formats: Iterable[str] = FORMATS
) -> tuple[Path, ...]:
    """Write each table as NAME.txt, .md, .tex and .csv, each whole or not at all; return their paths."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for table in tables:
        for suffix in formats:
            path, content = directory / f"{table.name}.{suffix}", FORMATS[suffix](table).encode()
            store.write_whole(path, lambda file, content=content: file.write(content))
            paths.append(path)
    return tuple(paths)


def _plain(value: Any) -> Any:
    """What a cell of CSV holds: floats with all their digits."""
    if value is None or isinstance(value, str):
        return value
    return repr(float(value)) if isinstance(value, float) else json.dumps(value)


def _line(cell: str) -> str:
    """On one line, without the spaces at its ends."""
    return " ".join(cell.split())


def _row(cells: Sequence[str], align: str) -> str:
    classes = ["" if side == "l" else ' class="r"' for side in align]
    pairs = zip(classes, map(escape, cells), strict=True)
    return f"<tr>{''.join(f'<td{side}>{cell}</td>' for side, cell in pairs)}</tr>"
