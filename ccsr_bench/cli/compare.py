"""`ccsr-bench compare`: compare results with older results."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli.advice import with_options
from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, columns, echo, echo_json, number_of, remark
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.gate.compare import Comparison

EXAMPLES = """\
  ccsr-bench compare baselines/sample-bicubic-dither.json results/sample/bicubic-dither
  ccsr-bench compare before/RealSR/ccsr-s2 after/RealSR/ccsr-s2 --tolerance psnr=0.05 l-std=1.05
  ccsr-bench compare baselines/mine.json results/RealSR/mine --github --junit gate.xml
The exit code is 1 if a quantity got worse, and 2 if the two results are not comparable.
docs/concepts/gate.md explains what is tested and why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    for name, age in (("base", "older"), ("new", "newer")):
        parser.add_argument(
            name,
            type=Path,
            metavar=name.upper(),
            help=f"the {age} results: a file that `export` wrote, or a ledger's folder, such as results/sample/bicubic",
        )
    parser.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        default=[],
        metavar="METRIC",
        help="metrics to compare; L-STD is always compared (default: all metrics of BASE)",
    )
    parser.add_argument(
        "--tolerance",
        dest="tolerances",
        nargs="+",
        action="extend",
        type=_tolerance,
        default=[],
        metavar="NAME=VALUE",
        help="largest change to ignore, even if significant: a metric's difference, or the ratio of g-std or l-std",
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit XML")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--github", action="store_true", help="also print GitHub annotations")
    output.add_argument("--json", action="store_true", help="print the comparison as JSON")


def _tolerance(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    least = 1.0 if name in ("g-std", "l-std") else 0.0
    if not least <= value < math.inf:
        raise argparse.ArgumentTypeError(
            f"'{text}' is neither METRIC=DIFFERENCE, such as psnr=0.05, nor g-std=RATIO or l-std=RATIO, such as 1.1"
        )
    return name, value


def execute(options: argparse.Namespace) -> int:
    """Compare new results with older results."""
    from ccsr_bench.gate import report
    from ccsr_bench.gate.compare import compare_baselines, read_pair

    try:
        base, new = read_pair(options.base, options.new)
        comparison = compare_baselines(base, new, metrics=options.metrics, tolerances=dict(options.tolerances))
    except BenchError as error:
        message = with_options(str(error), options.parser)
        if options.junit:
            _write(options.junit, report.junit_error(message))
        if options.github:
            echo(report.annotation("error", "ccsr-bench compare", message))
        raise
    if options.junit:
        _write(options.junit, report.junit(comparison))
    if options.json:
        echo_json(report.record(comparison))
    else:
        _show(comparison)
    if options.github:
        for line in report.github(comparison):
            echo(line)
    return EXIT_CHECK_FAILED if comparison.regressions else EXIT_DONE


def _show(comparison: Comparison) -> None:
    from ccsr_bench.gate import report

    base, new = comparison.base, comparison.new
    images = number_of(len(base.pixels_sha256), "image")
    echo(f"{base.dataset}, protocol {base.protocol}, {images}, N = {base.runs}")
    for side, results in (("base", base), ("new", new)):
        echo(f"{side}: {results.method}, {results.made_by}; {results.version}; base seed {results.base_seed}")
    columns(report.rows(comparison))
    echo(report.summary(comparison))
    extra = {*new.scores, *new.distances} - {*base.scores, *base.distances}
    if extra:
        remark(f"not compared, because BASE does not have it: {', '.join(sorted(extra))}")


def _write(path: Path, text: str) -> None:
    from ccsr_bench.images import write_atomically

    write_atomically(path, text.encode())
