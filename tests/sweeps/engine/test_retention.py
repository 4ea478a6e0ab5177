"""Which checkpoints go, in which order, and that nothing goes before the store has what replaces it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contrastive import train
from contrastive.config import Config, replace
from contrastive.data import Dataset
from contrastive.encoder import Head, Strided
from contrastive.methods import SCE, SimCLR
from contrastive.optimiser import LARS, SGD, Adam, AdamW
from sweeps.engine.retention import checkpoint_bytes, checkpoint_sizes, removable, smallest_budget

ARMS = [["best 0", "best 1"], ["second 0", "second 1"], ["third 0", "third 1"], ["default 0", "default 1"]]


def gone(runs: Iterable[str], budget: int | None = None, **groups: Any) -> list[str]:
    """What goes of checkpoints of 10 bytes each."""
    known = {"running": set(), "paused": [], "failed": set(), "complete": [], "default": set(), "keep": 3}
    return removable(dict.fromkeys(runs, 10), budget=budget, **{**known, **groups})


def test_a_stopped_run_loses_its_checkpoint_at_once() -> None:
    assert gone(["training", "stopped"], running={"training"}) == ["stopped"]


def test_complete_arms_beyond_the_best_lose_theirs_and_the_default_never() -> None:
    runs = [run for arm in ARMS for run in arm]
    groups = {"complete": ARMS, "default": set(ARMS[3])}
    assert set(gone(runs, keep=1, **groups)) == {"second 0", "second 1", "third 0", "third 1"}
    assert set(gone(runs, keep=2, **groups)) == {"third 0", "third 1"}
    assert gone(runs, keep=3, **groups) == []


def test_the_best_arm_keeps_its_own_even_where_none_are_to_be_kept() -> None:
    assert gone(["best 0", "second 0"], complete=ARMS[:2], keep=0) == ["second 0"]


def test_without_a_budget_failed_and_paused_runs_keep_theirs() -> None:
    assert gone(["failed", "paused"], failed={"failed"}, paused=["paused"]) == []


def test_under_a_budget_failed_runs_go_first_then_complete_ones_then_paused_ones_the_lowest_first() -> None:
    runs = ["training", "good", "bad", "failed", "best 0", "second 0", "third 0", "default 0"]
    groups = {
        "running": {"training"},
        "paused": ["good", "bad"],
        "failed": {"failed"},
        "complete": [["best 0"], ["second 0"], ["third 0"], ["default 0"]],
        "default": {"default 0"},
    }
    order = ["failed", "third 0", "second 0", "bad", "good"]
    for count in range(len(order) + 1):
        assert gone(runs, budget=80 - 10 * count, **groups) == order[:count]
    assert gone(runs, budget=0, **groups) == order  # what is left is in training, the best or the default


def test_what_goes_anyhow_counts_towards_the_budget() -> None:
    assert gone(["stopped", "failed"], budget=10, failed={"failed"}) == ["stopped"]


NAMES = st.sampled_from("abcdefgh")


@given(
    running=st.sets(NAMES),
    paused=st.lists(NAMES, unique=True),
    failed=st.sets(NAMES),
    complete=st.lists(st.lists(NAMES, min_size=1, max_size=2), max_size=4),
    default=st.sets(NAMES, max_size=2),
    sizes=st.dictionaries(NAMES, st.integers(1, 9)),
    keep=st.integers(0, 4),
    budget=st.none() | st.integers(0, 40),
)
def test_no_run_goes_twice_or_while_it_is_in_training_and_the_budget_is_kept_where_it_can_be(
    sizes: dict[str, int], **groups: Any
) -> None:
    going = removable(sizes, **groups)
    assert len(going) == len(set(going))
    assert set(going) <= sizes.keys() - groups["running"] - groups["default"]
    left = sizes.keys() - set(going)
    best = groups["complete"][0] if groups["complete"] else []
    if groups["budget"] is not None and left - {*groups["running"], *groups["default"], *best}:
        assert sum(sizes[run] for run in left) <= groups["budget"]


def test_checkpoints_are_measured_by_run_half_written_ones_included(tmp_path: Path) -> None:
    for name, size in (("a/checkpoint.pt", 5), ("a/checkpoint.pt.1.partial", 2), ("b/checkpoint.pt", 3)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    assert checkpoint_sizes(tmp_path) == {"a": 7, "b": 3}
    assert checkpoint_sizes(tmp_path / "nothing") == {}


WIDE = {"encoder": {"name": "strided", "width": 32}}


@pytest.mark.parametrize(
    "optimiser",
    [SGD(warmup_epochs=0), SGD(warmup_epochs=0, momentum=0.0), LARS(warmup_epochs=0), Adam(), AdamW()],
    ids=lambda optimiser: f"{optimiser.name} {getattr(optimiser, 'momentum', '')}",
)
def test_the_size_of_a_checkpoint_is_known_before_one_is_written(
    optimiser: Any, config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    wide = replace(config, {**WIDE, "epochs": 1, "optimiser": optimiser, "optimiser.warmup_epochs": 0})
    written = train(wide, lambda *_: None, dataset=dataset, directory=tmp_path).checkpoint
    assert written is not None
    assert checkpoint_bytes(wide) == pytest.approx(written.stat().st_size, rel=0.1)


def test_every_key_of_a_queue_counts() -> None:
    small, large = (Config(method=SCE(queue=queue)) for queue in (4096, 8192))
    assert (
        checkpoint_bytes(large) - checkpoint_bytes(small) == 4096 * large.method.assembly.projector.output * 4
    )


def test_knowing_the_size_leaves_the_random_numbers_as_they_were() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    checkpoint_bytes(Config(encoder=Strided(width=4), method=SimCLR(projector=Head(hidden=(8,), output=4))))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_smallest_budget_holds_what_never_goes() -> None:
    config = Config()
    each = checkpoint_bytes(config)
    # Two in training, each with a newer one being written, the best arm and the default on three seeds.
    assert smallest_budget(config, parallel=2, seeds=3) == each * (4 + 6)
