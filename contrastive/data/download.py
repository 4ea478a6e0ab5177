"""Download of data sets, the only place in this package that opens a connection."""

import shlex
from pathlib import Path


def command(name: str, root: str | Path) -> str:
    """Return the command that fetches a set, or says where to get it."""
    return f"python -m contrastive download {name} --root {shlex.quote(str(root))}"


def download(name: str, root: str | Path) -> None:
    """Fetch a data set with torchvision's own downloader, which checks what it got, and unpack it in `root`.

    Raises:
        ValueError: the set cannot be fetched (says where to get it), or no set has that name.
        RuntimeError: its server did not answer, or sent something else.
    """
    from contrastive.data import DATA_SETS

    kinds = {kind.name: kind for kind in DATA_SETS}
    if name not in kinds:
        fetched = ", ".join(name for name, kind in kinds.items() if kind.fetched)
        raise ValueError(f"There is no data set {name!r}. Can be downloaded: {fetched}.")
    if not kinds[name].fetched:
        raise ValueError(kinds[name].elsewhere)
    from torchvision import datasets

    folder = Path(root).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        getattr(datasets, kinds[name].fetched)(str(folder), download=True)
    except (OSError, RuntimeError) as error:
        raise RuntimeError(
            f"{name} could not be downloaded: {error}. Run the same command again later, or unpack the "
            f"files into {folder} by hand."
        ) from error
