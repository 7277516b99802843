"""Print the longest chain of imports in ccsr_bench, or an import circle.

    python -m benchmarks.import_chains

Imports inside functions count like those at the top of a module; imports for type checkers alone do not.
"""

from __future__ import annotations

import grimp

PACKAGE = "ccsr_bench"


def import_graph() -> dict[str, set[str]]:
    """Return module -> the modules of the package that it imports."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}


def longest_chain(graph: dict[str, set[str]]) -> list[str]:
    """Return the longest chain in which every module imports the next.

    Raises:
        ValueError: Modules import each other in a circle, which the message names.
    """
    chains: dict[str, list[str]] = {}

    def chain_from(module: str, above: list[str]) -> list[str]:
        if module in above:
            raise ValueError(f"a circle of imports: {' -> '.join([*above[above.index(module) :], module])}")
        if module not in chains:
            below = [chain_from(imported, [*above, module]) for imported in sorted(graph[module])]
            chains[module] = [module, *max(below, key=len, default=[])]
        return chains[module]

    return max((chain_from(module, []) for module in graph), key=len)


def main() -> None:
    """Print the longest chain; a circle is an error that names it."""
    graph = import_graph()
    chain = longest_chain(graph)
    print(f"{len(graph)} modules, {sum(map(len, graph.values()))} imports, no circle")
    print(f"the longest chain has {len(chain)} modules:")
    for depth, module in enumerate(chain):
        print(f"{'  ' * depth}{module}")


if __name__ == "__main__":
    main()
