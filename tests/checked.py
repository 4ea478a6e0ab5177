"""Imports every module whose tensors are checked: imported inside jaxtyping's hook, before anything else of it."""

import importlib
import pkgutil

import contrastive

CHECKED = ("contrastive.losses", "contrastive.views", "contrastive.evaluate", "contrastive.siamese")
for module in pkgutil.walk_packages(contrastive.__path__, "contrastive."):
    if module.name.startswith(CHECKED):
        importlib.import_module(module.name)
