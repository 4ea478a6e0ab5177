"""Each method in each of its forms, small enough for a test's second."""

from typing import Any

HEAD = {"hidden": [16], "output": 8}
MOMENTUM = {"start": 0.9}
LOCAL = ["local", "local_small"]

INNER: dict[str, dict[str, Any]] = {
    "simclr": {"name": "simclr", "projector": HEAD},
    "moco": {"name": "moco", "queue": 64, "momentum": MOMENTUM, "projector": HEAD},
    "byol": {"name": "byol", "momentum": MOMENTUM, "projector": HEAD, "predictor": HEAD},
    "ressl": {"name": "ressl", "queue": 64, "momentum": MOMENTUM, "projector": HEAD},
    "sce": {"name": "sce", "queue": 64, "momentum": MOMENTUM, "projector": HEAD},
    "mmcl": {"name": "mmcl", "projector": HEAD},
    "wcl": {"name": "wcl", "projector": HEAD, "graph_projector": HEAD, "warmup_epochs": 1},
    "cacr": {"name": "cacr", "positives": 2, "projector": HEAD},
}
"""Every method that can be mixed."""

VARIANTS: dict[str, dict[str, Any]] = {
    **INNER,
    "debiased": {"name": "debiased", "projector": HEAD},
    "hcl": {"name": "hcl", "projector": HEAD},
    "align_uniform": {"name": "align_uniform", "projector": HEAD},
    "align_uniform, weighted, views together": {
        "name": "align_uniform", "projector": HEAD, "alignment_weight": 3.0, "alignment_exponent": 1.0,
        "views_together": True,
    },
    "decoupled": {"name": "decoupled", "projector": HEAD},
    "decoupled, weighted, views together": {
        "name": "decoupled", "projector": HEAD, "sigma": 0.5, "views_together": True,
    },
    "nnclr": {"name": "nnclr", "queue": 64, "projector": HEAD, "predictor": HEAD},
    "nnclr, one direction": {
        "name": "nnclr", "queue": 64, "projector": HEAD, "predictor": HEAD, "symmetric": False,
    },
    "nnclr, no swap, no predictor": {
        "name": "nnclr", "queue": 64, "projector": HEAD, "predictor": None, "swap": False,
    },
    "simsiam": {"name": "simsiam", "projector": {**HEAD, "output_batch_norm": True}, "predictor": HEAD},
    "simsiam, one direction": {"name": "simsiam", "projector": HEAD, "predictor": HEAD, "symmetric": False},
    "barlow_twins": {"name": "barlow_twins", "projector": HEAD},
    "vicreg": {"name": "vicreg", "projector": HEAD},
    "lejepa": {"name": "lejepa", "projector": HEAD, "slices": 16, "local_views": []},
    "lejepa, multi-crop": {"name": "lejepa", "projector": HEAD, "slices": 16, "local_views": LOCAL},
    "swav": {"name": "swav", "projector": HEAD, "prototypes": 8, "queue": 0, "frozen_epochs": 0, "local_views": []},
    "swav, queue, multi-crop": {
        "name": "swav", "projector": HEAD, "prototypes": 32, "queue": 64, "queue_after_epochs": 0, "frozen_epochs": 0,
        "local_views": LOCAL,
    },
    "simclr, views together": {
        **INNER["simclr"], "views_together": True,
        "projector": {**HEAD, "output_batch_norm": True, "output_affine": "both"},
    },
    "mmcl, views together": {
        **INNER["mmcl"], "views_together": True,
        "projector": {**HEAD, "output_batch_norm": True, "output_affine": "scale"},
    },
    "cacr, queue, split batch norm": {
        **INNER["cacr"], "momentum": MOMENTUM, "queue": 64, "batch_norm_splits": 4,
    },
    "bsim on simclr, views together": {
        "name": "bsim", "inner": {**INNER["simclr"], "views_together": True}, "weight": 0.5,
    },
    "moco, symmetric, split batch norm": {**INNER["moco"], "symmetric": True, "batch_norm_splits": 4},
    "byol, one direction": {**INNER["byol"], "symmetric": False},
    "ressl, several crops": {**INNER["ressl"], "views": ["weak", "strong", *LOCAL]},
    "sce, symmetric": {**INNER["sce"], "symmetric": True, "views": ["strong", "second"]},
    "sce, multi-crop": {**INNER["sce"], "symmetric": True, "views": ["strong", "second", *LOCAL]},
    "sce, no queue": {**INNER["sce"], "queue": 0},
    "sce, split batch norm": {**INNER["sce"], "batch_norm_splits": 4},
    "sce, predictor": {**INNER["sce"], "predictor": HEAD},
    "sce, three weights": {**INNER["sce"], "weights": [0.5, 0.3, 0.1]},
    "mmcl, symmetric, boxed": {**INNER["mmcl"], "symmetric": True, "penalty": 0.2},
    "mmcl, inverse": {**INNER["mmcl"], "solver": "inverse", "kernel": "linear"},
    "mmcl, as published": {**INNER["mmcl"], "solver": "projected_gradient", "bandwidth_drops": [1]},
    "mmcl, queue": {**INNER["mmcl"], "queue": 64, "momentum": MOMENTUM},
    "wcl, one head, own labels": {**INNER["wcl"], "separate_heads": False, "swap": False},
    "wcl, neighbours' crops": {**INNER["wcl"], "neighbours": 4, "crops": 2},
    "wcl, own crops": {**INNER["wcl"], "neighbours": 4, "crops": 2, "crop_reading": "features"},
    "cacr, multi-crop": {**INNER["cacr"], "local_views": LOCAL},
    "cacr, rbf, uniform": {**INNER["cacr"], "cost": "rbf", "variant": "uniform"},
    "cacr, queue": {**INNER["cacr"], "momentum": MOMENTUM, "queue": 64, "local_views": ["local"]},
    "cacr, reweighted": {
        **INNER["cacr"], "momentum": MOMENTUM, "cost": "rbf", "predictor": HEAD, "local_views": ["local"],
    },
    **{f"bsim on {name}": {"name": "bsim", "inner": inner} for name, inner in INNER.items()},
    **{
        f"bsim on {name}, half": {"name": "bsim", "inner": inner, "weight": 0.5, "kind": "mixup"}
        for name, inner in INNER.items()
    },
    "bsim on symmetric moco": {"name": "bsim", "inner": {**INNER["moco"], "symmetric": True}, "kind": "both"},
    "bsim on moco, batch keys": {"name": "bsim", "inner": INNER["moco"], "batch_keys": True},
    "bsim on symmetric mmcl": {"name": "bsim", "inner": {**INNER["mmcl"], "symmetric": True}},
    "bsim on sce, no queue": {"name": "bsim", "inner": {**INNER["sce"], "queue": 0}},
}  # fmt: skip
