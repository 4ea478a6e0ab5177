import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from analysis.audit import audit
from analysis.figures import rank_agreement, rung_ladder
from analysis.figures.stopping import OUTCOMES, arrivals
from analysis.load import Record
from analysis.stopping import WEAK, agreement
from tests.recorded import sweep

RUNGS = (3, 6)


def event(run: Any, epoch: int, kind: str, **detail: Any) -> dict[str, Any]:
    return {"run": run.identity, "epoch": epoch, "kind": kind, "detail": json.dumps(detail)}


def bars(axes) -> dict[tuple[str, int], int]:
    """Height of the part of each outcome at each rung."""
    return {
        (container.get_label(), place): round(bar.get_height())
        for container in axes.containers
        for place, bar in enumerate(container)
        if bar.get_height()
    }


def test_without_events_the_ladder_is_what_the_runs_tell():
    record = sweep(16, rungs=RUNGS)
    figure = rung_ladder(record)
    above, below = figure.axes
    expected: Counter[tuple[str, int]] = Counter()
    for run in record.runs:
        for place, rung in enumerate(RUNGS):
            if run.epochs >= rung:
                expected["stopped" if run.epochs == rung else "went on", place] += 1
    assert bars(above) == dict(expected)
    came = [sum(run.epochs >= rung for run in record.runs) for rung in RUNGS]
    assert [text.get_text() for text in above.texts if "came" in text.get_text()] == [
        f"{n} came" for n in came
    ]
    counts = sorted(text.get_text() for text in above.texts if "came" not in text.get_text())
    assert counts == sorted(str(count) for count in expected.values())
    assert [label.get_text() for label in below.get_xticklabels()] == ["3", "6"]
    values = sorted(value for line in below.lines for value in line.get_ydata())
    assert values == sorted(
        run.curve["knn_top1"][1][r - 1] for run in record.runs for r in RUNGS if run.epochs >= r
    )
    assert "n = 16 runs" in figure.get_supxlabel()


def test_runs_on_fresh_seeds_and_from_another_sweep_have_no_part_in_the_ladder():
    record = sweep(16, rungs=RUNGS)
    reused, again, *others = record.runs
    runs = (replace(reused, reason="reused from another"), replace(again, seed=9), *others)
    figure = rung_ladder(Record({**record.manifest, "confirm_seeds": [9]}, runs))
    said = figure.get_supxlabel().replace("\n", " ")
    assert "n = 14 runs" in said
    assert "Left out: 1 from another sweep, which nobody judged here." in said
    assert "14 came" in [text.get_text() for text in figure.axes[0].texts]


def test_events_tell_who_was_spared_or_promoted_and_what_the_cutoffs_were():
    record = sweep(16, rungs=RUNGS)
    on = [run for run in record.runs if run.epochs > 3]
    events = [event(run, 3, "rung", decision="continue", cutoff=40.0 + run.number) for run in record.runs]
    events += [event(on[0], 3, "spared"), event(on[1], 3, "promoted"), event(on[2], 5, "reused")]
    found = [arrival for arrival in arrivals(record, events) if arrival.rung == 3]
    outcomes = Counter(arrival.outcome for arrival in found)
    stopped = sum(run.epochs == 3 for run in record.runs)
    assert outcomes == {"spared": 1, "promoted": 1, "went on": len(on) - 2, "stopped": stopped}
    assert [arrival.cutoff for arrival in found] == [40.0 + run.number for run in record.runs]
    below = rung_ladder(record, events).axes[1]
    cutoffs = [one for one in below.collections if isinstance(one, LineCollection)]
    assert [segment[0, 1] for one in cutoffs for segment in one.get_segments()] == [
        40.0 + run.number for run in record.runs
    ]


def test_runs_that_wait_are_paused_and_runs_on_fresh_seeds_have_no_part():
    record = sweep(12, rungs=RUNGS)
    runs = [replace(run, state="paused") if run.state == "stopped" else run for run in record.runs]
    fresh = [replace(run, identity=f"fresh {run.identity}", seed=9) for run in runs]
    again = Record({**record.manifest, "confirm_seeds": [9]}, (*runs, *fresh))
    outcomes = Counter(arrival.outcome for arrival in arrivals(again))
    assert set(outcomes) == {"went on", "paused"}
    assert outcomes["paused"] == sum(run.state == "paused" for run in runs) > 0


def test_the_parts_of_a_bar_are_told_apart_without_colour():
    looks = [(style.get("hatch", ""), to_hex(style["facecolor"])) for style in OUTCOMES.values()]
    plain = [colour for hatch, colour in looks if not hatch]
    assert len(plain) == 2, "only two have no hatch: a dark and a light one"
    assert len({hatch for hatch, _ in looks if hatch}) == 2


def test_a_sweep_of_which_nothing_was_judged_has_no_ladder():
    with pytest.raises(ValueError, match="made-up: nothing was judged, so it has no rungs"):
        rung_ladder(sweep(3))


def test_the_guard_ends_runs_between_rungs_and_makes_none():
    record = sweep(8, rungs=RUNGS)
    between = replace(record.runs[0], state="stopped", epochs=4, rung=3)
    assert {a.rung for a in arrivals(Record(record.manifest, (between, *record.runs[1:])))} == set(RUNGS)


def test_rank_agreement_is_drawn_over_epochs_beside_what_is_weak():
    record = sweep(8, seeds=(0, 1, 2), epochs=6)
    figure = rank_agreement(audit(record))
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    expected = [agreement(record, epoch) for epoch in range(1, 6)]
    assert lines["Spearman"].get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert lines["Spearman"].get_ydata().tolist() == [one.spearman for one in expected if one]
    assert lines["Kendall"].get_ydata().tolist() == [one.kendall for one in expected if one]
    assert set(lines[f"weak ({WEAK})"].get_ydata()) == {WEAK}
    assert set(lines["a tenth of the epochs"].get_xdata()) == {1}
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (
        min(one.interval[0] for one in expected if one and one.interval),
        max(one.interval[1] for one in expected if one and one.interval),
    )
    assert "n = 3 seeds" in figure.get_supxlabel()


def test_the_first_rung_is_marked_where_runs_were_judged():
    record = sweep(24, rungs=(4,))
    axes = rank_agreement(audit(record)).axes[0]
    assert {line.get_label(): line for line in axes.lines}["first rung"].get_xdata()[0] == 4
    assert "n = 1 seed; no intervals" in axes.figure.get_supxlabel()
    with pytest.raises(ValueError, match="too few runs are complete"):
        rank_agreement(audit(sweep(3)))
