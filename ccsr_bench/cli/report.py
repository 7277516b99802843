"""`ccsr-bench report`: build a page to open in a browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE

EXAMPLES = """\
  ccsr-bench report
  ccsr-bench report --dataset RealSR --method ccsr-s2 osediff-s1 --to realsr-report
  ccsr-bench report --dataset mine --lr my/lr --hr my/hr
Open index.html of the report's folder in a browser, from disk or from any web host. An existing report is replaced.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    shared.add_out(parser)
    parser.add_argument(
        "--to", type=Path, default=Path("report"), metavar="DIR", help="folder of the report (default: %(default)s)"
    )
    parser.add_argument(
        "--method",
        dest="methods",
        nargs="+",
        action="extend",
        default=[],
        metavar="METHOD",
        help="methods to show (default: all)",
    )
    parser.add_argument(
        "--dataset",
        dest="datasets",
        nargs="+",
        action="extend",
        default=[],
        metavar="DATASET",
        help="names of data sets, or paths of .toml manifests, to show (default: all)",
    )
    shared.add_recorded_runs(parser)
    parser.add_argument("--lr", type=Path, metavar="DIR", help="folder of the LR images, if `run` was given --lr")
    parser.add_argument("--hr", type=Path, metavar="DIR", help="folder of the HR images, if `run` was given --hr")


def execute(options: argparse.Namespace) -> int:
    """Build the report."""
    from ccsr_bench.cli.advice import with_options
    from ccsr_bench.cli.console import echo, progress, remark
    from ccsr_bench.html_report.build import build_report
    from ccsr_bench.html_report.images import ImageFinder

    images = ImageFinder(
        options.datasets, lr=options.lr, hr=options.hr, remark=lambda line: remark(with_options(line, options.parser))
    )
    with progress("report") as show:
        built = build_report(
            options.out,
            options.to,
            find_dataset=images.find,
            progress=show,
            methods=options.methods,
            datasets=images.names,
            runs=options.runs,
        )
    sets = [f"{shown.name} (methods: {len(shown.methods)}, images: {len(shown.images)})" for shown in built.datasets]
    echo(f"{built.page}: {', '.join(sets)}")
    linked = f", and {built.linked_bytes / 1e6:.0f} MB in files shared with the results and the data sets"
    echo(f"{built.own_bytes / 1e6:.0f} MB on disk{linked if built.linked_bytes else ''}")
    return EXIT_DONE
