"""Image files as they are meant to be seen: depths, orientation, transparency, and what is no image at all."""

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from contrastive.data import Dataset, Folder, load
from contrastive.data.decoder import (
    DAMAGED,
    HEEDED,
    NO_FILE,
    NO_RANGE,
    READ,
    TOO_LARGE,
    TURNS,
    Reading,
    decode,
)
from tests.formats import write_images

SPLITS = ("train", "validation", "test")
RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)
REAL = RAMP.astype(np.float32) / 65535


def seen(path: Path, size: int = 256, reading: Reading = HEEDED) -> tuple[int, np.ndarray]:
    """How reading ended, and the image (size, size, RGBA)."""
    answer = decode(str(path), size, reading)
    return answer[0], np.frombuffer(answer[1:], np.uint8).reshape(size, size, 4)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(path: Path, pixels: np.ndarray, bits: int, colour: int, *more: bytes) -> None:
    """A PNG of any depth, as Pillow does not write them: rows of packed bytes."""
    height, width = RAMP.shape
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    content = b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(rows))
    path.write_bytes(content + chunk(b"IEND", b""))


def of_pillow(array: np.ndarray, **options: Any) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(array).save(path, **options)


def stacked(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, -1).astype(">u2")


FULL = RAMP * 0 + 65535
WIDE = {
    "grey.png": of_pillow(RAMP),
    "grey.tif": of_pillow(RAMP),
    "big endian.tif": of_pillow(RAMP.astype(">u2")),
    "deflated.tif": of_pillow(RAMP, compression="tiff_deflate"),
    "grey.pgm": of_pillow(RAMP.astype(np.int32)),
    "real.tif": of_pillow(REAL),
    "colour.png": lambda path: png(path, stacked(RAMP, RAMP, RAMP), 16, 2),
    "opaque.png": lambda path: png(path, stacked(RAMP, FULL), 16, 4),
    "opaque colour.png": lambda path: png(path, stacked(RAMP, RAMP, RAMP, FULL), 16, 6),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_ramp_of_65536_levels_keeps_256(tmp_path: Path, name: str):
    WIDE[name](tmp_path / name)
    ended, pixels = seen(tmp_path / name)
    assert ended == READ
    expected = np.rint(RAMP / 257)
    for channel in range(3):
        assert len(np.unique(pixels[..., channel])) == 256
        assert np.abs(pixels[..., channel] - expected).max() <= 1  # of colours Pillow takes the upper byte
    assert (pixels[..., 3] == 255).all()
    if "colour" not in name and "opaque" not in name:
        assert (pixels[..., 0] == expected).all()


def test_where_white_is_zero_a_wide_image_is_inverted_as_any_other(tmp_path: Path):
    Image.fromarray(RAMP).save(tmp_path / "x.tif", tiffinfo={262: 0})
    assert (seen(tmp_path / "x.tif")[1][..., 0] == 255 - np.rint(RAMP / 257)).all()


def test_signed_numbers_of_eight_bits_are_not_taken_for_unsigned_ones(tmp_path: Path):
    levels = (RAMP >> 8).astype(np.uint8)
    for kind, ended in ((1, READ), (2, NO_RANGE)):
        Image.fromarray(levels).save(tmp_path / "x.tif", tiffinfo={339: kind})
        assert seen(tmp_path / "x.tif")[0] == ended


def test_twelve_bits_have_their_own_range(tmp_path: Path):
    levels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    first, second = levels.reshape(-1, 2).astype(int).T
    packed = (
        np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1).astype(np.uint8).tobytes()
    )
    entries = [
        (256, 64),
        (257, 64),
        (258, 12),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 64),
        (279, len(packed)),
    ]
    tags = struct.pack("<H", len(entries))
    tags += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries) + bytes(4)
    header = b"II*\0" + struct.pack("<I", 8 + len(packed))
    (tmp_path / "x.tif").write_bytes(header + packed + tags)
    ended, pixels = seen(tmp_path / "x.tif", 64)
    assert ended == READ
    assert (pixels[..., 0] == np.floor(levels * (255 / 4095) + 0.5)).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_reach_white(tmp_path: Path, bits: int):
    rows = np.full((256, 256 * bits // 8), 0x1B if bits == 2 else 0x0F, np.uint8)
    png(tmp_path / "x.png", rows, bits, 0)
    ended, pixels = seen(tmp_path / "x.png")
    assert ended == READ
    assert {0, 255} <= set(np.unique(pixels[..., 0]).tolist()) <= {0, 85, 170, 255}


EIGHT = Image.fromarray((RAMP >> 8).astype(np.uint8))


@pytest.mark.parametrize(
    ("mode", "suffix", "levels"),
    [("1", ".png", 2), ("1", ".tif", 2), ("P", ".png", 256), ("P", ".gif", 256), ("LA", ".png", 256),
     ("CMYK", ".jpg", 150), ("CMYK", ".tif", 256), ("RGBA", ".webp", 150), ("YCbCr", ".jpg", 150),
     ("LAB", ".tif", 200)],
)  # fmt: skip
def test_every_mode_is_read_as_the_grey_it_shows(tmp_path: Path, mode: str, suffix: str, levels: int):
    path = tmp_path / f"x{suffix}"
    EIGHT.convert("RGB").convert(mode).save(path) if mode in ("CMYK", "LAB") else EIGHT.convert(mode).save(
        path
    )
    ended, pixels = seen(path)
    assert ended == READ
    assert len(np.unique(pixels[..., 0])) >= levels
    if mode != "1":
        assert np.abs(pixels[..., :3].astype(int) - (RAMP >> 8)[..., None]).max() < 12


@pytest.mark.parametrize(
    "array",
    [
        RAMP.astype(np.int32),
        RAMP.astype(np.int32) - 9,
        RAMP.astype(np.float32),
        REAL - 0.5,
        np.where(REAL > 0.5, np.float32(np.inf), REAL),
        np.where(RAMP == 0, np.float32(np.nan), REAL),
        np.where(RAMP == 40000, np.float32(np.nan), REAL),
    ],
    ids=["32 bits", "signed", "above 1", "below 0", "infinite", "first no number", "one no number"],
)
def test_numbers_without_a_range_are_refused_and_how_to_mend_it(tmp_path: Path, array: np.ndarray):
    write_images(tmp_path, count=3)
    Image.fromarray(array).save(tmp_path / "cat" / "deep.tif")
    assert seen(tmp_path / "cat" / "deep.tif")[0] == NO_RANGE
    with pytest.raises(
        ValueError, match=r"deep.tif \(numbers without a range\).*as 8 or 16 bits, or as real"
    ):
        Folder(root=str(tmp_path)).read()


# Orientation.


def corner(path: Path, reading: Reading = HEEDED) -> tuple[int, int]:
    """Row and column of the bright corner."""
    _, pixels = seen(path, 16, reading)
    return tuple(int(at) for at in np.argwhere(pixels[..., 0] > 200).mean(0) > 7)


def held(path: Path, orientation: int, **options: Any) -> Path:
    """An image whose bright corner is at the lower left where its EXIF data are heeded."""
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 48, 16, 64))
    inverse = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(
        orientation, TURNS.get(orientation)
    )
    exif = Image.Exif()
    exif[274] = orientation
    (image.transpose(inverse) if inverse is not None else image).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_images_are_turned_as_the_camera_was_held(tmp_path: Path, orientation: int, suffix: str):
    assert corner(held(tmp_path / f"x{suffix}", orientation)) == (1, 0)


def test_orientation_can_be_left_alone(tmp_path: Path):
    assert corner(held(tmp_path / "x.jpg", 3), Reading(orientation=False)) == (0, 1)


def test_damaged_exif_data_do_not_make_a_damaged_image(tmp_path: Path):
    Image.new("RGB", (8, 8), (9, 9, 9)).save(
        tmp_path / "x.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"
    )
    ended, pixels = seen(tmp_path / "x.jpg", 8)
    assert (ended, pixels[0, 0].tolist()) == (READ, [9, 9, 9, 255])


# Transparency.


def logos(root: Path, under: int) -> Path:
    """Opaque images, and some of which half is seen; what lies under the other half should not matter."""
    write_images(root, count=6, size=(16, 16))
    for name, colour in (("cat", (30, 60, 90)), ("dog", (90, 60, 30))):
        for i in range(3):
            image = Image.new("RGBA", (16, 16), (under, under, under, 0))
            image.paste((*colour, 255), (0, 0, 16, 8))
            image.save(root / name / f"logo{i}.png")
    return root


def folder(root: Path, **fields: Any) -> Folder:
    return Folder(root=str(root), size=16, **fields)


def images_of(dataset: Dataset) -> torch.Tensor:
    parts = [getattr(dataset, split) for split in SPLITS]
    return torch.cat([next(iter(part.fetch([torch.arange(len(part))]))) for part in parts])


@pytest.mark.parametrize("stream", [False, True])
def test_transparent_pixels_have_the_mean_colour_whatever_lies_under_them(tmp_path: Path, stream: bool):
    white, black = (folder(logos(tmp_path / str(u), u), stream=stream).read() for u in (255, 0))
    assert torch.equal(images_of(white), images_of(black))
    clear = images_of(white)[:, :, -1, 0].float() / 255  # a pixel of the lower half
    mean = torch.tensor(white.mean)
    behind = [colour for colour in clear if (colour - mean).abs().max() < 1 / 255]
    assert len(behind) == 6


def test_streamed_and_kept_images_have_the_same_colour_behind_them(tmp_path: Path):
    root = logos(tmp_path, 255)
    kept, streamed, ahead = (
        folder(root, **f).read() for f in ({}, {"stream": True}, {"stream": True, "workers": 0})
    )
    assert torch.equal(images_of(kept), images_of(streamed))
    assert torch.equal(images_of(kept), images_of(ahead))
    assert kept.mean == streamed.mean


@pytest.mark.parametrize("stream", [False, True])
def test_transparency_can_be_ignored(tmp_path: Path, stream: bool):
    dataset = folder(logos(tmp_path, 255), transparency="ignored", stream=stream).read()
    assert (images_of(dataset)[:, :, -1, 0] == 255).all(1).sum() == 6


@pytest.mark.parametrize("how", ["palette", "grey key", "wide grey key", "grey and alpha", "gif"])
def test_transparency_is_known_in_every_form(tmp_path: Path, how: str):
    levels = np.full((256, 256), 200, np.uint8)
    levels[128:] = 7
    path = tmp_path / ("x.gif" if how == "gif" else "x.png")
    if how == "wide grey key":
        png(path, (levels.astype(">u2") * 257), 16, 0, chunk(b"tRNS", struct.pack(">H", 7 * 257)))
    elif how == "grey and alpha":
        Image.merge("LA", (Image.fromarray(levels), Image.fromarray((levels > 7) * np.uint8(255)))).save(path)
    else:
        Image.fromarray(levels).convert("L" if how == "grey key" else "P").save(path, transparency=7)
    ended, pixels = seen(path)
    assert ended == READ
    assert (pixels[128:, :, 3] == 0).all()
    assert (pixels[:128] == (200, 200, 200, 255)).all()


def test_a_set_of_which_nothing_is_seen_is_grey(tmp_path: Path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new("RGBA", (4, 4), (9, 9, 9, 0)).save(tmp_path / name / f"{i}.png")
    assert (images_of(folder(tmp_path).read()) == 128).all()


@pytest.mark.parametrize("fields", [{"orientation": False}, {"transparency": "ignored"}])
@pytest.mark.parametrize("stream", [False, True])
def test_how_files_are_read_is_part_of_what_a_set_is_called(tmp_path: Path, fields: Any, stream: bool):
    root = logos(tmp_path / "images", 255)
    held(root / "cat" / "held.jpg", 6)
    usual, other = (load(folder(root, stream=stream, **f), cache=tmp_path / "cache") for f in ({}, fields))
    assert usual.fingerprint != other.fingerprint


# What is no image.


def test_an_image_above_pillows_limit_is_told_apart_from_a_damaged_one(tmp_path: Path):
    write_images(tmp_path, count=3)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    large = tmp_path / "cat" / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    (tmp_path / "cat" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert [seen(path, 8)[0] for path in (large, large.with_name("torn.png"))] == [TOO_LARGE, DAMAGED]
    said = r"2 of 8 images cannot be read: \S+torn.png; \S+large.png \(above 178,956,970 pixels, Pillow's limit\)\. "
    with pytest.raises(ValueError, match=said + r".*Repair or remove.*Make smaller copies"):
        Folder(root=str(tmp_path)).read()


def test_an_image_of_which_pillow_only_warns_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.new("L", (50, 50), 80).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    assert seen(tmp_path / "x.png", 8)[0] == READ
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert seen(tmp_path / "x.png", 8)[0] == TOO_LARGE


@pytest.mark.timeout(60)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir])
def test_what_is_no_file_never_blocks(tmp_path: Path, make: Callable[[Path], None], stream: bool):
    write_images(tmp_path, count=30)
    make(tmp_path / "cat" / "x.png")
    assert seen(tmp_path / "cat" / "x.png", 8)[0] == NO_FILE
    if make is os.mkdir:  # a folder is looked into, whatever its name
        assert len(images_of(Folder(root=str(tmp_path), stream=stream).read())) == 60
        return
    with pytest.raises(ValueError, match=r"1 of 61 images cannot be read: \S+x.png \(no regular file\)"):
        Folder(root=str(tmp_path), stream=stream).read()
    with pytest.warns(UserWarning, match=r"x.png \(no regular file\)\. They are left out"):
        dataset = Folder(root=str(tmp_path), stream=stream, unreadable=0.05).read()
    assert len(images_of(dataset)) == 60


@pytest.mark.parametrize("left", [0, 1, 9, 30, 60])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".webp", ".bmp", ".tif", ".ppm"])
def test_a_file_cut_short_is_damaged_and_nothing_else(tmp_path: Path, suffix: str, left: int):
    path = tmp_path / f"x{suffix}"
    EIGHT.save(path)
    path.write_bytes(path.read_bytes()[:left])
    assert seen(path, 8)[0] == DAMAGED


def test_all_reasons_are_named_when_files_are_many(tmp_path: Path):
    write_images(tmp_path, count=12)
    for path in (tmp_path / "cat").glob("*.png"):
        path.write_bytes(b"")
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "dog" / "deep.tif")
    with pytest.raises(
        ValueError, match=re.compile(r"13 of 25.*\.png, \.\.\.; \S*deep.tif \(numbers without")
    ):
        Folder(root=str(tmp_path)).read()
