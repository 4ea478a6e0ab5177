"""What is measured of a sweep beside its runs: what any learning must pass, and the test images at its end."""

from statistics import fmean
from typing import Any

import torch

from contrastive.checkpoint import load_encoder
from contrastive.data import Dataset
from contrastive.evaluate.features import readout
from contrastive.evaluate.online import held_out_accuracy, raw_pixel_accuracy, untrained_accuracy
from sweeps.engine.sweep import Sweep
from sweeps.planning.plan import Plan


def baselines(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """What any learning must pass; the encoder before training is another one on each seed."""
    device, base = _device(plan), plan.space.base
    raw = raw_pixel_accuracy(base, dataset, device=device)
    configs = {seed: plan.run(plan.space.default(), seed) for seed in plan.seeds}
    untrained = {seed: untrained_accuracy(config, dataset, device=device) for seed, config in configs.items()}
    return {
        "baselines": {"raw pixels": raw, "untrained encoder": fmean(untrained.values())},
        "untrained": untrained,
    }


def test_accuracy(sweep: Sweep, run: str) -> float:
    """Top-1 of kNN on the test images, in percent, of a finished run: for what is reported at the end only."""
    device = _device(sweep.plan)
    found = load_encoder(sweep.checkpoint(run), device=device)
    layer = readout(found, found.config.evaluation.layer)
    return held_out_accuracy(layer, sweep.dataset, found.config, device=device)


def _device(plan: Plan) -> torch.device:
    """The driver's own: the machine that asks for GPUs on a cluster need not have one."""
    return torch.device(plan.device if torch.cuda.is_available() else "cpu")
