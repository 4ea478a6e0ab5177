"""What is refused before anything is started, and what is printed without starting anything."""

import dataclasses
import itertools
import json
import re
import shlex
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from contrastive.config import arm, from_dict, identity, to_json, value_at
from contrastive.methods import METHODS
from contrastive.views import Views
from search_spaces import SPACES
from sweeps import store
from sweeps.cli import flagged, running
from sweeps.cli.main import COMMANDS
from sweeps.cli.main import main as sweeps
from sweeps.cli.manual import EXAMPLES, OF_RUN
from sweeps.engine.runs import IssuedRun
from sweeps.planning import plan as plans
from sweeps.planning.estimate import Pace, duration
from sweeps.planning.plan import Plan
from sweeps.planning.texts import parse_seeds
from sweeps.run import main
from sweeps.sessions.spaces import parse_assignment
from tests.fixtures.tiny_space import TINY as TINY_SPACE

TINY_FILE = Path(__file__).parents[2] / "fixtures" / "tiny_space.py"
FLAGS = {
    # what to run
    "--space", "--data", "--method-preset", "--set", "--epochs", "--smoke",
    # how to search
    "--design", "--arms", "--seeds", "--objectives", "--stopper", "--sampler-seed", "--confirm", "--confirm-seeds",
    "--budget",
    # where
    "--workers-per-run", "--gpus-per-worker", "--address", "--store", "--cache", "--keep", "--disk", "--no-reuse",
    "--reuse-other-code", "--webhook",
    # to go on
    "--resume", "--retry-failed", "--fail-fast",
    # to look
    "--list", "--show", "--dry-run", "--kind", "--status", "--tail", "--stop", "--export", "--out", "--sql", "--json",
    "--help",
}  # fmt: skip
FORMER = {"--trials", "--workers-per-trial"}
SCE = ["--space", "sce_temperatures"]
TINY = ["--space", f"{TINY_FILE}:TINY"]
BIG = ["--set", "method.queue=4096", "--set", "data.train=4096"]


def test_the_flags_are_these_and_no_others() -> None:
    commands = [running.run, *(command for command, _ in flagged.RUN.values())]
    options = {flag for command in commands for one in command.params for flag in one.opts if flag[0] == "-"}
    assert options | flagged.RUN.keys() | {"--help"} == FLAGS | FORMER


REFUSED = {
    "unknown space": (
        ["--space", "sce_temperature"],
        "no space 'sce_temperature'. Did you mean sce_temperatures",
    ),
    "no space": ([], "name a space with --space"),
    "unknown method": (
        [*SCE, "--method-preset", "scee:cifar10"],
        "no preset 'scee:cifar10'. Did you mean sce:cifar10",
    ),
    "a recipe of another method than the space's": (
        ["--space", "simclr_temperature", "--method-preset", "sce:cifar10"],
        "simclr_temperature varies method.temperature around method simclr, and method would be sce: take",
    ),
    "another method than the space's": (
        ["--space", "simclr_temperature", "--set", "method.name=sce"],
        "varies method.temperature around method simclr, and method would be sce: take a recipe of simclr",
    ),
    "unknown data": ([*SCE, "--data", "cifar"], "no data set 'cifar'. Did you mean 'cifar10'"),
    "unknown field": (
        [*SCE, "--set", "method.temprature=1"],
        "has no field 'temprature'. Did you mean temperature",
    ),
    "the end of two paths": (
        [*SCE, "--set", "momentum=0.5"],
        "--set momentum: there is method.momentum, optimiser.momentum; write which one you mean",
    ),
    "no assignment": ([*SCE, "--set", "epochs"], "write it as PATH=VALUE"),
    "illegal value": (
        [*SCE, "--set", "method.coefficient=2"],
        "method.coefficient = 2: .*less than or equal to 1",
    ),
    "illegal word": ([*SCE, "--set", "batch=many"], "batch = 'many': .*integer"),
    "target too warm": (
        [*SCE, "--set", "method.target_temperature=0.5"],
        "target_temperature = 0.5, .*= 0.1",
    ),
    "missing folder": ([*SCE, "--data", "folder:/no/such/place"], "/no/such/place"),
    "unknown design": ([*SCE, "--design", "gird"], "no design 'gird'. Did you mean grid"),
    "unknown stopper": ([*SCE, "--stopper", "asah"], "no stopper 'asah'. Did you mean asha"),
    "unknown sweep": (["--resume", "nothing"], "no sweep 'nothing'"),
    "unknown sweep to rerun": (["--design", "rerun:nothing"], "no sweep 'nothing'"),
    "words for seeds": ([*SCE, "--seeds", "some"], "--seeds some: give how many"),
    "no seed": ([*SCE, "--seeds", "0"], "no seed at all"),
    "no configuration": ([*SCE, "--arms", "0"], "--arms 0: .*greater than or equal to 1"),
    "no worker": ([*SCE, "--workers-per-run", "0"], "--workers-per-run 0: .*greater than or equal to 1"),
    "less than no GPU": (
        [*SCE, "--gpus-per-worker", "-1"],
        "--gpus-per-worker -1.0: .*greater than or equal",
    ),
    "a negative seed of the search": ([*SCE, "--sampler-seed", "-1"], "--sampler-seed -1: .*greater than"),
    "a grid larger than the configurations": (
        [*SCE, "--design", "grid", "--arms", "2"],
        "smallest grid .* --arms",
    ),
    "not a number": ([*SCE, "--set", "optimiser.lr=NaN"], "lr = 'NaN': .*finite number"),
    "a seed for all runs": ([*SCE, "--set", "seed=5"], "are given with --seeds"),
    "too many neighbours": ([*TINY, "--set", "evaluation.neighbours=999"], "k=999 given; needs 1 to 128"),
    "folder without a path": ([*SCE, "--data", "folder"], "lacks the path of the folder"),
    "no variable": (["--space", str(TINY_FILE)], "has no space ''. There is: TINY, DIVERGING"),
    "no epoch": ([*SCE, "--epochs", "0"], "epochs = 0: .*greater than or equal to 1"),
    "too many workers": (
        [*TINY, "--workers-per-run", "4096", "--set", "batch=4096", *BIG],
        "needs 4096 CPUs and this machine has",
    ),
    "no such GPU": ([*TINY, "--gpus-per-worker", "64"], "needs 64 GPUs and this machine has"),
    "a share of a GPU each": (
        [*TINY, "--gpus-per-worker", "0.5", "--workers-per-run", "2"],
        "several workers cannot share one GPU",
    ),
    "no such file": (["--space", "nowhere.py:SPACE"], "there is no file .*/nowhere.py"),
    "no such variable": (["--space", f"{TINY_FILE}:TYNI"], "has no space 'TYNI'. Did you mean TINY"),
    "two looks at once": (["--status", "x", "--tail", "x"], "--status, --tail: one at a time"),
    "a status of a space": (
        ["--status", "x", *SCE, "--gpus-per-worker", "1"],
        "--status trains nothing; leave out --gpus-per-worker, --space",
    ),
    "a list of a dry run": (["--list", "--dry-run"], "--list .* leave out --dry-run"),
    "an export to nowhere": (["--export", "x"], "name a folder for them with --out"),
    "a place without an export": ([*SCE, "--out", "x"], "--out means nothing without --export"),
    "a retry of nothing": ([*SCE, "--retry-failed"], "--retry-failed means nothing without --resume"),
    "seeds to confirm nothing": (
        [*SCE, "--confirm-seeds", "5"],
        "--confirm-seeds means nothing without --confirm or --resume",
    ),
    "a webhook that is no address": (
        [*SCE, "--webhook", "me"],
        "--webhook me: give an address that takes a POST",
    ),
    "unknown to show": (["--show", "sce_temperature"], "no space or method .* Did you mean sce_temperatures"),
    "no file to show": (["--show", "nowhere.py:SPACE"], "there is no file .*/nowhere.py"),
    "a batch that does not divide": ([*TINY, "--workers-per-run", "3"], "does not divide the batch of 16"),
    "more images a batch than there are": (
        [*TINY, "--set", "batch=256", "--set", "method.queue=256"],
        "batch = 256, but there are 128 training images",
    ),
    "no cluster": ([*TINY, "--address", "127.0.0.1:1"], "cannot join the Ray cluster at 127.0.0.1:1"),
}


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run does not spend seconds on a measurement."""
    monkeypatch.setattr("sweeps.planning.estimate.measured", lambda *_: Pace(2.5, "said by the test"))


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("Ray was started")

    monkeypatch.setattr("ray.init", start)


@pytest.mark.parametrize(("arguments", "expected"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("no_ray")
def test_bad_input_is_refused_in_one_sentence_before_anything_is_made(
    arguments: list[str], expected: str, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    assert main([*arguments, "--store", str(results), "--cache", str(cache)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(expected, err), err
    assert err.startswith("sweeps: ")
    assert err.count("\n") == 1
    assert not results.exists()


def test_a_folder_of_other_files_is_no_store(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    assert main([*TINY, "--store", str(tmp_path), "--cache", str(cache)]) == 2
    assert "holds other files and is no result store" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_full_disk_is_refused(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    assert main([*TINY, "--store", str(tmp_path / "results"), "--cache", str(cache)]) == 2
    assert "has 1 MB of free space" in capsys.readouterr().err
    assert not list((tmp_path / "results").glob("sweeps/*"))


def test_a_store_that_cannot_be_written_is_refused(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([*TINY, "--store", str(tmp_path / "file" / "results"), "--cache", str(cache)]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("import no_such_module", "fails with ModuleNotFoundError: No module named 'no_such_module'"),
        ("def (", "fails with SyntaxError: "),
        (
            "from search_spaces.domains import Choice\n"
            "D = {'a': Choice((1,), source='x'), 'b': 2, 'a': Choice((2,), source='x')}",
            "space.py, line 2: 'a' stands 2 times in one dict, of which Python keeps the last",
        ),
        ("S = 3", "has no space 'S'.* There is none"),
        (
            "from search_spaces.domains import LogUniform\nS = LogUniform(1.0, 0.1, source='x')",
            "ValueError: a range runs from low to high",
        ),
        (
            "from search_spaces.domains import Choice\nfrom search_spaces.space import Space\n"
            "from contrastive.config import Config\n"
            "S = Space(name='s', question='?', base=Config(), domains={'method.x': Choice((1,), source='x')})",
            "has no field 'x'",
        ),
    ],
)
def test_a_space_file_that_does_not_work_is_refused_in_one_sentence(
    content: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.py").write_text(content)
    assert main(["--space", f"{tmp_path / 'space.py'}:S", "--dry-run"]) == 2
    err = capsys.readouterr().err
    assert re.search(expected, err), err
    assert err.count("\n") == 1
    assert "pydantic" not in err
    assert "ArgsKwargs" not in err


def test_a_space_file_may_hold_what_any_module_may(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "from __future__ import annotations",
        "from dataclasses import dataclass",
        "from typing import ClassVar",
        "@dataclass",
        "class Mine:",
        "    x: ClassVar[int] = 1",
        "from dataclasses import replace",
        "from tests.fixtures.tiny_space import TINY",
        "S = replace(TINY, name='mine')",
    ]
    (tmp_path / "space.py").write_text("\n".join(lines))
    assert main(["--space", f"{tmp_path / 'space.py'}:S", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("mine: ")


@pytest.mark.usefixtures("no_ray")
def test_an_interruption_before_the_start_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sweeps.engine.lifecycle.load", interrupt)
    assert main([*TINY, "--store", str(tmp_path / "results"), "--cache", str(tmp_path)]) == 130
    assert "interrupted before anything was started" in capsys.readouterr().err


def test_a_flag_that_does_not_exist_ends_with_the_same_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SCE, "--nonsense"]) == 2
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> Plan:
    assert main([*arguments, "--dry-run", "--json"]) == 0
    return plans.from_dict(json.loads(capsys.readouterr().out)["plan"])


@pytest.mark.parametrize(
    ("typed", "path", "value"),
    [
        (["temperature=0.2"], "method.temperature", 0.2),
        (["optimizer.lr=1"], "optimiser.lr", 1.0),
        (["encoder.name=timm", "encoder.model=resnet18"], "encoder.model", "resnet18"),
        (["encoder.depth=18", "encoder=resnet"], "encoder.depth", 18),
        (["optimiser.name=lars"], "optimiser.lr", 0.3),
    ],
)
def test_what_is_set_is_found_as_it_is_typed(
    typed: list[str], path: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [word for assignment in typed for word in ("--set", assignment)]
    assert value_at(planned(capsys, *SCE, *flags).space.base, path) == value


def test_flags_that_are_legal_only_together_are_legal(capsys: pytest.CaptureFixture[str]) -> None:
    short = planned(capsys, *SCE, "--epochs", "1", "--set", "optimiser.warmup_epochs=0")
    assert (short.epochs, short.space.base.optimiser.warmup_epochs) == (1, 0)
    recipe = ["--method-preset", "sce:cifar10", "--epochs", "5"]
    assert planned(capsys, *SCE, *recipe, "--set", "optimiser.warmup_epochs=1").epochs == 5


@pytest.mark.parametrize("design", ["tpe", "random", "grid"])
def test_one_configuration_of_any_design_is_the_default(
    design: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(capsys, *SCE, "--design", design, "--arms", "1", "--seeds", "1-5")
    assert (plans.fixed_arms(plan), plan.runs) == ([plan.space.default()], 5)


@pytest.fixture
def rerun(tmp_path: Path) -> list[str]:
    """A sweep of which the default and two other arms are complete, and one is not, to be run again."""
    plan = plans.checked(space=TINY_SPACE, arms=4)
    results = store.open_store(tmp_path / "results")
    directory = results / "sweeps" / "before"
    default = arm(TINY_SPACE.base, "images")
    paths = {"space": {"domains": {path: {} for path in TINY_SPACE.domains}}}
    store.write_manifest(
        directory, {"id": "before", "plan": plans.to_dict(plan), "default_arm": default, **paths}
    )
    with store.Writer(directory, "driver") as writer:
        for number, (temperature, state) in enumerate(
            [(0.1, "complete"), (0.2, "complete"), (0.3, "complete"), (0.4, "stopped")]
        ):
            config = plan.run({"method.temperature": temperature}, 0)
            run = IssuedRun(number, identity(config, "images"), arm(config, "images"), 0, config)
            writer.report(run.identity, 0, plan.epochs, {"knn_top1": 40.0 + number})
            writer.run(**run.row(), state=state, epochs=plan.epochs)
    return ["--design", "rerun:before", "--store", str(results)]


@pytest.mark.parametrize(
    ("arms", "expected"),
    [([], [0.1, 0.3]), (["--arms", "9"], [0.1, 0.3, 0.2]), (["--arms", "1"], [0.1])],
)
def test_a_rerun_takes_the_default_and_the_best_arms_that_are_complete(
    arms: list[str], expected: list[float], rerun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(capsys, *rerun, *arms)
    assert [values["method.temperature"] for values in plans.fixed_arms(plan)] == expected
    assert plan.arms == len(expected)


@pytest.mark.parametrize("arms", ["0", "-1"])
def test_a_rerun_of_no_trial_is_refused(
    arms: str, rerun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*rerun, "--arms", arms, "--dry-run"]) == 2
    assert f"--arms {arms}: " in capsys.readouterr().err


def test_the_dry_run_says_what_it_would_cost_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    results = tmp_path / "results"
    assert main([*TINY, "--arms", "8", "--seeds", "2", "--dry-run", "--store", str(results)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "8 arms (tpe) x 2 seeds (0, 1), 8 epochs each" in lines
    costs = [line for line in lines if line.startswith("128 epochs if no run is stopped, about ")]
    assert len(costs) == 1
    expected = int(costs[0].split("about ")[1].split()[0])
    assert 16 < expected < 128
    # At 2.5 seconds an epoch, four at once.
    assert lines[-1] == (
        f"about {duration(expected * 2.5 / 4)}, at most 1 min 20 s, 4 at once on this machine: "
        "2.5 s an epoch (said by the test)"
    )
    assert not results.exists()


def test_the_dry_run_says_how_many_runs_go_on_at_each_rung(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*TINY, "--arms", "9", "--stopper", "asha:reduction=3,grace=2", "--dry-run"]
    assert main(arguments) == 0
    rungs = [line for line in capsys.readouterr().out.splitlines() if "runs go on" in line]
    assert rungs == ["  epoch    2: about 3 of 9 runs go on", "  epoch    6: about 1 of 9 runs go on"]


def test_the_dry_run_says_what_is_run_again_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        *TINY,
        "--arms",
        "8",
        "--seeds",
        "2",
        "--confirm",
        "3",
        "--confirm-seeds",
        "4",
        "--dry-run",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "then the best 3 and the default on fresh seeds (2, 3, 4, 5), to their end" in said
    assert (
        "  3 arms on 4 seeds find a true gain of 2.1 seed deviations in 25% of sweeps, 8 seeds in 82%" in said
    )


def test_the_dry_run_says_why_it_does_not_know_the_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sweeps.planning.estimate.measured", lambda *_: Pace(None, "it cannot be measured: no images")
    )
    assert main([*TINY, "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith(
        "how long that takes is not known: it cannot be measured: no images\n"
    )


def test_the_dry_run_is_json_with_rungs_epochs_and_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert main([*TINY, "--arms", "8", "--stopper", "asha:reduction=2,grace=4", "--dry-run", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["rungs"] == [[4, 4.0]]
    assert content["epochs_full"] == 64
    assert 48 <= content["epochs_expected"] <= 56  # half of the runs are meant to go on from epoch 4 to 8
    assert (content["parallel"], content["seconds_per_epoch"]) == (4, 2.5)
    assert content["seconds_expected"] == content["epochs_expected"] * 2.5 / 4
    assert content["seconds_per_epoch_from"] == "said by the test"


def test_the_dry_run_as_json_holds_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--set", "method.temperature=0.2", "--epochs", "5", "--dry-run", "--json"]) == 0
    plan = plans.from_dict(json.loads(capsys.readouterr().out)["plan"])
    assert value_at(plan.space.base, "method.temperature") == 0.2
    assert list(plan.space.domains) == ["method.target_temperature"]
    assert plan.epochs == 5


def test_everything_with_a_name_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert main(["--list", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {"sce", "simclr"} <= set(content["methods"])
    assert {"shapes", "fashion_mnist", "cifar10", "folder"} <= set(content["data"])
    assert all(name in out and text for entries in content.values() for name, text in entries.items())


def test_listing_does_not_start_ray(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--list"])
    ray = sys.modules.get("ray")
    assert ray is None or not ray.is_initialized()


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("4,5", (4, 5)), ("7,", (7,)), ("1-3", (1, 2, 3)), ("5,5", (5,))]
)
def test_seeds_are_a_count_a_list_or_a_range(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "value"), [("a=1", 1), ("a=1e-3", 1e-3), ("a=weak", "weak"), ("a=[1, 2]", [1, 2]), ("a=", "")]
)
def test_values_are_json_where_they_can_be(text: str, value: object) -> None:
    assert parse_assignment(text) == ("a", value)


def test_a_preset_brings_its_method_and_leaves_the_rest_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*SCE, "--method-preset", "sce:cifar10", "--set", "epochs=7", "--dry-run", "--json"]
    assert main(arguments) == 0
    base = plans.from_dict(json.loads(capsys.readouterr().out)["plan"]).space.base
    assert value_at(base, "method.queue") == 4096
    assert value_at(base, "encoder.name") == "resnet"
    assert base.epochs == 7


def test_the_place_of_the_images_is_made_absolute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SCE, "--data", "folder:photos", "--dry-run", "--json"]) == 0
    base = plans.from_dict(json.loads(capsys.readouterr().out)["plan"]).space.base
    assert value_at(base, "data.root") == str(tmp_path / "photos")


def test_a_method_is_shown_with_its_fields_and_its_recipes_with_their_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for method in METHODS:
        name = method().name
        assert main(["--show", name]) == 0
        out = capsys.readouterr().out
        assert main(["--show", name, "--json"]) == 0
        content = json.loads(capsys.readouterr().out)
        assert set(content["fields"]) == {f.name for f in dataclasses.fields(method)} - {"name"}
        for preset, described in content["presets"].items():
            assert f"{name}:{preset}" in out
            assert described["source"] in out


def test_an_unknown_method_is_refused_with_the_closest_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", "simclear"]) == 2
    assert "there is no space or method 'simclear'. Did you mean simclr" in capsys.readouterr().err


@pytest.mark.parametrize("name", SPACES)
def test_a_space_is_shown_with_its_question_ranges_sources_and_an_arm(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    space = SPACES[name]
    assert main(["--show", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: {space.question}\n")
    shown = [*space.alternatives, *space.first, *(() if space.alternatives else space.domains.values())]
    assert all(part.source in out for part in shown)
    assert all(constraint.reason in out for constraint in space.constraints)
    assert all(f"only where {when.path} is" in out for when in space.conditions.values())
    drawn = re.search(r"an arm drawn at random: (.*)", out)
    assert drawn is not None
    arm = json.loads(drawn[1])
    assert space.allows(space.config(arm))
    assert arm != space.default()
    assert main(["--show", name, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert from_dict(content["sample"]) == space.config(arm)
    assert (content["question"], content["default"]) == (space.question, to_json(space.default()))
    assert from_dict(content["base"]) == space.base


def test_a_space_says_how_many_arms_a_grid_of_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", f"{TINY_FILE}:TINY"]) == 0
    ranges = len(TINY_SPACE.domains)
    counted = {
        points: sum(
            TINY_SPACE.allows(TINY_SPACE.config(dict(zip(TINY_SPACE.domains, arm, strict=True))))
            for arm in itertools.product(*(d.points(points) for d in TINY_SPACE.domains.values()))
        )
        for points in (2, 3, 4, 5)
    }
    assert ranges == 2
    sizes = ", ".join(f"{points}: {arms}" for points, arms in counted.items())
    assert f"arms of a grid, by values a range: {sizes}" in capsys.readouterr().out


def test_a_large_grid_is_not_counted_to_its_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.sessions.describe.MAX_GRID", 5)
    assert main(["--show", f"{TINY_FILE}:TINY"]) == 0
    assert re.search(r"by values a range: 2: \d(, 3: \d)?, \d: over 5\n", capsys.readouterr().out)


def test_a_listed_space_is_shown_with_as_many_arms_as_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", "sce_ablation"]) == 0
    assert f"{len(SPACES['sce_ablation'].alternatives) + 1} arms, with the base" in capsys.readouterr().out


def test_the_manual_has_examples_what_comes_out_exit_codes_and_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for part in ("what to run:", "how to search:", "where to run", "to go on:", "to look", "examples",
                 "what comes out", "how to go on", "exit codes"):  # fmt: skip
        assert part in out
    assert max(map(len, out.splitlines())) <= 120


def test_every_example_of_the_manual_is_legal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    examples = re.findall(r"^  sweeps (.*?)(?:  |$)", f"{EXAMPLES}\n{OF_RUN}", re.MULTILINE)
    assert len(examples) > 20
    for example in examples:
        name, *words = shlex.split(example)
        with COMMANDS[name].make_context(name, [*words]):
            pass
        if name == "run" and words[0] in SPACES:
            words = [word for word in words if word != "--dry-run"]
            assert sweeps(["run", *words, "--dry-run", "--store", str(tmp_path / "results")]) == 0, example


def test_an_abbreviated_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SCE, "--arm", "3", "--dry-run"]) == 2
    assert "unrecognized arguments: --arm" in capsys.readouterr().err


def test_a_listed_space_is_planned_without_stopping_and_shown_by_its_alternatives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--space", "sce_ablation", "--seeds", "2", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "no queue: method.queue = 0  (ours: the batch's own keys)" in out
    assert "9 arms (leave_one_out) x 2 seeds" in out
    assert "go on" not in out  # no rungs


def test_figures_that_others_have_reported_are_shown_with_their_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--space", "sce_coefficient", "--dry-run"]) == 0
    assert (
        "reported: method.coefficient = 0.5: 82.94, linear top-1 (%) on ImageNet-100"
        in capsys.readouterr().out
    )


def test_a_preset_is_the_published_recipe_whatever_the_space_starts_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tuned = ["--set", "method.penalty=0.5"]  # the laptop's MMCL is symmetric, its crops are larger
    assert (
        main(["--space", "mmcl_margin", *tuned, "--method-preset", "mmcl:cifar100", "--dry-run", "--json"])
        == 0
    )
    base = plans.from_dict(json.loads(capsys.readouterr().out)["plan"]).space.base
    assert value_at(base, "method.symmetric") is False
    assert value_at(base, "views.strong.crop_scale") == [0.08, 1.0]
    assert value_at(base, "views.weak") == to_json(Views())["weak"]
