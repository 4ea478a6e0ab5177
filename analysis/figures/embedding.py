"""Figure of an encoder's embeddings: a projection to the plane, and the nearest neighbours of some images."""

import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from analysis.figures.labels import wrapped_apart
from analysis.figures.style import INK, LOOKS, PAGE, PALE, note, sheet, styled

CHUNK = 1024
"""Rows of the similarity matrix that are held at a time."""


@dataclass(frozen=True)
class Images:
    """Images with their labels and embeddings.

    Raises:
        ValueError: shapes do not fit, an embedding is zero or not finite, or a label has no name.
    """

    embeddings: NDArray[np.floating[Any]]
    """(N, D)."""
    labels: NDArray[np.integer[Any]]
    """(N,), indices of classes."""
    classes: Sequence[str]
    """Their names."""
    thumbnails: NDArray[np.uint8]
    """(N, H, W, 3)."""

    def __post_init__(self) -> None:
        vectors, labels, images = self.embeddings, self.labels, self.thumbnails
        count = len(vectors)
        if vectors.ndim != 2 or vectors.shape[1] < 2 or count < 2 or labels.shape != (count,):
            shapes = f"embeddings {vectors.shape} and labels {labels.shape}"
            raise ValueError(f"{shapes} must be (N, D), both > 1, and (N,)")
        if images.ndim != 4 or len(images) != count or images.shape[-1] != 3:
            raise ValueError(f"thumbnails {images.shape} must be ({count}, H, W, 3), one for each embedding")
        if not np.isfinite(vectors).all() or not np.linalg.norm(vectors, axis=1).all():
            wrong = "an embedding is zero or not finite and has no cosine"
            raise ValueError(f"{wrong}; give those of a sound encoder")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            ends = f"{labels.min()} to {labels.max()}"
            raise ValueError(f"labels {ends} need names, got {len(self.classes)} classes")


@styled
def embedding_plane(
    images: Images,
    queries: Sequence[int],
    *,
    neighbours: int = 6,
    method: Literal["pca", "umap"] = "pca",
    seed: int = 0,
) -> Figure:
    """Draw embeddings projected to the plane, and some images with their nearest neighbours by cosine.

    Args:
        images: with more than twelve classes only those of the queries are told apart in the plane.
        queries: indices of the images whose neighbours are shown, up to eight.
        neighbours: how many.
        method: principal components, or UMAP (McInnes et al. 2018) where the package umap is installed.
        seed: of UMAP.

    Raises:
        ValueError: there is no such query or no such neighbour, or the package umap is missing.
    """
    count = len(images.labels)
    if not 0 < len(queries) <= 8 or not all(0 <= query < count for query in queries):
        raise ValueError(f"one to eight queries from 0 to {count - 1} can be shown, got {list(queries)}")
    if not 0 < neighbours < count:
        raise ValueError(f"each of {count} images has {count - 1} neighbours, asked for {neighbours}")
    plane, words = project(images.embeddings, method=method, seed=seed)
    near = nearest_points(images.embeddings, np.asarray(queries), neighbours)
    figure = sheet(PAGE, max(3.2, 0.9 + 0.42 * len(queries)))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    _scatter(left, plane, images, queries)
    left.set(xlabel=words[0], ylabel=words[1], xticks=[], yticks=[])
    _grid(right, images, queries, near)
    first = nearest_points(images.embeddings, np.arange(count), 1)[:, 0]
    own = float((images.labels[first] == images.labels).mean())
    note(
        figure,
        f"n = {count} images, no intervals. Right: each query and its {neighbours} nearest by cosine;",
        f"crossed out: of another class. The nearest is of the same class for {own:.0%} of all images.",
    )
    return figure


def project(
    embeddings: NDArray[np.floating[Any]], *, method: Literal["pca", "umap"] = "pca", seed: int = 0
) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Project embeddings (N, D) to the plane; return (N, 2) and the labels of its axes.

    Raises:
        ValueError: the package umap is missing.
    """
    if method == "umap":
        if importlib.util.find_spec("umap") is None:
            missing = "UMAP needs the package umap-learn, which is not installed"
            raise ValueError(f"{missing}; install it, or take 'pca'")
        reducer = importlib.import_module("umap").UMAP(random_state=seed, n_jobs=1)
        return np.asarray(reducer.fit_transform(embeddings), float), ("UMAP 1", "UMAP 2")
    centred = np.asarray(embeddings, float) - np.mean(embeddings, axis=0, dtype=float)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    # Without a rule the library's version decides the signs.
    signs = np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])
    shares = sizes[:2] ** 2 / max(float((sizes**2).sum()), np.finfo(float).tiny)
    first, second = (f"component {i} ({share:.0%} of variance)" for i, share in enumerate(shares, start=1))
    return centred @ (axes[:2] * signs[:, None]).T, (first, second)


def nearest_points(
    embeddings: NDArray[np.floating[Any]], queries: NDArray[np.integer[Any]], count: int
) -> NDArray[np.int64]:
    """Return the indices of each query's nearest neighbours by cosine, (queries, count), nearest first."""
    unit = np.asarray(embeddings, float)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(queries), CHUNK):
        rows = queries[start : start + CHUNK]
        cosine = unit[rows] @ unit.T
        cosine[np.arange(len(rows)), rows] = -np.inf
        found.append(np.argsort(-cosine, axis=1, kind="stable")[:, :count])
    return np.concatenate(found)


def _scatter(axes: Axes, plane: NDArray[np.float64], images: Images, queries: Sequence[int]) -> None:
    labels = images.labels
    counts = Counter(labels.tolist())
    told = sorted(counts if len(counts) <= len(LOOKS) else {int(labels[query]) for query in queries})
    size, many = (9, False) if len(labels) <= 2000 else (3, True)  # many points are a picture, not a list
    others = ~np.isin(labels, told)
    axes.scatter(*plane[others].T, s=size, color=PALE, linewidths=0, rasterized=many, zorder=1)
    names = _classes(images, 16)
    for index, look in zip(told, LOOKS, strict=False):
        style: Any = {"color": look.colour, "marker": look.marker, "linewidths": 0, "rasterized": many}
        axes.scatter(*plane[labels == index].T, s=size, alpha=0.75, label=names[index], **style)
    rings: Any = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.1, "zorder": 5}
    axes.scatter(*plane[list(queries)].T, s=34, **rings)
    key: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08), "frameon": False, "handletextpad": 0.1}
    axes.legend(ncols=3, fontsize=6.5, columnspacing=0.8, markerscale=1.5, **key)
    axes.set_title("Embeddings (rings: the queries)")


def _classes(images: Images, width: int) -> list[str]:
    """Shorten the names of the classes; add a number where two shortened names are equal."""
    return wrapped_apart(images.classes, [f"class {index}" for index in range(len(images.classes))], width)


def _grid(axes: Axes, images: Images, queries: Sequence[int], near: NDArray[np.int64]) -> None:
    """Draw a row for each query: the image, a gap, its neighbours; cross out those of another class."""
    for row, query in enumerate(queries):
        for column, image in enumerate([query, *near[row]]):
            left = column + (0.3 if column else 0.0)
            extent = (left, left + 0.9, row + 0.9, row)
            axes.imshow(images.thumbnails[image], extent=extent, interpolation="nearest")
            wrong = images.labels[image] != images.labels[query]
            ink, width = (INK, 1.6) if wrong else (PALE, 0.6)
            frame: Any = {"edgecolor": ink, "linewidth": width, "facecolor": "none"}
            axes.add_patch(Rectangle((left, row), 0.9, 0.9, **frame))
            if wrong:
                halo: Any = [Stroke(linewidth=2.6, foreground="white"), Normal()]
                ends = [left, left + 0.9], [row + 0.9, row]
                axes.plot(*ends, color=INK, linewidth=1.2, path_effects=halo)
    axes.set(xlim=(-0.05, near.shape[1] + 1.3), ylim=(len(queries), -0.05), xticks=[], aspect="equal")
    names = _classes(images, 12)
    words = [names[int(images.labels[query])] for query in queries]
    axes.set_yticks([row + 0.45 for row in range(len(queries))], words, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Queries and their neighbours")
