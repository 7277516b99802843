"""`ccsr-bench prepare`: install data sets, methods and the weights of metrics."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.advice import with_options
from ccsr_bench.cli.console import EXIT_BAD_USE, EXIT_CHECK_FAILED, EXIT_DONE, echo, error, progress, remark
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.preparation.installation import Installation
    from ccsr_bench.preparation.selection import Selection

EXAMPLES = """\
  ccsr-bench prepare --dataset RealSR
  ccsr-bench prepare --dataset RealSR --from my/RealSR
  ccsr-bench prepare --metrics
  ccsr-bench prepare --metrics lpips dists --from my/weights
  ccsr-bench prepare --metrics --offline
  ccsr-bench prepare --method ccsr-s2
  ccsr-bench prepare --method ccsr-s2 --from preset/models
  ccsr-bench prepare --method real-esrgan --offline
  ccsr-bench prepare --method sinsr-s1 --source my/SinSR
Files are installed in $CCSR_BENCH_HOME, or in the platform's cache folder. The same command resumes an interrupted one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--dataset", nargs="+", action="extend", default=[], metavar="DATASET", help="data sets to install"
    )
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="METHOD", help="methods to install")
    parser.add_argument(
        "--metrics",
        nargs="*",
        action="extend",
        metavar="METRIC",
        help="metrics whose weights are installed; all default metrics when none is named",
    )
    parser.add_argument(
        "--offline", action="store_true", help="do not use the network; list what is missing and where it belongs"
    )
    parser.add_argument(
        "--from",
        dest="local",
        type=Path,
        metavar="DIR",
        help="folder to take the files from, instead of the network",
    )
    parser.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        help="your checkout of the method's official repository, instead of a new clone",
    )
    shared.add_methods_dir(parser)


def execute(options: argparse.Namespace) -> int:
    """Install data sets, methods and weights, or list what is missing."""
    # msgspec, numpy and Pillow, which `--help` does not need.
    from ccsr_bench.preparation.installation import install_all, plan
    from ccsr_bench.preparation.selection import ready, select

    if options.local is not None and not options.local.is_dir():
        raise BenchError(f"--from {options.local}: no such folder")
    selection = select(
        datasets=options.dataset,
        methods=options.method,
        metrics=options.metrics,
        methods_dirs=options.methods_dir,
    )
    installations = plan(selection, local=options.local, source=options.source)
    if options.offline:
        return _list_missing(selection)
    failures = install_all(installations, _install)
    for failure in failures:
        error(with_options(failure, options.parser))
    usable = ready(selection.metrics)
    if usable:
        echo(f"ready: {', '.join(usable)}")
    return EXIT_BAD_USE if failures else EXIT_DONE


def _install(installation: Installation) -> None:
    """Install a data set, a method or weights; show progress if there are several files."""
    from ccsr_bench.install.files import silent

    if installation.remark:
        remark(installation.remark)
    if installation.files > 1:
        with progress(f"prepare {installation.name}") as show:
            line = installation.install(show)
    else:
        line = installation.install(silent)
    echo(line)


def _list_missing(selection: Selection) -> int:
    """Print what is missing or wrong, where it belongs and where it comes from, without using the network."""
    from ccsr_bench.preparation.selection import missing

    lines = missing(selection)
    for line in lines or ["nothing is missing"]:
        echo(line)
    return EXIT_CHECK_FAILED if lines else EXIT_DONE
