from pathlib import Path
from typing import Any

import pytest
import torch

from contrastive import train
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, replace
from contrastive.data import Dataset, Split
from contrastive.distributed import World
from contrastive.evaluate.collapse import effective_rank
from contrastive.evaluate.online import (
    embed,
    evaluate,
    held_out_accuracy,
    raw_pixel_accuracy,
    untrained_accuracy,
)
from contrastive.learner import Learner
from contrastive.metrics import reported
from tests.contracts.variants import INNER, VARIANTS

Curve = list[tuple[int, dict[str, float]]]
TIMES = ("seconds", "images_per_second", "evaluation_seconds")
CPU = torch.device("cpu")


def curve(config: Config, dataset: Dataset, directory: Path | None = None) -> Curve:
    """All that is reported of a run but its speed."""
    reports: Curve = []
    train(
        config, lambda epoch, metrics: reports.append((epoch, metrics)), dataset=dataset, directory=directory
    )
    return [(epoch, {k: v for k, v in metrics.items() if k not in TIMES}) for epoch, metrics in reports]


class Interruption(Exception):
    pass


def test_each_epoch_is_reported_once_and_in_order(config: Config, dataset: Dataset) -> None:
    reports: Curve = []
    outcome = train(config, lambda *report: reports.append(report), dataset=dataset)
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    names = {"loss", "knn_top1", "effective_rank", "learning_rate", *TIMES}
    assert all(set(metrics) == names for _, metrics in reports)
    assert outcome.metrics == reports[-1][1]


DRAWN = [
    "moco, symmetric, split batch norm",
    "wcl, neighbours' crops",
    "bsim on simclr",
    "mmcl, as published",
]
"""Forms that draw more than views: an order, neighbours, mixtures, a start."""


@pytest.mark.parametrize("variant", [*INNER, *DRAWN])
def test_the_same_configuration_gives_the_same_curve_to_the_bit(
    variant: str, config: Config, dataset: Dataset
) -> None:
    config = replace(config, {"method": VARIANTS[variant]})
    assert curve(config, dataset) == curve(config, dataset)


def test_another_seed_gives_another_curve(config: Config, dataset: Dataset) -> None:
    assert curve(config, dataset) != curve(replace(config, {"seed": 1}), dataset)


@pytest.mark.parametrize("stop", [1, 2])
@pytest.mark.parametrize("variant", ["sce", *DRAWN])
def test_an_interrupted_run_goes_on_to_the_same_curve_to_the_bit(
    variant: str, stop: int, config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    config = replace(config, {"method": VARIANTS[variant]})

    def interrupt(epoch: int, metrics: dict[str, float]) -> None:
        if epoch == stop:
            raise Interruption

    with pytest.raises(Interruption):
        train(config, interrupt, dataset=dataset, directory=tmp_path)
    rest = curve(config, dataset, tmp_path)
    assert rest == curve(config, dataset)[stop - 1 :]  # its last whole epoch is shown once more


def test_schedules_have_the_full_horizon_however_early_a_run_ends(config: Config, dataset: Dataset) -> None:
    long = replace(config, {"epochs": 30})
    rates: list[float] = []

    def stop(epoch: int, metrics: dict[str, float]) -> None:
        rates.append(metrics["learning_rate"])
        if epoch == 3:
            raise Interruption

    with pytest.raises(Interruption):
        train(long, stop, dataset=dataset)
    assert rates[-1] > 0.9 * long.peak_lr
    assert curve(config, dataset)[-1][1]["learning_rate"] < 0.1 * config.peak_lr


def test_a_checkpoint_of_another_configuration_is_not_continued(
    config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    curve(replace(config, {"epochs": 2}), dataset, tmp_path)
    with pytest.raises(ValueError, match="belongs to another configuration"):
        curve(config, dataset, tmp_path)


def test_a_checkpoint_gives_the_encoder_back(config: Config, dataset: Dataset, tmp_path: Path) -> None:
    reported = curve(config, dataset, tmp_path)[-1][1]["knn_top1"]
    found = load_encoder(tmp_path / "checkpoint.pt")
    encoder = found.module
    assert found.config == config
    assert evaluate(encoder, dataset, config, world=World(), device=CPU)["knn_top1"] == reported
    assert 0 <= held_out_accuracy(encoder, dataset, config, device=CPU) <= 100


def test_the_encoder_is_judged_on_images_standardised_as_in_training(
    config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    channels = {"mean": (0.3, 0.4, 0.5), "std": (0.5, 0.1, 0.2)}
    theirs = replace(config, {"views.channels": channels})
    reported = curve(theirs, dataset, tmp_path)[-1][1]["knn_top1"]
    found = load_encoder(tmp_path / "checkpoint.pt", device=CPU)
    assert found.normalisation is not None
    assert vars(found.normalisation) == channels
    alike = {"world": World(), "device": CPU}
    assert evaluate(found.encoder, dataset, theirs, **alike)["knn_top1"] == reported
    of_config = embed(found.encoder, dataset.validation, found.normalisation, config, **alike)
    own = embed(found.encoder, dataset.validation, dataset, config, **alike)
    rank = evaluate(found.encoder, dataset, theirs, **alike)["effective_rank"]
    assert rank == float(effective_rank(of_config))
    assert rank != float(effective_rank(own))


def test_a_loss_that_is_no_number_ends_the_run(config: Config, dataset: Dataset) -> None:
    wild = replace(config, {"optimiser.lr": 1e30})
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        curve(wild, dataset)


def ruined(run: Any) -> None:
    """All weights are no numbers any more."""
    for weights in run.model.online.parameters():
        weights.data.fill_(torch.nan)


def overflown(run: Any) -> None:
    """The weights are finite, and the features of whole images are not: batch statistics have blown up."""
    for name, values in run.model.online.named_buffers():
        if name.endswith("running_mean"):
            values.fill_(torch.nan)


@pytest.mark.parametrize("blow_up", [(ruined, "weights"), (overflown, "features")])
@pytest.mark.parametrize("variant", ["sce", "mmcl"])
def test_weights_that_blow_up_in_the_last_step_of_an_epoch_end_the_run_as_a_loss_does(
    blow_up: tuple[Any, str], variant: str, config: Config, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, usual = len(dataset.train) // config.batch, Learner.step

    def step(run: Any, batch: Any) -> Any:
        taken = usual(run, batch)
        if batch.step == 2 * steps - 1:
            blow_up[0](run)
        return taken

    monkeypatch.setattr(Learner, "step", step)
    told: list[int] = []
    other = replace(config, {"method": VARIANTS[variant]})
    with pytest.raises(
        FloatingPointError, match=f"{blow_up[1]} .*no longer finite.*; lower the learning rate"
    ):
        train(other, lambda epoch, _: told.append(epoch), dataset=dataset)
    assert told == [1]


def test_what_fails_because_weights_are_no_numbers_is_a_divergence_and_nothing_else_is(
    config: Config, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, blown = Learner.step, [True]

    def step(run: Any, batch: Any) -> Any:
        if batch.step == 3:
            if blown[0]:
                ruined(run)
            raise torch.linalg.LinAlgError("the matrix is singular")
        return usual(run, batch)

    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(FloatingPointError, match="weights are no longer finite .*the matrix is singular"):
        train(config, lambda *_: None, dataset=dataset)
    blown[0] = False
    with pytest.raises(torch.linalg.LinAlgError):
        train(config, lambda *_: None, dataset=dataset)


def test_a_run_reports_what_it_is_said_to_report(config: Config, dataset: Dataset) -> None:
    after = [{"name": "linear", "epochs": 2, "milestones": []}, {"name": "knn", "neighbours": [1, 3]}]
    after += [
        {"name": "collapse"},
        {"name": "finetune", "fraction": 0.5, "draws": 2, "epochs": 1, "milestones": []},
    ]
    for changes in ({"epochs": 1, "optimiser.warmup_epochs": 0, "evaluation.after": after}, {"epochs": 2}):
        changed, last = replace(config, changes), {}
        train(changed, lambda _, metrics, last=last: last.update(metrics), dataset=dataset)
        assert set(reported(changed, classes=len(dataset.classes))) == set(last)
        assert set(reported(changed)) >= set(last)


def test_fewer_images_than_a_batch_are_refused(config: Config, dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="batch = 128, but there are 96 training images"):
        curve(replace(config, {"batch": 128, "method.queue": 128}), dataset)


def test_the_parts_of_the_data_do_not_leak_into_each_other(config: Config, dataset: Dataset) -> None:
    images = [dataset.train.images, dataset.validation.images, dataset.test.images]
    rows = [{bytes(image.numpy().tobytes()) for image in part} for part in images]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]


def test_features_do_not_depend_on_how_many_are_computed_at_once(config: Config, dataset: Dataset) -> None:
    encoder = config.encoder.build()
    split = dataset.validation
    whole = embed(encoder, split, dataset, config, world=World(), device=CPU)
    parts = [
        embed(encoder, Split(images, labels), dataset, config, world=World(), device=CPU)
        for images, labels in zip(split.images.split(7), split.labels.split(7), strict=True)
    ]
    torch.testing.assert_close(torch.cat(parts), whole)
    assert encoder.training


def test_baselines_are_accuracies_that_no_training_has_touched(config: Config, dataset: Dataset) -> None:
    other = replace(config, {"method.temperature": 0.9})
    for baseline in (untrained_accuracy, raw_pixel_accuracy):
        assert 0 < baseline(config, dataset, device=CPU) == baseline(other, dataset, device=CPU) < 100
