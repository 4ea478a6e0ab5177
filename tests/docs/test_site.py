"""The documentation builds without a warning, is whole, and is readable from disk without a network."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contrastive.methods import METHODS
from search_spaces import SPACES
from sweeps import store
from sweeps.planning.designs import DESIGNS
from sweeps.stoppers import STOPPERS
from sweeps.store import schema
from tests.analysis.report.test_browser import BROWSER, browsing

ROOT = Path(__file__).parents[2]
LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\b(?:src|srcset|data)\s*=\s*["']?(?:https?:)?//[^"'>\s]+"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon|modulepreload))[^>]*\bhref=["']?(?:https?:)?//[^"'>\s]+"""
    r"""|url\(\s*["']?(?:https?:)?//[^)]+\)|@import\s+["'](?:https?:)?//"""
    r"""|https?://[^"'`\s]*\.(?:m?js|css|woff2?)\b""",
    re.IGNORECASE,
)
COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew; any warning fails the build."""
    out = tmp_path_factory.mktemp("site")
    words = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(out),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_no_page_loads_anything_from_another_host(site: Path):
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css", ".js")]
    assert len(files) > 50
    found = {
        str(path.relative_to(site)): sorted(set(LOADS.findall(COMMENT.sub("", path.read_text("utf-8")))))
        for path in files
    }
    assert {path: loads for path, loads in found.items() if loads} == {}


def test_every_link_inside_the_site_leads_to_a_file(site: Path):
    broken = [
        (str(page.relative_to(site)), link)
        for page in site.rglob("*.html")
        for link in re.findall(r"""(?:href|src)=["']?([^"'>\s]+)""", page.read_text("utf-8"))
        if not re.match(r"[a-z]+:|#|data:", link)
        and not (page.parent / link.partition("#")[0]).is_file()
        and page.name != "404.html"
    ]
    assert broken == []


def test_search_has_an_index_that_a_page_opened_from_disk_can_load(site: Path):
    script = (site / "search" / "search_index.js").read_text("utf-8")
    index = json.loads(script.removeprefix("var __index = "))
    assert any(entry["location"].startswith("methods/sce.html") for entry in index["docs"])
    assert "iframe-worker.js" in (site / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("methods/index.html", [method().name for method in METHODS]),
        ("spaces/index.html", list(SPACES)),
        ("reference/designs.html", list(DESIGNS)),
        ("reference/stoppers.html", list(STOPPERS)),
        ("reference/domains.html", ["uniform", "log_uniform", "integer", "choice", "zip"]),
    ],
)
def test_what_the_code_has_stands_on_its_page(site: Path, page: str, names: list[str]):
    text = (site / page).read_text("utf-8")
    assert [name for name in names if f"<code>{name}</code>" not in text] == []


def test_each_method_and_space_has_a_page_of_its_own(site: Path):
    wanted = [f"methods/{method().name}.html" for method in METHODS] + [
        f"spaces/{name}.html" for name in SPACES
    ]
    assert [page for page in wanted if not (site / page).is_file()] == []


def test_a_method_page_shows_formula_fields_recipes_and_spaces(site: Path):
    text = (site / "methods" / "sce.html").read_text("utf-8")
    for piece in (
        "target_temperature",
        "onehot(positive)",
        "sce:imagenet-multicrop",
        "sce_ablation.html",
        "Denize",
    ):
        assert piece in text, piece


def test_every_flag_of_the_command_line_is_in_its_manual(site: Path):
    text = (site / "reference" / "commands.html").read_text("utf-8")
    for flag in (
        "--space",
        "--confirm-seeds",
        "--stopper",
        "--gpus-per-worker",
        "--protocol",
        "--margin",
        "--delays",
    ):
        assert flag in text, flag


def test_the_architecture_has_every_room_of_sweeps(site: Path):
    text = (site / "architecture.html").read_text("utf-8")
    folders = [path.parent.name for path in (ROOT / "sweeps").glob("*/__init__.py")]
    assert [name for name in folders if f"<code>sweeps/{name}</code>" not in text] == []


@pytest.mark.skipif(BROWSER is None, reason="no browser is on PATH, so no page can be opened")
def test_search_finds_pages_in_a_site_that_was_opened_from_disk(site: Path, tmp_path: Path):
    with browsing(tmp_path) as browser:
        browser.open(f"{(site / 'index.html').as_uri()}?q=temperature", (1400, 900))
        found, deadline = 0, time.monotonic() + 30
        while not found and time.monotonic() < deadline:
            found = browser.value("document.querySelectorAll('.md-search-result__item').length")
        requests = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
        assert found > 5
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        assert browser.named("Runtime.exceptionThrown") == []


def test_the_page_of_the_store_has_every_view_and_column():
    text = (ROOT / "docs" / "store.md").read_text("utf-8")
    columns = {name for table in (schema.REPORTS, schema.RUNS) for name in table.names}
    assert [name for name in sorted({*columns, *store.VIEWS}) if f"`{name}`" not in text] == ["metrics"]
