"""Rendering tables as text: Markdown, LaTeX, HTML, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ccsr_bench.tables.render.html import html
from ccsr_bench.tables.render.latex import document, fragment
from ccsr_bench.tables.render.markdown import markdown
from ccsr_bench.tables.render.records import comma_separated
from ccsr_bench.tables.rows import Table

FORMATS: Mapping[str, Callable[[Sequence[Table]], str]] = {
    "md": markdown,
    "latex": document,
    "latex-table": fragment,
    "html": html,
    "csv": comma_separated,
}
