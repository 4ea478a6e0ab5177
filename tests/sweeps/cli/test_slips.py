"""What people type, and what they mean by it."""

import doctest
import re
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contrastive import spelling
from contrastive.config import Config, closest
from contrastive.spelling import resolved
from sweeps.planning import plan as plans
from sweeps.planning import slips, texts
from sweeps.planning.designs import DESIGNS
from sweeps.planning.plan import Budget
from sweeps.planning.texts import parse_budget
from sweeps.replay.table import SEARCHERS
from sweeps.run import main
from sweeps.sessions.spaces import preset
from sweeps.stoppers import STOPPERS
from tests.fixtures.tiny_space import TINY


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ({"temperature": 0.1}, {"method.temperature": 0.1}),
        ({"evaluation.temperature": 0.1}, {"evaluation.temperature": 0.1}),
        ({"optimizer.lr": 1.0}, {"optimiser.lr": 1.0}),
        ({"learning-rate": 1.0}, {"optimiser.lr": 1.0}),
        ({"batch-size": 32}, {"batch": 32}),
        ({"strong.solarize": 0.1}, {"views.strong.solarise": 0.1}),
        ({"views.strong.gray": 0.1}, {"views.strong.grey": 0.1}),
        ({"neighbors": 5}, {"evaluation.neighbours": 5}),
        ({"projector.output": 5}, {"method.projector.output": 5}),
        ({"optimizer": "lars", "trust": 0.01}, {"optimiser.name": "lars", "optimiser.trust": 0.01}),
        (
            {"model": "resnet18", "encoder.name": "timm"},
            {"encoder.model": "resnet18", "encoder.name": "timm"},
        ),
        ({"method": "bsim", "inner": "moco"}, {"method.name": "bsim", "method.inner.name": "moco"}),
        ({"nonsense": 1}, {"nonsense": 1}),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_end_of_a_path_and_american_spelling_find_it(
    typed: dict[str, Any], meant: dict[str, Any], backwards: bool
) -> None:
    assert resolved(Config(), {}, dict(reversed(typed.items())) if backwards else typed) == meant


def test_the_fields_of_a_recipe_are_found() -> None:
    assert resolved(Config(), preset("wcl:cifar10"), {"graph_weight": 2.0}) == {"method.graph_weight": 2.0}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            "momentum",
            "--set momentum: there is method.momentum, optimiser.momentum; write which one you mean",
        ),
        ("strong.crop", None),
        ("flip", "there is views.strong.flip, views.weak.flip, "),
    ],
)
def test_a_path_that_may_mean_several_is_refused_with_their_names(typed: str, message: str | None) -> None:
    if message is None:
        assert resolved(Config(), {}, {typed: 1}) == {typed: 1}
        return
    with pytest.raises(ValueError, match=message):
        resolved(Config(), {}, {typed: 1})


@pytest.mark.parametrize("module", [spelling, slips, texts])
def test_examples_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > found.failed == 0


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["--dataset", "cifar10:/x"], "for --dataset write --data cifar10:/x"),
        (["--lr", "0.1"], "for --lr write --set optimiser.lr=0.1"),
        (["--learning-rate=0.1"], "for --learning-rate write --set optimiser.lr=0.1"),
        (["--batch_size", "64"], "for --batch_size write --set batch=64"),
        (["--temperature", "0.2"], "for --temperature write --set method.temperature=0.2"),
        (["--momentum", "0.9"], "write --set method.momentum=0.9 or --set optimiser.momentum=0.9"),
        (["--searcher", "bayes"], "for --searcher write --design bayes"),
        (["--gpus", "1"], "for --gpus write --gpus-per-worker 1"),
        (["--sede", "1"], "for --sede write --seeds"),
        (["--lr", "0.1", "--dataset", "x"], "optimiser.lr=0.1; for --dataset write --data x"),
    ],
)
def test_a_flag_of_another_tool_is_told_as_it_is_here(
    typed: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--space", "sce_temperatures", *typed, "--dry-run"]) == 2
    assert hint in capsys.readouterr().err


def test_a_flag_that_is_like_nothing_is_refused_without_a_hint() -> None:
    assert slips.corrections(["--nonsense"], ["--data"]) == ""


@pytest.mark.parametrize(
    ("text", "hours"),
    [("1h", 1.0), ("90m", 1.5), ("90min", 1.5), ("2.5h", 2.5), ("1h30m", 1.5), ("2d", 48.0), ("3600s", 1.0)],
)
def test_a_budget_may_be_a_duration(text: str, hours: float) -> None:
    assert parse_budget(text) == parse_budget(f"hours={text}") == Budget(hours=hours)
    assert parse_budget(f"epochs=50,{text}") == Budget(hours=hours, epochs=50)


def test_a_budget_of_a_number_alone_says_of_what_it_may_be() -> None:
    with pytest.raises(ValueError, match="--budget 100: 100 of what.* Such as 100h, or .*epochs=100"):
        parse_budget("100")


@pytest.mark.parametrize(
    ("typed", "names", "hint"),
    [
        ("bayes", DESIGNS, "Did you mean tpe or gp?"),
        ("bayes", SEARCHERS, "Did you mean tpe or gp?"),
        ("cma-es", DESIGNS, "Did you mean cmaes?"),
        ("successive_halving", STOPPERS, "Did you mean asha or hyperband?"),
        ("grid_search", DESIGNS, "Did you mean grid?"),
    ],
)
def test_words_of_other_tools_are_understood(typed: str, names: Collection[str], hint: str) -> None:
    assert closest(typed, list(names)).startswith(hint)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--space", "nowhere.py:MINE"],
        ["--space", "sce_temperatures", "--data", "./nowhere"],
        ["--space", "sce_temperatures", "--data", "folder:nowhere"],
        ["--space", "sce_temperatures", "--set", 'data={"name": "folder", "root": "nowhere"}'],
        ["--space", "sce_temperatures", "--set", "data.name=folder", "--set", "data.root=nowhere"],
        ["--status", "x", "--store", "nowhere"],
    ],
)
def test_paths_in_messages_are_absolute(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert str(tmp_path / "nowhere") in capsys.readouterr().err


@pytest.mark.parametrize("values", [{"seeds": "x"}, {"arms": 0}, {"space": {}}, {"colour": 1}])
def test_a_plan_that_is_none_is_refused_in_words_of_ours(values: dict[str, Any]) -> None:
    plan = plans.to_dict(plans.checked(space=TINY, arms=2))
    with pytest.raises(ValueError, match=next(iter(values))) as refusal:
        plans.from_dict(plan | values)
    assert not re.search("pydantic|should|Unexpected|validation error", str(refusal.value))
