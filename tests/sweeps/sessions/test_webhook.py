"""One POST when a sweep ends, and no more than a warning if nobody takes it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sweeps.sessions.webhook import SECONDS, check_url, notify


class Receiver:
    """A local server that keeps what it is sent and answers with one status."""

    def __init__(self, status: int = 200):
        self.taken: list[tuple[str, str, dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.taken.append((self.path, self.headers["Content-Type"], content))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/secret"


@contextmanager
def receiver(status: int = 200) -> Iterator[Receiver]:
    it = Receiver(status)
    thread = threading.Thread(target=it.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield it
    finally:
        it.server.shutdown()
        thread.join()
        it.server.server_close()


def test_the_payload_is_posted_as_json_with_a_text_for_chat_programs() -> None:
    with receiver() as it:
        assert notify(it.url, {"sweep": "s-1", "state": "ended", "score": 53.9})
    assert it.taken == [
        (
            "/services/secret",
            "application/json",
            {
                "text": "sweep: s-1, state: ended, score: 53.9",
                "sweep": "s-1",
                "state": "ended",
                "score": 53.9,
            },
        )
    ]


def test_a_text_of_its_own_is_left_as_it_is() -> None:
    with receiver() as it:
        notify(it.url, {"text": "Best: 53.9"})
    assert it.taken[0][2] == {"text": "Best: 53.9"}


def test_a_receiver_that_refuses_costs_a_warning_without_the_secret_part_of_its_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with receiver(status=500) as it:
        assert not notify(it.url, {"sweep": "s-1"})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sweeps: the webhook at 127.0.0.1 was not told: HTTP Error 500")
    assert "secret" not in err


@pytest.mark.parametrize(
    "error",
    [TimeoutError("timed out"), ConnectionRefusedError("refused"), BadStatusLine("?"), ValueError("?")],
)
def test_whatever_goes_wrong_on_the_way_is_only_a_warning(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []

    def opener(request: Any, timeout: float) -> None:
        waited.append(timeout)
        raise error

    assert not notify("https://host/path", {"sweep": "s-1"}, opener=opener)
    assert "was not told" in capsys.readouterr().err
    assert waited == [SECONDS] == [10.0]


@pytest.mark.parametrize("url", ["https://host/path", "http://localhost:8080", "https://[::1]:443/x"])
def test_an_address_that_takes_a_post_is_accepted(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url", ["host/path", "ftp://host/x", "https://", "file:///etc/x", "http://host:x/", "http://a b"]
)
def test_any_other_address_is_refused_before_a_sweep_starts(url: str) -> None:
    with pytest.raises(ValueError, match="--webhook .* give an address that takes a POST"):
        check_url(url)
