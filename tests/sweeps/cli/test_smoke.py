"""Smoke tests of any space: small, said to be nothing else, and kept apart from real sweeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis import report
from analysis.headline import SMOKE
from analysis.load import load
from analysis.summarise import summarise
from analysis.terminal import summary_text
from search_spaces import SPACES
from search_spaces.smoke import ARMS, EPOCHS, IMAGES, smoke_test
from sweeps import store
from sweeps.cli.status import status, text
from sweeps.engine.history import finished_elsewhere
from sweeps.planning import plan as plans
from sweeps.planning.estimate import Pace
from sweeps.planning.plan import Plan
from sweeps.run import main
from tests.crew import Sitting, carry_out
from tests.fixtures.rates_space import RATES
from tests.fixtures.tiny_space import TINY


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.planning.estimate.measured", lambda *_: Pace(0.1, "said by the test"))


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> Plan:
    assert main([*arguments, "--smoke", "--dry-run", "--json"]) == 0
    return plans.from_dict(json.loads(capsys.readouterr().out)["plan"])


@pytest.mark.parametrize("name", SPACES)
def test_any_space_has_a_smoke_test_of_a_few_seconds(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(capsys, "--space", name)
    base = plan.space.base
    assert (plan.smoke, plan.space.name) == (True, f"{name}_smoke")
    assert (base.data, plan.epochs, plan.seeds, plan.confirm) == (IMAGES, EPOCHS, (0,), None)
    assert plan.arms == len(plans.fixed_arms(plan)) == min(ARMS, plan.arms)
    assert plan.space.domains.keys() == SPACES[name].domains.keys()
    assert type(base.method) is type(SPACES[name].base.method)


def test_what_varies_or_was_asked_for_stays() -> None:
    assert smoke_test(RATES).domains == RATES.domains
    assert smoke_test(TINY, ["encoder"]).base.encoder == TINY.base.encoder
    assert smoke_test(TINY).base.encoder != TINY.base.encoder
    assert smoke_test(TINY, ["batch"]).base.batch == TINY.base.batch


def test_what_was_set_is_part_of_the_smoke_test(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--set", "encoder=resnet", "--set", "method.coefficient=1.0", "--set", "batch=32"]
    base = planned(capsys, "--space", "sce_temperatures", *chosen).space.base
    assert (base.encoder.name, base.method.name, base.batch) == ("resnet", "sce", 32)


@pytest.mark.parametrize(
    "flag", [["--data", "cifar10"], ["--epochs", "9"], ["--arms", "9"], ["--seeds", "3"]]
)
def test_a_smoke_test_chooses_its_size_itself(flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--space", "sce_temperatures", "--smoke", "--dry-run", *flag]) == 2
    assert (
        f"--smoke has images, epochs, arms and seed of its own; leave out {flag[0]}"
        in capsys.readouterr().err
    )


def swept(root: Path, name: str, *, smoke: bool, plan: Plan | None = None) -> Path:
    """A sweep of two arms in a store, without training."""
    plan = plan or plans.checked(space=TINY, arms=2, design="random", smoke=smoke)
    directory = store.open_store(root) / "sweeps" / name
    sitting = Sitting(directory, plan)
    space: dict[str, Any] = {"name": plan.space.name, "question": plan.space.question}
    space["domains"] = plans.to_dict(plan)["space"]["domains"]
    default = sitting.study.default_arm
    manifest = {"id": name, "plan": plans.to_dict(plan), "space": space, "default_arm": default}
    more = {"settle_command": "sweeps --seeds 1-5", "seeds": [0], "epochs": plan.epochs, "baselines": {}}
    store.write_manifest(directory, {**manifest, **more, "seed_deviation": 2.0, "seed_deviation_seeds": 5})
    carry_out(sitting)
    sitting.writer.close()
    return directory


def test_no_sweep_reuses_runs_of_a_smoke_test_nor_the_other_way_round(tmp_path: Path) -> None:
    real, smoke = swept(tmp_path / "s", "real", smoke=False), swept(tmp_path / "s", "smoke", smoke=True)
    other = tmp_path / "s" / "sweeps" / "other"
    assert {found for found, _ in finished_elsewhere(other).sweeps.values()} == {real}
    assert finished_elsewhere(smoke).sweeps == {}


def test_a_store_shows_smoke_tests_among_its_sweeps_and_nowhere_else(tmp_path: Path) -> None:
    swept(tmp_path / "s", "real", smoke=False)
    smoke = swept(tmp_path / "s", "smoke", smoke=True)
    with store.connect(tmp_path / "s") as connection:
        assert connection.execute("select sweep, smoke from sweeps order by sweep").fetchall() == [
            ("real", False),
            ("smoke", True),
        ]
        for view in ("runs", "final", "reports", "epochs", "events"):
            assert connection.execute(f"select distinct sweep from {view}").fetchall() == [("real",)]
    with store.connect(smoke) as connection:
        assert connection.execute("select count(*) from final").fetchone() == (2,)


def test_a_smoke_test_is_called_so_wherever_it_is_shown(tmp_path: Path) -> None:
    plan = plans.checked(space=smoke_test(TINY), arms=2, design="random", smoke=True)
    directory = swept(tmp_path / "s", "tiny_smoke-1", smoke=True, plan=plan)
    summary = summarise(load(directory))
    assert (summary.smoke, summary.comparison, summary.settling) == (True, None, None)
    assert f"{SMOKE}." in summary_text(summary)
    assert "says nothing about" in text(status(directory, again="sweeps resume s"))
    page = report.write(directory).read_text()
    assert SMOKE in page
    assert "Nothing may be claimed of so few images, epochs and arms." in page
