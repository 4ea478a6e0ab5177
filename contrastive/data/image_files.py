"""Image files as splits: decoded at once, or streamed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray

from contrastive.data.dataset import Split
from contrastive.data.decoder import DAMAGED, HEEDED, NO_FILE, READ, Reading
from contrastive.data.decoding import decoded, warn_of_unreadable
from contrastive.data.listing import Listing
from contrastive.data.state import file_state
from contrastive.data.stream import Backdrop, Stream
from contrastive.data.transparency import compose, mean_colour, opacity

BLOCK: Final = 256
"""Images that one process decodes at a time; what is decoded does not depend on it."""


def decode(
    chosen: Mapping[str, Listing],
    size: int,
    *,
    unreadable: float = 0.01,
    workers: int = 0,
    reading: Reading = HEEDED,
) -> dict[str, Split]:
    """Decode the images of each split: the shorter side is brought to `size`, then the middle is cut out.

    Transparent images are composed on the mean colour of those of "train". Images that cannot be read are left out
    with a warning that names them.

    Raises:
        ValueError: more than a share `unreadable` of the images cannot be read.
    """
    found = {split: _decode_all(listing, size, workers, reading) for split, listing in chosen.items()}
    if any(one.opacity for one in found.values()):
        colour = mean_colour([(found["train"].images, found["train"].opacity)])
        for one in found.values():
            compose(one.images, one.opacity, colour)
    broken = {
        chosen[split].paths[row]: int(one.ended[row])
        for split, one in found.items()
        for row in np.flatnonzero(one.ended != READ)
    }
    warn_of_unreadable(broken, sum(map(len, chosen.values())), unreadable, "They are left out.")
    return {split: _readable(one, chosen[split]) for split, one in found.items()}


@dataclass(frozen=True)
class _Found:
    images: UInt8[ndarray, "n 3 h w"]
    opacity: dict[int, UInt8[ndarray, "h w"]]
    ended: UInt8[ndarray, " n"]


def _decode_all(listing: Listing, size: int, workers: int, reading: Reading) -> _Found:
    rows = [range(start, min(start + BLOCK, len(listing))) for start in range(0, len(listing), BLOCK)]
    found = _Found(np.empty((len(listing), 3, size, size), np.uint8), {}, np.empty(len(listing), np.uint8))
    blocks = decoded(listing.paths.__getitem__, rows, size=size, workers=workers, reading=reading)
    for some, (pixels, ended) in zip(rows, blocks, strict=True):
        found.images[some.start : some.stop], found.ended[some.start : some.stop] = pixels[:, :3], ended
        found.opacity.update(opacity(pixels, some.start))
    return found


def _readable(found: _Found, listing: Listing) -> Split:
    read = found.ended == READ
    images = found.images if read.all() else found.images[read]
    return Split(torch.as_tensor(images), torch.as_tensor(listing.labels[read]))


def stream(
    chosen: Mapping[str, Listing],
    size: int,
    *,
    root: Path,
    unreadable: float,
    workers: int,
    reading: Reading = HEEDED,
) -> dict[str, Split]:
    """Return splits whose images stay on disk. Missing and empty files are left out at once.

    Raises:
        ValueError: more than a share `unreadable` of the files is missing or empty.
    """
    states = {split: file_state(root, listing.paths) for split, listing in chosen.items()}
    empty = [root / name for state in states.values() for name, length, _ in state if not length]
    broken = {str(path): NO_FILE if path.exists() and not path.is_file() else DAMAGED for path in empty}
    warn_of_unreadable(broken, sum(map(len, chosen.values())), unreadable, "They are left out.")
    behind = Backdrop(chosen["train"].paths, size, workers)
    splits: dict[str, Split] = {}
    for split, state in states.items():
        full = [i for i, (_, length, _) in enumerate(state) if length]
        names, lengths = tuple(state[i][0] for i in full), np.array([state[i][1] for i in full])
        images = Stream(root, names, lengths, size, workers, unreadable, reading, behind)
        splits[split] = Split(images, torch.as_tensor(chosen[split].labels[full]))
    return splits
