"""Runs the notebooks on the store that comes with a checkout and keeps what they put out.

    python tests/ship_notebooks.py

Kept are texts, tables and figures; not how often or when a cell was run, nor where on whose machine.
"""

import base64
import io
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "analysis" / "notebooks"
NAMES = ("sce_temperatures", "method_comparison", "ablation", "early_stopping_audit", "store_tour")
STORE = Path("tests") / "fixtures" / "evidence"
COLOURS, PIXELS = 48, 900
"""Of a kept figure: colours of its palette, and its width at most."""


def main() -> None:
    for name in NAMES:
        notebook = in_step(name)
        run(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.execution_count = None
                cell.metadata = {}
                cell.outputs = [kept(output) for output in cell.outputs]
        notebook.metadata = {key: notebook.metadata[key] for key in ("jupytext", "kernelspec")}
        nbformat.write(notebook, FOLDER / f"{name}.ipynb")
        print(name, (FOLDER / f"{name}.ipynb").stat().st_size)


def in_step(name: str) -> nbformat.NotebookNode:
    """The notebook with the cells of its script, under the names that they have."""
    script, notebook = (
        jupytext.read(FOLDER / f"{name}.py"),
        nbformat.read(FOLDER / f"{name}.ipynb", as_version=4),
    )
    if len(script.cells) != len(notebook.cells):
        notebook.cells = script.cells
    for cell, source in zip(notebook.cells, script.cells, strict=True):
        cell.source = source.source
    return notebook


def run(notebook: nbformat.NotebookNode) -> None:
    with TemporaryDirectory() as home:
        private = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"), home)
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
        )
        client.execute(env={**os.environ, **private, "SWEEPS_STORE": str(STORE)})


def kept(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An output without absolute paths, its figure small."""
    if "execution_count" in output:
        output.execution_count = None
    if "text" in output:
        output.text = plain(output.text)
    for kind, value in output.get("data", {}).items():
        output.data[kind] = small(value) if kind == "image/png" else plain(value)
    return output


def plain(text: Any) -> Any:
    """A text with paths from the root of the checkout."""
    return re.sub(rf"{re.escape(str(ROOT))}/?", "", text) if isinstance(text, str) else text


def small(png: str) -> str:
    """A figure in few colours, no wider than a page shows it."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    if image.width > PIXELS:
        image = image.resize((PIXELS, round(image.height * PIXELS / image.width)), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(content, format="png", optimize=True)
    return base64.b64encode(content.getvalue()).decode()


if __name__ == "__main__":
    main()
