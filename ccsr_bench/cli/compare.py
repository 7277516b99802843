"""`ccsr-bench compare`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, columns, echo, echo_json, remark
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.gate.compare import Comparison

EXAMPLES = """\
  ccsr-bench compare baselines/sample-bicubic-dither.json results/sample/bicubic-dither
  ccsr-bench compare before/RealSR/ccsr-s2 after/RealSR/ccsr-s2 --tolerance psnr=0.05 l-std=1.05
  ccsr-bench compare baselines/mine.json results/RealSR/mine --github --junit gate.xml
Exit code 1 when something got worse, 2 when the two are not comparable.
docs/concepts/gate.md says what is tested and why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    for name, what in (("base", "older"), ("new", "newer")):
        parser.add_argument(
            name, type=Path, metavar=name.upper(),
            help=f"the {what} results: a file that `export` wrote, or a ledger's folder such as results/sample/bicubic",
        )  # fmt: skip
    parser.add_argument(
        "--metrics", nargs="+", action="extend", default=[], metavar="X",
        help="compare only these, and L-STD (default: all that BASE has)",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", nargs="+", action="extend", type=_tolerance, default=[], metavar="NAME=VALUE",
        help="a metric's difference, or g-std's or l-std's ratio, that does not matter even if it is no chance",
    )  # fmt: skip
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
    """Compare new results with older ones."""
    from ccsr_bench.gate import report
    from ccsr_bench.gate.compare import compare_baselines, read_pair

    try:
        base, new = read_pair(options.base, options.new)
        comparison = compare_baselines(base, new, metrics=options.metrics, tolerances=dict(options.tolerance))
    except BenchError as error:
        if options.junit:
            _write(options.junit, report.junit_error(str(error)))
        if options.github:
            echo(report.annotation("error", "ccsr-bench compare", str(error)))
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
    images = len(base.pixels_sha256)
    echo(f"{base.dataset}, protocol {base.protocol}, {images} image{'s' * (images != 1)}, N = {base.runs}")
    for side, one in (("base", base), ("new", new)):
        echo(f"{side}: {one.method}, {one.made_by}; {one.version}; base seed {one.base_seed}")
    columns(report.rows(comparison))
    echo(report.summary(comparison))
    extra = {*new.scores, *new.distances} - {*base.scores, *base.distances}
    if extra:
        remark(f"not in BASE, so not compared: {', '.join(sorted(extra))}")


def _write(path: Path, text: str) -> None:
    from ccsr_bench.images import write_atomically

    write_atomically(path, text.encode())
