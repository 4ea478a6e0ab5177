import json
from pathlib import Path

import pytest
import torch

from contrastive import train
from contrastive.__main__ import main
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, replace
from contrastive.data import Dataset
from contrastive.evaluate.offline import after_training

QUICK = ["--protocol", "linear", "knn", "--set", "linear.epochs=2", "--set", "milestones=[1]"]


@pytest.fixture(scope="module")
def run(config: Config, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    train(config, lambda *_: None, dataset=dataset, directory=directory)
    return directory / "checkpoint.pt"


@pytest.fixture
def evaluate(run: Path, cache: Path, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str, path: Path = run) -> str:
        code = main(["evaluate", str(path), "--cache", str(cache), *arguments])
        out, error = capsys.readouterr()
        assert (code == 0) == (error == "")
        return out if code == 0 else f"{code} {error}"

    return call


def test_it_measures_what_a_configuration_would_have(
    evaluate, run: Path, config: Config, dataset: Dataset
) -> None:
    told = json.loads(evaluate(*QUICK, "--split", "test", "--json"))
    after = [{"name": "linear", "epochs": 2, "milestones": [1]}, {"name": "knn"}]
    asked = replace(config, {"evaluation.after": after, "evaluation.split": "test"})
    network = load_encoder(run, device=torch.device("cpu"))
    assert told["metrics"] == after_training(network, asked, dataset, device=torch.device("cpu"))
    assert told["split"] == "test"
    assert told["protocols"][1]["temperature"] == 0.1


def test_without_json_a_line_a_metric_is_printed(evaluate) -> None:
    names = [line.split()[0] for line in evaluate(*QUICK).splitlines()]
    assert names == ["linear_top1", "linear_top5", "knn20_top1", "knn20_top5"]


def test_an_export_measures_the_same(evaluate, run: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "encoder.safetensors"
    assert main(["export", str(run), str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert evaluate(*QUICK, path=out) == evaluate(*QUICK)


def test_a_field_is_set_for_all_or_for_one(evaluate) -> None:
    asked = ["--protocol", "finetune:1pct", "finetune:10pct", "knn", "--set", "draws=1", "--set", "epochs=1"]
    asked += ["--set", "finetune.milestones=[]", "--set", "knn.neighbours=[1,3]", "--json"]
    told = json.loads(evaluate(*asked))
    assert [p.get("draws") for p in told["protocols"]] == [1, 1, None]
    assert [p.get("head_lr") for p in told["protocols"]] == [5.0, 0.2, None]
    assert told["protocols"][2]["neighbours"] == [1, 3]
    assert {"finetune_1pct_top1", "finetune_10pct_top5", "knn1_top1", "knn3_top1"} <= set(told["metrics"])


def test_other_data_are_a_transfer(evaluate, cache: Path) -> None:
    told = json.loads(evaluate("--protocol", "knn", "--data", "shapes", "--json"))
    assert set(told["metrics"]) == {"transfer_shapes_knn20_top1", "transfer_shapes_knn20_top5"}
    assert told["protocols"][0]["data"]["train"] == 4096


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "liner"], "there is no protocol 'liner'. Did you mean linear"),
        (["--protocol", "linear:mocco"], "linear has no preset 'mocco'. Did you mean moco"),
        (
            ["--set", "linear.rate=1"],
            "--set linear.rate=1: give [PROTOCOL.]FIELD=VALUE. Did you mean linear.",
        ),
        (["--set", "lr"], "--set lr: give"),
        (["--set", "linear.lr=fast"], "linear.lr = 'fast': wants a number"),
        (["--protocol", "knn", "--set", "neighbours=[97]"], "knn.neighbours: k=97 given; needs 1 to 96"),
        (["--protocol", "knn", "knn"], "two protocols report knn20"),
        (["--split", "train"], "evaluation.split = 'train': wants one of 'validation' or 'test'"),
        (["--data", "cifar"], "There is no data set 'cifar'"),
        (["--root", "elsewhere"], "has no field 'root'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(evaluate, arguments, message: str) -> None:
    refusal = evaluate(*arguments)
    assert refusal.startswith("2 contrastive: ")
    assert message in refusal


def test_what_is_no_checkpoint_is_refused(evaluate, tmp_path: Path) -> None:
    assert evaluate(path=tmp_path / "none.pt").startswith("2 contrastive: there is no file")


def test_an_unknown_set_cannot_be_downloaded(tmp_path: Path, capsys) -> None:
    assert main(["download", "cifar11", "--root", str(tmp_path)]) == 2
    assert "There is no data set 'cifar11'" in capsys.readouterr().err


def test_a_download_goes_where_it_is_told(tmp_path: Path, monkeypatch) -> None:
    asked: list[tuple[str, Path]] = []
    monkeypatch.setattr("contrastive.command.fetch", lambda name, root: asked.append((name, root)))
    assert main(["download", "cifar10", "--root", str(tmp_path)]) == 0
    assert asked == [("cifar10", tmp_path)]


def test_a_server_that_does_not_answer_is_a_sentence(tmp_path: Path, monkeypatch, capsys) -> None:
    def fails(name: str, root: Path) -> None:
        raise RuntimeError("no answer")

    monkeypatch.setattr("contrastive.command.fetch", fails)
    assert main(["download", "cifar10", "--root", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "contrastive: no answer\n"


def test_the_help_names_protocols_fields_and_presets(capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for words in (
        "linear:moco",
        "finetune:1pct",
        'layer="encoder"',
        "momentum=0.9",
        "not verified",
        "--split NAME",
    ):
        assert words in shown
