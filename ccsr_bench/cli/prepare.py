"""`ccsr-bench prepare`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import DatasetManifest
    from ccsr_bench.methods.registry import MethodSpec

EXAMPLES = """\
  ccsr-bench prepare --dataset RealSR
  ccsr-bench prepare --dataset RealSR --from my/RealSR
  ccsr-bench prepare --metrics
  ccsr-bench prepare --metrics lpips dists --from my/weights
  ccsr-bench prepare --metrics --offline
  ccsr-bench prepare --method ccsr-s2
  ccsr-bench prepare --method ccsr-s2 --from preset/models
  ccsr-bench prepare --method sinsr-s1 --source my/SinSR
Files go to $CCSR_BENCH_HOME, or the platform's cache folder. An interrupted call is resumed by the next one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--dataset", nargs="+", action="extend", default=[], metavar="D", help="data sets to install")
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="M", help="methods to install")
    parser.add_argument(
        "--metrics", nargs="*", action="extend", metavar="X",
        help="install the weights of these metrics, or of all that are computed by default",
    )  # fmt: skip
    parser.add_argument(
        "--offline", action="store_true", help="touch no network: list what is missing and where it goes"
    )
    parser.add_argument(
        "--from",
        dest="local",
        type=Path,
        metavar="DIR",
        help="take the files from this folder instead of the network",
    )
    parser.add_argument(
        "--source", type=Path, metavar="DIR",
        help="your checkout of the method's official repository, instead of a clone",
    )  # fmt: skip
    shared.add_methods_dir(parser)


def execute(options: argparse.Namespace) -> int:
    """Install data sets and weights."""
    from ccsr_bench.cli.console import EXIT_DONE, echo, progress
    from ccsr_bench.datasets import loading as datasets
    from ccsr_bench.install import files as prepare
    from ccsr_bench.methods.registry import find_method

    if not (options.dataset or options.method or options.metrics is not None):
        raise BenchError("say what to prepare: --dataset D, --method M or --metrics")
    if options.local is not None and not options.local.is_dir():
        raise BenchError(f"--from {options.local}: no such folder")
    manifests = [datasets.read_manifest(name) for name in dict.fromkeys(options.dataset)]
    specs = [find_method(name, options.methods_dir) for name in dict.fromkeys(options.method)]
    captioners = [spec.captioner for spec in specs if spec.variant.captioned]
    if options.source is not None:
        _check_source(specs)
    if options.offline:
        return _list_missing(manifests, specs, options)
    for manifest in manifests:
        with progress(f"prepare {manifest.name}") as show:
            folder = prepare.prepare_dataset(manifest, local=options.local, progress=show)
        echo(f"{manifest.name}: verified, in {folder} (licence: {manifest.licence})")
    _prepare_official_code([*specs, *captioners], options.source)
    _prepare_weights([*specs, *captioners], options.local)
    if options.metrics is not None:
        _prepare_metrics(options.metrics, options.local)
    return EXIT_DONE


def _prepare_weights(specs: Sequence[MethodSpec], local: Path | None) -> None:
    from ccsr_bench.cli.console import echo, progress
    from ccsr_bench.methods.weights import install_weights

    wanted = {name: spec.manifest.weights[name] for spec in specs for name in spec.variant.weights.values()}
    for name, weights in wanted.items():
        with progress(f"prepare {name}") as show:
            folder = install_weights(name, weights, local=local, progress=show)
        how = "verified" if all(weights.files.values()) else "recorded, for no hashes are published"
        echo(f"{name}: {how}, in {folder} (licence: {weights.licence})")
    for spec in specs:
        if not (spec.variant.weights or spec.manifest.isolated):
            echo(f"{spec.name}: has no weights, nothing to prepare")


def _check_source(specs: Sequence[MethodSpec]) -> None:
    families = {spec.manifest.id: spec for spec in specs if spec.manifest.isolated}
    if len(families) != 1:
        raise BenchError("--source is the checkout of one method's official repository: name that method alone")
    (spec,) = families.values()
    if spec.manifest.upstream is None:
        raise BenchError(
            f"method '{spec.name}' names no official repository that --source could be a checkout of: "
            f"add [upstream] with its address and commit to {spec.defined_in}"
        )


def _prepare_official_code(specs: Sequence[MethodSpec], source: Path | None) -> None:
    """Install the checkouts and environments of methods that run in a process of their own."""
    from ccsr_bench.cli.console import echo, remark
    from ccsr_bench.methods.isolated.checkouts import install_source
    from ccsr_bench.methods.isolated.environments import make_environment
    from ccsr_bench.methods.manifest import Isolated

    isolated = [spec for spec in specs if spec.manifest.isolated]
    for family, upstream in {spec.manifest.id: spec.manifest.upstream for spec in isolated}.items():
        if upstream is not None:
            folder = install_source(family, upstream, source)
            echo(f"{family}: {upstream.repository} at {upstream.commit[:12]}, in {folder}")
    prepared = set()
    for spec in isolated:
        environment = spec.manifest.environment
        assert isinstance(environment, Isolated)
        if (spec.manifest.id, environment.lock) in prepared:
            continue
        prepared.add((spec.manifest.id, environment.lock))
        remark(f"{spec.manifest.id}: making its environment, which can take minutes")
        interpreter = make_environment(environment.python, spec.file("lock", environment.lock))
        echo(f"{spec.manifest.id}: environment of {environment.lock}, in {interpreter.parent.parent}")


def _prepare_metrics(names: Sequence[str], local: Path | None) -> None:
    """Install the weights of metrics, and the published image that the canary scores.

    Raises:
        BenchError: A file cannot be had; the others are installed.
    """
    from ccsr_bench.cli.console import echo, progress
    from ccsr_bench.install.files import download_file
    from ccsr_bench.metrics.networks.weights import FILES, needed_files
    from ccsr_bench.places import weights_home
    from ccsr_bench.published.canary import canary_files

    keys = needed_files(names)
    failures: list[BenchError] = []
    with progress("prepare metrics") as show:
        for index, key in enumerate(keys, start=1):
            file = FILES[key]
            try:
                download_file(list(file.addresses), weights_home() / file.name, file.sha256, local=local)
                echo(f"{file.name}: verified, {file.size:,} bytes, in {weights_home()} (licence: {file.licence})")
            except BenchError as error:
                failures.append(error)
            show(index, len(keys), file.name)
    for image in canary_files() if local is None else ():
        try:
            download_file(list(image.addresses), image.target, image.sha256)
            echo(f"{image.part}/{image.name}: verified, for the canary, in {image.target.parent}")
        except BenchError as error:
            failures.append(error)
    if failures:
        raise BenchError("; ".join(map(str, failures)))


def _list_missing(
    manifests: Sequence[DatasetManifest], specs: Sequence[MethodSpec], options: argparse.Namespace
) -> int:
    """Say what is missing, where it goes and where it comes from, without touching the network."""
    from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, echo
    from ccsr_bench.datasets import loading as datasets
    from ccsr_bench.methods import loading
    from ccsr_bench.metrics.networks.weights import FILES, missing_files, needed_files
    from ccsr_bench.places import dataset_home, weights_home

    missing = [f"data set {m.name}: goes to {dataset_home(m.name)}" for m in manifests if not datasets.is_ready(m)]
    for spec in specs:
        try:
            loading.check_installed(spec)
        except BenchError as error:
            missing.append(str(error))
    for key in missing_files(needed_files(options.metrics)) if options.metrics is not None else ():
        file = FILES[key]
        missing.append(
            f"{file.name} ({file.size:,} bytes, sha256 {file.sha256}): goes to {weights_home()}, from "
            f"{' or '.join(file.addresses)}"
        )
    for line in missing:
        echo(line)
    if not missing:
        echo("nothing is missing")
    return EXIT_CHECK_FAILED if missing else EXIT_DONE
