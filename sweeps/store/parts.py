"""Parts: Parquet files of folded rows, and the one small index of those that are valid.

`parts.json` is replaced by a rename, so that all of a compaction takes effect at one moment. No two parts of a table
hold rows of the same run: a row that is current in its part is current.
"""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sweeps.store.layout import StoreError, write_json, write_whole
from sweeps.store.schema import FILES, FORMER, as_kept, as_read

PARTS, INDEX = "parts", "parts.json"
ROWS_A_GROUP = 131_072
"""Rows of a Parquet row group: enough to compress well, few enough that one run's curve is one small read."""
PACKED = ("attempt", "epoch", "step", "sequence", "number", "rung", "epochs")
"""Columns of integers that increase in steps."""


@dataclass(frozen=True)
class Part:
    """A Parquet file of folded rows."""

    table: str
    file: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Index:
    """Index of the valid parts; sources folded into them and parts merged into others are no longer valid."""

    generation: int = 0
    parts: tuple[Part, ...] = ()
    folded: tuple[str, ...] = ()
    """Folded files that may not be removed yet, by paths below the sweep's folder."""
    merged: tuple[tuple[str, float], ...] = ()
    """Files of former parts and when (Unix seconds) they were merged: readers may still have them open."""

    def of(self, table: str) -> list[Part]:
        """Return the parts of a table."""
        return [part for part in self.parts if part.table == FILES[table]]


def read_index(directory: Path) -> Index:
    """Read the index of a sweep's folder; empty before the first compaction.

    Raises:
        StoreError: the file is not one of ours.
    """
    path = directory / INDEX
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Index()
    return parse_index(text, str(path))


def parse_index(text: str | bytes, where: str) -> Index:
    """Parse the index in a text, found at `where`.

    Raises:
        StoreError: it holds none.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        return Index(
            generation=int(found["generation"]),
            parts=tuple(Part(**part) for part in found["parts"]),
            folded=tuple(found["folded"]),
            merged=tuple((file, since) for file, since in found["merged"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{where} does not list the parts of a sweep ({error}); put back a copy of it, or move it away to read "
            "what the segments beside it still have"
        ) from error


def write_index(directory: Path, index: Index) -> None:
    """Write the index, which takes effect at once."""
    write_json(directory / INDEX, asdict(index))


def legacy(directory: Path, table: str) -> Path:
    """Return the path to which version 1 folded a table: in long form, and not listed anywhere."""
    return directory / f"{FILES[table]}.parquet"


def write_part(directory: Path, table: str, rows: pa.Table, name: str) -> Part:
    """Write a part completely or not at all; it becomes valid with the index."""
    path = directory / PARTS / f"{FILES[table]}-{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    rows = rows.rename_columns(as_kept(rows.schema).names)
    floats = [field.name for field in rows.schema if field.type == pa.float64()]
    packed = [name for name in PACKED if name in rows.column_names]
    # Metrics are mostly float32: with byte-stream splitting, their unused bytes take no space.
    encoding = dict.fromkeys(floats, "BYTE_STREAM_SPLIT") | dict.fromkeys(packed, "DELTA_BINARY_PACKED")
    texts = [field.name for field in rows.schema if field.type == pa.string()]
    options: dict[str, Any] = {"compression": "zstd", "row_group_size": ROWS_A_GROUP}
    options |= {"use_dictionary": texts, "column_encoding": encoding}
    write_whole(path, lambda file: pq.write_table(rows, file, **options))
    return Part(FILES[table], path.name, len(rows), path.stat().st_size)


def part_path(directory: Path, part: Part) -> Path:
    """Return the path of a part."""
    return directory / PARTS / part.file


def read_parts(
    directory: Path, parts: Iterable[Part], *, runs: Iterable[str] | None = None
) -> list[pa.Table]:
    """Read the rows of parts, all or those of some runs.

    Raises:
        FileNotFoundError: a part has been merged into another since the index was read.
    """
    return [load_part(part_path(directory, part), runs=runs) for part in parts]


def load_part(file: Path, *, runs: Iterable[str] | None = None) -> pa.Table:
    """Read the rows of one file, all or those of some runs."""
    from pyarrow.dataset import dataset  # imports pandas

    some = None if runs is None else pc.field(FORMER["run"]).isin(list(runs))
    return as_read(dataset(file, format="parquet").to_table(filter=some))


def strays(directory: Path, index: Index) -> list[Path]:
    """Return files that are not valid parts: left by a compaction, or its cleanup, that was cut off."""
    known = {part.file for part in index.parts} | {file for file, _ in index.merged}
    return [found for found in sorted(directory.glob(f"{PARTS}/*")) if found.name not in known]
