"""What the features are worth: read-outs that train nothing the encoder sees."""

from contrastive.evaluate.collapse import alignment, effective_rank, uniformity
from contrastive.evaluate.knn import knn_accuracy, knn_predict

__all__ = ["alignment", "effective_rank", "knn_accuracy", "knn_predict", "uniformity"]
