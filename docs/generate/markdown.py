"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ccsr_bench.install.sources import Source


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table.

    Args:
        header: The column headings.
        rows: The cells of every row, as Markdown.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of named facts; those with an empty text are left out."""
    return "\n".join(f"- **{name}**: {text}" for name, text in pairs if text)


def code(text: str, language: str = "text") -> str:
    """Return a fenced block."""
    return f"```{language}\n{text.rstrip()}\n```"


def page(*parts: str) -> str:
    """Return a page made of parts; empty ones are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def size(count: int) -> str:
    """Return a number of bytes in decimal units with at most three digits, as registries print it."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def link(address: str) -> str:
    """Return an address as a link to itself."""
    return f"<{address}>"


def source_text(source: Source) -> str:
    """Return where files come from, as a link where it is an address."""
    text = str(source)
    return link(text) if text.startswith("https:") else text
