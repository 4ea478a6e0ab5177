"""The table of what has been learned, against scipy and by hand."""

import statistics
from pathlib import Path

import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.learning import interval, learning, learning_markdown
from analysis.load import load
from tests.analysis.test_summarise import sweep

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


def test_equal_differences_have_no_interval_and_are_above_nothing(tmp_path: Path) -> None:
    finals = {
        0.1: {0: ("complete", 50.3), 1: ("complete", 50.3)},  # 22.3 and 22.3 over untrained, but for floats
        0.2: {0: ("complete", 50.0), 1: ("complete", 52.0)},
    }
    same = BASELINES | {"seeds": [0, 1], "untrained": {"0": 28.0, "1": 28.0}}
    found = {row.name: row for row in learning(load(sweep(tmp_path, finals, **same)))}
    equal = found["0.1"]
    assert (equal.score.half, equal.over_untrained.half, equal.over_raw.half) == (None, None, None)
    assert (str(equal.score), str(equal.over_untrained), str(equal.over_raw)) == ("50.3", "22.3", "12.3")
    assert equal.verdict == "equal differences cannot tell"
    assert found["0.2"].verdict == "neither"


def test_what_is_clearly_above_is_corrected_for_both_comparisons_of_every_row(tmp_path: Path) -> None:
    # Over raw pixels 10, 10.5 and 11: p 0.0008, which is below 0.05 for 62 comparisons and not for 64.
    clear = {0: ("complete", 48.0), 1: ("complete", 48.5), 2: ("complete", 49.0)}
    noisy = {0: ("complete", 20.0), 1: ("complete", 36.0), 2: ("complete", 28.0)}
    p = stats.ttest_1samp([10.0, 10.5, 11.0], 0).pvalue
    rows = int(0.05 / p / 2)
    line = BASELINES | {"untrained": {"0": 20.0, "1": 36.0, "2": 28.0}}
    for others, verdict in ((rows - 1, "raw pixels"), (rows, "neither")):
        arms = {0.1 + n / 1000: clear if n == 0 else noisy for n in range(1 + others)}
        found = learning(load(sweep(tmp_path / str(others), arms, **line)))
        assert (len(found), found[0].verdict) == (1 + others, verdict)


def test_an_interval_of_percentages_stays_within_them(tmp_path: Path) -> None:
    finals = {0.1: {0: ("complete", 99.0), 1: ("complete", 99.8)}}
    row, *_ = learning(load(sweep(tmp_path, finals, **BASELINES | {"seeds": [0, 1]})))
    assert str(row.score) == "99.4 (94.3 to 100.0)"
    assert str(interval([99.0, 99.8])) == "99.4 ± 5.1"


def test_the_table_ends_with_the_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path, FINALS, **BASELINES)
    table = learning_markdown(load(folder)).splitlines()
    assert table[0].startswith(
        "| arm | seeds | kNN top-1 (%) ± 95% interval | over untrained ± 95% interval |"
    )
    assert table[2].startswith(
        "| 0.1 | 3 | 51.0 ± 2.5 | 23.0 ± 2.5 | 13.0 ± 2.5 | raw pixels and untrained |"
    )
    assert table[-2].startswith("| untrained encoder | 3 | 28.0 ± 2.5 |")
    assert table[-1].startswith("| raw pixels |  | 38.0 |")
    assert main(["learning", str(folder)]) == 0
    assert capsys.readouterr().out == f"sweep\n\n{learning_markdown(load(folder))}\n\n"


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


def test_a_seed_without_an_untrained_encoder_is_named(tmp_path: Path) -> None:
    grown = BASELINES | {"untrained": {"0": 27.0}}
    with pytest.raises(ValueError, match=r"no score of the untrained encoder on seeds \[1, 2\]; run those"):
        learning(load(sweep(tmp_path, FINALS, **grown)))
