"""`ccsr-bench export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError

EXAMPLES = """\
  ccsr-bench export --method bicubic-dither --dataset sample --to baselines/sample-bicubic-dither.json
  ccsr-bench compare baselines/sample-bicubic-dither.json results/sample/bicubic-dither
  ccsr-bench export --format csv --to scores.csv              # every single score of all results
  ccsr-bench export --format parquet --dataset RealSR --to scores.parquet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--format",
        choices=["baseline", "csv", "parquet"],
        default="baseline",
        help="a baseline of one method on one data set, for `compare`; or a table with one row for each score "
        "(default: %(default)s)",
    )
    shared.add_choice(parser)
    shared.add_out(parser)
    shared.add_recorded_runs(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write")


def execute(options: argparse.Namespace) -> int:
    """Write results to a file."""
    options.to.parent.mkdir(parents=True, exist_ok=True)
    if options.format == "baseline":
        _write_baseline(options)
    else:
        _write_scores(options)
    return EXIT_DONE


def _write_baseline(options: argparse.Namespace) -> None:
    from ccsr_bench.cli.console import echo
    from ccsr_bench.gate.baseline import as_text, of_results
    from ccsr_bench.images import write_atomically
    from ccsr_bench.ledger.results import open_results

    if len(options.method) != 1 or len(options.dataset) != 1:
        raise BenchError("a baseline holds one method on one data set: name them with --method M and --dataset D")
    with open_results(options.out, methods=options.method, datasets=options.dataset, runs=options.runs) as found:
        baseline = of_results(found[0])
    write_atomically(options.to, as_text(baseline).encode())
    echo(
        f"{baseline.method} on {baseline.dataset}: {len(baseline.pixels_sha256)} images x {baseline.runs} runs, "
        f"{', '.join([*baseline.scores, *baseline.distances])} -> {options.to}"
    )


def _write_scores(options: argparse.Namespace) -> None:
    from ccsr_bench.api.results import ResultsFolder
    from ccsr_bench.cli.console import echo

    results = ResultsFolder(options.out, methods=options.method, datasets=options.dataset, runs=options.runs)
    rows = results.write_scores(options.to, options.format)
    echo(f"{rows} scores -> {options.to}")
