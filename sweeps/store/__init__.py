"""The result store: append-only Arrow segments, folded into Parquet, queried with DuckDB; no server.

A sweep is a folder `STORE/sweeps/<id>` that can be copied on its own:

    sweep.json                                  the manifest
    segments/<table>-<writer>.<token>.arrows    Arrow IPC streams, one per writer and table: what was just reported
    parts/<table>-<generation>.parquet          what the compactor has folded; tables: reports, runs, events
    parts.json                                  which of these files hold
    quarantine/                                 segments whose ends a crash has cut off, when the rest is folded
"""

from typing import TYPE_CHECKING

from sweeps.store import lazy

if TYPE_CHECKING:  # imported when first used, as Arrow and DuckDB take half a second
    from sweeps.store.compaction import compact as compact
    from sweeps.store.layout import MANIFEST as MANIFEST
    from sweeps.store.layout import StoreError as StoreError
    from sweeps.store.layout import being_written as being_written
    from sweeps.store.layout import is_smoke_test as is_smoke_test
    from sweeps.store.layout import open_store as open_store
    from sweeps.store.layout import read_manifest as read_manifest
    from sweeps.store.layout import sweep_directories as sweep_directories
    from sweeps.store.layout import sweep_directory as sweep_directory
    from sweeps.store.layout import write_json as write_json
    from sweeps.store.layout import write_manifest as write_manifest
    from sweeps.store.layout import write_whole as write_whole
    from sweeps.store.lease import HeldError as HeldError
    from sweeps.store.locate import find as find
    from sweeps.store.query import VIEWS as VIEWS
    from sweeps.store.query import connect as connect
    from sweeps.store.query import curve as curve
    from sweeps.store.query import epochs as epochs
    from sweeps.store.query import events as events
    from sweeps.store.query import last_epoch as last_epoch
    from sweeps.store.query import reports as reports
    from sweeps.store.query import runs as runs
    from sweeps.store.segments import Torn as Torn
    from sweeps.store.segments import torn as torn
    from sweeps.store.writer import Writer as Writer

lazy.publish(__name__)
