"""Pages that stand at the top of the repository: the changelog and the page for contributors."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BROWSE = "https://github.com/ccsr-bench/ccsr-bench/blob/main"


def pages() -> dict[str, str]:
    """Return the pages, with links that work in the site."""
    return {f"{name.lower()}.md": _page(REPOSITORY / f"{name}.md") for name in ("CHANGELOG", "CONTRIBUTING")}


def _page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/([^)]+)\)", r"](\1)", text)
    return re.sub(r"\]\((?!https?:|#)(?!(?:[\w-]+/)*[\w-]+\.md\b)([^)]+)\)", rf"]({BROWSE}/\1)", text)
