"""Figures of very many arms and runs, and names that are cut alike."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from analysis import figures
from analysis.arms import Arm
from analysis.figures.labels import names_by_digest, wrapped_apart
from analysis.figures.marks import drawn_note, some, thinned
from analysis.figures.process import fit_process
from analysis.figures.scale import scale
from analysis.learning import learning
from analysis.load import Record
from analysis.multiple import Difference
from analysis.summarise import summarise
from tests.recorded import TARGET, TEMPERATURE, sweep

LONG = "without the projector of the second head, its swap, its warm-up and its queue of 4096 images"


def arm(number: int, **values: Any) -> Arm:
    return Arm(f"arm {number}", number, values, (0,), "complete", 1, {0: 1.0}, 1.0)


# Which are drawn


@pytest.mark.parametrize(("count", "most"), [(0, 5), (5, 5), (6, 5), (1000, 300), (10_000, 300), (301, 300)])
def test_so_many_of_a_crowd_are_drawn_the_first_ranks_and_the_last_among_them(count: int, most: int) -> None:
    places = thinned(count, most)
    assert len(places) == len(set(places)) == min(count, most)
    assert places == sorted(places)
    assert places[: most // 10] == list(range(min(count, most // 10)))
    assert not places or places[-1] == count - 1
    gaps = np.diff(places[most // 10 :])
    assert not gaps.size or gaps.max() - gaps.min() <= 1  # even steps


def test_the_default_and_the_best_are_always_drawn() -> None:
    summary = summarise(sweep(60))
    for at in range(60):
        chosen = some(summary.arms, replace(summary, default=summary.arms[at]), 10)
        assert {summary.arms[0].digest, summary.arms[at].digest} <= {one.digest for one in chosen}
        assert 10 <= len(chosen) <= 11
    assert drawn_note(10, 10) == ""
    assert drawn_note(10, 1234) == "Drawn: 10 of 1,234 arms, the best and others at even steps of rank."


@pytest.fixture(scope="module")
def crowd() -> Record:
    return sweep(700, epochs=4, rungs=(2,))


def test_the_overview_draws_some_of_many_runs_and_says_so(crowd: Record) -> None:
    summary = summarise(crowd)
    left, right = figures.overview(crowd, summary).axes[:2]
    curves = [line for line in right.lines if line.get_marker() != "x" and len(line.get_xdata()) > 1]
    assert 300 <= len(curves) <= 302
    assert f"Drawn: {len(curves)} of 700 runs" in right.get_title(loc="left")
    tops = [max(line.get_ydata()) for line in curves]
    assert summary.best
    assert max(run.last("knn_top1") or 0 for run in crowd.runs) in tops
    points = [tuple(point) for one in left.collections for point in one.get_offsets().tolist()]
    assert {(a.values[TEMPERATURE], a.values[TARGET]) for a in summary.arms} <= set(points)


def test_few_runs_are_all_drawn_and_nothing_is_said() -> None:
    record = sweep(9)
    right = figures.overview(record, summarise(record)).axes[1]
    assert right.get_title(loc="left") == "Runs as they learned"
    assert len([line for line in right.lines if len(line.get_xdata()) == 12]) == 9


def test_arms_in_words_have_no_picture_of_endless_height() -> None:
    record = sweep(
        200, config=lambda index, _: ({"kernel": f"kernel {index}"}, 50.0), domains={"method.kernel": {}}
    )
    figure = figures.overview(record, summarise(record))
    assert figure.get_figheight() < 20
    assert len(figure.axes[0].get_yticks()) in (60, 61)
    assert "of 200 arms" in figure.axes[0].get_title(loc="left")


def test_captions_say_how_many_of_many_arms_are_drawn(crowd: Record) -> None:
    summary, space = summarise(crowd), crowd.manifest["space"]
    curves = figures.learning_curves(crowd, summary)
    assert "Drawn: 200 of 696 of the other arms" in curves.get_supxlabel()
    lines = figures.parallel_coordinates(summary, space)
    assert "of 700 arms, the best and others at even steps of rank." in lines.get_supxlabel()
    assert "n = 700 arms" in lines.get_supxlabel()


def test_the_surface_goes_through_some_of_many_arms_and_says_so() -> None:
    record = sweep(330, epochs=2)
    figure = figures.response_surface(summarise(record), (TEMPERATURE, TARGET), record.manifest["space"])
    assert " complete arms of 330, the best and others at even steps of rank;" in " ".join(
        figure.get_supxlabel().split()
    )


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_a_process_through_means_is_that_through_all_runs(seeds: int) -> None:
    chance = np.random.default_rng(seeds)
    inputs, grid = chance.uniform(size=(15, 2)), chance.uniform(size=(40, 2))
    table = np.sin(3 * inputs[:, :1]) + inputs[:, 1:] + chance.normal(0, 0.2, (15, seeds))
    table = (table - table.mean()) / table.std()
    kernel = ConstantKernel(1.0, (0.05, 20)) * Matern((0.4, 0.4), (0.1, 5), nu=2.5) + WhiteKernel(
        0.1, (1e-4, 2)
    )
    whole = GaussianProcessRegressor(kernel).fit(np.repeat(inputs, seeds, axis=0), table.ravel())
    means = fit_process(inputs, table)
    assert means.kernel_.k2.noise_level * seeds == pytest.approx(whole.kernel_.k2.noise_level, rel=1e-3)
    mean, deviation = means.predict(grid, return_std=True)
    expected, spread = whole.predict(grid, return_std=True)
    assert mean == pytest.approx(expected, abs=1e-4)
    latent = deviation**2 - means.kernel_.k2.noise_level
    assert latent == pytest.approx(spread**2 - whole.kernel_.k2.noise_level, abs=1e-4)


# Names that are cut alike


def test_names_that_are_cut_to_the_same_text_get_their_numbers() -> None:
    names = [f"{LONG} {place}" for place in range(3)] + ["short"]
    numbers = [f"arm {place}" for place in (3, 14, 159, 7)]
    for width, lines in ((34, 2), (42, 2), (20, 1), (12, 3)):
        found = wrapped_apart(names, numbers, width, lines)
        assert len(set(found)) == 4
        assert found[3] == "short"
        for name, number in zip(found[:3], numbers, strict=False):
            assert name.replace("\n", " ").endswith(f"({number})")
            assert all(len(row) <= width for row in name.split("\n"))
            assert name.count("\n") < lines
    assert wrapped_apart(["a", "a", "b"], ["arm 1", "arm 2", "arm 3"], 20) == ["a (arm 1)", "a (arm 2)", "b"]


def test_names_that_are_told_apart_have_no_numbers() -> None:
    assert wrapped_apart(["temperature 0.1", LONG], ["1", "2"], 20, 1) == ["temperature 0.1", "without the…"]


def test_a_forest_of_long_names_tells_its_rows_apart() -> None:
    rows = [
        Difference(f"{LONG} {n}", 1.0, 0.0, 2.0, 5, "significantly better", number=10 + n) for n in range(2)
    ]
    rows += [
        Difference(f"{LONG} with another end {n}", 1.0, 0.0, 2.0, 5, "significantly better") for n in range(2)
    ]
    names = [t.get_text() for t in figures.forest(rows, label="points").axes[0].get_yticklabels()]
    assert [name.split("\n")[-1] for name in names] == ["(arm 10)", "(arm 11)", "(row 3)", "(row 4)"]


def test_arms_whose_values_look_alike_are_called_by_their_numbers() -> None:
    arms = [arm(3, t=0.18459), arm(8, t=0.18461), arm(9, t=0.2), arm(11, t="x" * 30), arm(12)]
    assert list(names_by_digest(arms).values()) == ["arm 3", "arm 8", "0.2", "arm 11", "arm 12"]


def test_values_that_are_shown_alike_are_not_taken_for_one_category() -> None:
    values = [
        {"name": "strided", "width": 2},
        {"name": "strided", "width": 4},
        "timm",
        {"name": "strided", "width": 2},
    ]
    found = scale("encoder", values, {})
    assert len(found.categories) == 3
    assert found.positions[0] == found.positions[3] != found.positions[1]
    assert len(set(found.named(10, 1))) == 3


def test_rows_of_what_has_learned_tell_arms_apart_that_look_alike() -> None:
    record = sweep(3, seeds=(0, 1), config=lambda i, _: ({"temperature": 0.1846 + i / 1e6}, 50.0 + i),
                   domains={TEMPERATURE: {"kind": "uniform", "low": 0.0, "high": 1.0}})  # fmt: skip
    baselines = {"baselines": {"raw pixels": 38.0}, "untrained": {"0": 27.0, "1": 28.0}}
    rows = learning(replace(record, manifest=record.manifest | baselines))
    assert {row.name for row in rows} == {"0.185 (arm 0)", "0.185 (arm 2)", "0.185 (arm 4)"}
