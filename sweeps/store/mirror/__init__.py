"""Incremental mirroring of a store to another place, in an order that keeps the copy readable at every moment."""

import json
from collections.abc import Callable

from sweeps.store.layout import MANIFEST, MARK, StoreError, check_mark
from sweeps.store.mirror.pair import Counts, Pair
from sweeps.store.mirror.place import place_at
from sweeps.store.mirror.sweep import mirror_sweep, passing

__all__ = ["Counts", "mirror"]


def mirror(source: str, target: str, *, checkpoints: bool = False, prune: bool = False) -> Counts:
    """Copy what is new in a store, or in one sweep, to or from a folder or object storage.

    The target can be read at every moment: it is as its source was when this mirroring began or, before it ends, at
    some time since the previous one. Use the target for reading only: what a sweep or a compaction writes there
    conflicts with the next mirroring. Several stores can be mirrored to one place.

    Args:
        source: a path, or a URL that fsspec knows (s3://, gs://, file:// and others).
        target: the same; empty, or an earlier copy.
        checkpoints: copy checkpoints, too.
        prune: remove from the copies what their sweeps no longer have.

    Raises:
        StoreError: the source is neither store nor sweep, or the target holds something else, or more than the source.
        ValueError: a URL cannot be reached.
    """
    pair = Pair(place_at(source), place_at(target), Counts())
    if pair.source.around(pair.target) or pair.target.around(pair.source):
        raise StoreError(f"{pair.source} and {pair.target} lie one within the other; name a target elsewhere")
    if _checked(pair) == MANIFEST:
        mirror_sweep(pair, checkpoints=checkpoints, prune=prune)
        return pair.counts
    _mirror_files(pair, lambda name: name != MARK)
    for name in pair.source.below("sweeps").names():
        sweep = pair.below(f"sweeps/{name.rstrip('/')}")
        if MANIFEST in sweep.source.names():
            mirror_sweep(sweep, checkpoints=checkpoints, prune=prune)
    _mirror_files(pair, lambda name: name == MARK or name.startswith("sweeps/") or passing(name))
    return pair.counts


def _mirror_files(pair: Pair, skip: Callable[[str], bool]) -> None:
    here, there = pair.source.files(skip), pair.target.files(skip)
    pair.copy_changed(here, here, there)


def _checked(pair: Pair) -> str:
    """Return the file that identifies the source, after checking that the target may become a copy of it."""
    kinds = [name for name in (MARK, MANIFEST) if name in pair.source.names()]
    if not kinds:
        raise StoreError(
            f"{pair.source} is no result store and no sweep: it has no {MARK} and no {MANIFEST}; name a folder that has"
        )
    kind, there = kinds[0], [name for name in pair.target.names() if not passing(name)]
    if there and kind not in there:
        raise StoreError(
            f"{pair.target} holds other files ({there[0]}), not what {pair.source} is; name an empty or a new folder"
        )
    folders = [pair.source, *([pair.target] if there else [])]
    if kind == MARK:
        for folder in folders:
            check_mark(folder.read(MARK), str(folder))
    elif len({json.loads(folder.read(MANIFEST)).get("id") for folder in folders}) > 1:
        raise StoreError(f"{pair.target} holds another sweep; name an empty or a new folder")
    return kind
