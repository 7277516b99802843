"""Pages that stand at the top of the repository: the changelog and the page for contributors."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BROWSE = "https://github.com/ccsr-bench/ccsr-bench/blob/main"
FILES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""File of the repository -> page of the site."""


def pages() -> dict[str, str]:
    """Return the pages, with links that work in the site."""
    return {uri: re.sub(r"\]\(([^)]+)\)", _link, (REPOSITORY / file).read_text("utf-8")) for file, uri in FILES.items()}


def _link(match: re.Match[str]) -> str:
    """Return a link from the top of the repository as one from the top of the site."""
    target = match[1]
    if not target.startswith(("https:", "#")):
        file, hash_sign, anchor = target.partition("#")
        target = FILES.get(file) or (file.removeprefix("docs/") if file.startswith("docs/") else f"{BROWSE}/{file}")
        target += hash_sign + anchor
    return f"]({target})"
