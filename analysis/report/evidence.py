"""Input of a report, read from the folder of a sweep."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from analysis.figures import Images
from analysis.load import Record, load
from analysis.multiple import HOUR, Difference, against, named
from analysis.summarise import summarise
from analysis.summary import Summary
from sweeps import store
from sweeps.store.schema import ORIGIN, SECONDS

EMBEDDINGS = "embeddings.npz"


@dataclass(frozen=True)
class Evidence:
    """Record, summary and events of a sweep, finished or not."""

    directory: Path
    record: Record
    summary: Summary
    events: list[dict[str, Any]]
    """Rows of its events, in order."""
    origins: list[dict[str, Any]]
    """For each run where it comes from, and when its state changed last."""
    margin: float | None = None
    """Largest difference, in points, that would not matter."""

    @property
    def search(self) -> Record:
        """The record without the runs on fresh seeds."""
        return self.record.search

    @property
    def manifest(self) -> dict[str, Any]:
        """Manifest, written before the first run."""
        return self.record.manifest

    @property
    def plan(self) -> dict[str, Any]:
        """Plan in the manifest; empty if there is none."""
        return self.manifest.get("plan") or {}

    @property
    def space(self) -> dict[str, Any]:
        """Space in the manifest; empty if there is none."""
        return self.manifest.get("space") or {}

    @property
    def states(self) -> Counter[str]:
        """Number of runs in each state, those on fresh seeds included."""
        return self.record.states

    @property
    def hours(self) -> float:
        """Hours of training and evaluation of all runs that were not taken from another sweep."""
        recorded = sum(run.seconds for run in self.record.runs)
        # The first version of the store kept them as metrics only.
        told = sum(_total(run.curve, name) for run in self.record.runs for name in SECONDS)
        return (recorded or told) / HOUR

    @property
    def names(self) -> dict[str, str]:
        """Name of each arm, by its digest."""
        arms = {arm.digest: arm for arm in (*self.summary.result.arms, *self.summary.arms)}
        return {arm.digest: name for name, arm in named(list(arms.values()))}

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Each arm less the default.

        Raises:
            ValueError: the default is not complete.
        """
        return against(self.record, margin=self.margin, generator=self.generator)

    @property
    def generator(self) -> np.random.Generator:
        """New random generator with a fixed seed, so that a report can be reproduced."""
        return np.random.default_rng(0)

    def known(self, column: str) -> list[str]:
        """Return the different values of a column of `origins`, in order of issue."""
        return list(dict.fromkeys(row[column] for row in self.origins if row[column]))


def read_evidence(directory: Path, margin: float | None = None) -> Evidence:
    """Read a sweep.

    Raises:
        StoreError: there is no sweep in that folder.
        ValueError: the margin is not above 0.
    """
    if margin is not None and not 0 < margin < float("inf"):
        raise ValueError(f"--margin {margin}: give the points that would not matter, a number above 0")
    record = load(directory)
    runs = store.runs(directory).select([*ORIGIN, "time"]).to_pylist()
    events = store.events(directory).to_pylist()
    return Evidence(directory, record, summarise(record), events, runs, margin)


def images(directory: Path) -> tuple[Images, int]:
    """Read the embedded images of the best encoder, and the number of its run.

    Raises:
        ValueError: the sweep has none, or they cannot be read.
    """
    path = directory / EMBEDDINGS
    if not path.is_file():
        why = "it has not ended, or its best run left no checkpoint"
        raise ValueError(f"the sweep keeps no embeddings: {why}")
    try:
        with np.load(path) as arrays:
            classes = [str(name) for name in arrays["classes"]]
            found = Images(arrays["features"], arrays["labels"], classes, arrays["images"])
            return found, int(arrays["run"])
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        again = "write the summary of the sweep again"
        raise ValueError(f"{EMBEDDINGS} cannot be read: {error}; {again}") from error


def _total(curve: dict[str, Any], name: str) -> float:
    return float(np.nansum(curve[name][1])) if name in curve else 0.0
