"""What the documentation says about commands, variables and tables is complete and true."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

import ccsr_bench
from ccsr_bench.cli.main import VERBS, build_parser
from ccsr_bench.datasets.manifest import manifest_paths
from ccsr_bench.ledger import reader
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.metrics.catalogue import METRICS
from generate import all_pages

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_on_its_page(verb: str) -> None:
    page = all_pages()[f"reference/command-line/{verb}.md"]
    options = {option for action in _actions(verb) for option in action}
    assert options
    missing = [option for option in sorted(options) if not re.search(rf"`[^`]*{re.escape(option)}\b", page)]
    assert missing == []


def _actions(verb: str) -> list[list[str]]:
    parser = build_parser(verb)
    choices = next(action.choices for action in parser._actions if isinstance(action.choices, dict))
    return [action.option_strings for action in choices[verb]._actions]


def test_every_name_of_the_api_is_on_its_page() -> None:
    page = all_pages()["reference/python.md"]
    assert sorted(re.findall(r"^::: ccsr_bench\.(\w+)$", page, re.MULTILINE)) == sorted(ccsr_bench.__all__)


def test_every_metric_method_and_data_set_has_a_page() -> None:
    pages = all_pages()
    assert {f"reference/metrics/{name}.md" for name in METRICS} <= pages.keys()
    assert {f"reference/methods/{spec.manifest.id}.md" for spec in find_methods().values()} <= pages.keys()
    assert {f"reference/datasets/{name}.md" for name in manifest_paths()} <= pages.keys()


def test_every_metric_has_notes() -> None:
    assert {path.stem for path in (DOCS / "generate" / "notes").glob("*.md")} == METRICS.keys()


def test_every_environment_variable_in_the_code_is_documented() -> None:
    files = [
        path
        for folder in ("ccsr_bench", "methods", "tests", "benchmarks", "examples", ".github", ".ci")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in {".py", ".sh", ".yml", ".toml", ""} and path.is_file()
    ]
    used = {name for path in files for name in re.findall(r"\bCCSR_BENCH_[A-Z]+\b", path.read_text("utf-8", "replace"))}
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    assert used == set(re.findall(r"^\| `(CCSR_BENCH_[A-Z]+)`", page, re.MULTILINE))


def test_every_table_and_column_of_the_ledger_is_documented() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(reader.TABLES + reader.FEATURE_TABLES)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    schema = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}
    connection.close()
    assert _documented_schema() == schema


def _documented_schema() -> dict[str, list[str]]:
    """Return table -> columns of the page about the ledger; a cell may name several columns."""
    text = (DOCS / "concepts" / "ledger.md").read_text(encoding="utf-8").partition("## Tables")[2].partition("## ")[0]
    schema: dict[str, list[str]] = {}
    for table, columns in re.findall(r"^\| (?:`(\w+)` )?\| (`[^|]*`) \|", text, re.MULTILINE):
        if table:
            schema[table] = []
        schema[list(schema)[-1]] += re.findall(r"`(\w+)`", columns)
    return schema


def test_every_page_is_in_the_navigation() -> None:
    navigation = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = set(re.findall(r"[\w./-]+\.md", navigation))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if "generate" not in path.parts}
    assert written <= listed
