"""Where what can be made again is kept between runs."""

from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The platform's folder for caches, of this project; XDG_CACHE_HOME moves it on Linux."""
    return user_cache_path("contrastive-sweeps", appauthor=False)
