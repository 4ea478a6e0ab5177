import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from analysis import campaign as analysis
from search_spaces.campaign import Campaign, Entry
from search_spaces.campaigns import CAMPAIGNS
from sweeps import campaign as command
from sweeps import store
from sweeps.campaigns import planned as frozen
from tests.fixtures.tiny_campaign import CAMPAIGN

FILE = Path(__file__).parents[2] / "fixtures" / "tiny_campaign.py"


def planned(campaign: Campaign) -> dict[str, Any]:
    return frozen.planned(campaign, Path("results"))


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_sweep_of_a_named_campaign_can_be_planned_and_says_what_it_tests(name: str) -> None:
    plans = planned(CAMPAIGNS[name])
    tested = frozen.comparisons(CAMPAIGNS[name], plans)
    for sweep, plan in plans.items():
        assert sum(one["sweep"] == sweep for one in tested) == plan.arms - 1
        assert len(plan.seeds) >= 3
        assert plan.stopper.name == "none"  # what is to be compared is trained to its end
    assert {"sce", "mmcl", "wcl", "cacr", "bsim"} <= plans.keys()


def test_the_campaign_at_cifar_scale_runs_published_recipes_on_cifar() -> None:
    for plan in planned(CAMPAIGNS["papers_cifar"]).values():
        assert plan.space.base.data.name == "cifar10"
        assert plan.space.base.encoder.name == "resnet"
        assert plan.epochs == 200
        assert plan.gpus_per_worker == 1


def test_a_sweep_that_is_refused_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Campaign(name="broken", question="?", entries={"a": Entry(space="sce_temperature")})
    with pytest.raises(
        ValueError, match="broken, sweep --space sce_temperature .*Did you mean sce_temperatures"
    ):
        planned(broken)
    assert command.main(["papers_labtop"]) == 2
    assert "Did you mean papers_laptop" in capsys.readouterr().err
    assert command.main(["--status", "nowhere"]) == 2
    assert "there is no campaign 'nowhere'" in capsys.readouterr().err


def test_a_campaign_of_ones_own_is_shown_before_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([f"{FILE}:CAMPAIGN", "--budget", "epochs=100", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "240 epochs expected in all; budget: epochs=100; order: fair" in out
    assert "rates: best against default" in out
    assert command.main([str(FILE), "--dry-run", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["comparisons"]) == 2
    assert content["plans"]["rates"]["space"]["base"]["optimiser"]["lr"] == 0.03


def sweep(root: Path, name: str, scores: dict[str, list[float]]) -> None:
    """A finished sweep with the scores of its arms by temperature, the first the default's."""
    directory = store.sweep_directory(root, name)
    first = next(iter(scores))
    manifest = {
        "id": name,
        "space": {"domains": {"t": {}}},
        "seeds": list(range(len(scores[first]))),
        "default_arm": first,
        "epochs": 1,
        "plan": {"arms": len(scores), "seeds": list(range(len(scores[first])))},
    }
    store.write_manifest(directory, manifest)
    with store.Writer(directory, "w") as writer:
        for number, (arm, values) in enumerate(scores.items()):
            for seed, value in enumerate(values):
                run = f"{arm}-{seed}"
                writer.report(run, 0, 1, {"knn_top1": value})
                writer.run(
                    run=run,
                    number=number,
                    arm=arm,
                    seed=seed,
                    attempt=0,
                    config={"t": float(number)},
                    state="complete",
                    epochs=1,
                )


def test_results_are_paired_differences_of_exactly_what_was_planned(tmp_path: Path) -> None:
    sweep(tmp_path, "s", {"a": [50.0, 60.0, 70.0], "b": [55.0, 65.1, 74.9], "c": [50.0, 55.0, 78.0]})
    arms = [json.dumps({"t": 1.0}), json.dumps({"t": 2.0}), json.dumps({"t": 9.0}), "best"]
    content = {
        "question": "?",
        "sweeps": {"s": "s"},
        "comparisons": [{"sweep": "s", "arm": arm, "against": "default"} for arm in arms],
    }
    directory = tmp_path / "campaigns" / "c"
    directory.mkdir(parents=True)
    (directory / "campaign.json").write_text(json.dumps(content))
    first, second, third, best = analysis.results(directory)
    assert first.difference == pytest.approx(5.0)
    assert (first.verdict, second.verdict) == ("significantly better", "no significant difference")
    assert third.verdict == "t 9.0: not begun"
    assert best.verdict == "the best was chosen on these very seeds, and was not run again on fresh ones"
    assert (best.difference, best.p) == (None, None)
    # Four were planned: one that could not be made counts among those that p is corrected for.
    assert first.p == pytest.approx(stats.ttest_1samp([5.0, 5.1, 4.9], 0).pvalue)
    assert second.p
    assert (first.p_holm, second.p_holm) == (pytest.approx(4 * first.p), min(1.0, 2 * second.p))
    assert (third.p, third.p_holm) == (None, None)
    table = analysis.results_markdown([first, second, third])
    assert "| s | t 1.0 | default | +5.00 |" in table
    assert f"| 3 | {first.p:.2g} | {first.p_holm:.2g} | significantly better |" in table
    assert "| 0 |  |  | t 9.0: not begun |" in table
    assert analysis.standings(directory)[0].states == {"complete": 9}


def planned_in(root: Path, *comparisons: tuple[str, str]) -> list[analysis.Result]:
    content = {
        "question": "?",
        "sweeps": {"s": "s"},
        "comparisons": [{"sweep": "s", "arm": arm, "against": against} for arm, against in comparisons],
    }
    directory = root / "campaigns" / "c"
    directory.mkdir(parents=True)
    (directory / "campaign.json").write_text(json.dumps(content))
    return analysis.results(directory)


def test_the_best_is_compared_where_it_was_run_again_on_fresh_seeds(tmp_path: Path) -> None:
    sweep(tmp_path, "s", {"a": [50.0, 60.0, 70.0], "b": [45.0, 65.1, 74.9]})
    path = store.sweep_directory(tmp_path, "s")
    store.write_manifest(path, {**store.read_manifest(path), "seeds": [0], "confirm_seeds": [1, 2]})
    (best,) = planned_in(tmp_path, ("best", "default"))
    assert (best.seeds, best.difference) == (2, pytest.approx(5.0))


def test_an_arm_that_is_not_complete_on_every_seed_is_not_compared_on_those_where_it_survived(
    tmp_path: Path,
) -> None:
    sweep(tmp_path, "s", {"a": [50.0, 60.0, 70.0], "b": [55.0, 65.1, 74.9]})
    with store.Writer(store.sweep_directory(tmp_path, "s"), "later") as writer:
        writer.run(
            run="b-2", number=1, arm="b", seed=2, attempt=1, config={"t": 1.0}, state="failed", epochs=1
        )
    (found,) = planned_in(tmp_path, (json.dumps({"t": 1.0}), "default"))
    assert (found.verdict, found.difference, found.seeds) == ("t 1.0: failed", None, 0)


def test_what_is_missing_is_named_with_its_own_state(tmp_path: Path) -> None:
    sweep(tmp_path, "s", {"a": [50.0, 60.0], "b": [55.0, 65.1]})
    path = store.sweep_directory(tmp_path, "s")
    store.write_manifest(path, {**store.read_manifest(path), "default_arm": "another"})
    (found,) = planned_in(tmp_path, (json.dumps({"t": 1.0}), "default"))
    assert found.verdict == "default: not begun"


def test_the_best_is_not_planned_to_be_tested_on_the_seeds_that_choose_it() -> None:
    entry = Entry(space="sce_temperatures", compare="best", seeds="2")
    campaign = Campaign(name="c", question="?", entries={"a": entry})
    with pytest.raises(ValueError, match="c, sweep a: .* only be tested on fresh ones; give confirm"):
        frozen.comparisons(campaign, planned(campaign))
    confirmed = replace(campaign, entries={"a": replace(entry, confirm=1, confirm_seeds=5)})
    assert frozen.comparisons(confirmed, planned(confirmed)) == [
        {"sweep": "a", "arm": "best", "against": "default"}
    ]


def test_every_sweep_of_the_small_campaign_has_runs_of_its_own() -> None:
    plans = planned(CAMPAIGN)
    bases = [plan.space.base for plan in plans.values()]
    assert bases[0] != bases[1]
