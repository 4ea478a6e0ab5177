"""Tables: whatever a cell holds is read back from each format."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.tables import (
    FORMATS,
    Table,
    comma_separated,
    dense,
    first,
    html,
    latex,
    markdown,
    save_tables,
    text,
)

PLAIN = Table(
    "gains", "Gains over the default.", ("arm", "points"), (("no queue", "+1.0"), ("all", "−12.5")), "lr"
)
cells = st.text(st.characters(exclude_categories=("Cs", "Cc"))).map(lambda cell: " ".join(cell.split()))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 4))
    row = st.lists(cells, min_size=width, max_size=width).map(tuple)
    align = draw(st.text("lr", min_size=width, max_size=width))
    return Table("name", draw(cells), draw(row), tuple(draw(st.lists(row, max_size=3))), align)


def test_text_has_columns_of_equal_width_with_numbers_to_the_right() -> None:
    assert text(PLAIN) == "Gains over the default.\n\narm       points\nno queue    +1.0\nall        −12.5\n"


def test_markdown_says_how_its_columns_are_aligned() -> None:
    assert markdown(PLAIN) == "| arm | points |\n| --- | ---: |\n| no queue | +1.0 |\n| all | −12.5 |\n"


def test_latex_is_a_float_with_the_rules_of_booktabs() -> None:
    assert latex(PLAIN).splitlines() == [
        r"\begin{table}",
        r"  \centering",
        r"  \caption{Gains over the default.}",
        r"  \label{tab:gains}",
        r"  \begin{tabular}{lr}",
        r"    \toprule",
        r"    arm & points \\",
        r"    \midrule",
        r"    no queue & +1.0 \\",
        r"    all & $-$12.5 \\",
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("50 % & more_of #1", r"50 \% \& more\_of \#1"),
        ("$5 {a} ~ ^ \\", r"\$5 \{a\} \textasciitilde{} \textasciicircum{} \textbackslash{}"),
        ("<a> | b", r"\textless{}a\textgreater{} \textbar{} b"),
        ("[1] 2 ± 3 × 4 – 5…", r"{[}1{]} 2 $\pm$ 3 $\times$ 4 -- 5\ldots{}"),
    ],
)
def test_latex_is_told_what_is_no_command(cell: str, expected: str) -> None:
    assert f"    {expected} \\\\" in latex(Table("n", "", ("a",), ((cell,),), "l")).splitlines()


@given(tables())
def test_cells_come_out_of_html_as_they_went_in(table: Table) -> None:
    found = Reader(html(table))
    assert found.caption == table.caption
    assert found.rows == [table.head, *table.rows]
    assert found.right == [side == "r" for _ in found.rows for side in table.align]


@given(tables())
def test_cells_come_out_of_markdown_as_they_went_in(table: Table) -> None:
    head, line, *rows = markdown(table).rstrip("\n").split("\n")
    assert [tuple(cell.endswith(":") for cell in read(line))] == [tuple(side == "r" for side in table.align)]
    assert [read(row) for row in (head, *rows)] == [table.head, *table.rows]


@given(tables())
def test_every_row_of_latex_has_all_its_columns_and_no_open_group(table: Table) -> None:
    content = latex(table)
    bare = re.sub(r"\\[\\&%$#_{}]", "", content)
    assert bare.count("{") == bare.count("}")
    rows = [line for line in content.split("\n") if line.startswith("    ") and line.endswith(r" \\")]
    assert len(rows) == 1 + len(table.rows)
    for row in rows:
        assert len(re.findall(r"(?<!\\)&", row)) == len(table.head) - 1
        assert not re.search(r"(?<!\\)[%#_]", row)


@pytest.mark.parametrize("rows", [(("a",),), (("a", "b", "c"),)])
def test_a_row_that_is_not_as_long_as_the_head_is_refused(rows: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(ValueError, match="table gains: 2 columns, aligned 'lr', rows of .* a cell for each"):
        Table("gains", "", ("one", "two"), rows, "lr")
    with pytest.raises(ValueError, match="give l or r for each column"):
        Table("gains", "", ("one", "two"), (), "lc")


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    rows = (("a", "", "", "1"), ("b", "", "2", ""))
    found = dense(Table("n", "c", ("one", "two", "three", "four"), rows, "lrlr"))
    assert (found.head, found.align) == (("one", "three", "four"), "llr")
    assert found.rows == (("a", "", "1"), ("b", "2", ""))
    empty = Table("n", "c", ("one", "two"), (), "lr")
    assert dense(empty) == empty


def test_each_table_is_saved_in_each_format(tmp_path: Path) -> None:
    paths = save_tables([PLAIN], tmp_path / "deep" / "folder")
    assert [path.name for path in paths] == ["gains.txt", "gains.md", "gains.tex", "gains.csv"]
    for path, write in zip(paths, FORMATS.values(), strict=True):
        assert path.read_text(encoding="utf-8") == write(PLAIN)


def test_csv_has_all_values_with_all_their_digits_behind_plain_names() -> None:
    rows = (("a, b", "0.1"), ('say "c"', ""), ("d", ""))
    values = {"name": ["a, b", 'say "c"', "two\nlines"], "mean": [0.1 + 0.2, None, np.float64(1 / 3)],
              "n": [5, 10**20, np.nan], "setting": [{"a": [1, None]}, True, ""]}  # fmt: skip
    content = comma_separated(Table("n", "", ("", "Mean (%)"), rows, "lr", values))
    assert content.startswith("name,mean,n,setting\n")
    found = list(csv.DictReader(io.StringIO(content)))
    assert [row["name"] for row in found] == values["name"]
    assert [row["mean"] for row in found] == ["0.30000000000000004", "", "0.3333333333333333"]
    assert [row["n"] for row in found] == ["5", "1" + 20 * "0", "nan"]
    assert [row["setting"] for row in found] == ['{"a": [1, null]}', "true", ""]
    with pytest.raises(ValueError, match="table n: 1 values of mean for 3 rows; give one for each"):
        Table("n", "", ("", "Mean (%)"), rows, "lr", {"mean": [1.0]})


@given(tables())
def test_a_table_of_words_alone_is_the_same_in_csv(table: Table) -> None:
    rows = [table.head, *table.rows]
    assert [tuple(row) for row in csv.reader(io.StringIO(comma_separated(table), newline=""))] == rows


def test_the_first_rows_of_a_table_and_those_that_are_kept() -> None:
    rows = tuple((str(place), "") for place in range(9))
    whole = Table("n", "c", ("a", "b"), rows, "lr", {"place": range(9)}, frozenset({1, 7}))
    found = first(whole, 3)
    assert [row[0] for row in found.rows] == ["0", "1", "2", "7"]
    assert found.values == {"place": [0, 1, 2, 7]}
    assert found.kept == {1, 3}
    assert first(whole, 9).rows == rows


def read(row: str) -> tuple[str, ...]:
    """The cells of a row of Markdown."""
    inner = row.removeprefix("| ").removesuffix(" |")
    parts = re.split(r"(?<!\\)((?:\\\\)*) \| ", inner)
    cells = [parts[i] + (parts[i + 1] if i + 1 < len(parts) else "") for i in range(0, len(parts), 2)]
    plain = (re.sub(r"\\(.)", r"\1", cell) for cell in cells)
    return tuple(cell.replace("&lt;", "<").replace("&amp;", "&") for cell in plain)


class Reader(HTMLParser):
    """The caption and the cells of a table."""

    def __init__(self, content: str):
        super().__init__()
        self.caption, self.rows, self.right, self.open = "", list[tuple[str, ...]](), list[bool](), ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open = tag
        if tag == "tr":
            self.rows.append(())
        if tag in ("th", "td"):
            self.rows[-1] += ("",)
            self.right.append(("class", "r") in attrs)

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open == "caption":
            self.caption += data
        elif self.open in ("th", "td"):
            self.rows[-1] = (*self.rows[-1][:-1], self.rows[-1][-1] + data)
