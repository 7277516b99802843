"""Tests stand alone: what two of them need is in `tests/support`."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent


def test_nothing_is_imported_from_a_test_or_a_conftest() -> None:
    offences = [
        f"{path.relative_to(TESTS)} imports {name}; move what it needs to tests/support"
        for path in sorted(TESTS.rglob("*.py"))
        for name in imported_names(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("tests.") and any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]
    assert offences == []


def imported_names(tree: ast.AST) -> list[str]:
    """Return the full names that a module imports, inside functions too; a relative import counts as one of `tests`."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(part for part in ("tests" if node.level else "", node.module) if part)
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names
