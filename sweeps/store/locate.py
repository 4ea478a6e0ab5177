"""Lookup of sweeps and campaigns by name."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sweeps.store.layout import LOCK, MANIFEST, MARK, StoreError, check_version

Kind = Literal["sweep", "campaign"]
KINDS: tuple[Kind, ...] = ("sweep", "campaign")


def find(name: str | None, *, root: Path, kinds: Sequence[Kind] = ("sweep",)) -> Path:
    """Return the folder of the sweep or campaign with this id or path; without a name, of the one last carried out.

    Args:
        name: its id or path.
        root: the store; without a name, also the very folder that is meant.
        kinds: the kinds that are allowed.

    Raises:
        StoreError: there is none (names those that exist), or the store is of a newer program.
    """
    root = root.expanduser().absolute()
    for kind in kinds:
        for directory in (Path(name).expanduser(), root / f"{kind}s" / name) if name else (root,):
            if (directory / f"{kind}.json").is_file():
                check_version(directory)
                return directory.resolve()
    what = f"no {kinds[0]} '{name}'" if name else f"no {kinds[0]} yet"
    if not (root / MARK).is_file():
        here = f"{root} is no result store" if root.exists() else f"There is no store {root}"
        raise StoreError(f"there is {what}. {here}; name the one it was written to with --store")
    check_version(root)
    known = [path.parent for kind in kinds for path in root.glob(f"{kind}s/*/{kind}.json")]
    if known and not name:
        return max(known, key=_carried_out).resolve()
    names = ", ".join(sorted(path.name for path in known))
    here = f"The store {root} holds: {names}" if names else f"The store {root} holds no {kinds[0]} yet"
    raise StoreError(f"there is {what}. {here}; name another store with --store")


def is_campaign(directory: Path) -> bool:
    """Return whether a folder is a campaign's."""
    return (directory / "campaign.json").is_file()


def _carried_out(directory: Path) -> tuple[str, bool]:
    """Return when a driver last started it, in UTC; without a lock, as in a copy, when it was begun.

    A campaign is carried out with the last of its sweeps, and comes before that.
    """
    campaign = is_campaign(directory)
    if (lock := directory / LOCK).is_file():
        return datetime.fromtimestamp(lock.stat().st_mtime, UTC).isoformat(), campaign
    content = json.loads(
        (directory / ("campaign.json" if campaign else MANIFEST)).read_text(encoding="utf-8")
    )
    sweeps = [directory.parents[1] / "sweeps" / name for name in content.get("sweeps", {}).values()]
    times = [_carried_out(sweep)[0] for sweep in sweeps if sweep.is_dir()]
    return max([content.get("created", ""), *times]), campaign
