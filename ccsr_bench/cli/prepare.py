"""`ccsr-bench prepare`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.methods.registry import MethodSpec

EXAMPLES = """\
  ccsr-bench prepare --dataset RealSR
  ccsr-bench prepare --dataset RealSR --from my/RealSR
  ccsr-bench prepare --metrics
  ccsr-bench prepare --method ccsr-s2
  ccsr-bench prepare --method ccsr-s2 --from preset/models
Files go to $CCSR_BENCH_HOME, or the platform's cache folder. An interrupted call is resumed by the next one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--dataset", nargs="+", action="extend", default=[], metavar="D", help="data sets to install")
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="M", help="methods to install")
    parser.add_argument("--metrics", action="store_true", help="install the weights of every metric")
    parser.add_argument(
        "--from",
        dest="local",
        type=Path,
        metavar="DIR",
        help="take the files from this folder instead of the network",
    )
    shared.add_methods_dir(parser)


def execute(options: argparse.Namespace) -> int:
    """Install data sets and weights."""
    from ccsr_bench import datasets, prepare
    from ccsr_bench.cli.console import echo, progress
    from ccsr_bench.methods.registry import find_method

    if not (options.dataset or options.method or options.metrics):
        raise BenchError("say what to prepare: --dataset D, --method M or --metrics")
    if options.local is not None and not options.local.is_dir():
        raise BenchError(f"--from {options.local}: no such folder")
    manifests = [datasets.read_manifest(name) for name in dict.fromkeys(options.dataset)]
    specs = [find_method(name, options.methods_dir) for name in dict.fromkeys(options.method)]
    for manifest in manifests:
        with progress(f"prepare {manifest.name}") as show:
            folder = prepare.prepare_dataset(manifest, local=options.local, progress=show)
        echo(f"{manifest.name}: verified, in {folder} (licence: {manifest.licence})")
    _prepare_methods(specs, options.local)
    if options.metrics:
        from ccsr_bench.metrics import niqe
        from ccsr_bench.places import weights_home

        target = weights_home() / niqe.WEIGHTS
        prepare.download_file(niqe.WEIGHTS_ADDRESSES, target, niqe.WEIGHTS_SHA256, local=options.local)
        echo(f"niqe: verified, {target}")
    return 0


def _prepare_methods(specs: Sequence[MethodSpec], local: Path | None) -> None:
    from ccsr_bench.cli.console import echo, progress
    from ccsr_bench.methods.weights import install_weights

    wanted = {name: spec.manifest.weights[name] for spec in specs for name in spec.variant.weights.values()}
    for name, weights in wanted.items():
        with progress(f"prepare {name}") as show:
            folder = install_weights(name, weights, local=local, progress=show)
        how = "verified" if all(weights.files.values()) else "recorded, for no hashes are published"
        echo(f"{name}: {how}, in {folder} (licence: {weights.licence})")
    for spec in specs:
        if not spec.variant.weights:
            echo(f"{spec.name}: has no weights, nothing to prepare")
