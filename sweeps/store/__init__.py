"""The result store: append-only Arrow segments, folded into Parquet, queried with DuckDB; no server.

A sweep is a folder `STORE/sweeps/<id>` that can be copied on its own:

    sweep.json                                  the manifest
    segments/<table>-<writer>.<token>.arrows    Arrow IPC streams, one per writer and table: what was just reported
    parts/<table>-<generation>.parquet          what the compactor has folded; tables: reports, runs, events
    parts.json                                  which of these files hold
    quarantine/                                 segments whose ends a crash has cut off, when the rest is folded
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.store.compaction import compact
    from sweeps.store.layout import (
        MANIFEST,
        StoreError,
        being_written,
        is_smoke_test,
        open_store,
        read_manifest,
        sweep_directories,
        sweep_directory,
        write_json,
        write_manifest,
        write_whole,
    )
    from sweeps.store.lease import HeldError
    from sweeps.store.locate import find
    from sweeps.store.query import VIEWS, connect, curve, epochs, events, last_epoch, reports, runs
    from sweeps.store.segments import Torn, torn
    from sweeps.store.writer import Writer

_HOMES = {
    "compaction": ("compact",),
    "layout": (
        "MANIFEST",
        "StoreError",
        "being_written",
        "is_smoke_test",
        "open_store",
        "read_manifest",
        "sweep_directories",
        "sweep_directory",
        "write_json",
        "write_manifest",
        "write_whole",
    ),
    "lease": ("HeldError",),
    "locate": ("find",),
    "query": ("VIEWS", "connect", "curve", "epochs", "events", "last_epoch", "reports", "runs"),
    "segments": ("Torn", "torn"),
    "writer": ("Writer",),
}
"""Public names by module; imported when first used, as Arrow and DuckDB take half a second."""
__all__ = [
    "MANIFEST",
    "VIEWS",
    "HeldError",
    "StoreError",
    "Torn",
    "Writer",
    "being_written",
    "compact",
    "connect",
    "curve",
    "epochs",
    "events",
    "find",
    "is_smoke_test",
    "last_epoch",
    "open_store",
    "read_manifest",
    "reports",
    "runs",
    "sweep_directories",
    "sweep_directory",
    "torn",
    "write_json",
    "write_manifest",
    "write_whole",
]


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'sweeps.store' has no attribute '{name}'")
    found = globals()[name] = getattr(import_module(f"sweeps.store.{home}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
