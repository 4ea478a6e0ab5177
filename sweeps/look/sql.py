"""Questions to a store in SQL, read only."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sweeps import store
from sweeps.store.schema import CONFIG


@dataclass(frozen=True)
class Answer:
    """The columns and rows of a query's result."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        """A JSON-ready object for each row; numbers that are not finite become null."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]


def ask(root: Path, query: str) -> Answer:
    """Answers a query over all sweeps of the store at `root`, on the views of `store.connect`.

    Neither the store nor any other file can be written or read by the query.

    Raises:
        ValueError: there is no store, or the query cannot be answered; names the views and their columns.
    """
    connection = store.connect(store.open_store(root, create=False))
    store.shut(connection)
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError(f"--sql: one SELECT at a time, and nothing else; there is {_views(connection)}")
        found = connection.execute(statements[0])
        columns = tuple(column[0] for column in found.description or ())
        return Answer(columns, tuple(found.fetchall()) if columns else ())
    except duckdb.Error as error:
        raise ValueError(f"--sql: {_sentence(error)}; there is {_views(connection)}") from None
    finally:
        connection.close()


def _sentence(error: duckdb.Error) -> str:
    """The error without the excerpt of the query that DuckDB draws below it."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split()).rstrip(".")


def _views(connection: duckdb.DuckDBPyConnection) -> str:
    columns: dict[str, list[str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name = ANY (?) "
        "ORDER BY table_name, ordinal_position",
        [store.VIEWS],
    )
    for view, column in rows.fetchall():
        name = "config.PATH" if column.startswith(CONFIG) else column  # there are a hundred
        if name not in columns.setdefault(view, []):
            columns[view].append(name)
    return ", ".join(f"{view} ({', '.join(names)})" for view, names in columns.items())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | None) else str(value)
