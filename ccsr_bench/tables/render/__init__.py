"""Tables as text: Markdown, LaTeX, HTML, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import overload

from ccsr_bench.errors import unknown_name
from ccsr_bench.tables.render.html import embedded, html
from ccsr_bench.tables.render.latex import document, fragment
from ccsr_bench.tables.render.markdown import markdown
from ccsr_bench.tables.render.records import as_csv, as_json
from ccsr_bench.tables.rows import Table

FORMATS: Mapping[str, Callable[[Sequence[Table]], str]] = {
    "md": markdown,
    "latex": document,
    "latex-table": fragment,
    "html": html,
    "csv": as_csv,
}


class Tables(Sequence[Table]):
    """Tables that show themselves: as Markdown in a terminal, as HTML in a notebook.

    Args:
        tables: One table for each data set, or one in a layout of the paper.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tuple(tables)

    def render(self, form: str = "md") -> str:
        """Return the tables as text.

        Args:
            form: Format: ``md``, ``latex`` (a document), ``latex-table`` (for a paper), ``html`` (a page), ``csv`` or
                ``json``.

        Raises:
            BenchError: There is no such format.
        """
        if form == "json":
            return as_json(self._tables)
        if form not in FORMATS:
            raise unknown_name("`form`", form, [*FORMATS, "json"])
        return FORMATS[form](self._tables)

    @overload
    def __getitem__(self, index: int) -> Table: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Table]: ...
    def __getitem__(self, index: int | slice) -> Table | Sequence[Table]:
        return self._tables[index]

    def __len__(self) -> int:
        return len(self._tables)

    def __str__(self) -> str:
        return self.render("md")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return embedded(self._tables)
