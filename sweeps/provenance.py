"""Where a result comes from: code, versions and machine."""

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("contrastive-sweeps", "torch", "torchvision", "numpy", "ray", "optuna", "pyarrow")


def provenance() -> dict[str, object]:
    """Commit and uncommitted changes of the source (None outside a checkout), versions, machine."""
    source = Path(__file__).parent
    # An installation inside somebody else's repository must not record their commit.
    ours = _git(source, "ls-files", "--error-unmatch", Path(__file__).name) is not None
    return {
        "commit": _git(source, "rev-parse", "HEAD") if ours else None,
        "changed": bool(_git(source, "status", "--porcelain", "--untracked-files=no")) if ours else None,
        "diff": _digest(_git(source, "diff", "HEAD")) if ours else None,
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": platform.machine(),
    }


def _digest(changes: str | None) -> str:
    """Tells two states of uncommitted changes apart; "" where nothing is changed."""
    return hashlib.sha256(changes.encode()).hexdigest()[:16] if changes else ""


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
