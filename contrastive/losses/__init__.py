"""Losses: pure functions of tensors, one file a paper; rows are samples, results are means over anchors."""

from contrastive.losses.byol import byol
from contrastive.losses.info_nce import info_nce
from contrastive.losses.nt_xent import nt_xent
from contrastive.losses.sce import SCETerms, ressl, sce, sce_terms

__all__ = ["SCETerms", "byol", "info_nce", "nt_xent", "ressl", "sce", "sce_terms"]
