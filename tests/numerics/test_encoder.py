import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from contrastive import train
from contrastive.config import Trial, replace
from contrastive.data import Dataset
from contrastive.encoder import Head, ResNet, Strided, Timm

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
HEADS = {
    "sce_head_projector_resnet18_mlp2_bn1": Head(hidden=(10,), output=6),
    "sce_head_projector_mlp3_bn3": Head(hidden=(12, 12), output=6, output_batch_norm=True),
    "sce_head_predictor_mlp2_bn1": Head(hidden=(12,), output=6, output_bias=False),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_those_of_the_papers_code(name: str) -> None:
    with np.load(GOLDEN / f"{name}.npz") as reference:
        x = torch.from_numpy(reference["x"])
        head = HEADS[name].build(x.shape[1]).double()
        prefix = "p_layers_"
        state = {
            k.removeprefix(prefix): torch.from_numpy(reference[k]) for k in reference.files if prefix in k
        }
        state = {name.replace("_", ".", 1): value for name, value in state.items()}
        head.load_state_dict(state)
        torch.testing.assert_close(head.train()(x), torch.from_numpy(reference["y"]), rtol=1e-9, atol=1e-12)


def test_wcls_head_is_that_of_the_papers_code() -> None:
    """Ours has no bias in front of batch normalisation: whatever it is, it is subtracted with the mean."""
    with np.load(GOLDEN / "wcl_head.npz") as reference:
        x, y = torch.from_numpy(reference["x"]), torch.from_numpy(reference["y"])
        head = Head(hidden=(14, 14), output=6).build(10).double()
        names = {"0": "linear1", "1": "bn1", "3": "linear2", "4": "bn2", "6": "linear3"}
        state = {
            name: torch.from_numpy(reference[f"p_{names[layer]}_{kind}"])
            for name in head.state_dict()
            for layer, _, kind in [name.partition(".")]
        }
        head.load_state_dict(state)
        torch.testing.assert_close(head.train()(x), y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("config", [Strided(), Strided(width=3), ResNet(), ResNet(depth=50, stem="imagenet")])
def test_an_encoder_gives_as_many_features_as_it_says(config: Strided | ResNet) -> None:
    encoder = config.build().eval()
    for side in (28, 32, 48):
        with torch.no_grad():
            assert encoder(torch.zeros(2, 3, side, side)).shape == (2, config.dim)


def test_the_default_encoder_has_sixty_thousand_parameters() -> None:
    assert sum(p.numel() for p in Strided().build().parameters()) == 61_024


def test_the_cifar_stem_keeps_the_resolution() -> None:
    network = ResNet().build()
    assert isinstance(network.maxpool, nn.Identity)
    assert network.conv1(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 32, 32)


@pytest.mark.parametrize("model", ["resnet10t", "mobilenetv3_small_050"])
def test_a_timm_model_gives_as_many_features_as_it_says(model: str) -> None:
    config = Timm(model=model)
    with torch.no_grad():
        assert config.build().eval()(torch.zeros(2, 3, 32, 32)).shape == (2, config.dim)


def test_a_timm_model_of_one_size_is_told_it() -> None:
    config = Timm(model="vit_tiny_patch16_224", image_size=32)
    with torch.no_grad():
        assert config.build().eval()(torch.zeros(2, 3, 32, 32)).shape == (2, config.dim)
    with pytest.raises(ValueError, match="timm's resnet10t is for any size; leave it out"):
        Timm(model="resnet10t", image_size=32).build()


def test_asking_for_the_number_of_features_draws_nothing() -> None:
    state = torch.get_rng_state()
    assert Timm(model="convnext_atto").dim == 320
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_that_timm_lacks_is_answered_with_close_names() -> None:
    with pytest.raises(ValueError, match=r"timm has no model 'resnet81'. Near it: resnet18"):
        replace(Trial(), {"encoder": {"name": "timm", "model": "resnet81"}})


def test_without_timm_the_command_to_get_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match=r"pip install 'contrastive-sweeps\[timm\]'"):
        Timm(model="resnet18")


def test_a_timm_encoder_is_trained_like_any_other(trial: Trial, dataset: Dataset) -> None:
    reports: list[dict[str, float]] = []
    changes = {"encoder": {"name": "timm", "model": "test_resnet"}, "epochs": 1, "optimiser.warmup_epochs": 0}
    for _ in range(2):
        train(replace(trial, changes), lambda _, metrics: reports.append(metrics), dataset=dataset)
    assert reports[0]["loss"] == reports[1]["loss"]
