"""Conversion of appended facts to tables for queries: wide, sorted, replaced rows marked."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweeps.store.schema import BASE, CONFIG, KEY, METRIC, ORDER, RUNS, SECONDS, as_read, flatten, typed

SUPERSEDED = "superseded"


def widen(log: pa.Table, table: str) -> pa.Table:
    """Convert facts of a log, in this format or the former one, to rows of the folded table."""
    log = as_read(log)
    if table == "reports":
        return _reports_before(log) if "metric" in log.column_names else _reports(log)
    return _runs(_filled(log)) if table == "runs" else log


def settle(tables: Sequence[pa.Table], table: str) -> pa.Table:
    """Join rows of several tables, sorted, with a column that marks those replaced by later ones.

    A report that repeats an epoch in the same attempt adds to the earlier metrics; a new attempt starts afresh.
    """
    rows = joined([without_mark(one) for one in tables], table)
    rows = rows.sort_by([(name, "ascending") for name in ORDER[table]])
    if table == "reports":
        rows = _carried_on(rows)
    keys = KEY.get(table)
    last = _last_of_each(rows, keys) if keys else np.ones(len(rows), bool)
    return rows.append_column(SUPERSEDED, pa.array(~last))


def current(rows: pa.Table) -> pa.Table:
    """Return the rows that no later one replaces, without the mark."""
    return without_mark(rows.filter(pa.array(~rows[SUPERSEDED].to_numpy())))


def empty(table: str) -> pa.Table:
    """Return a folded table without rows."""
    return settle([BASE[table].empty_table()], table)


def without_mark(rows: pa.Table) -> pa.Table:
    """Return rows as they were before `settle`."""
    return rows.drop_columns([SUPERSEDED]) if SUPERSEDED in rows.column_names else rows


def _reports(log: pa.Table) -> pa.Table:
    wide = log.drop_columns(["metrics"])
    if not len(log):
        return wide
    maps = log["metrics"].combine_chunks()
    maps = maps.chunk(0) if isinstance(maps, pa.ChunkedArray) else maps
    offsets = maps.offsets.to_numpy()
    names = maps.keys.slice(offsets[0], offsets[-1] - offsets[0]).dictionary_encode()
    values = maps.items.slice(offsets[0], offsets[-1] - offsets[0]).to_numpy(zero_copy_only=False)
    row, code = np.repeat(np.arange(len(log)), np.diff(offsets)), names.indices.to_numpy()
    for number, name in enumerate(names.dictionary.to_pylist()):
        here = code == number
        column, there = np.zeros(len(log)), np.zeros(len(log), bool)
        column[row[here]], there[row[here]] = values[here], True
        wide = wide.append_column(METRIC + name, pa.array(column, mask=~there))
    return wide


def _reports_before(log: pa.Table) -> pa.Table:
    """Convert reports of version 1: a row for each metric, and after some crashes a fact in two files."""
    facts: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in log.to_pylist():
        shared = {name: row[name] for name in ("run", "attempt", "epoch", "time", "sequence")}
        fact = facts.setdefault(tuple(shared.values()), shared)
        fact[METRIC + row["metric"]] = row["value"]
    rows = list(facts.values())
    base = [field for field in BASE["reports"] if field.name not in ("step", "seconds", "device_seconds")]
    names = sorted({name for row in rows for name in row if name.startswith(METRIC)})
    schema = pa.schema([*base, *((name, pa.float64()) for name in names)])
    wide = pa.Table.from_pylist(rows, schema=schema)
    seconds = np.zeros(len(rows))
    for name in (METRIC + metric for metric in SECONDS):
        if name in names:
            seconds += np.nan_to_num(wide[name].to_numpy())
    wide = wide.append_column("step", pa.array(np.zeros(len(rows), np.int64)))
    return wide.append_column("seconds", pa.array(seconds)).append_column("device_seconds", pa.array(seconds))


def _filled(log: pa.Table) -> pa.Table:
    """Add the columns that version 1 did not have, empty, and drop facts that were in two files."""
    missing = [field for field in RUNS if field.name not in log.column_names]
    if missing:
        log = log.group_by(log.column_names).aggregate([])
    for field in missing:
        nothing = "" if field.type == pa.string() else 0
        log = log.append_column(field, pa.array([nothing] * len(log), field.type))
    return log.select(RUNS.names)


def _runs(log: pa.Table) -> pa.Table:
    texts = log["config"].to_pylist()
    leaves = {text: flatten(json.loads(text)) for text in set(texts)}
    paths = sorted({path for found in leaves.values() for path in found})
    for path in paths:
        column = typed([leaves[text].get(path) for text in texts])
        if column is not None:
            log = log.append_column(CONFIG + path, column)
    return log


def joined(tables: Iterable[pa.Table], table: str) -> pa.Table:
    """Concatenate tables; where a column has two types, numbers become floats and all else text."""
    found = list(tables)
    types: dict[str, set[pa.DataType]] = {}
    for one in found:
        for field in one.schema:
            types.setdefault(field.name, set()).add(field.type)
    base = [name for name in ("sweep", *BASE[table].names) if name in types]
    names = [*base, *sorted(types.keys() - set(base))]
    schema = pa.schema([(name, _common(types[name])) for name in names])
    return pa.concat_tables([_cast(one, schema) for one in found]).combine_chunks()


def _common(types: set[pa.DataType]) -> pa.DataType:
    if len(types) == 1:
        return next(iter(types))
    numbers = all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in types)
    return pa.float64() if numbers else pa.string()


def _cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _carried_on(rows: pa.Table) -> pa.Table:
    """Fill each report with the metrics of earlier ones of the same attempt at the same epoch."""
    first = ~_same_as_before(rows, [*KEY["reports"], "attempt"])
    if first.all():
        return rows
    start = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    for name in rows.column_names:
        if name.startswith(METRIC):
            there = rows[name].is_valid().to_numpy()
            latest = np.maximum.accumulate(np.where(there, np.arange(len(rows)), start))
            column = rows[name].take(pa.array(latest))
            rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def _last_of_each(rows: pa.Table, keys: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the rows of a sorted table that are the last of those that share the keys."""
    same = _same_as_before(rows, keys)
    return np.append(~same[1:], True)[: len(rows)]


def _same_as_before(rows: pa.Table, keys: Sequence[str]) -> NDArray[np.bool_]:
    same = np.ones(len(rows), bool)
    for key in keys:
        column = rows[key].combine_chunks()
        values = (column.dictionary_encode().indices if column.type == pa.string() else column).to_numpy()
        same[1:] &= values[1:] == values[:-1]
    same[:1] = False
    return same
