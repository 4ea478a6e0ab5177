"""Eight steps of the papers' own training, replayed through ours: batch norm, schedules and order of updates."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trajectory import TOLERANCE, main, read, replay

FIXTURES = Path(__file__).parents[1] / "fixtures" / "trajectories"
FILES = sorted(FIXTURES.glob("*.npz"))
QUANTITIES = {
    "cacr_four_positives": {"losses", "rate", "weights"},
    "mmcl_inverse_drops": {"losses", "rate", "bandwidth", "weights"},
    "ressl_queue": {"losses", "rate", "weights", "target", "queue"},
    "sce_asymmetric": {"losses", "rate", "momentum", "weights", "target", "queue"},
    "sce_symmetric_crops_lars": {"losses", "rate", "momentum", "weights", "target", "queue"},
    "sce_target_split": {"losses", "rate", "momentum", "weights", "target", "queue"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem.removeprefix("trajectory_"))
def test_a_trajectory_is_that_of_the_papers_code(path: Path) -> None:
    found = replay(read(path)).differences()
    assert set(found) == QUANTITIES[path.stem.removeprefix("trajectory_")]
    assert max(found.values()) < 1e-12


def test_no_shipped_trajectory_is_left_out() -> None:
    assert {path.stem.removeprefix("trajectory_") for path in FILES} == set(QUANTITIES)


def changed(path: Path, **arrays: Any) -> Path:
    """A copy of the asymmetric trajectory with some arrays replaced, or dropped where they are None."""
    whole = read(FIXTURES / "trajectory_sce_asymmetric.npz") | arrays
    np.savez(path, **{name: array for name, array in whole.items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("loss/3", "losses"),
        ("lr/0", "rate"),
        ("momentum/7", "momentum"),
        ("final/online/projector.3.bias", "weights"),
        ("final/target/encoder.1.running_var", "target"),
        ("final/queue", "queue"),
    ],
)
@pytest.mark.parametrize("by", [3 * TOLERANCE, float("nan")])
def test_what_is_apart_is_named_and_ends_with_1(
    name: str, quantity: str, by: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = read(FIXTURES / "trajectory_sce_asymmetric.npz")[name]
    moved = np.array(recorded)
    moved.flat[np.abs(moved).argmax()] += by * max(1.0, float(np.abs(moved).max()))
    found = replay(read(changed(tmp_path / "moved.npz", **{name: moved}))).differences()
    assert {quantity} == {some for some, difference in found.items() if not difference <= TOLERANCE}
    assert main([FILES[0], tmp_path / "moved.npz"]) == 1
    agreeing, apart = capsys.readouterr().out.splitlines()
    assert agreeing.startswith(f"{FILES[0].name}: losses ")
    assert not agreeing.endswith("APART")
    assert apart.startswith("moved.npz: losses ")
    assert apart.endswith("APART")


def test_how_many_batches_a_norm_has_seen_is_no_part_of_a_trajectory(tmp_path: Path) -> None:
    counts = {f"{at}/online/encoder.1.num_batches_tracked": np.array(17) for at in ("initial", "final")}
    assert main([changed(tmp_path / "counted.npz", **counts)]) == 0


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"trial": None}, "it lacks 'trial'"),
        ({f"loss/{step}": None for step in range(8)}, "it lacks 'loss/0'"),
        ({"trial": np.array("{")}, "Expecting"),
        ({"trial": np.array(json.dumps({"method": {"name": "sce"}}))}, "encoder"),
        ({"views/0/0": None}, "0"),
        ({"initial/queue": None}, "it lacks 'initial/queue'"),
        ({"initial/online/encoder.0.weight": None}, r"online network and the file's differ in \['encoder.0.weight"),
        ({"final/queue": np.zeros((3, 16))}, r"queue is \(64, 16\), in the file \(3, 16\)"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_trajectory_ends_with_2_and_the_others_are_replayed(
    arrays: dict[str, Any], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([changed(tmp_path / "broken.npz", **arrays), FILES[0]]) == 2
    told = capsys.readouterr()
    assert told.out.startswith(FILES[0].name)
    assert "broken.npz: no trajectory that can be replayed: " in told.err
    assert re.search(reason, told.err)


@pytest.mark.parametrize("content", [None, b"", b"not an archive"])
def test_a_file_that_cannot_be_read_ends_with_2(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.npz"
    if content is not None:
        path.write_bytes(content)
    assert main([path]) == 2
    assert str(path) in capsys.readouterr().err
