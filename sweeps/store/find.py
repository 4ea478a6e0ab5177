"""Which sweep is meant by a name."""

from pathlib import Path
from typing import Literal

from sweeps.store.layout import MARK, StoreError, check_version


def find(name: str, *, root: Path, kind: Literal["sweep", "campaign"] = "sweep") -> Path:
    """The folder of the sweep or campaign that `name` is the id or the path of.

    Raises:
        StoreError: there is none, or the store is of a newer program; names those that there are.
    """
    root = root.expanduser().absolute()
    for directory in (Path(name).expanduser(), root / f"{kind}s" / name):
        if (directory / f"{kind}.json").is_file():
            check_version(directory)
            return directory.resolve()
    if not (root / MARK).is_file():
        here = f"{root} is no result store" if root.exists() else f"There is no store {root}"
        raise StoreError(f"there is no {kind} '{name}'. {here}; name the one it was written to with --store")
    check_version(root)
    known = sorted(path.parent.name for path in root.glob(f"{kind}s/*/{kind}.json"))
    here = f"The store {root} holds: {', '.join(known)}" if known else f"The store {root} holds no {kind} yet"
    raise StoreError(f"there is no {kind} '{name}'. {here}; name another store with --store")
