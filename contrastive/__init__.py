"""Contrastive pretraining: one model from one frozen configuration."""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from contrastive.config import Config as Config
    from contrastive.train import Outcome as Outcome
    from contrastive.train import train as train

lazy.publish(__name__)
