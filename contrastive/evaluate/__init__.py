"""Evaluation of features: read-outs that leave the encoder unchanged, and fine-tuning."""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from contrastive.evaluate.collapse import alignment as alignment
    from contrastive.evaluate.collapse import effective_rank as effective_rank
    from contrastive.evaluate.collapse import spread as spread
    from contrastive.evaluate.collapse import uniformity as uniformity
    from contrastive.evaluate.knn import knn_accuracy as knn_accuracy
    from contrastive.evaluate.knn import knn_predict as knn_predict

lazy.publish(__name__)
