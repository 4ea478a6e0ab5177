"""All methods side by side."""

from pydantic import JsonValue

from contrastive.config import to_json
from search_spaces.laptop import METHODS, laptop
from search_spaces.space import Alternative, Reported, Space

SOLO = "online linear top-1 (%) on CIFAR-10, ResNet-18, 1000 epochs"
SOURCE = "solo-learn's README"
BASE = "simclr"
FACTORS = {"a third of the rate": 1 / 3, "its rate": 1.0, "three times the rate": 3.0}


def _arm(name: str, factor: float = 1.0) -> dict[str, JsonValue]:
    config = laptop(name)
    return {"method": to_json(config.method), "optimiser.lr": float(f"{config.optimiser.lr * factor:.3g}")}


METHODS_SPACE = Space(
    name="methods",
    question="Does every method learn what raw pixels and an untrained encoder do not know?",
    base=laptop(BASE),
    base_name=BASE,
    alternatives=tuple(
        Alternative(name, _arm(name), "each method's own laptop recipe") for name in METHODS if name != BASE
    ),
)

COMPARISON = Space(
    name="method_comparison",
    question="Which method is best when each is tuned with the same budget?",
    base=laptop(BASE),
    base_name=BASE,
    alternatives=tuple(
        Alternative(
            f"{name}, {words}", _arm(name, factor), "each method at three learning rates around its own"
        )
        for name in METHODS
        for words, factor in FACTORS.items()
        if (name, factor) != (BASE, 1.0)
    ),
    reported=tuple(
        Reported(values={"method.name": name}, score=score, what=f"{SOLO}{note}", source=SOURCE)
        for name, score, note in (
            ("simclr", 90.74, ""),
            ("moco", 92.94, ", symmetric with two queues"),
            ("byol", 92.58, ""),
            ("ressl", 90.63, ""),
        )
    ),
)

SPACES = (METHODS_SPACE, COMPARISON)
