"""Read-only SQL queries of a store."""

import io
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from sweeps.store.layout import open_store
from sweeps.store.query import VIEWS, connect
from sweeps.store.schema import CONFIG, FORMER


@dataclass(frozen=True)
class Answer:
    """The columns and rows of a query's result."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        """Return a JSON-ready object for each row; non-finite numbers become null."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]

    def arrow(self) -> Any:
        """Return the rows as a `pyarrow.Table`."""
        columns = [pa.array([row[place] for row in self.rows]) for place in range(len(self.columns))]
        return pa.Table.from_arrays(columns, names=list(self.columns))

    def df(self) -> Any:
        """Return the rows as a `pandas.DataFrame`."""
        return self.arrow().to_pandas()

    def text(self) -> str:
        """Format a table, cut to the terminal's width if there is one."""
        table = Table(*self.columns)
        for row in self.rows:
            table.add_row(*map(cell, row))
        console = Console(file=io.StringIO(), width=None if sys.stdout.isatty() else 10_000)
        with console.capture() as capture:
            console.print(table, markup=False)
        return capture.get().rstrip("\n")


def ask(root: Path, query: str) -> Answer:
    """Answer a query over all sweeps of the store at `root`, on the views of `query.connect`.

    The query can neither write the store nor read or write any other file.

    Raises:
        ValueError: there is no store, or the query cannot be answered; for an unknown name it lists the known ones.
    """
    connection = connect(open_store(root, create=False), shut=True)
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError("query: one SELECT at a time, and nothing else")
        found = connection.execute(statements[0])
        columns = tuple(column[0] for column in found.description or ())
        return Answer(columns, tuple(found.fetchall()) if columns else ())
    except duckdb.Error as error:
        # Without the excerpt of the query that DuckDB adds.
        sentence = " ".join(str(error).partition("\n\nLINE ")[0].split()).rstrip(".")
        raise ValueError(f"query: {sentence}{_help(error, connection)}") from None
    finally:
        connection.close()


def cell(value: Any) -> str:
    """Format a value: numbers in six digits, Unix times in whole seconds."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if 1e6 <= abs(value) < 1e15 else f"{value:.6g}"
    return str(value)


def _help(error: duckdb.Error, connection: duckdb.DuckDBPyConnection) -> str:
    """List the known names, after an unknown one."""
    if not isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return ""
    return f'; a name with a dot takes quotes, as "config.seed" does; there is {_views(connection)}'


def _views(connection: duckdb.DuckDBPyConnection) -> str:
    columns: dict[str, list[str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name = ANY (?) "
        "ORDER BY table_name, ordinal_position",
        [VIEWS],
    )
    for view, column in rows.fetchall():
        name = "config.PATH" if column.startswith(CONFIG) else column  # there are a hundred
        if name not in (*columns.setdefault(view, []), *FORMER.values()):
            columns[view].append(name)
    return ", ".join(f"{view} ({', '.join(names)})" for view, names in columns.items())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | None) else str(value)
