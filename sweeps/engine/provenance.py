"""Provenance of a result: code, versions and machine."""

import hashlib
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path
from typing import Any

PACKAGES = ("contrastive-sweeps", "torch", "torchvision", "numpy", "ray", "optuna", "pyarrow")


def provenance() -> dict[str, object]:
    """Return commit and uncommitted changes of the source (None outside a checkout), versions and machine."""
    source = Path(__file__).parent
    # An installation inside somebody else's repository must not record their commit.
    ours = _git(source, "ls-files", "--error-unmatch", Path(__file__).name) is not None
    changes = (_git(source, "diff", "HEAD") or "") if ours else None
    return {
        "commit": _git(source, "rev-parse", "HEAD") if ours else None,
        "changed": bool(_git(source, "status", "--porcelain", "--untracked-files=no")) if ours else None,
        "diff": changes and _digest(changes.encode()),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": platform.machine(),
    }


@dataclass(frozen=True)
class Code:
    """The training code: each source file of `contrastive` by name with a digest, and the version of torch."""

    digest: str
    """Digest of all of it; equal runs of equal code give equal numbers."""
    files: dict[str, str]
    torch: str


@lru_cache(maxsize=1)
def code() -> Code:
    """Return the code of this process, wherever it is installed; it is read once."""
    return code_of(files("contrastive"), torch=metadata.version("torch"))


def code_of(package: Traversable, *, torch: str) -> Code:
    """Return the code of a package's source files, in a folder or an archive; line endings make no difference."""
    found = dict(sorted(_sources(package)))
    whole = "\n".join([f"torch {torch}", *(f"{name} {digest}" for name, digest in found.items())])
    return Code(_digest(whole.encode()), found, torch)


def code_changes(told: Mapping[str, Any], commit: str | None, now: Code) -> str:
    """Say in words what differs between a sweep's code and the present one.

    Args:
        told: the code in its manifest; empty in sweeps older than this record.
        commit: that of its start.
        now: the code of this process.
    """
    head = provenance()["commit"]
    found = (
        [f"commit {short_commit(commit)} then, {short_commit(str(head or ''))} now"] if commit != head else []
    )
    if not told:
        return "; ".join(["the code that began it was not recorded", *found])
    if told["torch"] != now.torch:
        found.append(f"torch {told['torch']} then, {now.torch} now")
    before: dict[str, str] = told["files"]
    kinds = {
        "changed": [name for name in before if name in now.files and now.files[name] != before[name]],
        "new": [name for name in now.files if name not in before],
        "gone": [name for name in before if name not in now.files],
    }
    found += [f"{kind} in contrastive: {_few(names)}" for kind, names in kinds.items() if names]
    return "; ".join([*found, f"digest {told['digest']} then, {now.digest} now"])


def short_commit(commit: str | None) -> str:
    """Shorten a commit as people write it."""
    return commit[:7] if commit else "unknown"


def _sources(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{above}{entry.name}", _digest(entry.read_bytes().replace(b"\r\n", b"\n"))


def _few(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _version(package: str) -> str | None:
    """Return the installed version; None for sources that are run without being installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
