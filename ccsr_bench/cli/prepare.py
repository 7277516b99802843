"""`ccsr-bench prepare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.errors import BenchError

EXAMPLES = """\
  ccsr-bench prepare --dataset RealSR
  ccsr-bench prepare --dataset RealSR --from my/RealSR
  ccsr-bench prepare --metrics
Files go to $CCSR_BENCH_HOME, or the platform's cache folder. An interrupted call is resumed by the next one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--dataset", nargs="+", action="extend", default=[], metavar="D", help="data sets to install")
    parser.add_argument("--metrics", action="store_true", help="install the weights of every metric")
    parser.add_argument(
        "--from",
        dest="local",
        type=Path,
        metavar="DIR",
        help="take the files from this folder instead of the network",
    )


def execute(options: argparse.Namespace) -> int:
    """Install data sets and weights."""
    from ccsr_bench import datasets, prepare
    from ccsr_bench.cli.console import echo, progress

    if not options.dataset and not options.metrics:
        raise BenchError("say what to prepare: --dataset D or --metrics")
    if options.local is not None and not options.local.is_dir():
        raise BenchError(f"--from {options.local}: no such folder")
    manifests = [datasets.read_manifest(name) for name in dict.fromkeys(options.dataset)]
    for manifest in manifests:
        with progress(f"prepare {manifest.name}") as show:
            folder = prepare.prepare_dataset(manifest, local=options.local, progress=show)
        echo(f"{manifest.name}: verified, in {folder} (licence: {manifest.licence})")
    if options.metrics:
        from ccsr_bench.metrics import niqe
        from ccsr_bench.places import weights_home

        target = weights_home() / niqe.WEIGHTS
        prepare.download_file(niqe.WEIGHTS_ADDRESSES, target, niqe.WEIGHTS_SHA256, local=options.local)
        echo(f"niqe: verified, {target}")
    return 0
