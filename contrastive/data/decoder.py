"""Decodes image files. Also a program of its own, which needs Pillow only and so starts at once.

As a program it takes the size as its argument, a JSON list of paths a line on standard input, and answers
each line on standard output with the lists' images one after another.
"""

import json
import struct
import sys

from PIL import Image, ImageOps


def decode(path: str, size: int) -> bytes:
    """One byte, 1 if the file could be read, and size x size x RGB bytes of its image (zeros if not).

    The shorter side is brought to `size`, then the middle is cut out.
    """
    try:
        with Image.open(path) as image:
            # A large JPEG can be decoded at a fraction of its size; twice what is wanted leaves the filter work.
            image.draft("RGB", (2 * size, 2 * size))
            return (
                b"\1" + ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR).tobytes()
            )
    # All that Pillow raises on damaged files.
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return bytes(1 + 3 * size * size)


def answer(size: int) -> None:
    """Decode what is asked for on standard input until it ends."""
    for line in sys.stdin:
        for path in json.loads(line):
            sys.stdout.buffer.write(decode(path, size))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    answer(int(sys.argv[1]))
