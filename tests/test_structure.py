"""The structure of the package: few modules at its top, no circle of imports, delayed imports that say why."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ccsr_bench

PACKAGE = Path(ccsr_bench.__file__).parent

HEAVY = {
    "diffusers",
    "gdown",
    "huggingface_hub",
    "matplotlib",
    "pandas",
    "pooch",
    "pyiqa",
    "requests",
    "safetensors",
    "skimage",
    "spandrel",
    "torch",
    "tqdm",
    "transformers",
}
"""Libraries that a function may import itself, because importing them takes long or they are optional."""

REASON = re.compile(r"#\s*(imports \w+|\w+ on \w+ only|takes longer|exists on)")


def test_at_most_eight_modules_stand_at_the_top_of_the_package() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 8


def test_no_modules_import_each_other_in_a_circle() -> None:
    pytest.importorskip("grimp", reason="needs the extra `dev`")
    from benchmarks.import_chains import import_graph, longest_chain

    graph = import_graph()
    assert "ccsr_bench.running.runner" in graph
    assert len(longest_chain(graph)) < 25
    with pytest.raises(ValueError, match="a -> b -> a"):
        longest_chain({"a": {"b"}, "b": {"a"}})


def delayed_imports() -> Iterator[tuple[str, str]]:
    """Yield (place, line) of the imports inside functions, outside the command line, whose verbs all delay theirs."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        functions = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
        found = {
            node.lineno
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        for number in sorted(found):
            yield f"{path.relative_to(PACKAGE)}:{number}", lines[number - 1].strip()


def test_an_import_inside_a_function_names_the_heavy_library_that_it_delays() -> None:
    unexplained = [
        f"{place}: {line}"
        for place, line in delayed_imports()
        if re.split(r"[ .]", line)[1] not in HEAVY and not REASON.search(line)
    ]
    assert unexplained == []


def test_public_names_are_listed_and_documented() -> None:
    assert {"run", "score", "load_results", "metric", "table", "report", "compare"} <= set(dir(ccsr_bench))
    for name in ccsr_bench.__all__:
        assert getattr(ccsr_bench, name).__doc__, name
    assert re.match(r"\d+\.\d+", ccsr_bench.__version__)


def test_no_public_name_is_also_a_module_which_would_hide_it_once_imported() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert modules.isdisjoint(ccsr_bench.__all__)
