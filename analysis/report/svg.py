"""Figures as inline SVG, with unique ids and little weight."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import save
from analysis.report.markup import Html

MARKS = 3000
"""Points of lines and of markers from which on they are a picture inside the drawing; words stay words."""
SCREEN_SCALE, MAX_PIXELS, MIN_SCALE = 1.3, 1000, 0.85
"""On a screen, of the size in print; pixels; and below which share of that size a figure is scrolled, not shrunk."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LINK, REFERENCE = re.compile(r"^#(\S+)$"), re.compile(r"url\(#([^)]+)\)")
NUMBER = re.compile(r"\d+\.\d{3,}")


def inline(figure: Figure, name: str, label: str) -> Html:
    """Convert a figure to an svg element.

    Args:
        figure: gets its heaviest marks rasterised.
        name: begins every id in it; no two figures of a page may share it.
        label: what those hear who cannot see it.
    """
    _rasterise(figure)
    with TemporaryDirectory() as folder:
        (path,) = save(figure, Path(folder) / "figure", ("svg",))
        content = CONTROL.sub("\ufffd", path.read_text(encoding="utf-8"))
    root = ElementTree.fromstring(content)
    for element in root.iter():
        element.tag = _plain(element.tag)
        element.attrib = {_plain(key): _short(key, value) for key, value in element.attrib.items()}
    for parent in list(root.iter()):
        for child in [one for one in parent if one.tag in ("metadata", "style", "title")]:
            parent.remove(child)
    _rename(root, name)
    width = 96 * figure.get_figwidth()
    size = f"width:{min(SCREEN_SCALE * width, MAX_PIXELS):.0f}px;min-width:{MIN_SCALE * width:.0f}px"
    box = root.attrib["viewBox"]
    root.attrib = {"viewBox": box, "role": "img", "aria-label": label, "style": size}
    return Html(ElementTree.tostring(root, encoding="unicode"))


def _plain(name: str) -> str:
    """Remove the namespace: in a page all below svg is SVG."""
    return name.rpartition("}")[2]


def _short(key: str, value: str) -> str:
    """Round coordinates to a hundredth of a point."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value) if key in ("d", "x", "y") else value


def _rename(root: ElementTree.Element, name: str) -> None:
    """Put the figure's name before every id that something refers to, and drop the others."""
    used: set[str] = set()
    for one in root.iter():
        for key, value in one.attrib.items():
            pattern = LINK if key == "href" else REFERENCE
            used.update(pattern.findall(value))
            one.attrib[key] = pattern.sub(lambda found: found[0].replace("#", f"#{name}-"), value)
    for one in root.iter():
        identifier = one.attrib.pop("id", None)
        if identifier in used:
            one.attrib["id"] = f"{name}-{identifier}"


def _rasterise(figure: Figure) -> None:
    marks = [one for axes in figure.axes for one in (*axes.lines, *axes.collections)]
    if sum(map(_size, marks)) > MARKS:
        for one in marks:
            one.set_rasterized(True)


def _size(artist: Artist) -> int:
    if isinstance(artist, Line2D):
        return np.size(artist.get_xdata())
    if isinstance(artist, LineCollection):
        return len(artist.get_paths())
    offsets: Any = artist.get_offsets() if isinstance(artist, PathCollection) else ()
    return len(offsets)
