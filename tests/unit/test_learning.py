"""The table of what has been learned, against scipy and by hand."""

import statistics
from pathlib import Path

import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.learning import interval, learning, markdown
from analysis.load import load
from tests.unit.test_summarise import sweep

BASELINES = {
    "baselines": {"raw pixels": 38.0, "untrained encoder": 28.0},
    "untrained": {"0": 27.0, "1": 28.0, "2": 29.0},
    "seeds": [0, 1, 2],
}
FINALS = {
    0.1: {0: ("complete", 50.0), 1: ("complete", 52.0), 2: ("complete", 51.0)},
    0.2: {0: ("complete", 36.0), 1: ("complete", 40.0), 2: ("complete", 41.0)},
    0.3: {0: ("complete", 20.0), 1: ("complete", 36.0), 2: ("complete", 28.0)},
    0.4: {0: ("failed", 60.0), 1: ("complete", 60.0), 2: ("complete", 60.0)},
}


def test_an_interval_is_students() -> None:
    values = [3.0, 5.0, 4.5, 6.0]
    found = interval(values)
    low, high = stats.t.interval(0.95, 3, loc=statistics.mean(values), scale=stats.sem(values))
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert interval([3.0]).half is None
    assert str(interval([3.0])) == "3.0"


def test_each_complete_arm_is_compared_with_both_baselines_seed_by_seed(tmp_path: Path) -> None:
    first, second, third = learning(load(sweep(tmp_path, FINALS, **BASELINES)))
    assert [row.name for row in (first, second, third)] == ["0.1", "0.2", "0.3"]
    assert (first.seeds, first.score.mean) == (3, 51.0)
    assert first.over_untrained.mean == pytest.approx((23 + 24 + 22) / 3)
    assert second.over_untrained.half == interval([9.0, 12.0, 12.0]).half
    assert (first.verdict, second.verdict, third.verdict) == (
        "raw pixels and untrained",
        "untrained",
        "neither",
    )


def test_the_table_ends_with_the_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path, FINALS, **BASELINES)
    table = markdown(load(folder)).splitlines()
    assert table[2].startswith(
        "| 0.1 | 3 | 51.0 ± 2.5 | 23.0 ± 2.5 | 13.0 ± 2.5 | raw pixels and untrained |"
    )
    assert table[-2].startswith("| untrained encoder | 3 | 28.0 ± 2.5 |")
    assert table[-1].startswith("| raw pixels |  | 38.0 |")
    assert main(["learning", str(folder)]) == 0
    assert capsys.readouterr().out == f"sweep\n\n{markdown(load(folder))}\n\n"


def test_listed_arms_are_called_by_their_names(tmp_path: Path) -> None:
    space = {
        "name": "s",
        "domains": {"method.temperature": {}},
        "alternatives": {"cold": {"method.temperature": 0.2}, "hot": {"method.temperature": 0.3}},
    }
    found = learning(load(sweep(tmp_path, FINALS, **BASELINES, space=space)))
    assert [row.name for row in found] == ["default", "cold", "hot"]


def test_a_sweep_without_baselines_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path, FINALS)
    assert main(["learning", str(folder)]) == 2
    assert "holds no baselines; run it again" in capsys.readouterr().err


def test_a_sweep_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learning", "nothing", "--store", str(tmp_path)]) == 2
    assert "nothing" in capsys.readouterr().err
