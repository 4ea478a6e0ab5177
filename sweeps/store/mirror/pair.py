"""A source folder and its target."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sweeps.store.mirror.place import Place

SKEW = timedelta(minutes=2)
"""Seconds by which the clocks of two machines may differ."""


@dataclass
class Counts:
    """Counts of what a mirroring has done so far."""

    copied: int = 0
    bytes: int = 0
    removed: int = 0
    checkpoints_left: bool = False

    def __str__(self) -> str:
        removed = f", {self.removed} removed" if self.removed else ""
        aside = "; checkpoints were left out, --checkpoints copies them" if self.checkpoints_left else ""
        return f"{self.copied} files copied ({self.bytes / 1e6:,.1f} MB){removed}{aside}"


@dataclass(frozen=True)
class Pair:
    """Copier of files from a source to a target."""

    source: Place
    target: Place
    counts: Counts

    def below(self, name: str) -> Pair:
        """Return the folders of that name in both."""
        return Pair(self.source.below(name), self.target.below(name), self.counts)

    def copy(self, name: str, size: int | None = None) -> None:
        """Copy a file, or only its first `size` bytes.

        Raises:
            FileNotFoundError: it is there no longer.
        """
        self.counts.bytes += self.target.copy(self.source, name, size)
        self.counts.copied += 1

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the target's own."""
        self.target.write(name, content)
        self.counts.copied += 1
        self.counts.bytes += len(content)

    def remove(self, name: str) -> None:
        """Remove a file of the target."""
        self.target.remove(name)
        self.counts.removed += 1

    def copy_changed(self, names: Collection[str], here: Mapping[str, int], there: Mapping[str, int]) -> None:
        """Copy the files whose sizes or contents differ; sizes are in bytes, by name."""
        like = [name for name in names if there.get(name) == here[name]]
        contents = zip(self.source.read_all(like), self.target.read_all(like), strict=True)
        same = {name for name, (ours, theirs) in zip(like, contents, strict=True) if ours == theirs}
        for name in names:
            if name not in same:
                self._copy_if_there(name)

    def copy_newer(self, names: Iterable[str], here: Mapping[str, int], there: Mapping[str, int]) -> None:
        """Copy the files whose sizes differ, or that may have been written since they were copied.

        For files that are too large to be compared.
        """
        for name in names:
            same = there.get(name) == here[name]
            if not same or self.source.modified(name) + SKEW > self.target.modified(name):
                self._copy_if_there(name)

    def _copy_if_there(self, name: str) -> None:
        with suppress(FileNotFoundError):  # an unlisted file may be removed at any time
            self.copy(name)
