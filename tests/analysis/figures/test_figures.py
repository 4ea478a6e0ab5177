import math
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection

from analysis.figures import overview, save
from analysis.figures.labels import spaced
from analysis.figures.scale import scale
from analysis.headline import headline
from analysis.load import load
from analysis.summarise import summarise
from sweeps.store import Writer, write_manifest

T, TT = "method.temperature", "method.target_temperature"
ARMS = [
    (0.1, 0.05), (0.062, 0.031), (0.34, 0.026), (0.21, 0.17), (0.57, 0.12), (0.15, 0.09),
    (0.24, 0.041), (0.28, 0.061), (0.19, 0.033), (0.3, 0.045), (0.25, 0.078), (0.73, 0.04),
]  # fmt: skip
DOMAINS = {
    T: {"kind": "log_uniform", "low": 0.05, "high": 0.8},
    TT: {"kind": "log_uniform", "low": 0.02, "high": 0.2},
}
KERNELS = ["rbf", "linear", {"name": "poly", "degree": 2}]
BASELINES = {"raw pixels": 36.5, "untrained encoder": 29.1}


def synthetic_sweep(directory: Path, *, domains=DOMAINS, arms=ARMS, seeds=(0,), epochs=24, stop=True) -> Path:
    """A sweep as it might have gone: one optimum, noise over epochs and seeds, halving at epochs 6 and 12."""
    generator = np.random.default_rng(5)
    space = {"name": "sce_temperatures", "domains": domains, "constraints": [{"less": [TT, T]}]}
    write_manifest(directory, {
        "id": "synthetic", "space": space,
        "metric": "knn_top1", "metric_label": "kNN top-1 (%)", "epochs": epochs, "seeds": list(seeds),
        "default_arm": "arm 0", "seed_deviation": 0.9, "baselines": BASELINES,
    })  # fmt: skip
    rungs: dict[int, list[float]] = {6: [], 12: []}
    number = 0
    with Writer(directory, "driver") as writer:
        for index, values in enumerate(arms):
            ceiling = 60 - 7 * math.log(values[0] / 0.24) ** 2 - 3 * math.log(values[-1] / 0.045) ** 2
            for seed in seeds:
                method = {
                    "temperature": values[0],
                    "target_temperature": values[-1],
                    "kernel": KERNELS[index % 3],
                }
                config = {"method": method, "optimiser": {"temperature": 0.5}}
                row = {
                    "run": f"run {number}",
                    "number": number,
                    "arm": f"arm {index}",
                    "seed": seed,
                    "attempt": 0,
                }
                top, state, reason, noise = ceiling + generator.normal(0, 0.7), "complete", "", 0.0
                for epoch in range(1, epochs + 1):
                    noise = 0.6 * noise + generator.normal(0, 0.45)
                    value = top - (top - 29.1) * math.exp(-epoch / 6.5) + noise
                    writer.report(row["run"], 0, epoch, {"loss": 3 - epoch / 30, "knn_top1": value})
                    seen = sorted([*rungs.get(epoch, []), value])
                    if stop and epoch in rungs:
                        rungs[epoch] = seen
                        if index and value < seen[-max(1, len(seen) // 2)]:
                            state, reason = "stopped", f"rung {epoch}"
                            break
                writer.run(**row, config=config, state=state, reason=reason, epochs=epoch)
                number += 1
    return directory


def drawn(directory: Path):
    record = load(directory)
    return overview(record, summarise(record), baselines=BASELINES)


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_overview_of_a_sweep_shows_each_arm_each_stop_and_each_baseline(tmp_path):
    record = load(synthetic_sweep(tmp_path))
    summary = summarise(record)
    figure = overview(record, summary, baselines=BASELINES)
    left, right = figure.axes[:2]
    assert set(words(left)) >= {str(number) for number in range(12)}
    assert left.get_xscale() == left.get_yscale() == "log"
    assert (left.get_xlabel(), left.get_ylabel()) == ("temperature", "target temperature")
    assert any("excluded" in text for text in words(left))
    stops = [line for line in right.lines if line.get_marker() == "x"]
    assert len(stops) == summary.states["stopped"] > 0
    assert {"raw pixels 36.5", "untrained encoder 29.1"} < set(words(right))
    assert f"best ({summary.best.number}) {summary.best.score:.1f}" in words(right)
    assert figure.get_suptitle().replace("\n", " ") == headline(summary)


def test_no_two_texts_of_the_overview_overlap(tmp_path):
    figure = drawn(synthetic_sweep(tmp_path))
    figure.draw_without_rendering()
    boxes = {}
    for axes in figure.axes:
        for text in [*axes.texts, axes._left_title, axes.xaxis.label, axes.yaxis.label]:
            if text.get_text():
                boxes[text.get_text(), id(text)] = text.get_window_extent()
    boxes["title", 0] = figure._suptitle.get_window_extent()
    for one, two in combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[two]), (one, two)
    for name, box in boxes.items():
        assert box.x0 >= 0 <= box.y0, name
        assert box.x1 <= figure.bbox.x1, name
        assert box.y1 <= figure.bbox.y1, name


def test_arms_that_have_names_stand_in_rows_that_can_be_read(tmp_path):
    names = [f"without part {i}" + " and what depends upon it" * (i % 3) for i in range(30)]
    domains = {"method.part": {"kind": "choice", "values": names}}
    with Writer(tmp_path, "driver") as writer:
        for i, name in enumerate(names):
            row = {"run": f"run {i}", "number": i, "arm": f"arm {i}", "seed": 0, "attempt": 0}
            writer.report(row["run"], 0, 1, {"knn_top1": 30.0 + i})
            writer.run(**row, config={"method": {"part": name}}, state="complete", reason="", epochs=1)
    manifest = {"id": "named", "space": {"domains": domains}, "epochs": 1, "seeds": [0]}
    write_manifest(tmp_path, {**manifest, "default_arm": "arm 0", "metric_label": "kNN top-1 (%)"})
    record = load(tmp_path)
    figure = overview(record, summarise(record))
    figure.draw_without_rendering()
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text()[:15].split(" and")[0].strip() for label in labels] == [
        f"without part {i}" for i in reversed(range(30))
    ]
    boxes = [label.get_window_extent() for label in labels]
    assert not any(one.overlaps(two) for one, two in combinations(boxes, 2))
    assert min(box.x0 for box in boxes) >= 0


def test_the_default_keeps_its_mark_when_it_is_the_best(tmp_path):
    figure = drawn(synthetic_sweep(tmp_path, arms=[(0.24, 0.045), (0.1, 0.05), (0.5, 0.1)]))
    assert any(text.startswith("default and best (0)") for text in words(figure.axes[1]))
    assert figure.get_suptitle().startswith("Only the default is complete")


def test_stopped_and_failed_arms_are_hollow(tmp_path):
    record = load(synthetic_sweep(tmp_path))
    figure = overview(record, summarise(record), baselines={})
    left, hollow = figure.axes[0], 0
    for marker in (one for one in left.collections if isinstance(one, PathCollection)):
        face = marker.get_facecolor()
        hollow += len(face) and len(marker.get_offsets()) == 1 and tuple(face[0]) == (1.0, 1.0, 1.0, 1.0)
    assert hollow == sum(run.state == "stopped" for run in record.runs)
    assert "hollow: stopped" in left.get_title(loc="left")


ONE, CHOICE = (
    {T: DOMAINS[T]},
    {"method.kernel": {"kind": "choice", "values": ["rbf", "linear", {"name": "poly"}]}},
)
CASES = {
    "one parameter on several seeds": {
        "domains": ONE,
        "arms": [(0.1,), (0.05,), (0.2,)],
        "seeds": (0, 1, 2),
        "stop": False,
    },
    "one arm only": {"arms": ARMS[:1]},
    "one epoch": {"epochs": 1},
    "sixty arms": {"arms": [(0.06 + i / 90, 0.02 + i / 900) for i in range(60)], "epochs": 6},
    "nothing varies": {"domains": {}, "arms": [(0.1,), (0.2,)]},
    "categories": {"domains": {**CHOICE, T: DOMAINS[T]}},
    "three parameters": {
        "domains": {**DOMAINS, "optimiser.temperature": {"kind": "uniform", "low": 0.0, "high": 1.0}}
    },
    "nothing has started": {"arms": []},
    "two arms that are one": {"arms": [(0.1, 0.05), (0.1, 0.05)]},
}


@pytest.mark.parametrize("case", CASES)
def test_a_sweep_of_any_shape_can_be_drawn(tmp_path, case):
    record = load(synthetic_sweep(tmp_path / "sweep", **CASES[case]))
    figure = overview(record, summarise(record))
    figure.draw_without_rendering()
    assert {"raw pixels 36.5", "untrained encoder 29.1"} <= set(words(figure.axes[1]))  # the manifest's own


def test_a_running_sweep_can_be_drawn_before_and_after_its_first_report(tmp_path):
    directory = synthetic_sweep(tmp_path, arms=[])
    config = {"method": {"temperature": 0.1, "target_temperature": 0.05}}
    with Writer(directory, "late") as writer:
        for number in range(2):
            row = {
                "run": f"run {number}",
                "number": number,
                "arm": f"arm {number}",
                "seed": 0,
                "attempt": 0,
            }
            writer.run(**row, config=config, state="running")
        assert words(drawn(directory).axes[0])[-2:] == ["1", "0"] or words(drawn(directory).axes[0])[-2:] == [
            "0",
            "1",
        ]
        writer.report("run 1", 0, 1, {"knn_top1": 30.0})
        assert len([line for line in drawn(directory).axes[1].lines if len(line.get_xdata()) == 1]) == 1


def test_a_figure_is_written_with_the_same_bytes_each_time_and_leaves_nothing_else(tmp_path):
    directory = synthetic_sweep(tmp_path / "sweep")
    first, second = (save(drawn(directory), tmp_path / name / "overview") for name in ("a", "b"))
    assert [path.name for path in first] == ["overview.png", "overview.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["overview.pdf", "overview.png"]


def test_drawing_changes_no_global_state_of_matplotlib(tmp_path):
    before = dict(matplotlib.rcParams)
    save(drawn(synthetic_sweep(tmp_path / "sweep")), tmp_path / "overview")
    assert dict(matplotlib.rcParams) == before
    program = "import sys, analysis.figures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@given(st.lists(st.floats(-100, 100), max_size=8).map(sorted), st.floats(0.1, 10))
def test_labels_are_moved_apart_in_order_and_no_more_than_need_be(values, gap):
    moved = spaced(values, gap)
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(moved))
    if all(b - a >= gap for a, b in pairwise(values)):
        assert moved == pytest.approx(values)
    assert sum(moved) == pytest.approx(sum(values), abs=1e-6)


@pytest.mark.parametrize(
    ("values", "domain", "log", "categories"),
    [
        ([0.1, 0.4], {"low": 0.05, "high": 0.8}, True, ()),
        ([0.1, 0.4], {"low": 0.1, "high": 0.5}, False, ()),
        ([0.1, 0.4, 0.6], {}, True, ()),
        ([0, 5], {"low": 0, "high": 9}, False, ()),
        ([3, 3], {}, False, ()),
        ([True, False], {}, False, ("false", "true")),
        ([None, 0.5, {"name": "cosine", "warmup": 3}], {}, False, ("0.5", "cosine", "null")),
    ],
)
def test_an_axis_is_logarithmic_when_it_spans_more_than_a_factor_of_five(values, domain, log, categories):
    found = scale("target_temperature", values, domain)
    assert (found.label, found.log, found.categories) == ("target temperature", log, categories)
    assert all(found.limits[0] < position < found.limits[1] for position in found.positions)
