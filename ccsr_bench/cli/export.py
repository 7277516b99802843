"""`ccsr-bench export`: write results to a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError

EXAMPLES = """\
  ccsr-bench export --method bicubic-dither --dataset sample --to baselines/sample-bicubic-dither.json
  ccsr-bench compare baselines/sample-bicubic-dither.json results/sample/bicubic-dither
  ccsr-bench export --format csv --to scores.csv              # all scores of all results
  ccsr-bench export --format parquet --dataset RealSR --to scores.parquet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--format",
        dest="form",
        choices=["baseline", "csv", "parquet"],
        default="baseline",
        help="format of the file: a baseline of one method on one data set, for `compare`; or all scores, one per row "
        "(default: %(default)s)",
    )
    shared.add_choice(parser)
    shared.add_out(parser)
    shared.add_recorded_runs(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="file to write")


def execute(options: argparse.Namespace) -> int:
    """Write results to a file."""
    options.to.parent.mkdir(parents=True, exist_ok=True)
    if options.form == "baseline":
        _write_baseline(options)
    else:
        _write_scores(options)
    return EXIT_DONE


def _write_baseline(options: argparse.Namespace) -> None:
    from ccsr_bench.cli.console import echo, number_of
    from ccsr_bench.gate.baseline import as_text, of_results
    from ccsr_bench.images import write_atomically
    from ccsr_bench.ledger.results import open_results

    if len(options.methods) != 1 or len(options.datasets) != 1:
        raise BenchError("a baseline holds one method on one data set: name them with --method and --dataset")
    with open_results(options.out, methods=options.methods, datasets=options.datasets, runs=options.runs) as opened:
        baseline = of_results(opened[0])
    write_atomically(options.to, as_text(baseline).encode())
    echo(
        f"{baseline.method} on {baseline.dataset}: {number_of(len(baseline.pixels_sha256), 'image')} x "
        f"{number_of(baseline.runs, 'run')}, {', '.join([*baseline.scores, *baseline.distances])} -> {options.to}"
    )


def _write_scores(options: argparse.Namespace) -> None:
    from ccsr_bench.api.results import ResultsFolder
    from ccsr_bench.cli.console import echo, number_of

    results = ResultsFolder(options.out, methods=options.methods, datasets=options.datasets, runs=options.runs)
    rows = results.write_scores(options.to, options.form)
    echo(f"{number_of(rows, 'score')} -> {options.to}")
