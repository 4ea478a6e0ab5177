"""Corrections of flags that the command line does not have."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from contrastive.config import Config, to_dict
from contrastive.spelling import known_paths, meant

FLAGS: dict[str, tuple[str, ...]] = {
    "--data": ("dataset", "datasets", "images", "data-dir", "data-root"),
    "--method-preset": ("preset", "recipe"),
    "--set": ("config", "override", "param", "params"),
    "--smoke": ("quick", "debug", "fast-dev-run", "smoke-test"),
    "--design": ("searcher", "search", "search-alg", "sampler", "algorithm", "strategy", "optimizer-search"),
    "--arms": ("n-trials", "num-trials", "num-samples", "samples", "configs", "num-configs"),
    "--seeds": ("seed", "n-seeds", "num-seeds", "repeats"),
    "--stopper": ("scheduler", "pruner", "early-stopping", "early-stop"),
    "--objectives": ("metric", "metrics", "objective"),
    "--budget": ("time", "timeout", "max-time", "time-budget", "hours", "max-hours"),
    "--workers-per-run": ("workers", "num-workers", "nproc"),
    "--gpus-per-worker": ("gpus", "gpu", "num-gpus", "cuda"),
    "--store": ("output", "output-dir", "out-dir", "results", "results-dir", "save-dir", "log-dir"),
    "--resume": ("restore", "continue"),
    "--dry-run": ("dryrun", "plan"),
}
"""Names of flags in other tools."""


def instead(typed: str, known: Iterable[str]) -> str:
    """Return what to type in place of an unknown flag, which may have its value behind "="; "" if that is unknown.

    >>> instead("--dataset=cifar10", ["--data", "--set"])
    'for --dataset write --data cifar10'
    >>> instead("--lr=0.1", ["--data", "--set"])
    'for --lr write --set optimiser.lr=0.1'
    """
    flag, _, value = typed.partition("=")
    name, known = flag.lstrip("-").replace("_", "-").lower(), list(known)
    for ours in (ours for ours, theirs in FLAGS.items() if name in theirs and ours in known):
        return f"for {flag} write {ours}{f' {value}' if value else ''}"
    paths = meant(name, list(known_paths(to_dict(Config()), Config)))
    if options := [f"--set {path}={value or '...'}" for path in paths[:4]]:
        return f"for {flag} write {' or '.join(options)}"
    near = get_close_matches(flag, known, n=3, cutoff=0.6)
    return f"for {flag} write {' or '.join(near)}" if near else ""


def corrections(words: Sequence[str], known: Iterable[str]) -> str:
    """Return what to type in place of these unknown words of a command line; "" if that is unknown."""
    known, joined = list(known), list[str]()
    for word in words:
        if joined and not word.startswith("-") and "=" not in joined[-1]:
            joined[-1] = f"{joined[-1]}={word}"
        else:
            joined.append(word)
    return "; ".join(filter(None, (instead(word, known) for word in joined if word.startswith("-"))))
