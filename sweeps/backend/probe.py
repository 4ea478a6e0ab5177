"""Time a few training steps on this machine: `python -m sweeps.backend.probe`, a process that can be abandoned.

It reads {"config": ..., "cache": ...} and writes [seconds of an epoch, how that was found], both as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from contrastive import config as configs
from contrastive.batches import RENDERED_AT_ONCE
from contrastive.config import Config
from contrastive.data import Dataset, Split, load
from contrastive.evaluate.online import untrained_accuracy
from contrastive.train import Metrics, train

LIMIT = 0.6
"""Seconds of training after which no further step starts, once there are enough for a measurement."""
BANK, QUERIES = 2048, 512
"""Images whose evaluation stands for that of all."""


class _EnoughError(Exception):
    """Ends the training once the measurement is complete."""


def seconds_per_epoch(
    config: Config, dataset: Dataset, *, limit: float = LIMIT, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, str]:
    """Measure the seconds of one epoch of training and its evaluation; also return how they were measured.

    Where an epoch fits into `limit`, the last whole one. Else the steps after the first, times their number in an
    epoch, and an evaluation of some images, times all images over those. Views are made for several steps in one
    go, so that only whole blocks of steps are counted; the first block is left out, in which memory is first
    taken. Protocols that are run after training are no part of it.
    """
    config = configs.replace(config, {"evaluation.after": []})
    block = max(1, RENDERED_AT_ONCE // config.batch)
    began, marks, epochs = clock(), list[float](), list[float]()

    def watch(_: int, __: float) -> None:
        marks.append(clock())
        whole = len(marks) % block == 0 and len(marks) > block
        if not epochs and whole and marks[-1] - began > limit:
            raise _EnoughError

    def report(epoch: int, metrics: Metrics) -> None:
        epochs.append(metrics["seconds"] + metrics["evaluation_seconds"])
        if epoch > 1 or clock() - began > limit:
            raise _EnoughError

    with suppress(_EnoughError):
        train(config, report, dataset=dataset, watch=watch, clock=clock)
    if epochs:
        return epochs[-1], "one epoch of the base configuration, measured now"
    steps, timed = len(dataset.train) // config.batch, len(marks) - block
    training = (marks[-1] - marks[block - 1]) / timed * steps
    return training + _evaluation(config, dataset, clock), (
        f"{timed} of the {steps} steps of an epoch and a part of its evaluation, measured now"
    )


def _evaluation(config: Config, dataset: Dataset, clock: Callable[[], float]) -> float:
    """Estimate the seconds of the evaluation after an epoch, in proportion to the images embedded."""
    bank = _some(dataset.bank, max(BANK, config.evaluation.neighbours))
    queries = _some(dataset.validation, QUERIES)
    part = replace(dataset, labelled=bank, validation=queries)
    began = clock()
    untrained_accuracy(config, part, device=torch.device("cpu"))
    share = (len(bank) + len(queries)) / (len(dataset.bank) + len(dataset.validation))
    return (clock() - began) / share


def _some(split: Split, count: int) -> Split:
    """The first images of a split, in memory."""
    rows = torch.arange(min(count, len(split)))
    return Split(next(iter(split.fetch([rows]))), split.labels[rows])


def main() -> None:
    """Read a configuration, time it and write the measurement."""
    wanted = json.load(sys.stdin)
    config = configs.from_dict(wanted["config"])
    found = seconds_per_epoch(config, load(config.data, cache=Path(wanted["cache"])))
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
