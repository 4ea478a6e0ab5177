"""Smoke tests as they are typed: a space of ranges, one that lists its arms, one with a range for each optimiser."""

import json

import pytest

from analysis.headline import SMOKE
from sweeps import store
from tests.end_to_end.driven import ROOT, Sweeps

pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize(
    "space",
    ["simclr_temperature", "bsim_ablation", f"{ROOT / 'tests' / 'fixtures' / 'rates_space.py'}:RATES"],
)
def test_any_space_is_seen_to_run_and_nothing_more_is_said(sweeps: Sweeps, space: str) -> None:
    code, out, err = sweeps.run("--space", space, "--smoke")
    assert (code, err) == (0, "")
    assert f"{SMOKE}." in out
    assert "starting Ray" in out.partition("  training\n")[0]
    directory = sweeps.directory
    assert "_smoke-" in directory.name
    assert store.runs(directory).num_rows == 3
    assert store.read_manifest(directory)["plan"]["smoke"] is True
    assert json.loads((directory / "summary.json").read_text())["smoke"] is True
    assert SMOKE in (directory / "report.html").read_text()
    with store.connect(sweeps.store) as connection:
        assert connection.execute("select smoke from sweeps").fetchall() == [(True,)]
        assert connection.execute("select count(*) from final").fetchone() == (0,)
