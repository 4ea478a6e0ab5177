"""What the scores of a sweep are measured on: the data set, how many images, and what needs no training."""

from statistics import fmean
from typing import Any

from analysis.load import PERCENTAGE, Record

UNTRAINED_NAME = "untrained encoder"
"""What a manifest calls the mean over seeds of the encoder before training."""
VALIDATION = "validation"


def data_set(record: Record) -> str:
    """Name of the data set that all runs share, with how many images judge them; "" where that is not recorded."""
    name, images = _base(record).get("data", {}).get("name", ""), judged_images(record)
    if any(path.split(".")[0] == "data" for path in record.manifest.get("space", {}).get("domains", {})):
        return "several data sets"
    return f"{name}, {images:,} {judged_split(record)} images" if name and images else name


def judged_split(record: Record) -> str:
    """Which images the scores are of."""
    return _base(record).get("evaluation", {}).get("split", VALIDATION)


def judged_images(record: Record) -> int | None:
    """How many images a score is the share of; None where that is not recorded or differs between runs."""
    varied = record.manifest.get("space", {}).get("domains", {})
    count = _base(record).get("data", {}).get(judged_split(record))
    known = isinstance(count, int) and not any(path.split(".")[0] == "data" for path in varied)
    return count if known and record.metric == PERCENTAGE else None


def recorded_baselines(record: Record) -> dict[str, float]:
    """What needs no training, by name, the untrained encoder on the seeds of the runs; empty for another metric."""
    if record.metric != PERCENTAGE:
        return {}
    found: dict[str, float] = dict(record.manifest.get("baselines") or {})
    untrained: dict[str, float] = record.manifest.get("untrained") or {}
    seeds = {str(run.seed) for run in record.runs}
    if seeds and seeds <= untrained.keys():
        found |= {UNTRAINED_NAME: fmean(untrained[seed] for seed in sorted(seeds))}
    return found


def _base(record: Record) -> dict[str, Any]:
    """The configuration that the space varies."""
    return record.manifest.get("plan", {}).get("space", {}).get("base", {})
