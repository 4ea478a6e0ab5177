"""Tells a URL how a sweep ended: one JSON POST, and no more than a warning if it does not arrive."""

import json
import sys
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0
"""After so long without an answer the receiver is given up."""


def check_url(url: str) -> None:
    """Refuses, before a sweep starts, what cannot be posted to.

    Raises:
        ValueError: it is no http or https URL with a host.
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
    """Posts the payload as JSON; returns whether it was taken, and warns on standard error if not.

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
        # The path of such a URL is often a secret: a log may have the host alone.
        sys.stderr.write(f"sweeps: the webhook at {urlsplit(url).hostname} was not told: {error}\n")
        return False
