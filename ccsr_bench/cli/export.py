"""`ccsr-bench export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE

EXAMPLES = """\
  ccsr-bench export --method bicubic-dither --dataset sample --to baselines/sample-bicubic-dither.json
  ccsr-bench compare baselines/sample-bicubic-dither.json results/sample/bicubic-dither
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", required=True, metavar="M", help="the method")
    parser.add_argument("--dataset", required=True, metavar="D", help="the data set")
    shared.add_out(parser)
    parser.add_argument(
        "--runs",
        type=shared.positive,
        metavar="N",
        help="keep the first N runs (default: the most that all images have)",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the JSON file to write")


def execute(options: argparse.Namespace) -> int:
    """Write a method's results to a small text file."""
    from ccsr_bench.cli.console import echo
    from ccsr_bench.errors import BenchError
    from ccsr_bench.gate.baseline import as_text, of_results
    from ccsr_bench.images import write_atomically
    from ccsr_bench.ledger.results import open_results

    with open_results(options.out, methods=[options.method], datasets=[options.dataset], runs=options.runs) as found:
        if not found:
            raise BenchError(f"{options.out}: no results of {options.method} on {options.dataset}; run it first")
        baseline = of_results(found[0])
    options.to.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(options.to, as_text(baseline).encode())
    echo(
        f"{baseline.method} on {baseline.dataset}: {len(baseline.pixels_sha256)} images x {baseline.runs} runs, "
        f"{', '.join([*baseline.scores, *baseline.distances])} -> {options.to}"
    )
    return EXIT_DONE
