"""A budget never eats the confirmation."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contrastive.config import value_at
from sweeps import store
from sweeps.engine import history
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.runs import IssuedRun
from sweeps.planning import reserve
from sweeps.planning.plan import Budget, Confirm, Plan
from sweeps.sessions import describe
from sweeps.stoppers import by_text
from tests.crew import Sitting, carry_out, plan, workers
from tests.fixtures import tiny_space
from tests.typed import planned

STOPPERS = ("none", "asha", "promote", "pasha", "hyperband", "median", "one_epoch")
SECONDS = 2.0
"""Of an epoch, by the crew."""


def made(stopper: str, budget: Budget, **fields: Any) -> Plan:
    """Arms of 8 epochs; one is confirmed on two fresh seeds: 4 runs, 32 epochs."""
    chosen = {"arms": 12, "confirm": Confirm(arms=1, seeds=2), "gpus_per_worker": 1.0, **fields}
    return plan(stopper=by_text(stopper), budget=budget, **chosen)


def hotter(run: IssuedRun, epoch: int) -> float:
    """Better the higher its temperature, so that most arms are better than the default."""
    return 40 + 20 * value_at(run.config, "method.temperature") + epoch


def spent(directory: Path) -> dict[str, float]:
    runs, found = store.runs(directory).to_pylist(), history.read_history(directory)
    epochs = len(found.reports)
    return {"runs": len(runs), "epochs": epochs, "gpu_hours": epochs * SECONDS / 3600}


def confirmed(directory: Path, given: Plan) -> Counter[str]:
    """How many runs of each arm are complete on fresh seeds."""
    rows = store.runs(directory).to_pylist()
    return Counter(r["arm"] for r in rows if r["seed"] in given.confirm_seeds and r["state"] == "complete")


BUDGETS = [Budget(runs=9), Budget(epochs=70), Budget(gpu_hours=70 * SECONDS / 3600)]


@pytest.mark.parametrize(
    ("budget", "count"),
    [(BUDGETS[0], 1), (BUDGETS[1], 2), (BUDGETS[2], 2)],
    ids=["runs", "epochs", "gpu_hours"],
)
@pytest.mark.parametrize("stopper", STOPPERS)
def test_a_budget_ends_with_its_confirmation(
    stopper: str, budget: Budget, count: int, tmp_path: Path
) -> None:
    given = made(stopper, budget)
    sitting = Sitting(tmp_path, given, {"devices": 1.0})
    carry_out(sitting, hotter, count=count)
    found = confirmed(tmp_path, given)
    assert list(found.values()) == [2, 2]
    assert all(spent(tmp_path)[name] <= limit + 1e-9 for name, limit in vars(budget).items() if limit)
    assert sitting.engine.closing is None
    assert "running" not in {row["state"] for row in store.runs(tmp_path).to_pylist()}


@pytest.mark.parametrize("stopper", ["none", "promote"])
def test_what_the_search_has_is_used(stopper: str, tmp_path: Path) -> None:
    given = made(stopper, Budget(epochs=80), arms=60)
    carry_out(Sitting(tmp_path, given), hotter)
    assert 80 - given.epochs < spent(tmp_path)["epochs"] <= 80


@pytest.mark.parametrize("stopper", ["none", "promote", "asha"])
@pytest.mark.parametrize("after", [7, 20, 60])
def test_a_sweep_resumed_in_the_middle_keeps_what_is_kept(stopper: str, after: int, tmp_path: Path) -> None:
    given = made(stopper, Budget(epochs=70))
    sitting = Sitting(tmp_path, given)
    epochs = workers(Arbiter([sitting.engine]), count=2)
    for _ in range(after):
        next(epochs, None)
    sitting.writer.close()
    carry_out(Sitting(tmp_path, given), count=2)
    assert set(confirmed(tmp_path, given).values()) == {2}
    assert spent(tmp_path)["epochs"] <= 70


def test_a_larger_budget_searches_on_and_confirms_again(tmp_path: Path) -> None:
    carry_out(Sitting(tmp_path, made("none", Budget(epochs=64))))
    before = len(store.runs(tmp_path))
    given = made("none", Budget(epochs=120))
    carry_out(Sitting(tmp_path, given))
    assert len(store.runs(tmp_path)) > before
    assert spent(tmp_path)["epochs"] <= 120
    assert set(confirmed(tmp_path, given).values()) == {2}


def test_an_arm_needs_all_its_seeds_and_the_best_begun_is_confirmed_where_none_has_them(
    tmp_path: Path,
) -> None:
    given = made("none", Budget(runs=4 + 7), seeds=(0, 1), design="random", arms=6)
    carry_out(Sitting(tmp_path, given))
    assert len(confirmed(tmp_path, given)) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_hours_are_kept_by_what_an_epoch_has_taken(count: int, tmp_path: Path) -> None:
    given, now = made("none", Budget(hours=100 * SECONDS / 3600)), [0.0]
    sitting = Sitting(tmp_path, given)
    arbiter = Arbiter([sitting.engine], clock=lambda: now[0])
    for _ in workers(arbiter, count=count):
        now[0] += SECONDS / count
    sitting.writer.close()
    assert set(confirmed(tmp_path, given).values()) == {2}
    assert now[0] <= 100 * SECONDS


def test_epochs_that_become_slow_end_the_search_before_the_confirmation(tmp_path: Path) -> None:
    given = made("none", Budget(gpu_hours=100 * SECONDS / 3600))
    quick = Sitting(tmp_path, given, {"devices": 1.0})
    epochs = workers(Arbiter([quick.engine]), seconds=0.95 * SECONDS)
    for _ in range(20):
        next(epochs)
    quick.writer.close()
    slow = Sitting(tmp_path, given, {"devices": 1.0})
    list(workers(Arbiter([slow.engine]), seconds=SECONDS))
    slow.writer.close()
    assert set(confirmed(tmp_path, given).values()) == {2}


@pytest.mark.parametrize("stopper", ["none", "asha", "promote", "pasha"])
def test_arms_of_several_seeds_are_brought_to_their_end_within_the_share(
    stopper: str, tmp_path: Path
) -> None:
    given = made(stopper, Budget(epochs=32 + 60), seeds=(0, 1), arms=20)
    carry_out(Sitting(tmp_path, given), hotter, count=2)
    assert list(confirmed(tmp_path, given).values()) == [2, 2]
    assert spent(tmp_path)["epochs"] <= 92


def test_campaigns_keep_the_confirmations_of_all_their_sweeps(tmp_path: Path) -> None:
    given = made("none", Budget())
    sittings = [Sitting(tmp_path / name, given) for name in "ab"]
    for order in ("fair", "priority"):
        arbiter = Arbiter([one.engine for one in sittings], budget=Budget(epochs=150), order=order)
        list(workers(arbiter, count=2))
    for one in sittings:
        one.writer.close()
        assert set(confirmed(one.directory, given).values()) == {2}
    assert sum(spent(one.directory)["epochs"] for one in sittings) <= 150


def typed(*words: str) -> Plan:
    return planned("--space", f"{tiny_space.__file__}:TINY", *words)


def test_a_budget_too_small_for_its_confirmation_is_refused_with_what_would_do() -> None:
    confirm = ("--confirm", "1", "--confirm-seeds", "2")
    with pytest.raises(ValueError, match=r"--budget runs=5: .* takes 4 runs .* 2; give runs=6 or more, or"):
        typed("--budget", "runs=5", *confirm)
    with pytest.raises(ValueError, match=r"epochs=40: .* takes 32 epochs .* 16; give epochs=48 or more"):
        typed("--budget", "epochs=40", *confirm)
    assert typed("--budget", "runs=6", *confirm).budget == Budget(runs=6)
    assert typed("--budget", "runs=2").budget == Budget(runs=2)


def test_the_plan_shows_what_is_kept() -> None:
    lines = describe.runs_text(
        typed("--budget", "runs=9,epochs=80,hours=2", "--confirm", "1", "--confirm-seeds", "2")
    )
    text = "\n".join(lines)
    assert "of the budget of 9 runs 4 are kept for the confirmation, the search has 5" in text
    assert "of the budget of 80 epochs 32 are kept for the confirmation, the search has 48" in text
    assert "of the budget of 2 hours" in text
    assert "an estimate" in text
    assert reserve.budget_lines(Budget(epochs=9), [plan()]) == [
        "of the budget of 9 epochs all is the search's"
    ]
