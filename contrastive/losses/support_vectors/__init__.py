"""Many small support vector machines at once: one positive each, the negatives shared."""

from contrastive.losses.support_vectors.dual import Dual, DualBatch, Queue
from contrastive.losses.support_vectors.exact import exact
from contrastive.losses.support_vectors.inverse import inverse
from contrastive.losses.support_vectors.projected_gradient import ProjectedGradient, descend

__all__ = ["Dual", "DualBatch", "ProjectedGradient", "Queue", "descend", "exact", "inverse"]
