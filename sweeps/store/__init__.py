"""The result store: append-only Arrow segments, folded into Parquet, queried with DuckDB; no server.

A sweep is a folder `STORE/sweeps/<id>` that can be copied on its own:

    sweep.json                      the manifest
    segments/<table>-<writer>.arrows    Arrow IPC streams, one per writer and table
    <table>.parquet                     what the compactor has folded; tables: reports, trials, events
"""

from sweeps.store.compact import compact
from sweeps.store.layout import (
    StoreError,
    open_store,
    read_manifest,
    sweep_directories,
    sweep_directory,
    write_json,
    write_manifest,
    write_whole,
)
from sweeps.store.query import Torn, connect, events, last_epoch, reports, torn, trials
from sweeps.store.writer import Writer

__all__ = [
    "StoreError",
    "Torn",
    "Writer",
    "compact",
    "connect",
    "events",
    "last_epoch",
    "open_store",
    "read_manifest",
    "reports",
    "sweep_directories",
    "sweep_directory",
    "torn",
    "trials",
    "write_json",
    "write_manifest",
    "write_whole",
]
