import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from contrastive import train
from contrastive.branch import Branch
from contrastive.config import Config, replace
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


@pytest.mark.parametrize(
    ("affine", "learns"), [("none", set()), ("scale", {"weight"}), ("both", {"weight", "bias"})]
)
def test_the_last_batch_norm_learns_what_it_is_told(affine: str, learns: set[str]) -> None:
    head = Head(hidden=(7,), output=5, output_batch_norm=True, output_affine=affine).build(3).double()
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    head(x).pow(3).sum().backward()
    assert {name for name, p in head[-1].named_parameters() if p.grad is not None} == learns
    with torch.no_grad():
        for parameter in head[-1].parameters():
            parameter.mul_(3).add_(0.5 if parameter.requires_grad else 0)
    embedded, scale = head(x), 3.5 if "weight" in learns else 1.0
    torch.testing.assert_close(embedded.mean(0), torch.full((5,), 0.5 if "bias" in learns else 0.0).double())
    # Batch normalisation adds 1e-5 to the variance.
    torch.testing.assert_close(
        embedded.var(0, correction=0).sqrt(), torch.full((5,), scale).double(), rtol=0.05, atol=0
    )
    assert head[-2].bias is None


def test_a_scale_of_a_batch_norm_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        ValueError, match="output_affine = 'scale' is of a batch normalisation that is not there"
    ):
        Head(output_affine="scale")


@pytest.mark.parametrize("depth", [18, 50])
def test_with_scales_that_start_at_zero_a_block_starts_as_the_identity(depth: int) -> None:
    def network(zero: bool) -> nn.Module:
        torch.manual_seed(0)
        return ResNet(depth=depth, zero_init_residual=zero).build()

    plain, zero = network(False).state_dict(), network(True).state_dict()
    last = f".bn{3 if depth == 50 else 2}.weight"
    for name, weight in zero.items():
        expected = torch.zeros_like(weight) if name.endswith(last) else plain[name]
        assert torch.equal(weight, expected), name
    block = network(True).layer1[1].eval()
    x = torch.rand(2, 256 if depth == 50 else 64, 4, 4)
    assert torch.equal(block(x), x)


def branch(*, together: bool) -> Branch:
    torch.manual_seed(0)
    head = Head(hidden=(6,), output=4, output_batch_norm=True, output_affine="both")
    parts = Strided(width=2).build(), head.build(8), head.build(4), head.build(8)
    return Branch(*parts, together=together).double()


def test_views_that_go_together_share_their_batch_statistics_and_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = (32, 16, 32, 32, 16)
    views = [torch.randn(6, 3, s, s, generator=generator, dtype=torch.float64) for s in sizes]
    whole, apart, expected = branch(together=True), branch(together=False), branch(together=False)
    places = [[0, 2, 3], [1, 4]]
    joined = [expected([torch.cat([views[i] for i in some])])[0] for some in places]
    found = whole(views)
    for some, outputs in zip(places, joined, strict=True):
        for number in (0, 1, 2):  # predictor, projector and second projector
            for i, rows in zip(some, outputs[number].chunk(len(some)), strict=True):
                torch.testing.assert_close(found[i][number], rows)
                assert not torch.allclose(apart([views[i]])[0][number], rows)
    for outputs in (found, joined):
        sum(rows.pow(3).sum() for pair in outputs for rows in pair).backward()
    for (name, one), other in zip(whole.named_parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    for one, other in zip(whole.buffers(), expected.buffers(), strict=True):
        torch.testing.assert_close(one, other)


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
        replace(Config(), {"encoder": {"name": "timm", "model": "resnet81"}})


def test_without_timm_the_command_to_get_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match=r"pip install 'contrastive-sweeps\[timm\]'"):
        Timm(model="resnet18")


def test_a_timm_encoder_is_trained_like_any_other(config: Config, dataset: Dataset) -> None:
    reports: list[dict[str, float]] = []
    changes = {"encoder": {"name": "timm", "model": "test_resnet"}, "epochs": 1, "optimiser.warmup_epochs": 0}
    for _ in range(2):
        train(replace(config, changes), lambda _, metrics: reports.append(metrics), dataset=dataset)
    assert reports[0]["loss"] == reports[1]["loss"]
