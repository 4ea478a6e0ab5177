import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy.spatial.distance import cdist

from analysis.figures import Images, embedding_plane
from analysis.figures.embedding import nearest_points, project


def images(count: int = 30, classes: int = 3, **changed: Any) -> Images:
    generator = np.random.default_rng(1)
    labels = np.arange(count) % classes
    given: dict[str, Any] = {
        "embeddings": generator.normal(0, 1, (classes, 6))[labels] + generator.normal(0, 0.8, (count, 6)),
        "labels": labels,
        "classes": [f"class {i}" for i in range(classes)],
        "thumbnails": generator.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8),
    }
    return Images(**given | changed)


def test_the_plane_is_that_of_the_two_largest_principal_components():
    vectors = images().embeddings
    plane, words = project(vectors)
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    for column, axis, value, label in zip(plane.T, axes.T[::-1], values[::-1], words, strict=False):
        expected = (vectors - vectors.mean(axis=0)) @ axis
        assert np.allclose(column, expected) or np.allclose(column, -expected)
        assert column.var(ddof=1) == pytest.approx(value)
        assert f"{value / values.sum():.0%} of variance" in label


@pytest.mark.parametrize("seed", range(6))
def test_the_plane_does_not_hang_on_the_signs_of_a_library(seed):
    vectors = np.random.default_rng(seed).normal(size=(20, 6)) * [3, 2, 1, 1, 1, 1]
    plane, _ = project(vectors)
    for direction in ((vectors - vectors.mean(axis=0)).T @ plane).T:
        assert direction[np.abs(direction).argmax()] > 0
    assert np.allclose(project(vectors + 5.0)[0], plane)


def test_neighbours_are_those_of_the_largest_cosine():
    vectors = images(2500).embeddings
    queries = np.arange(1500)
    distance = cdist(vectors, vectors, "cosine")
    np.fill_diagonal(distance, np.inf)
    assert (nearest_points(vectors, queries, 4) == np.argsort(distance, axis=1)[:1500, :4]).all()


def test_neighbours_of_another_class_are_framed_and_crossed_out():
    given = images(30)
    queries = [0, 4, 7]
    figure = embedding_plane(given, queries, neighbours=5)
    left, right = figure.axes
    near = nearest_points(given.embeddings, np.array(queries), 5)
    wrong = (given.labels[near] != given.labels[queries][:, None]).sum()
    assert 0 < wrong < 15
    assert len(right.lines) == wrong
    dark = [frame for frame in right.patches if max(to_rgb(frame.get_edgecolor())) < 0.5]
    assert len(dark) == wrong
    shown = [image.get_array() for image in right.images]
    expected = [given.thumbnails[i] for query, row in zip(queries, near, strict=True) for i in (query, *row)]
    assert all(np.array_equal(one, two) for one, two in zip(shown, expected, strict=True))
    assert [label.get_text() for label in right.get_yticklabels()] == ["class 0", "class 1", "class 1"]
    rings = left.collections[-1].get_offsets()
    assert np.allclose(rings, project(given.embeddings)[0][queries])
    first = nearest_points(given.embeddings, np.arange(30), 1)[:, 0]
    share = (given.labels[first] == given.labels).mean()
    assert f"same class for {share:.0%} of all" in figure.get_supxlabel().replace("\n", " ")


def test_of_many_classes_those_of_the_queries_stand_out():
    given = images(60, classes=20)
    legend = embedding_plane(given, [3, 5], neighbours=2).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["class 3", "class 5"]
    few = embedding_plane(images(), [3], neighbours=2).axes[0].get_legend()
    assert [text.get_text() for text in few.get_texts()] == ["class 0", "class 1", "class 2"]


def test_umap_is_used_where_it_is_installed(monkeypatch):
    class Reducer:
        def __init__(self, random_state, n_jobs):
            self.seed = random_state

        def fit_transform(self, vectors):
            return vectors[:, :2] + self.seed

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Reducer, __spec__=object()))
    vectors = images().embeddings
    plane, words = project(vectors, method="umap", seed=7)
    assert np.allclose(plane, vectors[:, :2] + 7)
    assert words == ("UMAP 1", "UMAP 2")
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    with pytest.raises(ValueError, match="umap-learn, which is not installed; install it, or take 'pca'"):
        project(vectors, method="umap")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"labels": np.zeros(29, int)}, r"embeddings \(30, 6\) and labels \(29,\)"),
        ({"embeddings": np.zeros((30, 6))}, "zero or not finite"),
        ({"embeddings": np.full((30, 6), np.nan)}, "zero or not finite"),
        ({"thumbnails": np.zeros((30, 4, 4), np.uint8)}, r"must be \(30, H, W, 3\)"),
        ({"labels": np.full(30, 3)}, "labels 3 to 3 need names, got 3 classes"),
    ],
)
def test_images_that_do_not_belong_together_are_refused(changed, says):
    with pytest.raises(ValueError, match=says):
        images(**changed)


@pytest.mark.parametrize(
    ("queries", "neighbours", "says"),
    [
        ([], 3, "one to eight queries from 0 to 29"),
        ([30], 3, r"got \[30\]"),
        (list(range(9)), 3, "one to eight"),
        ([0], 30, "each of 30 images has 29 neighbours, asked for 30"),
    ],
)
def test_queries_and_neighbours_must_be_there(queries, neighbours, says):
    with pytest.raises(ValueError, match=says):
        embedding_plane(images(), queries, neighbours=neighbours)
