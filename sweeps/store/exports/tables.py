"""Export of the views of `store.connect` to files, streamed by DuckDB: no table has to fit in memory."""

from pathlib import Path

from sweeps.store.query import VIEWS, connect, sql_text


def parquet(path: Path, folder: Path, _place: Path) -> list[str]:
    """Write a Parquet file for each view."""
    return _write(path, folder, "parquet", "FORMAT parquet, COMPRESSION zstd")


def csv(path: Path, folder: Path, _place: Path) -> list[str]:
    """Write a CSV file for each view, in UTF-8 with a header; null is an empty field, an empty text is "" in quotes."""
    return _write(path, folder, "csv", "FORMAT csv, HEADER")


def _write(path: Path, folder: Path, suffix: str, options: str) -> list[str]:
    names = {view: f"{view}.{suffix}" for view in VIEWS}
    with connect(path) as connection:
        for view, name in names.items():
            connection.execute(f"COPY (FROM {view}) TO {sql_text(str(folder / name))} ({options})")
    return list(names.values())
