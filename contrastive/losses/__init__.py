"""Losses: pure functions of tensors, one file a paper; rows are samples, results are means over anchors."""

from contrastive.losses.align_uniform import align_uniform
from contrastive.losses.byol import byol
from contrastive.losses.cacr import cacr, cacr_weight_entropy, mixed_cacr
from contrastive.losses.cacr_momentum import cacr_queue, cacr_reweighted
from contrastive.losses.hard_negative import debiased, hard_negative
from contrastive.losses.info_nce import info_nce
from contrastive.losses.mixed import (
    mixed_byol,
    mixed_info_nce,
    mixed_nt_xent,
    mixed_ressl,
    mixed_sce,
)
from contrastive.losses.mmcl import mixed_mmcl, mmcl, mmcl_alphas, mmcl_diagnostics, mmcl_queue
from contrastive.losses.nt_xent import nt_xent
from contrastive.losses.relations import SCETerms
from contrastive.losses.sce import ressl, sce, sce_crops, sce_terms
from contrastive.losses.wcl import (
    mixed_supervised_contrast,
    neighbour_contrast,
    supervised_contrast,
    weak_labels,
)

__all__ = [
    "SCETerms",
    "align_uniform",
    "byol",
    "cacr",
    "cacr_queue",
    "cacr_reweighted",
    "cacr_weight_entropy",
    "debiased",
    "hard_negative",
    "info_nce",
    "mixed_byol",
    "mixed_cacr",
    "mixed_info_nce",
    "mixed_mmcl",
    "mixed_nt_xent",
    "mixed_ressl",
    "mixed_sce",
    "mixed_supervised_contrast",
    "mmcl",
    "mmcl_alphas",
    "mmcl_diagnostics",
    "mmcl_queue",
    "neighbour_contrast",
    "nt_xent",
    "ressl",
    "sce",
    "sce_crops",
    "sce_terms",
    "supervised_contrast",
    "weak_labels",
]
