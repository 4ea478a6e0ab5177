"""Measurements of a sweep beside its runs: the baselines that learning must beat, and the test accuracy at its end."""

from statistics import fmean
from typing import Any

import torch

from contrastive.checkpoint import load_encoder
from contrastive.data import Dataset
from contrastive.evaluate.features import readout
from contrastive.evaluate.online import held_out_accuracy, raw_pixel_accuracy, untrained_accuracy
from sweeps.engine.sweep import Sweep
from sweeps.planning.plan import Plan


def measure_baselines(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """Measure the baselines that learning must beat; the untrained encoder differs from seed to seed."""
    device, base = _device(plan), plan.space.base
    raw = raw_pixel_accuracy(base, dataset, device=device)
    configs = {seed: plan.run(plan.space.default(), seed) for seed in plan.seeds}
    untrained = {seed: untrained_accuracy(config, dataset, device=device) for seed, config in configs.items()}
    return {
        "baselines": {"raw pixels": raw, "untrained encoder": fmean(untrained.values())},
        "untrained": untrained,
    }


def test_accuracy(sweep: Sweep, run: str) -> float:
    """Measure a finished run's kNN top-1 on the test images, in percent: only for what is reported at the end."""
    device = _device(sweep.plan)
    found = load_encoder(sweep.checkpoint(run), device=device)
    layer = readout(found, found.config.evaluation.layer)
    return held_out_accuracy(layer, sweep.dataset, found.config, device=device)


def _device(plan: Plan) -> torch.device:
    """Return the driver's own device: the machine that asks for GPUs on a cluster need not have one."""
    return torch.device(plan.device if torch.cuda.is_available() else "cpu")
