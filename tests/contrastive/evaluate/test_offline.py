import math
import statistics
from dataclasses import replace as with_fields
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from contrastive.branch import Branch
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, from_dict, replace, to_dict
from contrastive.data import Dataset, Split
from contrastive.distributed import World
from contrastive.evaluate.features import readout
from contrastive.evaluate.offline import after_training, carry_out, check_evaluation, check_protocol, top
from contrastive.evaluate.online import evaluate, raw_pixel_accuracy, untrained_accuracy
from contrastive.evaluate.protocols import KNN, Collapse, FineTune, LinearProbe
from contrastive.pretrained import Normalisation
from contrastive.siamese import Siamese
from contrastive.train import train

CPU = torch.device("cpu")
OTHER = {"name": "shapes", "train": 60, "validation": 20, "test": 20, "classes": 3}
EVERYTHING = [
    {"name": "linear", "epochs": 2, "milestones": [1]},
    {"name": "finetune", "fraction": 0.5, "draws": 2, "epochs": 1, "milestones": []},
    {"name": "knn", "neighbours": [1, 20]},
    {"name": "knn", "layer": "projector"},
    {"name": "collapse"},
    {"name": "linear", "epochs": 2, "milestones": [], "data": OTHER},
]


@pytest.fixture
def network(config: Config) -> Branch:
    return Siamese(config, world=World(), device=CPU).online


def test_everything_asked_for_comes_back_by_its_name(
    config: Config, dataset: Dataset, network, cache: Path
) -> None:
    asked = replace(config, {"evaluation.after": EVERYTHING})
    found = after_training(network, asked, dataset, device=CPU, cache=cache)
    drawn = [f"finetune_50pct_top{k}{more}" for k in (1, 5) for more in ("", "_interval", "_draw0", "_draw1")]
    assert set(found) == {
        "linear_top1", "linear_top5", *drawn, "knn1_top1", "knn1_top5", "knn20_top1", "knn20_top5",
        "projector_knn20_top1", "projector_knn20_top5", "collapse_alignment", "collapse_uniformity",
        "collapse_effective_rank", "transfer_shapes_linear_top1",
    }  # fmt: skip
    assert all(type(value) is float for value in found.values())
    assert found == after_training(network, asked, dataset, device=CPU)  # without a cache too


def test_measuring_changes_neither_the_network_nor_what_is_drawn_after_it(
    config: Config, dataset: Dataset, network: Branch
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    after_training(network.train(), replace(config, {"evaluation.after": EVERYTHING}), dataset, device=CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize("layer", ["encoder", "projector"])
def test_offline_and_online_neighbours_agree(
    config: Config, dataset: Dataset, network: Branch, layer
) -> None:
    asked = replace(
        config, {"evaluation.layer": layer, "evaluation.neighbours": 7, "evaluation.temperature": 0.2}
    )
    online = evaluate(readout(network, layer), dataset, asked, world=World(), device=CPU)
    protocol = KNN(neighbours=(7,), temperature=0.2, layer=layer)
    (offline, _) = carry_out(protocol, network, asked, dataset, moments=dataset, device=CPU).values()
    assert offline == online["knn_top1"]


def test_the_untrained_baseline_is_of_the_layer_that_is_monitored(config: Config, dataset: Dataset) -> None:
    layers = [replace(config, {"evaluation.layer": layer}) for layer in ("encoder", "projector")]
    raw, untrained = (
        [accuracy(t, dataset, device=CPU) for t in layers]
        for accuracy in (raw_pixel_accuracy, untrained_accuracy)
    )
    assert raw[0] == raw[1]
    assert untrained[0] != untrained[1]


def test_the_test_images_are_read_only_when_asked_for(
    config: Config, dataset: Dataset, network: Branch
) -> None:
    asked = replace(config, {"evaluation.after": [{"name": "knn"}]})
    swapped = with_fields(dataset, validation=dataset.test, test=dataset.validation)
    on_test = replace(asked, {"evaluation.split": "test"})
    found = after_training(network, asked, dataset, device=CPU)
    assert found != after_training(network, on_test, dataset, device=CPU)
    assert found == after_training(network, on_test, swapped, device=CPU)


def test_other_images_are_standardised_as_the_encoders_own(config: Config, dataset: Dataset) -> None:
    seen: list[Tensor] = []

    class Eye(nn.Flatten):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x)

    moments = Normalisation(mean=(0.1, 0.2, 0.3), std=(0.5, 2.0, 4.0))
    network = Branch(Eye(), nn.Identity())
    carry_out(KNN(neighbours=(1,)), network, config, dataset, moments=moments, device=CPU)
    expected = dataset.bank.images[0] / 255
    for channel in range(3):
        expected[channel] = (expected[channel] - moments.mean[channel]) / moments.std[channel]
    torch.testing.assert_close(seen[0][0], expected)


def test_labelled_images_are_learnt_from_where_a_set_has_them(config: Config, dataset: Dataset) -> None:
    pixels = Branch(nn.Flatten(), nn.Identity())
    known = with_fields(dataset, labelled=dataset.validation)  # the nearest image is the query itself
    for protocol in (KNN(neighbours=(1,)), LinearProbe(lr=0.05)):
        found = carry_out(protocol, pixels, config, known, moments=dataset, device=CPU)
        assert found[f"{protocol.reported[0]}_top1"] == 100


def test_draws_are_reported_with_their_mean_and_interval(
    config: Config, dataset: Dataset, network: Branch
) -> None:
    protocol = FineTune(fraction=0.3, draws=3, epochs=2, milestones=())
    found = carry_out(protocol, network, config, dataset, moments=dataset, device=CPU)
    draws = [found[f"finetune_30pct_top1_draw{n}"] for n in range(3)]
    assert len(set(draws)) > 1
    assert found["finetune_30pct_top1"] == pytest.approx(statistics.mean(draws))
    half = 4.302653 * statistics.stdev(draws) / 3**0.5  # Student's t of 2 degrees of freedom at 97.5 %
    assert found["finetune_30pct_top1_interval"] == pytest.approx(half, rel=1e-6)


def test_one_draw_has_no_interval(config: Config, dataset: Dataset, network: Branch) -> None:
    protocol = FineTune(draws=1, epochs=1, milestones=())
    found = carry_out(protocol, network, config, dataset, moments=dataset, device=CPU)
    assert found["finetune_10pct_top1"] == found["finetune_10pct_top1_draw0"]
    assert not any("interval" in name for name in found)


def test_an_encoder_that_sees_nothing_has_collapsed(config: Config, dataset: Dataset) -> None:
    class Blind(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.new_ones(len(x), 4)

    network = Branch(Blind(), nn.Identity())
    found = carry_out(Collapse(), network, config, dataset, moments=dataset, device=CPU)
    assert found["collapse_alignment"] == pytest.approx(0, abs=1e-6)
    assert found["collapse_uniformity"] == pytest.approx(0, abs=1e-6)
    assert found["collapse_effective_rank"] == 0


def test_two_views_of_an_image_are_aligned_when_nothing_is_random(config: Config, dataset: Dataset) -> None:
    still = {"crop_scale": (1.0, 1.0), "jitter": 0.0, "grey": 0.0}
    pixels = Branch(nn.Flatten(), nn.Identity())

    def alignment(**view: float) -> float:
        protocol = Collapse(view={**still, **view})
        found = carry_out(protocol, pixels, config, dataset, moments=dataset, device=CPU)
        return found["collapse_alignment"]

    assert alignment(flip=0.0) == pytest.approx(0, abs=1e-6)
    assert alignment(flip=0.5) > 0.01


def test_the_right_class_is_among_the_best_and_one_without_votes_never_is() -> None:
    minus = -torch.inf
    scores = torch.tensor(
        [
            [9.0, 8, 7, 6, 5, 4, 3],
            [9.0, 8, 7, 6, 5, 4, 3],
            [9.0, 8, 7, 6, 5, 4, 3],
            [9.0, minus, minus, minus, minus, minus, minus],
        ]
    )
    found = top("x", scores, torch.tensor([0, 4, 5, 1]))
    assert found == {"x_top1": 25.0, "x_top5": 50.0}
    assert top("x", scores[:, :5], torch.tensor([0, 4, 4, 1])) == {"x_top1": 25.0}


@pytest.mark.parametrize(
    ("evaluation", "message"),
    [
        ({"neighbours": 97}, r"evaluation.neighbours: k=97 given; needs 1 to 96"),
        (
            {"after": [{"name": "linear"}, {"name": "knn", "neighbours": [5, 97]}]},
            r"evaluation.after.1.neighbours: k=97 given; needs 1 to 96",
        ),
        (
            {"after": [{"name": "knn", "neighbours": [61], "data": OTHER}]},
            r"evaluation.after.0.neighbours: k=61 given; needs 1 to 60",
        ),
        ({"split": "test", "after": [{"name": "linear"}]}, "nothing is chosen on test images"),
    ],
)
def test_what_could_not_be_measured_at_the_end_is_refused_before(
    evaluation, message: str, config: Config, dataset: Dataset, cache: Path
) -> None:
    values = to_dict(config)
    values["evaluation"] |= evaluation
    with pytest.raises(ValueError, match=message):
        check_evaluation(from_dict(values), dataset, cache=cache, choosing=True)


def test_what_can_be_measured_is_not_refused(config: Config, dataset: Dataset, cache: Path) -> None:
    asked = replace(config, {"evaluation.after": EVERYTHING, "evaluation.neighbours": 96})
    check_evaluation(asked, dataset, cache=cache, choosing=True)
    check_evaluation(replace(asked, {"evaluation.split": "test"}), dataset, cache=cache)


def test_a_transfer_set_that_is_not_there_is_missed_before_training(config, dataset, tmp_path) -> None:
    missing = {"name": "linear", "data": {"name": "cifar10", "root": str(tmp_path / "none")}}
    with pytest.raises(FileNotFoundError, match="none"):
        check_evaluation(replace(config, {"evaluation.after": [missing]}), dataset)


@pytest.mark.parametrize("protocol", [LinearProbe(), KNN(), FineTune()])
def test_what_learns_from_labels_wants_them(protocol, config: Config, dataset: Dataset) -> None:
    unknown = Split(dataset.train.images, torch.full_like(dataset.train.labels, -1))
    without = with_fields(dataset, train=unknown)
    with pytest.raises(ValueError, match=f"here: {protocol.name} learns from labels, and some images"):
        check_protocol(protocol, without, "here")
    with pytest.raises(ValueError, match="evaluation: kNN learns from labels"):
        check_evaluation(config, without)
    check_protocol(Collapse(), without, "here")


def test_one_label_is_too_few_to_fine_tune_on(config: Config, dataset: Dataset) -> None:
    few = Split(dataset.train.images, torch.zeros_like(dataset.train.labels))
    asked = replace(config, {"evaluation.after": [{"name": "finetune", "fraction": 0.01}]})
    with pytest.raises(ValueError, match=r"evaluation.after.0.fraction keeps 1 label"):
        check_evaluation(asked, with_fields(dataset, train=few))


def two_coloured(split: Split) -> Split:
    """Two classes in two colours, without blue, as microscopy has them."""
    images = split.images // 16
    bright = (split.labels % 2).bool()
    images[bright, 0] += 200
    images[~bright, 1] += 200
    images[:, 2] = 0
    return Split(images, split.labels % 2)


def test_a_channel_that_never_varies_is_standardised_everywhere(
    config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    asked = replace(config, {"evaluation.after": EVERYTHING[:5], "evaluation.neighbours": 3})
    splits = {name: two_coloured(getattr(dataset, name)) for name in ("train", "validation", "test")}
    images = Dataset(**splits, classes=("green", "red"), fingerprint="two colours")
    assert images.std[2] == 0
    assert raw_pixel_accuracy(asked, images, device=CPU) == 100
    assert untrained_accuracy(asked, images, device=CPU) == 100
    outcome = train(asked, lambda *_: None, dataset=images, directory=tmp_path)
    assert all(math.isfinite(value) for value in outcome.metrics.values())
    assert outcome.metrics["knn_top1"] == 100
    found = load_encoder(tmp_path / "checkpoint.pt", device=CPU)
    assert found.normalisation is not None
    again = carry_out(KNN(neighbours=(3,)), found, asked, images, moments=found.normalisation, device=CPU)
    assert again["knn3_top1"] == outcome.metrics["knn_top1"]
