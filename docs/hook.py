"""Adds the generated pages to the site and to its navigation, and keeps it free of other hosts."""

from pathlib import Path
from typing import Any

from generated import pages, rooms
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = pages()


def on_config(config: MkDocsConfig) -> None:
    """Puts a page for each method and space behind the index of their section."""
    config.nav = [entry for entry in (_present(entry, config) for entry in config.nav or ()) if entry]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds the pages that are read off the code."""
    for path, content in PAGES.items():
        files.append(File.generated(config, path, content=content))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fills in what a page that is written by hand shows of the code."""
    return rooms.fill(markdown)


def _present(entry: Any, config: MkDocsConfig) -> Any:
    """An entry of the navigation without the pages that nobody has written, an index with those of its folder."""
    if isinstance(entry, dict):
        return {title: kept for title, inner in entry.items() if (kept := _present(inner, config))}
    if isinstance(entry, list):
        return [kept for inner in entry for one in _folder(inner) if (kept := _present(one, config))]
    return entry if entry in PAGES or (Path(config.docs_dir) / entry).exists() else None


def _folder(entry: Any) -> list[Any]:
    """A generated index and the pages behind it."""
    if not (isinstance(entry, str) and entry.endswith("/index.md") and entry in PAGES):
        return [entry]
    start = entry.removesuffix("index.md")
    return [entry, *(path for path in PAGES if path.startswith(start) and path != entry)]


def on_post_build(config: MkDocsConfig) -> None:
    """Takes away the addresses from which the theme would load what these pages do not need."""
    scripts = Path(config.site_dir, "assets", "javascripts")
    for script in scripts.glob("*.js"):
        script.write_text(script.read_text("utf-8").replace("https://unpkg.com/", ""), "utf-8")
    for source_map in scripts.rglob("*.map"):
        source_map.unlink()
