import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.audit import Rung, audit
from analysis.load import Record, Run
from analysis.stopping import agreement, correlation, stopping_sentence

FIXTURES = Path(__file__).parents[1] / "fixtures" / "curves"


def record(curves: list[list[float]], states: list[str] | None = None, seeds: int = 1) -> Record:
    runs: list[Run] = []
    for number, curve in enumerate(curves):
        epochs = np.arange(1, len(curve) + 1)
        run: dict[str, Any] = {
            "identity": str(number),
            "number": number,
            "arm": str(number),
            "seed": number % seeds,
        }
        state = states[number] if states else "complete"
        run |= {"attempt": 0, "config": {}, "state": state, "reason": "", "epochs": len(curve)}
        runs.append(Run(**run, curve={"knn_top1": (epochs, np.array(curve))}))
    return Record({"epochs": len(curves[0])}, tuple(runs))


def curves(order: list[float], count: int = 10) -> list[list[float]]:
    """The end is in order of number; the first epoch as given."""
    return [[first, *[float(number)] * (count - 1)] for number, first in enumerate(order)]


def test_the_correlation_is_of_ranks_within_each_seed() -> None:
    early = [3.0, 1.0, 2.0, 9.0, 5.0, 60.0, 7.0, 8.0]
    expected = stats.spearmanr(early, range(8)).statistic
    assert correlation(record(curves(early)), 1) == pytest.approx(expected)
    # Two seeds, the second ten points better: the order within each is perfect, that of all together is not.
    two = curves([10.0, 0.0, 11.0, 1.0, 12.0, 2.0, 13.0, 3.0, 14.0, 4.0, 15.0, 5.0])
    assert correlation(record(two, seeds=2), 1) == pytest.approx(1.0)
    assert correlation(record(two), 1) < 1.0


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "would cost little"),
        ([4, 0, 1, 2, 7, 3, 5, 6], "would lose good runs now and then"),
        ([7, 6, 5, 4, 3, 2, 1, 0], "little better than chance"),
    ],
)
def test_it_is_said_whether_stopping_would_have_paid(early: list[float], expected: str) -> None:
    found = stopping_sentence(record(curves(early)))
    assert found
    assert expected in found
    assert found.startswith("Ranks at epoch 1 of 10 correlate")


def test_nothing_is_said_of_few_runs_or_of_a_sweep_that_stopped_some() -> None:
    assert stopping_sentence(record(curves([0, 1, 2, 3, 4]))) is None
    states = ["complete"] * 7 + ["stopped"]
    assert stopping_sentence(record(curves([0, 1, 2, 3, 4, 5, 6, 7]), states)) is None
    assert correlation(record(curves([1, 1, 1, 1, 1, 1, 1])), 1) is None


def event(config: int, epoch: int, kind: str, **detail: Any) -> dict[str, Any]:
    """A row of the table of events."""
    return {"run": str(config), "epoch": epoch, "kind": kind, "detail": json.dumps(detail)}


def recorded(name: str) -> Record:
    """A sweep of which every run was trained to its end, from its curves by arm and seed."""
    content = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    runs = []
    for arm, seeds in content["arms"].items():
        for seed, values in seeds.items():
            curve = {"knn_top1": (np.arange(1, len(values) + 1), np.array(values))}
            number = len(runs)
            runs.append(Run(str(number), number, arm, int(seed), 0, {}, "complete", "", len(values), curve))
    return Record({"epochs": content["horizon"]}, tuple(runs))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=6, max_size=12))
def test_kendalls_is_the_share_of_pairs_in_order_less_that_of_pairs_out_of_order(
    pairs: Sequence[tuple[int, int]],
) -> None:
    found = agreement(record([[float(early), float(late)] for early, late in pairs]), 1)
    signs = np.sign([[a[0] - b[0], a[1] - b[1]] for a, b in combinations(pairs, 2)])
    untied = (signs**2).sum(axis=0)  # pairs that each column tells apart
    if not untied.all():
        assert found is None
    else:
        assert found
        assert found.kendall == pytest.approx(signs.prod(axis=1).sum() / np.sqrt(untied.prod()))
        assert -1 - 1e-9 <= found.spearman <= 1 + 1e-9


def test_the_interval_is_students_over_seeds() -> None:
    generator = np.random.default_rng(0)
    many = record(generator.random((24, 3)).tolist(), seeds=3)
    found = agreement(many, 2)
    assert found
    each = [
        stats.spearmanr(*zip(*[r.curve["knn_top1"][1][1:] for r in many.runs if r.seed == seed], strict=True))
        for seed in range(3)
    ]
    expected = stats.ttest_1samp([one.statistic for one in each], 0).confidence_interval(0.95)
    assert found.interval == pytest.approx((max(expected.low, -1), min(expected.high, 1)))
    assert found.seeds == 3
    assert agreement(record(generator.random((8, 3)).tolist()), 2).interval is None


def test_a_sweep_whose_early_ranks_tell_little_is_warned_of_and_no_other() -> None:
    weak, strong = (audit(recorded(name)) for name in ("sce_temperatures", "methods"))
    assert [one.epoch for one in weak.agreements] == list(range(1, 30))
    assert weak.first == 3
    assert f"{weak.agreements[2].spearman:.2f}" == "0.38"
    assert "Warning: below 0.4 stopping there is little better than chance" in " ".join(weak.sentences)
    assert "Warning" not in " ".join(strong.sentences)
    low, high = weak.agreements[2].interval
    tau = f"{weak.agreements[2].kendall:.2f}"
    assert weak.sentences[0] == (
        f"Ranks at epoch 3 of 30 correlate 0.38 (Spearman, {low:.2f} to {high:.2f} over 2 seeds; Kendall {tau}) "
        "with those at the end."
    )
    # Two of 15 pairs are out of order, by squares of 4, 1 and 1.
    one = audit(record(curves([2.0, 0.0, 1.0, 3.0, 4.0, 5.0])))
    assert one.sentences[0].startswith(
        "Ranks at epoch 1 of 10 correlate 0.83 (Spearman, on one seed; Kendall 0.73)"
    )
    assert (weak.spent, weak.full, weak.rungs, weak.controls) == (48 * 30, 48 * 30, (), None)


def test_rungs_tell_what_was_decided_and_how_many_epochs_it_saved() -> None:
    runs = [[1.0] * 2, [2.0] * 2, [3.0] * 4, [4.0] * 8, [5.0] * 8, [6.0] * 3]
    made = record(runs, ["stopped", "stopped", "paused", "complete", "complete", "stopped"])
    made = replace(made, manifest={"epochs": 8})
    events = [
        event(0, 2, "rung", cutoff=3.0, peers=4, decision="stop"),
        event(0, 2, "rung", cutoff=3.0, peers=4, decision="stop"),  # said again after a restart
        event(1, 2, "rung", cutoff=3.0, peers=5, decision="pause"),
        event(3, 2, "rung", cutoff=3.0, peers=5, decision="goes on"),
        event(4, 2, "promoted"),
        event(2, 4, "rung", cutoff=4.0, peers=2, decision="pause"),
        event(3, 4, "spared", reason="rung 4"),
        event(9, 4, "spared", reason="a run of another record"),
        {"run": "", "epoch": 0, "kind": "begun", "detail": "{}"},
    ]
    found = audit(made, events)
    assert found.rungs == (
        Rung(2, {"stopped": 1, "paused": 1, "went on": 1, "promoted": 1}, 12),
        Rung(4, {"paused": 1, "spared": 1}, 4),
    )
    assert (found.first, found.spent, found.full) == (2, 27, 48)
    assert "At epoch 4: 1 paused, 1 spared; 4 epochs saved." in found.sentences
    assert "Trained 27 of 48 epochs (56%)." in found.sentences
    assert (
        found.sentences[0]
        == "Too few runs are complete to say how well ranks at epoch 2 tell those at the end."
    )


def test_without_events_of_rungs_what_was_stopped_is_taken_from_the_runs() -> None:
    made = record([[1.0] * 8, [1.0] * 2, [2.0] * 2, [3.0] * 3], ["complete", "stopped", "paused", "stopped"])
    runs = [replace(run, rung=2) for run in made.runs]  # the guard ended the last one between two rungs
    assert audit(replace(made, runs=tuple(runs))).rungs == (Rung(2, {"paused": 1, "stopped": 1}, 12),)


def test_controls_that_end_near_or_above_the_best_of_their_seed_were_stopped_wrongly() -> None:
    ends = [50.0, 10.0, 49.6, 49.4, 53.0, 60.0, 99.0]
    made = record([[0.0, end] for end in ends], ["complete"] * 6 + ["stopped"])
    made = replace(made, manifest={"epochs": 2, "seed_deviation": 0.5, "default_arm": "5"})
    events = [event(config, 1, "spared", reason="rung 1") for config in (1, 2, 3, 4, 5, 6)]
    found = audit(made, events).controls
    assert found
    # The best other run is the default, at 60, though it was spared too: it is no control.
    assert (found.count, found.wrong, found.worst) == (4, 0, 0.0)
    assert audit(made, events).sentences[-1] == (
        "None of 4 controls would have been stopped wrongly (0%, 95 % interval 0% to 49%)."
    )
    without = audit(replace(made, manifest={"epochs": 2, "seed_deviation": 0.5}), events)
    found = without.controls
    assert found
    assert (found.count, found.wrong, found.worst, found.deviation) == (5, 3, 10.0, 0.5)
    share, z = 3 / 5, stats.norm.ppf(0.975)  # Wilson (1927)
    middle, half = share + z**2 / 10, z * np.sqrt(share * (1 - share) / 5 + z**2 / 100)
    assert found.interval == pytest.approx(
        ((middle - half) / (1 + z**2 / 5), (middle + half) / (1 + z**2 / 5))
    )
    assert without.sentences[-1] == (
        "Of 5 controls 3 would have been stopped wrongly (60%, 95 % interval 23% to 88%): they ended at most "
        "0.5 points below the best other run of their seed; the worst loss is 10.0 points."
    )


def test_controls_are_compared_within_their_seed_and_count_for_the_correlation() -> None:
    # Two seeds, the second 20 points better; a control of the first is the best there.
    ends = [50.0, 70.0, 51.0, 71.0]
    made = replace(record([[0.0, end] for end in ends], seeds=2), manifest={"epochs": 2})
    found = audit(made, [event(2, 1, "spared", reason="")]).controls
    assert found
    assert (found.count, found.wrong, found.worst, found.deviation) == (1, 1, 1.0, 0.0)
    many = record(curves([3.0, 1.0, 2.0, 5.0, 4.0, 0.0]))
    assert audit(many, [event(2, 1, "spared", reason="")]).agreements == audit(many).agreements != ()


def test_runs_shorter_than_the_sweep_was_meant_to_be_have_no_say_at_epochs_that_they_lack() -> None:
    made = replace(record(curves([3.0, 1.0, 2.0, 5.0, 4.0, 0.0])), manifest={"epochs": 20})
    assert agreement(made, 19) is None
    assert audit(made).agreements


def test_without_controls_the_audit_says_that_nobody_knows() -> None:
    assert audit(record([[1.0, 2.0]])).sentences[-1].startswith("No control was spared, so nobody knows")


def test_runs_on_fresh_seeds_and_an_empty_sweep_have_no_part_in_the_audit() -> None:
    both = record([[1.0, 2.0]] * 4, seeds=2)
    found = audit(replace(both, manifest={"epochs": 2, "confirm_seeds": [1]}))
    assert (found.spent, found.full) == (4, 4)
    assert "Trained 0 of 0 epochs (0%)." in audit(Record({}, ())).sentences
