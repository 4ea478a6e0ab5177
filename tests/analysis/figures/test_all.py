"""What holds of every figure."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis import figures
from analysis.audit import audit
from analysis.best_of import best_of
from analysis.figures.style import COLUMN, PAGE
from analysis.importance import Importance, Share
from analysis.load import Record
from analysis.multiple import Difference
from analysis.summarise import summarise
from analysis.summary import Summary
from tests.recorded import DOMAINS, KERNEL, KERNELS, TARGET, TEMPERATURE, sweep

LONG = "without the projector of the second head, its swap and its warm-up"
MIXED = {**DOMAINS, KERNEL: {"kind": "choice", "values": KERNELS}}
OBJECTIVES = [{"metric": "seconds", "direction": "minimize"}, {"metric": "knn_top1", "direction": "maximize"}]
COEFFICIENT = "method.coefficient"
REPORTED = [
    {
        "values": {COEFFICIENT: value},
        "score": score,
        "what": "linear top-1 (%) on ImageNet-100, ResNet-50, 200 epochs",
        "source": "Denize et al., WACV 2023, as a review tells it",
    }
    for value, score in ((0.0, 81.53), (0.5, 82.94), (1.0, 81.11))
]


def coefficient(index: int, _: np.random.Generator) -> tuple[dict[str, Any], float]:
    value = (0.5, 0.0, 0.25, 0.75, 1.0)[index]
    return {"coefficient": value}, 50 - 8 * (value - 0.4) ** 2


def forest(count: int) -> Figure:
    rows = [Difference(f"{LONG} {i}", i - 3, i - 4, i - 1.5, 5, "significantly better") for i in range(count)]
    rows += [Difference("one seed", -12.4, None, None, 1, "one seed cannot tell")]
    rows += [Difference("later", None, None, None, 0, "not begun")]
    return figures.forest(rows, label="difference from the default, kNN top-1 (points)", margin=1.0)


def slopes(arms: int) -> Figure:
    scores = {f"{LONG} {arm}": {seed: 50.0 + (arm * seed) % 3 for seed in range(5)} for arm in range(arms)}
    return figures.seed_slopes(scores, label="kNN top-1 (%)")


def response(seeds: int) -> Figure:
    space = {"domains": {COEFFICIENT: {"kind": "choice"}}, "reported": REPORTED}
    record = sweep(5, seeds=range(seeds), config=coefficient, **space)
    return figures.response_curve(summarise(record), COEFFICIENT, record.manifest["space"])


def heat(rows: int, columns: int) -> Figure:
    values = np.arange(rows * columns, dtype=float).reshape(rows, columns) - 3
    values[0, -1] = np.nan
    names = [f"{LONG} {i}" for i in range(rows)], [f"data set {i}" for i in range(columns)]
    halves = np.ones_like(values)
    return figures.heat_map(values, *names, label="points", seeds=5, halves=halves, differences=True)


def curves(**made: Any) -> Figure:
    record = sweep(**made)
    return figures.learning_curves(record, summarise(record), top=5)


def ladder(arms: int) -> Figure:
    record = sweep(arms, rungs=(3, 6))
    events = [
        {"run": run.identity, "epoch": epoch, "kind": kind, "detail": json.dumps({"cutoff": 40.0 + epoch})}
        for run in record.runs
        for epoch in (3, 6)
        for kind in ("rung", *(["spared"] if run.number % 5 == 3 and run.epochs > epoch else []))
        if run.epochs >= epoch
    ]
    return figures.rung_ladder(record, events)


def over_space(draw: Callable[..., Figure], *given: Any, **made: Any) -> Figure:
    record = sweep(**made)
    return draw(summarise(record), *given, record.manifest["space"])


def importance(count: int) -> Figure:
    keys = [("method.temperature",), ("method.temperature", "method.target_temperature")]
    keys += [("method.projector.hidden, method.graph_projector.hidden",)]
    keys += [(f"method.a_parameter_of_number_{i}",) for i in range(count - 3)]
    shares = tuple(Share(key, 1 / (i + 2), 0.5 / (i + 2), 1.4 / (i + 2)) for i, key in enumerate(keys))
    return figures.importance_bars(Importance("fANOVA", shares, 24, 3))


def with_objectives(summary: Summary) -> Summary:
    """Every arm with a made-up number of seconds."""
    arms = tuple(
        replace(arm, objectives={"knn_top1": arm.score or 0.0, "seconds": 7.0 * arm.number % 50})
        for arm in summary.arms
    )
    again = {arm.digest: arm for arm in arms}
    assert summary.best
    assert summary.default
    ends = again[summary.best.digest], again[summary.default.digest]
    return replace(summary, arms=arms, best=ends[0], default=ends[1])


def best(*counts: int) -> Figure:
    records: dict[str, Record] = {f"a search of {n} arms": sweep(n, rungs=(6,)) for n in counts}
    return figures.best_of_curves(best_of(records), label="kNN top-1 (%)")


def embedding(count: int, classes: int, queries: list[int]) -> Figure:
    generator = np.random.default_rng(0)
    labels = np.arange(count) % classes
    vectors = generator.normal(0, 2, (classes, 8))[labels] + generator.normal(0, 1.5, (count, 8))
    pictures = generator.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    names = [f"class {i} with a name" for i in range(classes)]
    return figures.embedding_plane(figures.Images(vectors, labels, names, pictures), queries, neighbours=5)


PLANE = (TEMPERATURE, TARGET)
CASES: dict[str, Callable[[], Figure]] = {
    "forest, 3": lambda: forest(3),
    "forest, 40": lambda: forest(40),
    "slopes, 2": lambda: slopes(2),
    "slopes, 8": lambda: slopes(8),
    "surface": lambda: over_space(figures.response_surface, PLANE, seeds=(0, 1)),
    "surface, 40 arms": lambda: over_space(figures.response_surface, PLANE, arms=40, rungs=(3, 6)),
    "response, one seed": lambda: response(1),
    "response, 3 seeds": lambda: response(3),
    "heat, 3": lambda: heat(3, 2),
    "heat, 40": lambda: heat(40, 5),
    "curves, 3 arms, one seed": lambda: curves(arms=3),
    "curves, 40 arms": lambda: curves(arms=40, seeds=(0, 1), rungs=(3,)),
    "ladder, 5": lambda: ladder(5),
    "ladder, 40": lambda: ladder(40),
    "agreement": lambda: figures.rank_agreement(audit(sweep(9, seeds=(0, 1, 2)))),
    "parallel, 3": lambda: over_space(figures.parallel_coordinates, arms=3, domains=MIXED),
    "parallel, 40": lambda: over_space(figures.parallel_coordinates, arms=40, domains=MIXED, rungs=(3,)),
    "slices, 3": lambda: over_space(figures.slice_plot, arms=3, domains=MIXED),
    "slices, 40": lambda: over_space(figures.slice_plot, arms=40, seeds=(0, 1), domains=MIXED, rungs=(3,)),
    "importance, 3": lambda: importance(4),
    "importance, 40": lambda: importance(40),
    "front, 3": lambda: figures.pareto_front(with_objectives(summarise(sweep(3))), OBJECTIVES),
    "front, 40": lambda: figures.pareto_front(with_objectives(summarise(sweep(40))), OBJECTIVES),
    "best of n": lambda: best(4, 12, 40),
    "embedding": lambda: embedding(60, 10, [0, 1, 2, 3]),
    "embedding, 50 classes": lambda: embedding(200, 50, list(range(8))),
}
drawn = cache(lambda case: CASES[case]())


@pytest.mark.parametrize("case", CASES)
def test_no_two_texts_overlap_and_none_is_cut_off(case: str) -> None:
    figure = drawn(case)
    figure.draw_without_rendering()
    boxes = [(one.get_text(), one.get_window_extent()) for one in texts(figure) if one.get_text().strip()]
    for (one, box), (two, other) in combinations(boxes, 2):
        assert not box.padded(-1).overlaps(other.padded(-1)), (one, two)
    for words, box in boxes:
        assert box.x0 >= -1, words
        assert box.y0 >= -1, words
        assert box.x1 <= figure.bbox.x1 + 1, words
        assert box.y1 <= figure.bbox.y1 + 1, words


def texts(figure: Figure) -> Iterator[Text]:
    """All that can be read but the numbers on contours, which lie where their lines are."""
    yield figure._supxlabel
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        yield from (text for text in axes.texts if text.get_fontsize() != 6)
        yield axes._left_title
        yield from axes.get_legend().get_texts() if axes.get_legend() else ()
        for axis in (one for one in (axes.xaxis, axes.yaxis) if axes.axison and one.get_visible()):
            yield axis.label
            labels = (label for tick in axis._update_ticks() for label in (tick.label1, tick.label2))
            yield from (label for label in labels if label.get_visible())


@pytest.mark.parametrize("case", CASES)
def test_the_foot_tells_of_how_many_it_speaks_and_what_its_intervals_are(case: str) -> None:
    figure = drawn(case)
    words = figure.get_supxlabel()
    assert re.search(r"\bn = \d|\bn: paired seeds", words)
    assert re.search(r"interval|deviation|from one seed to the other|(one|1) seed", words)
    width, height = figure.get_size_inches()
    assert width in (COLUMN, PAGE)
    assert height < 14


FEW = [case for case in CASES if not re.search("40|50|8", case)]


@pytest.mark.parametrize("case", FEW)
def test_the_same_data_give_the_same_bytes_whatever_matplotlib_is_set_to(case: str, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    (one,) = figures.save(CASES[case](), tmp_path / "one", ("svg",))
    changed = {
        "axes.grid": True,
        "font.size": 20,
        "lines.linewidth": 9,
        "svg.hashsalt": "x",
        "savefig.dpi": 30,
    }
    with matplotlib.rc_context(changed):
        (two,) = figures.save(CASES[case](), tmp_path / "two", ("svg",))
    assert one.read_bytes() == two.read_bytes()
    assert dict(matplotlib.rcParams) == before


def test_text_stays_text_and_has_fonts_to_fall_back_on(tmp_path: Path) -> None:
    (path,) = figures.save(forest(1), tmp_path / "forest", ("svg",))
    content = path.read_text(encoding="utf-8")
    assert "verdict</text>" in content
    assert "'DejaVu Sans', 'Verdana', 'Arial', 'Helvetica', sans-serif" in content
    assert not re.search(r"<dc:date>|20\d\d-\d\d", content)
