"""The names under which a run reports what it measures, known before it is trained."""

from contrastive.config import Config
from contrastive.evaluate.protocols import KNN, Collapse, FineTune, LinearProbe, Protocol
from contrastive.methods.protocol import Diagnosed

EACH_EPOCH = (
    "loss", "knn_top1", "effective_rank", "learning_rate", "seconds", "images_per_second", "evaluation_seconds",
)  # fmt: skip
"""What every run reports."""
FIVE = 5
"""k of top-k accuracy, which is reported for more than this many classes."""


def reported(config: Config, *, classes: int | None = None) -> tuple[str, ...]:
    """The metrics of a configuration: of each epoch, of its method, and of what is measured when training has ended.

    `classes`: of its images; None where these have not been read, and then there may be fewer than all names say.
    """
    own = config.method.diagnosed if isinstance(config.method, Diagnosed) else ()
    after = [name for protocol in config.evaluation.after for name in _of(protocol, classes)]
    return (*EACH_EPOCH, *own, *after)


def _of(protocol: Protocol, classes: int | None) -> list[str]:
    few = classes is not None and classes <= FIVE and protocol.data is None
    tops = ("top1",) if few else ("top1", "top5")
    match protocol:
        case LinearProbe() | KNN():
            return [f"{name}_{top}" for name in protocol.reported for top in tops]
        case FineTune():
            of_draws = ["", "_interval"] if protocol.draws > 1 else [""]
            ends = [*of_draws, *(f"_draw{number}" for number in range(protocol.draws))]
            return [f"{name}_{top}{end}" for name in protocol.reported for top in tops for end in ends]
        case Collapse():
            kinds = ("alignment", "uniformity", "effective_rank")
            return [f"{name}_{kind}" for name in protocol.reported for kind in kinds]
