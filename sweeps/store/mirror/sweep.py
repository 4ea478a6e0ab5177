"""Mirroring of one sweep: files are copied in an order that keeps the copy readable.

Parts come before their index, and the index before the segments, in the order in which these were written: a copy
never has a row without those that the same writer recorded before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from sweeps.store.layout import LOCK, MANIFEST, StoreError
from sweeps.store.lease import FILE as LEASE
from sweeps.store.mirror.pair import Pair
from sweeps.store.mirror.place import Place
from sweeps.store.parts import INDEX, PARTS, Index, parse_index
from sweeps.store.schema import FILES
from sweeps.store.segments import QUARANTINE, SEGMENTS
from sweeps.store.snapshot import TRIES

CHECKPOINTS = "checkpoints/"
LEGACY = frozenset(f"{stem}.parquet" for stem in FILES.values())
"""Files that version 1 has folded."""

Sizes = Mapping[str, int]
"""Sizes of files in bytes, by name."""


def mirror_sweep(pair: Pair, *, checkpoints: bool, prune: bool) -> None:
    """Copy what is new in the folder of one sweep.

    Raises:
        StoreError: the target has rows that the source does not have.
    """

    def skip(name: str) -> bool:
        return passing(name) or (name == CHECKPOINTS and not checkpoints)

    pair.counts.checkpoints_left |= not checkpoints and CHECKPOINTS in pair.source.names()
    for _ in range(TRIES):
        index = _index(pair.source)
        here, there = pair.source.files(skip), pair.target.files(skip)
        if _index(pair.source).generation != index.generation:
            continue  # the listing does not match the index
        try:
            _copy_rows(pair, index, here, there)
        except FileNotFoundError:
            if _index(pair.source).generation == index.generation:
                raise
            continue  # a compaction has removed what it has folded
        _copy_rest(pair, here, there)
        for name in sorted(there.keys() - here.keys()) if prune else ():
            pair.remove(name)
        return
    raise TimeoutError(f"{pair.source} has been compacted {TRIES} times while it was copied; copy it again")


def passing(name: str) -> bool:
    """Return whether a file is temporary or only meaningful in its own place."""
    last = name.rpartition("/")[2]
    return last == LOCK or last.startswith(LEASE) or last.endswith(".partial")


def _copy_rows(pair: Pair, index: Index, here: Sizes, there: Sizes) -> None:
    before = _index(pair.target)
    _check_not_ahead(pair, index, before, here, there)
    pair.copy_changed([MANIFEST], here, there)
    for part in index.parts:
        name = f"{PARTS}/{part.file}"
        if there.get(name) != part.bytes:
            pair.copy(name)
    after = _index_of_copy(index, here, there)
    if after != before:
        pair.write(INDEX, f"{json.dumps(asdict(after), indent=2)}\n".encode())
    waiting = [name for name in here if _unfolded(name) and name not in index.folded]
    new = [name for name in waiting if there.get(name) != here[name]]
    for name in sorted(new, key=pair.source.modified):
        # Only what had been written when all were listed: no writer may be ahead of the others.
        pair.copy(name, here[name])


def _check_not_ahead(pair: Pair, index: Index, before: Index, here: Sizes, there: Sizes) -> None:
    longer = [name for name in there if _unfolded(name) and there[name] > here.get(name, there[name])]
    others = [name for name in there if _unfolded(name) and name not in here and name not in before.folded]
    if longer or before.generation > index.generation or (others and before.generation == index.generation):
        raise StoreError(
            f"{pair.target} has more than {pair.source}, which would be lost; copy the other way round, "
            "or name a new folder"
        )


def _index_of_copy(index: Index, here: Sizes, there: Sizes) -> Index:
    """Return the source's index, extended by files of the copy that the source has folded and removed."""
    folded = {*index.folded, *(name for name in there if _unfolded(name) and name not in here)}
    known = {part.file for part in index.parts} | {file for file, _ in index.merged}
    parts = {name.removeprefix(f"{PARTS}/") for name in there if name.startswith(f"{PARTS}/")}
    merged = tuple((file, 0.0) for file in sorted(parts - known))
    return replace(index, folded=tuple(sorted(folded)), merged=(*index.merged, *merged))


def _copy_rest(pair: Pair, here: Sizes, there: Sizes) -> None:
    done = {name for name in here if _unfolded(name) or name.startswith(f"{PARTS}/")} | {MANIFEST, INDEX}
    rest = sorted(here.keys() - done)
    for name in rest:
        if name.startswith(f"{QUARANTINE}/") and there.get(name) != here[name]:
            pair.copy(name)
    pair.copy_newer([name for name in rest if name.startswith(CHECKPOINTS)], here, there)
    large = (CHECKPOINTS, f"{QUARANTINE}/")
    pair.copy_changed([name for name in rest if not name.startswith(large)], here, there)


def _unfolded(name: str) -> bool:
    return name in LEGACY or (name.startswith(f"{SEGMENTS}/") and name.endswith(".arrows"))


def _index(sweep: Place) -> Index:
    try:
        text = sweep.read(INDEX)
    except FileNotFoundError:
        return Index()
    return parse_index(text, f"{sweep}/{INDEX}")
