"""Rows that can be gone through one by one, or had as an Arrow table or a pandas DataFrame."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa


class Rows:
    """A table by its columns; going through it gives a dictionary for each row.

    >>> rows = Rows("arms", {"name": ["sce", "moco"], "mean": [61.8, 41.8]})
    >>> rows
    <arms: 2 rows of name, mean>
    >>> [row["name"] for row in rows if row["mean"] > 50]
    ['sce']
    >>> rows.to_arrow().column_names
    ['name', 'mean']
    """

    def __init__(self, what: str, columns: "Mapping[str, Sequence[Any]] | pa.Table"):
        self.what = what
        self._table: Any = _table(columns) if isinstance(columns, Mapping) else columns

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._table.column_names)

    def to_arrow(self) -> pa.Table:
        """The rows as a `pyarrow.Table`."""
        return self._table

    def to_frame(self) -> Any:
        """The rows as a `pandas.DataFrame`.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            importlib.import_module("pandas")
        except ImportError as error:
            raise ImportError(
                f"a DataFrame of {self.what} needs pandas, which is not installed; pip install pandas, or take "
                "to_arrow()"
            ) from error
        return self._table.to_pandas()

    def __len__(self) -> int:
        return self._table.num_rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._table.to_pylist())

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self._table.slice(range(len(self))[place], 1).to_pylist()[0]

    def __repr__(self) -> str:
        shown = ", ".join(self.columns[:8]) + (", ..." if len(self.columns) > 8 else "")
        return f"<{self.what}: {len(self)} rows of {shown}>" if len(self) else f"<{self.what}: no rows>"


def _table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    return pa.table({name: _column(values) for name, values in columns.items()})


def _column(values: Sequence[Any]) -> pa.Array:
    """Values of one kind as they are; of several, as parameters of several methods have, in JSON."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else json.dumps(value) for value in values])
