"""The documentation builds strictly, and needs nothing from the web; the notebook can be executed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def test_the_site_builds_strictly_and_fetches_nothing_from_the_web(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra `docs`")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(https?:[^\"> ]+)", text)
        styles = re.findall(
            r"<link\b[^>]*\brel=\"?(?:stylesheet|preconnect|icon)\"?[^>]*\bhref=\"?(https?:[^\"> ]+)", text
        )
        assert loaded + styles == [], page


def test_the_notebook_can_be_executed(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `docs`")
    client = pytest.importorskip("nbclient", reason="needs the extra `docs`")
    pytest.importorskip("ipykernel", reason="needs the extra `docs`")
    notebook = nbformat.read(REPOSITORY / "examples" / "notebook.ipynb", as_version=4)
    shown = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in shown)
    resources = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    assert (tmp_path / "results" / "sample" / "blocks" / "ledger.sqlite").is_file()
