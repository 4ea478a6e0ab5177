"""Contrastive pretraining: one model from one frozen configuration.

Example:
    >>> from contrastive import Config, SimCLR, Strided
    >>> config = Config(method=SimCLR(temperature=0.5), encoder=Strided(width=8), epochs=40)
    >>> config
    Config(method=SimCLR(temperature=0.5), encoder=Strided(width=8), epochs=40)

`train(config, directory="run")` then leaves run/checkpoint.pt, and `load_encoder("run/checkpoint.pt")` gives the
encoder: called with images, it gives their features.
"""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from contrastive import data as data
    from contrastive import evaluate as evaluate
    from contrastive import losses as losses
    from contrastive import methods as methods
    from contrastive import views as views
    from contrastive.checkpoint import export as export
    from contrastive.checkpoint import load_encoder as load_encoder
    from contrastive.config import Config as Config
    from contrastive.config import Evaluation as Evaluation
    from contrastive.config import from_dict as from_dict
    from contrastive.config import replace as replace
    from contrastive.config import to_dict as to_dict
    from contrastive.data import *  # noqa: F403
    from contrastive.data import Dataset as Dataset
    from contrastive.data.download import download as download
    from contrastive.encoder import *  # noqa: F403
    from contrastive.encoder import Head as Head
    from contrastive.evaluate.encoder import evaluate_encoder as evaluate_encoder
    from contrastive.evaluate.protocols import KNN as KNN
    from contrastive.evaluate.protocols import Collapse as Collapse
    from contrastive.evaluate.protocols import FineTune as FineTune
    from contrastive.evaluate.protocols import LinearProbe as LinearProbe
    from contrastive.methods import *  # noqa: F403
    from contrastive.optimiser import *  # noqa: F403
    from contrastive.pretrained import Normalisation as Normalisation
    from contrastive.pretrained import Pretrained as Pretrained
    from contrastive.schedule import Momentum as Momentum
    from contrastive.train import Outcome as Outcome
    from contrastive.train import train as train
    from contrastive.views import Channels as Channels
    from contrastive.views import View as View
    from contrastive.views import Views as Views

lazy.publish(__name__)
