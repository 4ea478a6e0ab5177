"""What former versions wrote is read in today's words."""

from pathlib import Path

import pytest

from search_spaces import SPACES
from sweeps import store
from sweeps.planning import plan as plans
from sweeps.planning.plan import Budget, Plan
from sweeps.store import former


@pytest.mark.parametrize(
    ("then", "now"), [("listed", "leave_one_out"), ("added", "add_one_in"), ("around", "one_at_a_time")]
)
def test_designs_are_read_by_their_former_names(then: str, now: str) -> None:
    assert former.plan({"design": then}) == former.plan({"design": now}) == {"design": now}


def test_a_plan_and_a_manifest_of_a_former_version_are_read(tmp_path: Path) -> None:
    space = next(space for space in SPACES.values() if len(space.named_arms.standing) > 1)
    made = plans.checked(
        space=space, design="leave_one_out", budget=Budget(runs=7, hours=2.0), workers_per_run=2
    )
    kept = plans.to_dict(made)
    kept["design"], kept["workers_per_run"] = "listed", kept.pop("workers_per_run")
    kept["budget"]["runs"] = kept["budget"].pop("runs")
    assert plans.from_dict(kept) == made
    store.write_manifest(tmp_path, {"id": "a", "plan": kept})
    assert store.read_manifest(tmp_path)["plan"] == plans.to_dict(made)


def test_what_is_written_today_is_left_as_it_is() -> None:
    kept = plans.to_dict(Plan(space=SPACES["sce_temperatures"]))
    assert former.plan(kept) == kept
    assert former.manifest({"id": "a"}) == {"id": "a"}


def test_a_campaign_of_a_former_version_is_read() -> None:
    entry = {"space": "wcl_neighbours", "design": "around", "trials": 5}  # former
    kept = {
        "name": "a",
        "entries": {"one": entry},
        "workers_per_run": 2,
        "budget": "trials=9,hours=2",
    }  # former
    assert former.campaign(kept) == {
        "name": "a",
        "entries": {"one": {"space": "wcl_neighbours", "design": "one_at_a_time", "arms": 5}},
        "workers_per_run": 2,
        "budget": "runs=9,hours=2",
    }


def test_queries_in_the_words_of_earlier_versions_are_answered(tmp_path: Path) -> None:
    with store.Writer(tmp_path, "driver") as writer:
        writer.report("a", 0, 1, {"loss": 2.0})
        writer.run(run="a", number=0, arm="b", seed=0, attempt=0, config={}, state="complete", epochs=1)
    for folded in (False, True):
        if folded:
            store.compact(tmp_path)
        with store.connect(tmp_path) as database:
            asked = "SELECT run, state, loss FROM runs JOIN epochs USING (sweep, run)"
            assert database.execute(asked).fetchall() == [("a", "complete", 2.0)]
            former = asked.replace("runs", "trials").replace("run", "trial")
            assert database.execute(former).fetchall() == [("a", "complete", 2.0)]
            for view in ("reports", "final", "events"):
                assert database.execute(
                    f"SELECT DISTINCT run, trial FROM {view} WHERE run != ''"
                ).fetchall() == [("a", "a")]
