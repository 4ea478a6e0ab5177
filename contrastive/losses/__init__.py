"""Losses: pure functions of tensors, one file a paper; rows are samples, results are means over anchors."""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from contrastive.losses.align_uniform import align_uniform as align_uniform
    from contrastive.losses.barlow_twins import barlow_twins as barlow_twins
    from contrastive.losses.byol import byol as byol
    from contrastive.losses.cacr import cacr as cacr
    from contrastive.losses.cacr import cacr_weight_entropy as cacr_weight_entropy
    from contrastive.losses.cacr_momentum import cacr_queue as cacr_queue
    from contrastive.losses.cacr_momentum import cacr_reweighted as cacr_reweighted
    from contrastive.losses.decoupled import decoupled as decoupled
    from contrastive.losses.hard_negative import debiased as debiased
    from contrastive.losses.hard_negative import hard_negative as hard_negative
    from contrastive.losses.info_nce import info_nce as info_nce
    from contrastive.losses.lejepa import lejepa as lejepa
    from contrastive.losses.lejepa import sigreg as sigreg
    from contrastive.losses.mixed import mixed_byol as mixed_byol
    from contrastive.losses.mixed import mixed_info_nce as mixed_info_nce
    from contrastive.losses.mixed import mixed_nt_xent as mixed_nt_xent
    from contrastive.losses.mixed_cacr import mixed_cacr as mixed_cacr
    from contrastive.losses.mixed_relations import mixed_ressl as mixed_ressl
    from contrastive.losses.mixed_relations import mixed_sce as mixed_sce
    from contrastive.losses.mmcl import mixed_mmcl as mixed_mmcl
    from contrastive.losses.mmcl import mmcl as mmcl
    from contrastive.losses.mmcl_duals import mmcl_alphas as mmcl_alphas
    from contrastive.losses.mmcl_duals import mmcl_diagnostics as mmcl_diagnostics
    from contrastive.losses.mmcl_queue import mmcl_queue as mmcl_queue
    from contrastive.losses.nnclr import nnclr as nnclr
    from contrastive.losses.nnclr import support_neighbours as support_neighbours
    from contrastive.losses.nt_xent import nt_xent as nt_xent
    from contrastive.losses.relations import SCETerms as SCETerms
    from contrastive.losses.sce import ressl as ressl
    from contrastive.losses.sce import sce as sce
    from contrastive.losses.sce import sce_crops as sce_crops
    from contrastive.losses.sce import sce_terms as sce_terms
    from contrastive.losses.simsiam import simsiam as simsiam
    from contrastive.losses.swav import sinkhorn as sinkhorn
    from contrastive.losses.swav import swav as swav
    from contrastive.losses.vicreg import vicreg as vicreg
    from contrastive.losses.wcl import mixed_supervised_contrast as mixed_supervised_contrast
    from contrastive.losses.wcl import neighbour_contrast as neighbour_contrast
    from contrastive.losses.wcl import supervised_contrast as supervised_contrast
    from contrastive.losses.weak_labels import weak_labels as weak_labels

lazy.publish(__name__)
