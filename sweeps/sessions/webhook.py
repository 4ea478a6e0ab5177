"""Notification of a URL when a sweep ends: one JSON POST, and only a warning if it fails."""

import json
import sys
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0
"""Seconds to wait for the receiver's answer."""


def check_url(url: str) -> None:
    """Refuse, before a sweep starts, a URL that cannot be posted to.

    Raises:
        ValueError: it is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in url):
        raise ValueError(f"--webhook {url}: give an address that takes a POST, such as https://host/path")


def notify(
    url: str, payload: Mapping[str, Any], *, opener: Callable[..., Any] = urllib.request.urlopen
) -> bool:
    """Post the payload as JSON; return whether it was accepted, and warn on standard error if not.

    A `text` of all its fields is added where it has none: chat programs show that.
    """
    content = {"text": ", ".join(f"{name}: {value}" for name, value in payload.items()), **payload}
    try:
        request = urllib.request.Request(
            url,
            data=json.dumps(content, default=str).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "contrastive-sweeps"},
            method="POST",
        )
        with opener(request, timeout=SECONDS):
            return True
    except (OSError, HTTPException, ValueError) as error:
        # The path of such a URL is often a secret: a log may show only the host.
        sys.stderr.write(f"sweeps: the webhook at {urlsplit(url).hostname} was not told: {error}\n")
        return False
