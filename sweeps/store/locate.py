"""Lookup of sweeps and campaigns by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sweeps.store.layout import LOCK, MARK, StoreError, check_version

Kind = Literal["sweep", "campaign"]
KINDS: tuple[Kind, ...] = ("sweep", "campaign")


def find(name: str | None, *, root: Path, kinds: Sequence[Kind] = ("sweep",)) -> Path:
    """Return the folder of the sweep or campaign with this id or path; without a name, of the last one.

    Args:
        name: its id or path.
        root: the store.
        kinds: the kinds that are allowed.

    Raises:
        StoreError: there is none (names those that exist), or the store is of a newer program.
    """
    root = root.expanduser().absolute()
    for kind in kinds if name else ():
        for directory in (Path(str(name)).expanduser(), root / f"{kind}s" / str(name)):
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


def _carried_out(directory: Path) -> tuple[float, float]:
    """Return when a driver last started it; for a campaign, when one last started any of its sweeps."""
    campaign = is_campaign(directory)
    places = directory.glob("*.json") if campaign else (directory / LOCK, directory / "sweep.json")
    times = [path.stat().st_mtime for path in places if path.is_file()]
    return max(times, default=0.0), float(campaign)
