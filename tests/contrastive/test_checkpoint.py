import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from contrastive import checkpoint, train
from contrastive.checkpoint import export, load_encoder
from contrastive.config import Config, from_dict, replace
from contrastive.data import Dataset

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(config: Config, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    train(replace(config, {"epochs": 2}), lambda *_: None, dataset=dataset, directory=directory)
    return directory / "checkpoint.pt"


@pytest.fixture
def exported(trained: Path, tmp_path: Path) -> Path:
    export(trained, tmp_path / "new" / "encoder.safetensors")
    return tmp_path / "new" / "encoder.safetensors"


def same(one: torch.nn.Module, two: torch.nn.Module) -> bool:
    a, b = one.state_dict(), two.state_dict()
    return list(a) == list(b) and all(torch.equal(a[n], b[n]) and a[n].dtype == b[n].dtype for n in a)


def test_an_export_is_the_checkpoint_to_the_bit(trained: Path, exported: Path, dataset: Dataset) -> None:
    one, two = load_encoder(trained, device=CPU), load_encoder(exported, device=CPU)
    assert one.config == two.config
    assert same(one.encoder, two.encoder)
    assert same(one.projector, two.projector)
    images = dataset.test.images.float()
    features = [p.encoder(images) for p in (one, two)]
    assert torch.equal(*features)
    assert torch.equal(*(p.projector(f) for p, f in zip((one, two), features, strict=True)))
    assert one.normalisation == two.normalisation


def test_weights_are_those_that_training_left(trained: Path) -> None:
    state = checkpoint.load_state(trained, device=CPU)["model"]
    found = load_encoder(trained, device=CPU)
    for part in ("encoder", "projector"):
        for name, value in getattr(found, part).state_dict().items():
            assert torch.equal(value, state[f"online.{part}.{name}"])


def test_the_encoder_is_a_plain_module_in_evaluation_mode(exported: Path) -> None:
    found = load_encoder(exported, device=CPU)
    assert not any(module.training for module in found.module.modules())
    assert found.module(torch.zeros(1, 3, 32, 32)).shape == (1, found.config.encoder.dim)


def test_anybody_can_read_an_export(exported: Path, config: Config) -> None:
    with safe_open(exported, framework="pt") as file:
        about, names = file.metadata(), set(file.keys())
    assert from_dict(json.loads(about["config"])) == replace(config, {"epochs": 2})
    assert {name.split(".")[0] for name in names} == {"encoder", "projector"}
    assert [path.name for path in exported.parent.iterdir()] == ["encoder.safetensors"]


def test_the_moments_of_the_images_travel_along(trained: Path, tmp_path: Path, dataset: Dataset) -> None:
    state = checkpoint.load_state(trained, device=CPU)
    moments = {"mean": dataset.mean, "std": dataset.std}
    checkpoint.save_state(tmp_path / "checkpoint.pt", {**state, "normalisation": moments})
    export(tmp_path / "checkpoint.pt", tmp_path / "out.safetensors")
    for name in ("checkpoint.pt", "out.safetensors"):
        found = load_encoder(tmp_path / name, device=CPU).normalisation
        assert found is not None
        assert (found.mean, found.std) == (dataset.mean, dataset.std)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file .*none.pt"):
        load_encoder(tmp_path / "none.pt", device=CPU)
    torch.save({"weights": 1}, tmp_path / "foreign.pt")
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    for name in ("foreign.pt", "text.pt", "text.safetensors"):
        with pytest.raises(ValueError, match=f"{name} is neither a checkpoint of a run nor an export"):
            load_encoder(tmp_path / name, device=CPU)


def test_an_export_is_called_what_it_is(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="let it end in .safetensors"):
        export(trained, tmp_path / "out.pt")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save_state(path, {"epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save_state(path, {"epoch": lambda: None})
    assert checkpoint.load_state(path, device=CPU) == {"epoch": 1}
