"""Folders of a few tiny or odd images: trained on and judged without a question about numbers nobody gave."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from contrastive import Config, train
from contrastive.__main__ import main
from contrastive.config import replace, to_json
from contrastive.data import Folder
from contrastive.distributed import World
from contrastive.evaluate.collapse import effective_rank
from contrastive.evaluate.features import embed
from contrastive.evaluate.offline import check_evaluation
from contrastive.evaluate.online import evaluate
from contrastive.fitting import for_epochs, with_batch
from contrastive.optimiser import LARS, SGD
from search_spaces import SPACES
from search_spaces.domains import Choice, Domain, Integer
from search_spaces.fitting import fitted, given_way
from search_spaces.space import Space
from sweeps.sessions.spaces import preset

CPU = torch.device("cpu")
EVERYTHING = [
    {"name": "linear", "epochs": 2, "milestones": []},
    {"name": "linear", "layer": "projector", "augment": True, "epochs": 1, "milestones": []},
    {"name": "finetune", "epochs": 2, "milestones": []},
    {"name": "finetune", "fraction": 0.01, "epochs": 1, "milestones": []},
    {"name": "knn"},
    {"name": "knn", "layer": "projector", "neighbours": [200]},
    {"name": "collapse"},
]


def coloured(
    root: Path, classes: int = 3, count: int = 10, size: tuple[int, int] = (20, 17), mode: str = "RGB"
) -> Path:
    """Noise whose colour tells the class."""
    random = np.random.default_rng(0)
    for label in range(classes):
        (root / f"class {label}").mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(0, 60, (*reversed(size), 3), np.uint8)
            pixels[..., label % 3] += np.uint8(120)
            Image.fromarray(pixels).convert(mode).save(root / f"class {label}" / f"{i}.png")
    return root


def folder(root: Path, **fields: Any) -> Folder:
    return Folder(root=str(root), size=16, workers=0, **fields)


def of(config: Config, data: Folder, **changes: Any) -> Config:
    return replace(config, {"data": to_json(data), **changes})


@pytest.mark.parametrize(
    "kind", [{}, {"mode": "L"}, {"size": (1, 1)}, {"size": (3, 90)}, {"mode": "1"}, {"count": 7}]
)
@pytest.mark.parametrize("stream", [False, True])
def test_thirty_images_are_trained_on_and_judged_by_every_protocol(
    tmp_path: Path, config: Config, kind: dict[str, Any], stream: bool
):
    data = folder(coloured(tmp_path / "images", **kind), stream=stream)
    dataset = data.read()
    asked = of(config, data, batch=256, **{"method.queue": 256, "evaluation.after": EVERYTHING})
    reports: list[dict[str, float]] = []
    outcome = train(asked, lambda _, m: reports.append(m), dataset=dataset, directory=tmp_path)
    assert all(math.isfinite(value) for metrics in reports for value in metrics.values())
    assert {"linear_top1", "finetune_10pct_top1", "knn20_top1", "projector_knn200_top1"} <= set(
        outcome.metrics
    )
    check_evaluation(asked, dataset, choosing=True)


def test_one_image_is_compared_with_no_other(tmp_path: Path, config: Config):
    asked = of(
        config, folder(coloured(tmp_path), validation=1), **{"evaluation.after": [{"name": "collapse"}]}
    )
    with pytest.raises(
        ValueError, match="after.0: collapse compares .* the validation split has 1; leave it out"
    ):
        check_evaluation(asked, folder(tmp_path, validation=1).read())


def test_a_folder_of_thirty_is_evaluated_from_the_command_line(
    tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
):
    data = folder(coloured(tmp_path / "images"))
    train(of(config, data), lambda *_: None, dataset=data.read(), directory=tmp_path)
    command = ["evaluate", str(tmp_path / "checkpoint.pt"), "--cache", str(tmp_path / "cache")]
    assert main([*command, "--protocol", "knn:lightly", "linear", "finetune:1pct", "collapse"]) == 0
    assert main([*command, "--protocol", "knn", "--set", "knn.neighbours=[22]"]) == 2
    assert "k=22 given; needs 1 to 21, the size of the bank" in capsys.readouterr().err


def test_a_number_of_neighbours_that_was_given_and_cannot_be_met_is_refused(tmp_path: Path, config: Config):
    data = folder(coloured(tmp_path))
    check_evaluation(of(config, data), data.read())
    with pytest.raises(ValueError, match="evaluation.neighbours: k=22 given; needs 1 to 21"):
        check_evaluation(of(config, data, **{"evaluation.neighbours": 22}), data.read())


@pytest.mark.parametrize(
    ("classes", "count", "sizes"), [(1, 2, [2, 1, 1]), (5, 1, [3, 1, 1]), (2, 2, [2, 1, 1])]
)
def test_one_image_a_class_is_split_too(
    tmp_path: Path, classes: int, count: int, sizes: list[int], config: Config
):
    root = coloured(tmp_path, max(2, classes), count)
    dataset = folder(root).read()
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == sizes
    train(of(config, folder(root), batch=256, **{"method.queue": 256}), lambda *_: None, dataset=dataset)


def test_so_few_images_that_nothing_is_left_to_train_on_are_refused_in_words(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"holds 3 images, of which 2 are held out .* too few are left.*Add images"
    ):
        folder(coloured(tmp_path, 3, 1)).read()


@pytest.mark.parametrize(
    ("asked", "sizes"),
    [
        ({}, [21, 3, 6]),
        ({"train": 28}, [28, 1, 1]),
        ({"train": 26}, [26, 2, 2]),
        ({"validation": 25}, [2, 25, 3]),
        ({"validation": 27}, [2, 27, 1]),
        ({"train": 4, "test": 20}, [4, 3, 20]),
    ],
)
def test_splits_that_nobody_asked_for_give_way_to_those_that_were(
    tmp_path: Path, asked: Any, sizes: list[int]
):
    dataset = folder(coloured(tmp_path), **asked).read()
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == sizes


def test_the_rank_of_few_validation_images_is_that_of_the_bank(tmp_path: Path, config: Config):
    data = folder(coloured(tmp_path, count=40), validation=2, test=2)
    dataset = data.read()
    pixels = torch.nn.Flatten()
    found = evaluate(pixels, dataset, of(config, data), world=World(), device=CPU)["effective_rank"]
    bank = embed(pixels, dataset.train, dataset, config, world=World(), device=CPU)
    assert found == float(effective_rank(bank)) > 1.5  # what is below is taken for a collapse


# Numbers that give way.


def test_images_are_counted_without_decoding_them(tmp_path: Path):
    root = coloured(tmp_path)
    for path in root.rglob("*.png"):
        path.write_bytes(b"no image")
    assert folder(root).training_images() == 21
    assert Config().data.training_images() == 4096


def test_the_largest_legal_batch_is_taken(config: Config):
    assert with_batch(config, 96) is config
    large = replace(config, {"batch": 64, "method.queue": 512})
    assert with_batch(large, 63).batch == 32  # the queue of 512 holds whole batches

    def even(smaller: Config) -> None:
        if smaller.batch > 4:
            raise ValueError("too much")

    assert with_batch(large, 63, even).batch == 4
    with pytest.raises(ValueError, match="1 training images are too few for any batch: .* at least 2 images"):
        with_batch(large, 1)


def test_warm_ups_and_changes_give_way_to_few_epochs(config: Config):
    long = replace(
        config,
        {"epochs": 100, "optimiser": to_json(SGD(warmup_epochs=10, schedule="steps", milestones=(3, 60)))},
    )
    for epochs, warmup, milestones in (
        (100, 10, (3, 60)),
        (61, 10, (3, 60)),
        (50, 5, (2, 30)),
        (20, 2, (1, 12)),
        (2, 1, (1,)),
        (1, 0, ()),
    ):
        short = for_epochs(long, epochs).optimiser
        assert (short.warmup_epochs, short.milestones) == (warmup, milestones)
        assert short.schedule == ("steps" if milestones else "constant")
    with pytest.raises(ValueError, match="leaves nothing of the 5 epochs"):
        for_epochs(long, 5, asked={"optimiser.warmup_epochs"})


@pytest.mark.parametrize("name", SPACES)
def test_every_space_takes_a_folder_of_thirty(tmp_path: Path, name: str):
    data = to_json(folder(coloured(tmp_path)))
    space = fitted(SPACES[name], {"data": data}, {})
    assert space.base.batch <= 21
    assert space.domains.keys() == SPACES[name].domains.keys()


def small(root: Path, name: str = "sce_temperatures", workers: int = 1, **asked: Any) -> Space:
    return fitted(SPACES[name], {"data": to_json(folder(root)), "epochs": 2}, asked, workers=workers)


def test_a_batch_that_was_asked_for_stays_and_workers_share_what_is_left(tmp_path: Path):
    coloured(tmp_path)
    assert small(tmp_path).base.batch == 16
    assert small(tmp_path, **{"method.queue": 320}).base.batch == 20
    assert small(tmp_path, batch=64).base.batch == 64
    assert small(tmp_path, "mmcl_margin").base.batch == 21
    assert small(tmp_path, "mmcl_margin", workers=2).base.batch == 20
    assert small(tmp_path).base.optimiser.warmup_epochs == 1
    with pytest.raises(ValueError, match="warmup_epochs = 2 leaves nothing of the 2 epochs"):
        small(tmp_path, **{"optimiser.warmup_epochs": 2})


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("name", SPACES)
def test_every_space_takes_few_epochs(name: str, epochs: int):
    space = fitted(SPACES[name], {"epochs": epochs}, {})
    assert space.paths == SPACES[name].paths
    assert [a.name for a in space.alternatives] == [a.name for a in SPACES[name].alternatives]
    for chosen in space.conditional.combinations(
        {key: domain.corners for key, domain in space.domains.items()}
    ):
        if not space.alternatives:
            assert space.config(space.flat(chosen)).epochs == epochs


def test_only_warm_ups_that_are_too_long_give_way():
    methods = SPACES["methods"]
    assert fitted(methods, {"epochs": 3}, {}).alternatives == methods.alternatives
    short = {a.name: a.values for a in fitted(methods, {"epochs": 2}, {}).alternatives}
    theirs = {a.name: a.values for a in methods.alternatives}
    assert short.pop("wcl")["method"] == {**theirs["wcl"]["method"], "warmup_epochs": 1}  # pyright: ignore
    assert short == {name: values for name, values in theirs.items() if name != "wcl"}
    with pytest.raises(ValueError, match="method.warmup_epochs = 2 leaves nothing of the 2 epochs"):
        fitted(SPACES["wcl_ablation"], {"epochs": 2}, {"method.warmup_epochs": 2})


SLOW = dataclasses.replace(
    SPACES["simclr_temperature"],
    base=replace(SPACES["simclr_temperature"].base, {"epochs": 100, "optimiser.warmup_epochs": 40}),
)


@pytest.mark.parametrize(
    ("domain", "left", "start"),
    [
        (Choice((0, 4, 40, 60), source="a test"), Choice((0, 4, 2, 3), source="a test"), 2),
        (Integer(0, 60, source="a test"), Integer(0, 4, source="a test"), 2),
        (Integer(3, 60, source="a test"), Integer(3, 4, source="a test"), 3),
        (Integer(4, 60, source="a test"), Choice((4,), source="a test"), 4),
    ],
)
def test_a_warm_up_that_varies_gives_way_with_its_domain(domain: Domain, left: Domain, start: int):
    varied = dataclasses.replace(SLOW, domains={"optimiser.warmup_epochs": domain}, first=())
    space = fitted(varied, {}, {"epochs": 5})
    assert space.domains == {"optimiser.warmup_epochs": left}
    assert space.base.optimiser.warmup_epochs == start


def test_what_a_kind_that_varies_has_by_default_gives_way_too():
    kinds = ({"name": "sgd"}, {"name": "lars"})
    optimisers = Choice(kinds, source="a test")
    whole = dataclasses.replace(
        SLOW, base=replace(SLOW.base, {"optimiser": kinds[0]}), domains={"optimiser": optimisers}, first=()
    )
    short = fitted(whole, {}, {"epochs": 5})
    assert [values["warmup_epochs"] for values in short.domains["optimiser"].corners] == [1, 1]
    named = {"optimiser.name": Choice(("sgd", "lars"), source="a test")}
    short = fitted(dataclasses.replace(whole, domains=named), {}, {"epochs": 5})
    assert short.config({"optimiser.name": "lars"}).optimiser == LARS(warmup_epochs=1)


def test_what_a_new_kind_has_by_default_gives_way_too():
    space = fitted(SPACES["simclr_temperature"], {}, {"optimiser.name": "lars", "epochs": 4})
    assert space.base.optimiser == LARS(warmup_epochs=2)  # 10 of 24
    wcl = fitted(dataclasses.replace(SLOW, domains={}, first=()), {}, {"method.name": "wcl", "epochs": 8})
    assert 0 < wcl.base.method.assembly.warmup_epochs < wcl.base.epochs


def test_what_has_given_way_is_said(tmp_path: Path):
    data = to_json(folder(coloured(tmp_path)))

    def said(name: str, changes: Any, **asked: Any) -> list[str]:
        return given_way(SPACES[name], changes, asked, fitted(SPACES[name], changes, asked))

    assert said("mmcl_margin", {}) == said("mmcl_margin", {}, epochs=5) == []
    assert said("mmcl_margin", {"data": data}, epochs=2) == [
        "batch = 21 instead of 64, for there are 21 training images; --set batch=... takes another",
        "optimiser.warmup_epochs = 1 instead of 2, in proportion to 2 of 24 epochs; "
        "--set optimiser.warmup_epochs=... takes another",
    ]
    assert said("mmcl_margin", {"data": data}, batch=8) == []
    recipe = preset("mmcl:cifar10")
    assert said("mmcl_margin", recipe) == []
    assert said("mmcl_margin", recipe, epochs=5)[0].startswith(
        f"optimiser.warmup_epochs = 1 instead of 10, in proportion to 5 of {recipe['epochs']} epochs"
    )
    assert said("methods", {}, epochs=2)[1:] == [
        "wcl: method.warmup_epochs = 1 instead of 2, in proportion to 2 of 24 epochs"
    ]
    few = {**data, "train": 11}
    assert said("mmcl_margin", {"data": few})[1:] == [
        "kNN with all 11 training images instead of 20; --set evaluation.neighbours=... takes another number"
    ]
