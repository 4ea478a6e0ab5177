"""Cache folder for files that can be made again."""

from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Return this project's folder in the platform's cache folder; XDG_CACHE_HOME moves it on Linux."""
    return user_cache_path("contrastive-sweeps", appauthor=False)
