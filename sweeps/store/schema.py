"""The three tables.

Strings are plain: Parquet dictionary-encodes them, and a stream without dictionaries is just its schema, its
batches and an end mark, so that each batch can be one write.
"""

from typing import Literal

import pyarrow as pa

State = Literal["running", "paused", "complete", "stopped", "failed"]

REPORTS = pa.schema(
    [
        ("trial", pa.string()),  # digest of the run: arm and seed
        ("attempt", pa.int32()),
        ("epoch", pa.int32()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("time", pa.float64()),  # unix seconds; never runs backwards within a segment
        ("sequence", pa.int32()),  # the how-manieth batch of its writer: breaks ties of the clock
    ]
)
"""Long form: one row for each metric of each epoch."""

TRIALS = pa.schema(
    [
        ("trial", pa.string()),
        ("number", pa.int32()),  # order of issue in the sweep
        ("arm", pa.string()),  # digest of the run without its seed
        ("seed", pa.int64()),
        ("attempt", pa.int32()),
        ("config", pa.string()),  # canonical JSON
        ("state", pa.string()),
        ("reason", pa.string()),
        ("epochs", pa.int32()),
        ("time", pa.float64()),
        ("sequence", pa.int32()),
    ]
)
"""One row for each change of a run's state."""

EVENTS = pa.schema(
    [
        ("trial", pa.string()),  # empty where it concerns the whole sweep
        ("epoch", pa.int32()),
        ("kind", pa.string()),
        ("detail", pa.string()),  # JSON
        ("time", pa.float64()),
        ("sequence", pa.int32()),
    ]
)
"""One row for each thing that the driver did and why: sittings, promotions, runs spared, reused, taken up again."""

TABLES = {"reports": REPORTS, "trials": TRIALS, "events": EVENTS}

FACT = {
    "reports": ["trial", "epoch", "metric", "attempt", "time", "sequence"],
    "trials": ["trial", "attempt", "time", "sequence", "epochs", "state"],
    "events": ["time", "sequence", "trial", "kind", "epoch"],
}
"""What makes a row the same fact wherever it is found, and the order in which later facts replace earlier
ones. An attempt comes after all of the one before, whatever the clocks of their machines say."""

KEY = {"reports": ["trial", "epoch", "metric"], "trials": ["trial"]}
"""Of the rows that share these a reader shows the latest."""
