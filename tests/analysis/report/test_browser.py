"""A report in a real browser: opened from its file, without a network, on a wide screen and on a telephone."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import report
from tests import recorded as made_up
from tests.analysis.report.test_report import embedded, hostile, planned, recorded, search, stopped

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for path in map(shutil.which, BROWSERS) if path), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "--force-color-profile=srgb"),
)
DESKTOP, TELEPHONE = (1600, 1000), (360, 740)
PAPER = (680, 1000)  # A4 within margins of 15 mm
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is on PATH, so no page can be opened"
)


class Browser:
    """One page of headless Chromium, by the DevTools protocol over a pipe: messages in JSON, a NUL after each."""

    def __init__(self, reading: int, writing: int):
        self.incoming, self.outgoing = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        self.count = 0
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        self.outgoing.write(
            json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode()
        )
        self.outgoing.write(b"\0")
        self.outgoing.flush()
        while (answer := self._next()).get("id") != self.count:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str, size: tuple[int, int]) -> None:
        width, height = size
        mobile = width < 500
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        self.events.clear()
        self.ask("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, expression: str) -> Any:
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"]["value"]

    def screenshot(self, path: Path) -> None:
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def named(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self.incoming.read(1)) != b"\0":
            assert byte, "the browser has gone"
            message += byte
        return json.loads(message)


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """Chromium reads commands from its descriptor 3 and answers on 4."""
    (commands, writing), (reading, answers) = os.pipe(), os.pipe()
    words = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}"]
    shell = f'exec "$@" 3<&{commands} 4>&{answers}'
    with subprocess.Popen(
        ["bash", "-c", shell, "bash", *words], pass_fds=(commands, answers), stderr=subprocess.DEVNULL
    ) as process:
        os.close(commands)
        os.close(answers)
        browser = Browser(reading, writing)
        try:
            yield browser
            browser.session = None
            browser.ask("Browser.close")
        finally:
            browser.incoming.close()
            browser.outgoing.close()
            process.terminate()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


def wide(directory: Path) -> Path:
    """A search over nine parameters with long names, five seeds an arm."""
    names = [f"parameter_{place}_with_a_name" for place in range(7)]
    domains = {f"method.{name}": {"kind": "uniform", "low": 0, "high": 1} for name in names}

    def config(index: int, generator: np.random.Generator) -> tuple[dict[str, Any], float]:
        method, end = made_up.temperatures(index, generator)
        return method | {name: generator.uniform() for name in names}, end

    sweep = made_up.sweep(10, seeds=range(5), config=config, domains={**made_up.DOMAINS, **domains})
    return recorded(directory, sweep, **planned(design="random", arms=10, seeds=tuple(range(5))))


KINDS = {"search": search, "stopped": stopped, "embeddings": embedded, "hostile": hostile, "wide": wide}


@pytest.fixture(scope="module", params=KINDS)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, away from the sweep that it is about."""
    folder = KINDS[request.param](tmp_path_factory.mktemp("sweep") / "sweep")
    return report.write(folder, tmp_path_factory.mktemp("page") / f"{request.param}.html")


@pytest.mark.parametrize("size", [DESKTOP, TELEPHONE])
def test_a_page_opens_from_its_file_without_a_complaint_or_a_request(
    browser: Browser, page: Path, size: tuple[int, int], tmp_path: Path
) -> None:
    browser.open(page.as_uri(), size)
    browser.screenshot(Path(os.environ.get("ARTEFACTS", tmp_path)) / f"{page.stem}-{size[0]}.png")
    requests = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
    assert [url for url in requests if not url.startswith("data:image/png")] == [page.as_uri()]
    for complaint in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
        assert browser.named(complaint) == []
    assert browser.value("document.compatMode") == "CSS1Compat"
    assert browser.value("document.scripts.length") == 0


@pytest.mark.parametrize("size", [DESKTOP, TELEPHONE])
def test_every_figure_and_table_has_a_size_and_the_page_does_not_scroll_sideways(
    browser: Browser, page: Path, size: tuple[int, int]
) -> None:
    browser.open(page.as_uri(), size)
    boxes = "[...document.querySelectorAll('svg, table')].map(one => one.getBoundingClientRect())"
    found = browser.value(f"{boxes}.map(box => [box.width, box.height])")
    assert found
    assert min(min(box) for box in found) > 40
    assert browser.value("document.documentElement.scrollWidth") <= size[0]


def test_no_table_is_cut_on_a_common_screen(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri(), (1280, 800))
    frames = "[...document.querySelectorAll('.tabled')]"
    assert browser.value(f"{frames}.filter(one => one.scrollWidth > one.clientWidth).length") == 0


def test_the_state_of_an_arm_stands_in_one_line(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri(), (1280, 800))
    lines = (
        "one => { const all = new Range(); all.selectNodeContents(one); return all.getClientRects().length }"
    )
    states = "[...document.querySelectorAll('td')].filter(one => one.textContent == 'complete')"
    assert set(browser.value(f"{states}.map({lines})")) == {1}


def test_figures_can_be_read_on_a_telephone(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri(), TELEPHONE)
    shrunk = "one => one.getBoundingClientRect().width / one.viewBox.baseVal.width"
    # Pixels a point: at 1.1 the smallest words, of 6.5 points, are 7 pixels high; wider figures scroll in their frames.
    assert min(browser.value(f"[...document.querySelectorAll('svg')].map({shrunk})")) > 1.1
    assert browser.value("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


def test_each_link_of_the_contents_leads_to_its_heading(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri(), DESKTOP)
    links = browser.value("[...document.querySelectorAll('nav a')].map(one => one.hash)")
    assert len(links) == 8
    for link in links:
        assert browser.value(f"document.querySelector({json.dumps(link)}).tagName") == "H2"


def test_paper_has_all_figures_and_nothing_that_is_folded(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri(), PAPER)
    assert base64.b64decode(browser.ask("Page.printToPDF")["data"]).startswith(b"%PDF")
    browser.ask("Emulation.setEmulatedMedia", media="print")
    hidden = (
        "[...document.querySelectorAll('nav, details')].every(one => getComputedStyle(one).display == 'none')"
    )
    assert browser.value(hidden)
    assert browser.value(
        "[...document.querySelectorAll('svg')].every(one => one.getBoundingClientRect().height > 40)"
    )
    assert browser.value("document.documentElement.scrollWidth") <= PAPER[0]
    browser.ask("Emulation.setEmulatedMedia", media="")


def test_names_and_tracebacks_are_shown_as_they_are(browser: Browser, tmp_path: Path) -> None:
    page = report.write(hostile(tmp_path / "sweep"), tmp_path / "hostile.html")
    browser.open(page.as_uri(), DESKTOP)
    assert browser.value("document.title").startswith("</svg><script>alert(")
    assert '<b>&"boom"</b> is no loss' in browser.value(
        "document.querySelector('table + *, main').textContent"
    )
