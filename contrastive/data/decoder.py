"""Decoding of image files; also a program of its own, which needs Pillow only and so starts at once.

As a program it takes the size and the fields of a `Reading` as one JSON list, a JSON list of paths a line on
standard input, and answers each line on standard output with the lists' images one after another.
"""

import json
import os
import stat
import sys
import warnings
from typing import Any, Final, NamedTuple

from PIL import ExifTags, Image, ImageChops, ImageOps

VERSION: Final = 2
"""Raised when a file gives other pixels than before: kept sets are decoded anew, streamed runs are others."""

DAMAGED: Final = 0
READ: Final = 1
TOO_LARGE: Final = 2
"""More pixels than Pillow opens."""
NO_RANGE: Final = 3
"""Numbers without a known range from black to white."""
NO_FILE: Final = 4
"""A folder, a pipe or a device, which might never end."""

TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that undoes each orientation of EXIF."""
BITS, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0
SAMPLE_FORMAT, SIGNED = 339, 2
"""Tags of TIFF."""


class Reading(NamedTuple):
    """Properties of a file, beside its pixels, that decoding takes into account."""

    orientation: bool = True
    """Orientation of the camera, by the EXIF data."""
    transparency: bool = True
    """Transparency; if it is ignored, the colour under transparent pixels is shown."""


HEEDED: Final = Reading()


class NoRangeError(ValueError):
    """Error for an image whose numbers have no known range from black to white."""


def decode(path: str, size: int, reading: Reading = HEEDED) -> bytes:
    """Return one byte, 1 if the file could be read, and size x size x RGBA bytes of its image (zeros if not).

    The shorter side is brought to `size`, then the middle is cut out. The first byte of an unreadable file says why.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - as the paths come
            return _nothing(NO_FILE, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities that do not keep Pillow from reading
            return bytes([READ]) + _pixels(path, size, reading)
    except Image.DecompressionBombError:
        return _nothing(TOO_LARGE, size)
    except NoRangeError:
        return _nothing(NO_RANGE, size)
    # The one broad except: each format's reader raises what it likes on what is no image of its kind.
    except Exception:
        return _nothing(DAMAGED, size)


def _nothing(why: int, size: int) -> bytes:
    return bytes([why]) + bytes(4 * size * size)


def _pixels(path: str, size: int, reading: Reading) -> bytes:
    with Image.open(path) as image:
        # A large JPEG can be decoded at a fraction of its size; twice what is wanted leaves the filter work.
        image.draft("RGB", (2 * size, 2 * size))
        image.load()  # after which Pillow has turned a TIFF itself
        shown = _turned(image) if reading.orientation else image
        shown = _eight_bits(shown, getattr(image, "tag_v2", {}))
        clear = reading.transparency and shown.has_transparency_data
        shown = shown.convert("RGBA" if clear else "RGB")
        return ImageOps.fit(shown, (size, size), Image.Resampling.BILINEAR).convert("RGBA").tobytes()


def _turned(image: Image.Image) -> Image.Image:
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF data say nothing; the image may be sound
        return image
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info
    return turned


def _eight_bits(image: Image.Image, tags: Any) -> Image.Image:
    """Scale numbers of other depths to 0..255, from the black to the white of their format.

    Raises:
        NoRangeError: the format has neither, or signed numbers of eight bits, which Pillow takes for unsigned ones.
    """
    if tags.get(SAMPLE_FORMAT, (1,))[0] == SIGNED:
        raise NoRangeError
    whole = image.mode == "I" or image.mode.startswith("I;16")
    if not whole and image.mode != "F":
        return image  # Pillow has scaled it
    top = _highest(image, tags)
    inverted = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO  # which Pillow heeds up to eight bits only
    scale, first = (-255 / top, 255.5) if inverted else (255 / top, 0.5)
    wide = image.convert("I") if whole else image
    grey = wide.point(lambda level: level * scale + first).convert("L")
    invisible = image.info.get("transparency")
    return grey if invisible is None else Image.merge("LA", (grey, _other_than(wide, invisible)))


def _other_than(image: Image.Image, level: int) -> Image.Image:
    """Return 255 where a wide image has another level than this, 0 elsewhere."""
    above = image.point(lambda own: own + -level).convert("L")  # what is out of 0..255 is brought there
    below = image.point(lambda own: own * -1 + level).convert("L")
    return ImageChops.lighter(above, below).point([0] + 255 * [255])


def _highest(image: Image.Image, tags: Any) -> int:
    """Return the number that stands for white, or for black where white is 0.

    Raises:
        NoRangeError: signed or 32-bit whole numbers, or real ones that are not all from 0 to 1.
    """
    if image.mode == "F":
        low, high = image.getextrema()
        mean = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        # Extremes pass over pixels that are no number; of a mean with one nothing remains.
        if not 0 <= low <= high <= 1 or not mean >= 0:  # pyright: ignore[reportOperatorIssue] - one channel
            raise NoRangeError
        return 1
    if image.mode == "I" and tags:
        raise NoRangeError
    return 2 ** tags.get(BITS, (16,))[0] - 1


def serve(size: int, reading: Reading) -> None:
    """Decode what is asked for on standard input until it ends."""
    for line in sys.stdin:
        for path in json.loads(line):
            sys.stdout.buffer.write(decode(path, size, reading))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    given, *heeded = json.loads(sys.argv[1])
    serve(given, Reading(*heeded))
