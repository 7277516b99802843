"""`ccsr-bench table`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli.options import positive

EXAMPLES = """\
  ccsr-bench table
  ccsr-bench table --dataset RealSR --paper --format latex > table.tex
CSV and JSON have full precision and 95 % bootstrap intervals over images.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--out", type=Path, default=Path("results"), help="output folder (default: %(default)s)")
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="M", help="only these methods")
    parser.add_argument("--dataset", nargs="+", action="extend", default=[], metavar="D", help="only these data sets")
    parser.add_argument(
        "--runs", type=positive, metavar="N", help="use the first N runs (default: the most that all images have)"
    )
    parser.add_argument("--format", choices=["md", "latex", "csv"], default="md", help="default: %(default)s")
    parser.add_argument("--paper", action="store_true", help="add the rows of the CCSR paper's Tables IV-VI")
    parser.add_argument("--json", action="store_true", help="print numbers and notes as JSON")


def execute(options: argparse.Namespace) -> int:
    """Print tables."""
    import sys

    from ccsr_bench.tables.collect import collect
    from ccsr_bench.tables.render import FORMATS, as_json

    sections = collect(
        options.out, methods=options.method, datasets=options.dataset, runs=options.runs, paper=options.paper
    )
    sys.stdout.write(as_json(sections) if options.json else FORMATS[options.format](sections))
    return 0
