"""What is said first of a sweep answers its space's question, and what weakens the answer stands before it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.arms import ranked
from analysis.headline import caveats, headline
from analysis.load import Record, Run
from analysis.paper import paper_table
from analysis.summarise import summarise
from analysis.tables import markdown
from analysis.terminal import summary_text

FULL = [50.0, 51.0, 52.0, 53.0]
ABLATION = {
    "full": FULL,
    "no queue": [40.0, 41.5, 42.0, 43.5],
    "no mask": [50.5, 50.5, 52.5, 52.5],
    "no head": [60.0, 61.5, 62.0, 63.5],
}
METHODS = {"simclr": FULL, "moco": [40.0, 41.5, 42.0, 43.5], "sce": [60.0, 61.5, 62.0, 63.5]}


def listed(
    scores: Mapping[str, Sequence[float]],
    *,
    base: str = "default",
    design: str = "leave_one_out",
    ends: Mapping[str, Sequence[int]] | None = None,
    epochs: int = 4,
    **manifest: Any,
) -> Record:
    """A sweep of arms that its space lists, the first its default; runs that end early were stopped."""
    names = list(scores)
    space = {
        "name": "listed",
        "question": "Which parts matter?",
        "domains": {"part": {"kind": "choice", "values": names}},
        "alternatives": {name: {"part": name} for name in names[1:]},
        "base_name": base,
    }
    data = {"name": "shapes", "validation": 1000, **manifest.pop("data", {})}
    plan = {
        "design": design,
        "space": {"alternatives": [{"name": name} for name in names[1:]], "base": {"data": data}},
    }
    runs: list[Run] = []
    for name, values in scores.items():
        for seed, value in enumerate(values):
            end = (ends or {}).get(name, [epochs] * len(values))[seed]
            curve = np.arange(1, end + 1), value - 3.0 * (epochs - np.arange(1.0, end + 1))
            runs.append(
                Run(
                    identity=f"{name} {seed}",
                    number=len(runs),
                    arm=name,
                    seed=seed,
                    attempt=0,
                    config={"part": name},
                    state="complete" if end == epochs else "stopped",
                    reason="",
                    epochs=end,
                    curve={"knn_top1": curve},
                )
            )
    seeds = list(range(max(map(len, scores.values()))))
    whole = {
        "id": "listed-1",
        "metric_label": "kNN top-1 (%)",
        "epochs": epochs,
        "seeds": seeds,
        "default_arm": names[0],
        "plan": plan,
        "space": space,
    }
    return Record({**whole, **manifest}, tuple(runs))


def test_an_ablation_says_which_parts_are_missed_and_not_which_arm_is_best():
    said = headline(summarise(listed(ABLATION)))
    assert said.startswith("Of 3 parts left out one at a time, 1 is missed: no queue −9.75 points")
    assert "better without: no head +10.25 points" in said
    assert "1 makes no significant difference" in said
    assert "Best:" not in said


def test_an_ablation_opens_with_its_leave_one_out_rows_the_full_method_first():
    lines = summary_text(summarise(listed(ABLATION))).splitlines()
    rows = [line for line in lines if line.startswith(("full method", "no "))]
    assert [row.split("  ")[0] for row in rows] == ["full method", "no queue", "no mask", "no head"]
    assert "51.5 ± 2.1" in rows[0]  # half of Student's interval of 4 seeds: 3.182 * 1.291 / 2
    assert "−9.75" in rows[1]
    assert lines.index(rows[0]) < lines.index(next(line for line in lines if line.startswith("Of 3 parts")))
    assert "± is half of the 95% interval" in " ".join(lines[: lines.index(rows[1])])


def test_an_ablation_on_one_seed_gives_its_differences_and_claims_none():
    said = headline(summarise(listed({name: values[:1] for name, values in ABLATION.items()})))
    assert said.startswith("Of 3 parts left out one at a time on one seed, which cannot tell")
    assert "no queue −10.00" in said


def test_an_ablation_whose_full_method_is_not_complete_says_so():
    ends = {"full": [2, 4, 4, 4]}
    assert "full method is not complete" in headline(summarise(listed(ABLATION, ends=ends)))


def test_an_ablation_counts_the_parts_that_are_not_complete():
    said = headline(summarise(listed(ABLATION, ends={"no mask": [2, 4, 4, 4]})))
    assert "1 not complete" in said
    assert "no significant difference" not in said


def test_parts_that_are_added_one_at_a_time_help_or_do_not():
    both, queue, mask, bare = (
        FULL,
        [49.0, 50.5, 51.0, 52.5],
        [40.5, 40.5, 42.5, 42.5],
        [40.0, 41.5, 42.0, 43.0],
    )
    record = listed({"full": both, "no mask": queue, "no queue": mask, "bare": bare}, design="add_one_in")
    parts = {"full": [1, 1], "no mask": [1, 0], "no queue": [0, 1], "bare": [0, 0]}
    domains = {name: {"kind": "choice", "values": [1, 0]} for name in ("queue", "mask")}
    arms = {name: dict(zip(("queue", "mask"), values, strict=True)) for name, values in parts.items()}
    listing = {name: arms[name] for name in ("no queue", "no mask")}
    space = {**record.manifest["space"], "domains": domains, "alternatives": listing}
    plan = {**record.manifest["plan"], "space": {"alternatives": [{"name": name} for name in listing]}}
    runs = tuple(replace(run, config=arms[run.arm]) for run in record.runs)
    summary = summarise(Record({**record.manifest, "space": space, "plan": plan}, runs))
    assert headline(summary).startswith(
        "Of 2 parts added one at a time to the bare method, 1 helps: no queue +9.12 points"
    )
    assert "1 makes no significant difference" in headline(summary)
    assert paper_table(summary).rows[0][0] == "bare method"


def test_an_ablation_in_which_nothing_is_clear_names_the_largest_difference():
    said = headline(
        summarise(
            listed({"full": FULL, "no mask": [50.4, 50.5, 52.5, 52.5], "no head": [48.0, 53.0, 50.0, 51.0]})
        )
    )
    assert said == (
        "Of 2 parts left out one at a time, none makes a significant difference; the largest is no head −1.00 points"
    )


def test_an_ablation_of_which_no_part_was_run_is_told_as_a_search():
    record = listed({"full": FULL})
    assert headline(summarise(record)) == "Only the default is complete, at 51.5"


def test_a_comparison_says_how_many_pass_what_needs_no_training():
    baselines = {"raw pixels": 45.0, "untrained encoder": 40.0}
    said = headline(summarise(listed(METHODS, base="simclr", baselines=baselines)))
    assert said.endswith("2 of 3 are above both baselines")


def test_a_comparison_says_its_ranking_and_who_differs_from_the_default():
    said = headline(summarise(listed(METHODS, base="simclr")))
    assert said.startswith("Ranking: 1. sce 61.8, 2. simclr (default) 51.5, 3. moco 41.8")
    assert "significantly better than simclr: sce" in said
    assert "significantly worse: moco" in said


def test_a_ranking_of_many_names_the_first_and_the_default():
    many = {"simclr": FULL, **{f"m{i}": [60.0 + i, 61.5 + i, 62.0 + i, 63.5 + i] for i in range(20)}}
    said = headline(summarise(listed(many, base="simclr")))
    assert "1. m19 80.8" in said
    assert "21. simclr (default) 51.5" in said
    assert "m3 " not in said


@pytest.mark.parametrize(
    ("baselines", "said"),
    [
        (
            {"raw pixels": 100.0, "untrained encoder": 96.7},
            "Training beat neither baseline (raw pixels 100, untrained encoder 96.7)",
        ),
        ({"raw pixels": 70.0, "untrained encoder": 20.0}, "Training did not beat raw pixels (70)"),
        (
            {"raw pixels": 20.0, "untrained encoder": 61.75},
            "Training did not beat the untrained encoder (61.8)",
        ),
        ({"raw pixels": 20.0, "untrained encoder": 30.0}, None),
        ({}, None),
    ],
)
def test_that_training_beat_no_baseline_is_said_first(baselines: dict[str, float], said: str | None):
    for base in ("default", "simclr"):
        summary = summarise(listed(METHODS, base=base, baselines=baselines))
        if said is None:
            assert caveats(summary) == []
            continue
        assert headline(summary).startswith(said)
        assert summary_text(summary).splitlines()[1].startswith(said)


def test_the_untrained_encoder_is_that_of_the_seeds_that_are_judged():
    untrained = {"0": 90.0, "1": 90.0, "2": 90.0, "3": 90.0, "9": 0.0}
    baselines = {"raw pixels": 1.0, "untrained encoder": 72.0}
    (said,) = caveats(summarise(listed(METHODS, base="simclr", baselines=baselines, untrained=untrained)))
    assert said == "Training did not beat the untrained encoder (90)"


def test_on_few_images_the_grid_of_scores_is_said_and_who_ties():
    tied = {"simclr": [80.0], "sce": [90.0], "moco": [90.0], "byol": [90.0]}
    summary = summarise(listed(tied, base="simclr", data={"validation": 30}))
    assert caveats(summary) == [
        "30 validation images: scores lie on a grid of 3.3 points, three arms tie for the best"
    ]
    assert headline(summary).startswith("30 validation images")
    alone = summarise(listed({**tied, "sce": [93.3]}, base="simclr", data={"validation": 30}))
    assert caveats(alone) == ["30 validation images: scores lie on a grid of 3.3 points"]


def test_on_many_images_the_grid_is_said_only_where_arms_tie():
    tied = {"simclr": [80.0], "sce": [90.0], "moco": [90.0]}
    assert caveats(summarise(listed(tied, base="simclr"))) == [
        "1,000 validation images: scores lie on a grid of 0.1 points, two arms tie for the best"
    ]
    assert caveats(summarise(listed({**tied, "moco": [89.9]}, base="simclr"))) == []
    unknown = summarise(listed(tied, base="simclr", data={"validation": None}))
    assert caveats(unknown) == ["Two arms tie for the best"]


def test_means_over_several_seeds_lie_on_a_finer_grid():
    tied = {"simclr": [80.0, 90.0], "sce": [90.0, 80.0]}
    (said,) = caveats(summarise(listed(tied, base="simclr", data={"validation": 10})))
    assert (
        said
        == "10 validation images: means over 2 seeds lie on a grid of 5 points, two arms tie for the best"
    )


def test_the_value_of_a_stopped_arm_is_at_an_epoch_that_all_its_runs_have():
    record = listed({"a": [50.0, 50.0], "b": [70.0, 60.0]}, base="a", ends={"b": [4, 2]})
    stopped = next(arm for arm in ranked(record) if arm.digest == "b")
    assert stopped.score is None
    assert (stopped.last, stopped.last_epoch) == (0.5 * (64.0 + 54.0), 2)  # not of 70 at 4 and 54 at 2
    assert "(59.0 at 2)" in summary_text(summarise(record))
    complete = next(arm for arm in ranked(record) if arm.digest == "a")
    assert (complete.last, complete.last_epoch) == (50.0, 4)


def test_the_table_for_a_paper_has_the_full_method_first_and_says_which_interval_its_is():
    table = paper_table(summarise(listed(ABLATION)))
    assert table.rows[0][:2] == ("full method", "51.5 ± 2.1")
    assert [row[0] for row in table.rows[1:]] == ["no queue", "no mask", "no head"]
    assert table.rows[1][1:3] == ("41.8 ± 2.3", "−9.75 ± 0.46")
    assert "± is half of the 95% interval" in table.caption
    assert "4 seeds" in table.caption
    assert "shapes" in table.caption
    assert table.values["difference"][0] is None
    assert "| full method | 51.5 ± 2.1 |" in markdown(table)
    with pytest.raises(ValueError, match="lists no alternatives"):
        paper_table(summarise(Record({"id": "x", "space": {"domains": {}}}, ())))
