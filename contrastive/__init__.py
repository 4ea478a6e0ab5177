"""Contrastive pretraining: one model from one frozen configuration."""

from contrastive.config import Trial
from contrastive.train import Outcome, train

__all__ = ["Outcome", "Trial", "train"]
