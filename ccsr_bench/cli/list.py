"""`ccsr-bench list`: list methods, data sets, metrics or protocols."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE

EXAMPLES = """\
  ccsr-bench list methods
  ccsr-bench list datasets --json
"""

Record = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("what", choices=list(_LISTS), help="kind of things to list")
    shared.add_methods_dir(parser)
    shared.add_json(parser, "all fields")


def execute(options: argparse.Namespace) -> int:
    """List all things of a kind."""
    from ccsr_bench.cli.console import columns, echo_json

    records, shown = _LISTS[options.what](options)
    if options.json:
        echo_json(records)
    else:
        columns([shown, *([str(record[field]) for field in shown] for record in records)])
    return EXIT_DONE


def _methods(options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    import msgspec

    from ccsr_bench.methods.registry import find_methods

    records = [
        {
            **msgspec.to_builtins(spec.manifest),
            **msgspec.to_builtins(spec.variant),
            "name": spec.name,
            "runs as": "stochastic" if spec.stochastic else "deterministic",
            "folder": str(spec.folder),
        }
        for spec in find_methods(options.methods_dir).values()
    ]
    for record in records:
        del record["variants"]
    return records, ["name", "runs as", "licence", "title"]


def _datasets(_options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    from ccsr_bench.datasets.loading import is_ready
    from ccsr_bench.datasets.manifest import manifest_paths, read_manifest

    records: list[Record] = []
    for name in manifest_paths():
        manifest = read_manifest(name)
        records.append(
            {
                "name": name,
                "images": manifest.images,
                "scale": manifest.scale,
                "state": "ready" if is_ready(manifest) else "not prepared",
                "title": manifest.title,
                "citation": manifest.citation,
                "licence": manifest.licence,
                "homepage": manifest.homepage,
            }
        )
    return records, ["name", "images", "scale", "state", "title"]


def _metrics(_options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    from dataclasses import asdict

    from ccsr_bench.metrics.catalogue import METRICS

    records = [{**asdict(info), "better": "higher" if info.higher_is_better else "lower"} for info in METRICS.values()]
    return records, ["name", "better", "kind", "licence", "title"]


def _protocols(_options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    from dataclasses import asdict

    from ccsr_bench.metrics.catalogue import PROTOCOLS

    return [asdict(protocol) for protocol in PROTOCOLS.values()], ["name", "title"]


_LISTS: dict[str, Callable[[argparse.Namespace], tuple[list[Record], list[str]]]] = {
    "methods": _methods,
    "datasets": _datasets,
    "metrics": _metrics,
    "protocols": _protocols,
}
