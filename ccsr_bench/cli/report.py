"""`ccsr-bench report`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError, NotInstalledError

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Dataset

EXAMPLES = """\
  ccsr-bench report
  ccsr-bench report --dataset RealSR --method ccsr-s2 osediff-s1 --to realsr-report
  ccsr-bench report --dataset mine --lr my/lr --hr my/hr
Open index.html of the folder in a browser, from disk or from any web host. A report that is there already is replaced.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    shared.add_out(parser)
    parser.add_argument("--to", type=Path, default=Path("report"), help="the report's folder (default: %(default)s)")
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="M", help="only these methods")
    parser.add_argument(
        "--dataset",
        nargs="+",
        action="extend",
        default=[],
        metavar="D",
        help="only these data sets, by name or by the path of a .toml manifest",
    )
    shared.add_recorded_runs(parser)
    parser.add_argument("--lr", type=Path, metavar="DIR", help="the LR images, where the run was given --lr and --hr")
    parser.add_argument("--hr", type=Path, metavar="DIR", help="the HR images")


def execute(options: argparse.Namespace) -> int:
    """Build the report."""
    from ccsr_bench.cli.console import echo, progress
    from ccsr_bench.report.build import build_report

    names, find_dataset = _datasets(options)
    with progress("report") as show:
        built = build_report(
            options.out,
            options.to,
            find_dataset=find_dataset,
            progress=show,
            methods=options.method,
            datasets=names,
            runs=options.runs,
        )
    sets = [f"{one.name} (methods: {len(one.methods)}, images: {len(one.images)})" for one in built.datasets]
    echo(f"{built.page}: {', '.join(sets)}")
    linked = f", and {built.linked_bytes / 1e6:.0f} MB shared with the files it shows" if built.linked_bytes else ""
    echo(f"{built.own_bytes / 1e6:.0f} MB on disk{linked}")
    return EXIT_DONE


def _datasets(options: argparse.Namespace) -> tuple[list[str], Callable[[str], Dataset | None]]:
    """Return the names of the data sets asked for, and where to look for their images."""
    from ccsr_bench.cli.console import remark
    from ccsr_bench.datasets import loading as datasets
    from ccsr_bench.datasets.manifest import manifest_paths

    if (options.lr is None) != (options.hr is None):
        raise BenchError("--lr and --hr go together: give both folders")
    if options.lr is not None and len(options.dataset) != 1:
        raise BenchError("--lr and --hr are the images of one data set: name it with --dataset")
    given = [datasets.load_dataset(name) for name in options.dataset if name.endswith(".toml")]
    if options.lr is not None:
        given.append(datasets.from_folders(options.lr, options.hr, name=options.dataset[0]))
    at_hand = {dataset.name: dataset for dataset in given}
    named = [name for name in options.dataset if not name.endswith(".toml")]

    def find(name: str) -> Dataset | None:
        if name in at_hand:
            return at_hand[name]
        if name not in manifest_paths():
            remark(f"{name}: shown without LR and HR images; give its folders with --lr and --hr, or its manifest")
            return None
        try:
            return datasets.load_dataset(name)
        except NotInstalledError as error:
            remark(f"{name}: shown without LR and HR images: {error}")
            return None

    return list(dict.fromkeys([*at_hand, *named])), find
