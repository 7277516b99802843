"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import DEFAULT_PROTOCOL, MetricProtocol

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Dataset, Sample
    from ccsr_bench.methods.manifest import Execution
    from ccsr_bench.methods.registry import MethodSpec
    from ccsr_bench.metrics.scorer import Scorer


def positive(text: str) -> int:
    """Read an integer of at least 1, for argparse."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not an integer of at least 1")
    return value


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is computed where."""
    parser.add_argument(
        "--metrics", nargs="+", action="extend", metavar="X",
        help="metrics to compute; all that can be had here by default",
    )  # fmt: skip
    parser.add_argument("--protocol", default=DEFAULT_PROTOCOL, help="metric definitions (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    add_computing(parser)
    parser.add_argument(
        "--no-canary", action="store_true",
        help="do not check every metric on a published image before the work starts",
    )  # fmt: skip


def add_computing(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how metrics are computed."""
    parser.add_argument(
        "--precision", choices=["exact", "fast"], default="exact",
        help="of metrics' networks: float32, or TF32 and bfloat16 where it does not show (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--backend", nargs="+", action="extend", type=_backend, default=[], metavar="METRIC=PACKAGE",
        help="compute a metric with another package: lpips=lpips, lpips-vgg=lpips, dists=piq",
    )  # fmt: skip


def _backend(text: str) -> tuple[str, str]:
    metric, _, package = text.partition("=")
    if not (metric and package):
        raise argparse.ArgumentTypeError(f"'{text}' is not METRIC=PACKAGE, such as dists=piq")
    return metric, package


def add_methods_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that finds the user's own methods."""
    parser.add_argument(
        "--methods-dir", type=Path, action="append", default=[], metavar="DIR", help="a folder of your own methods"
    )


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how methods run."""
    group = parser.add_argument_group("how methods run")
    group.add_argument(
        "--batch", type=positive, metavar="N",
        help="runs at once (default: on a GPU 10, or as many as fit; 2 on a CPU; all where there are no networks)",
    )  # fmt: skip
    group.add_argument(
        "--dtype", choices=["float32", "bfloat16", "float16"],
        help="precision of the networks, with float32 arithmetic around them (default: as the authors' code computes)",
    )  # fmt: skip
    group.add_argument("--compile", action="store_true", help="compile the networks: minutes once, then faster")
    group.add_argument(
        "--weights", type=Path, metavar="DIR",
        help="your own weights, in folders named as `prepare --from` takes them, instead of the published ones",
    )  # fmt: skip


def check_execution(options: argparse.Namespace, specs: Sequence[MethodSpec]) -> None:
    """Raise a `BenchError` where an option means nothing to a method."""
    for spec in specs:
        asked, why = {"--dtype": options.dtype, "--compile": options.compile}, "runs no networks"
        if spec.manifest.isolated:
            asked, why = {**asked, "--batch": options.batch}, "runs as its authors' code does, an output at a time"
        for option, value in asked.items():
            if value and not spec.manifest.in_process_networks:
                raise BenchError(f"{option}: method '{spec.name}' {why}; leave it out")
        if options.weights is not None and not spec.variant.weights:
            raise BenchError(f"--weights: method '{spec.name}' has no weights; leave it out")


def resolve_execution(options: argparse.Namespace, device: str) -> Execution:
    """Return how the options ask methods to run on a device."""
    from ccsr_bench.methods.manifest import Execution

    return Execution(device=device, dtype=options.dtype, batch=options.batch, compiled=options.compile)


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images, and where results go."""
    add_images(parser)
    parser.add_argument("--out", type=Path, default=Path("results"), help="output folder (default: %(default)s)")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images."""
    group = parser.add_argument_group("data set")
    group.add_argument("--dataset", metavar="D", help="a data set's name, or the path of a .toml manifest")
    group.add_argument("--lr", type=Path, metavar="DIR", help="your own LR images, paired with --hr by file stem")
    group.add_argument("--hr", type=Path, metavar="DIR", help="your own HR images; --dataset then only names them")
    group.add_argument("--limit", type=positive, metavar="K", help="only the first K images")


def resolve_dataset(options: argparse.Namespace) -> Dataset:
    """Return the data set that the options choose."""
    from ccsr_bench.datasets import loading as datasets
    from ccsr_bench.datasets.manifest import manifest_paths

    if (options.lr is None) != (options.hr is None):
        raise BenchError("--lr and --hr go together: give both folders")
    if options.lr is not None:
        name = options.dataset or "custom"
        check_slug("--dataset", name)
        if name in manifest_paths():
            raise BenchError(f"--dataset {name} is a data set of its own; give your folders another name")
        return datasets.from_folders(options.lr, options.hr, name=name)
    if options.dataset is None:
        raise BenchError("give --dataset D, or --lr DIR and --hr DIR (`ccsr-bench list datasets`)")
    return datasets.load(options.dataset)


def check_slug(option: str, name: str) -> None:
    """Raise a `BenchError` unless a name can be a folder's name."""
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise BenchError(f"{option} '{name}': use letters, digits, '-', '_' and '.' only; it names a folder")


class Scoring(NamedTuple):
    """What scores are computed with."""

    scorer: Scorer
    protocol: MetricProtocol
    device: str


def resolve_scoring(options: argparse.Namespace, protocol_name: str) -> Scoring:
    """Build the scorer that the options choose; says which metrics are skipped, before any work starts.

    Args:
        options: As `add_scoring` reads them.
        protocol_name: Which definitions.
    """
    from ccsr_bench.cli.console import remark
    from ccsr_bench.metrics.catalogue import build_metrics, find_metric, find_protocol

    protocol = find_protocol(protocol_name)
    backends = dict(options.backend)
    for name in (*(options.metrics or ()), *backends):
        find_metric(name)

    import torch

    from ccsr_bench.metrics.scorer import Scorer

    device_name = resolve_device(options.device)
    device = torch.device(device_name)
    names = list(dict.fromkeys(options.metrics)) if options.metrics else None
    built, skipped = build_metrics(names, protocol, device, precision=options.precision, backends=backends)
    for name in backends:
        if name not in built:
            raise BenchError(f"--backend {name}={backends[name]}: {name} is not computed; name it with --metrics")
    for line in _skipped_lines(skipped):
        remark(f"skipping {line}")
    return Scoring(Scorer(built, device, options.precision), protocol, device_name)


def _skipped_lines(skipped: dict[str, str]) -> list[str]:
    """Return one line for all metrics that only lack their weights, and one for each of the others."""
    from ccsr_bench.metrics.catalogue import METRICS
    from ccsr_bench.metrics.weight_files import missing_files

    without = [name for name in skipped if missing_files(METRICS[name].weights)]
    lines = [reason for name, reason in skipped.items() if name not in without]
    if without:
        lines.append(
            f"{', '.join(without)}: no weights here; `ccsr-bench prepare --metrics {' '.join(without)}` fetches them"
        )
    return lines


def resolve_device(name: str) -> str:
    """Return the device to use, which can be used.

    Raises:
        BenchError: It cannot.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("metrics need float64, which other devices lack")
    except (RuntimeError, AssertionError) as error:
        raise BenchError(f"--device {name} cannot be used here; `--device cpu` always can") from error
    return name


def first(samples: Sequence[Sample], limit: int | None) -> Sequence[Sample]:
    """Return the first `limit` images; all when None."""
    return samples[:limit] if limit else samples
