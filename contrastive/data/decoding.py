"""Decoding of image files block by block, ahead of their use, in processes of their own."""

import json
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from typing import Final

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from contrastive.data import decoder
from contrastive.data.decoder import HEEDED, Reading

Decoded = tuple[UInt8[ndarray, "n 4 h w"], UInt8[ndarray, " n"]]
"""Images of a block with their opacity, and the outcome of each (`decoder.READ` ...); unread images are 0."""

PIPE: Final = 2**20
"""Bytes between two processes: as much as Linux lets anybody have, so that few system calls move a block."""


def decoded(
    path: Callable[[int], str],
    blocks: Sequence[Sequence[int]],
    *,
    size: int,
    workers: int,
    reading: Reading = HEEDED,
) -> Iterator[Decoded]:
    """Yield the images of each block of rows, in order; the same for any number of workers.

    The workers are programs started anew (`decoder`), not forks of this process: they inherit no lock, no
    GPU and no connection of a Ray actor, need no guard in the script that trains, and end when this process
    does, however it ends. Up to `workers` + 1 blocks are decoded before they are asked for.

    Args:
        path: returns the path of a row's image file.
        blocks: rows of each block.
        size: height and width in pixels.
        workers: number of processes; with 0, or for a single block, this process decodes.
        reading: properties of a file to take into account.

    Raises:
        RuntimeError: a worker has died.
    """
    if not workers or len(blocks) < 2:
        yield from (_here(list(map(path, rows)), size, reading) for rows in blocks)
        return
    with ExitStack() as stack:
        idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        started = [stack.enter_context(_worker(size, reading)) for _ in range(min(workers, len(blocks)))]
        pool = stack.enter_context(ThreadPoolExecutor(len(started)))
        for process in started:
            idle.put(process)
            # When the caller stops early the threads must not wait for what nobody takes.
            stack.callback(process.kill)
        ahead: deque[Future[Decoded]] = deque()
        for rows in blocks:
            ahead.append(pool.submit(_ask, idle, list(map(path, rows)), size))
            if len(ahead) > len(started) + 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


@contextmanager
def _worker(size: int, reading: Reading) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        # -P: the modules beside the decoder are none of its libraries.
        [sys.executable, "-P", decoder.__file__, json.dumps([size, *reading])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pipesize=PIPE,
        start_new_session=True,  # Ctrl-C is for the process that trains
    )
    try:
        yield process
    finally:
        process.kill()
        with suppress(BrokenPipeError), process:
            pass


def _ask(idle: SimpleQueue[subprocess.Popen[bytes]], paths: list[str], size: int) -> Decoded:
    process = idle.get()
    assert process.stdin is not None
    assert process.stdout is not None
    answer = np.empty((len(paths), 1 + 4 * size * size), np.uint8)
    received = 0
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(paths).encode() + b"\n")
            process.stdin.flush()
            received = process.stdout.readinto(answer.data)  # pyright: ignore[reportAttributeAccessIssue]
    finally:
        idle.put(process)
    if received < answer.nbytes:
        raise RuntimeError(
            f"a process that decodes images has ended (exit status {process.wait()}) at one of {len(paths)} "
            f"files from {paths[0]!r} on. If memory is short, lower data.workers; 0 decodes without processes."
        )
    return _pixels(answer, size)


def _here(paths: list[str], size: int, reading: Reading) -> Decoded:
    answer = b"".join(decoder.decode(path, size, reading) for path in paths)
    return _pixels(np.frombuffer(answer, np.uint8).reshape(len(paths), 1 + 4 * size * size), size)


def _pixels(answer: UInt8[ndarray, "n m"], size: int) -> Decoded:
    images = answer[:, 1:].reshape(-1, size, size, 4).transpose(0, 3, 1, 2)
    return np.array(images, order="C"), answer[:, 0]


def warn_of_unreadable(broken: Mapping[str, int], total: int, unreadable: float, instead: str) -> None:
    """Warn of `broken` image files (each with its outcome), and say what is done `instead` of using them.

    Raises:
        ValueError: they are more than a share `unreadable` of all `total` files.
    """
    if not broken:
        return
    message = f"{len(broken)} of {total} images cannot be read: {_named(broken)}."
    if len(broken) > unreadable * total:
        mend = " ".join(_REASONS[why][1] for why in sorted(set(broken.values())))
        raise ValueError(
            f"{message} At most {100 * unreadable:g}% may be unreadable. {mend} Or raise data.unreadable."
        )
    warnings.warn(f"{message} {instead}", stacklevel=2)


_REASONS: Final = {
    decoder.DAMAGED: ("", "Repair or remove these files."),
    decoder.TOO_LARGE: (
        " (above {pixels:,} pixels, Pillow's limit)",
        "Make smaller copies of those above Pillow's limit, which guards against decompression bombs.",
    ),
    decoder.NO_RANGE: (
        " (numbers without a range)",
        "Save signed, 32-bit or real numbers as 8 or 16 bits, or as real numbers from 0 to 1.",
    ),
    decoder.NO_FILE: (
        " (no regular file)",
        "Remove folders, pipes and devices that have the name of an image.",
    ),
}
"""Why a file cannot be read, and how to mend it."""


def _named(broken: Mapping[str, int]) -> str:
    """Name the first ten files of each reason."""
    parts: list[str] = []
    for why in sorted(set(broken.values())):
        names = [name for name, its in broken.items() if its == why]
        reason = _REASONS[why][0].format(pixels=2 * (Image.MAX_IMAGE_PIXELS or 0))
        parts.append(", ".join(names[:10]) + (", ..." if len(names) > 10 else "") + reason)
    return "; ".join(parts)
