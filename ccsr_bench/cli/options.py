"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import DEFAULT_PROTOCOL

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Dataset
    from ccsr_bench.methods.base import Execution
    from ccsr_bench.methods.registry import MethodSpec
    from ccsr_bench.running.scoring import Scoring


def positive(text: str) -> int:
    """Read an integer of at least 1, for argparse."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not an integer of at least 1")
    return value


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of all results."""
    parser.add_argument(
        "--out", type=Path, default=Path("results"), metavar="DIR", help="folder of all results (default: %(default)s)"
    )


def add_choice(parser: argparse._ActionsContainer) -> None:
    """Add the options that choose among recorded results."""
    parser.add_argument("--method", nargs="+", action="extend", default=[], metavar="M", help="only these methods")
    parser.add_argument("--dataset", nargs="+", action="extend", default=[], metavar="D", help="only these data sets")


def add_recorded_runs(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses how many of the recorded runs are used."""
    parser.add_argument(
        "--runs", type=positive, metavar="N", help="use the first N runs (default: the most that all images have)"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses where networks compute."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")


def add_json(parser: argparse._ActionsContainer, what: str) -> None:
    """Add the option that prints results for machines.

    Args:
        parser: Gets the option.
        what: Noun phrase for what is printed.
    """
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON")


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is computed where."""
    parser.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        metavar="X",
        help="metrics to compute (default: all that can be computed here)",
    )
    parser.add_argument("--protocol", default=DEFAULT_PROTOCOL, help="metric definitions (default: %(default)s)")
    add_device(parser)
    add_computing(parser)
    parser.add_argument(
        "--no-canary",
        dest="canary",
        action="store_false",
        help="do not check every metric on a published image before the work starts",
    )


def add_computing(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how metrics are computed."""
    parser.add_argument(
        "--precision",
        choices=["exact", "fast"],
        default="exact",
        help="precision of the metrics' networks: float32, or TF32 and bfloat16 where the effect is small "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--backend",
        dest="backends",
        nargs="+",
        action="extend",
        type=_backend,
        default=[],
        metavar="METRIC=PACKAGE",
        help="compute a metric with another package: lpips=lpips, lpips-vgg=lpips, dists=piq",
    )


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


def add_weights(parser: argparse._ActionsContainer) -> None:
    """Add the option that replaces published weights."""
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="your own weights, in folders named as `prepare --from` takes them, instead of the published ones",
    )


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how methods run."""
    group = parser.add_argument_group("how methods run")
    group.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help="runs at once (default: on a GPU 10, or as many as fit; 2 on a CPU; all where there are no networks)",
    )
    group.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float16"],
        help="precision of the networks, with float32 arithmetic around them (default: as the authors' code computes)",
    )
    group.add_argument(
        "--compile", dest="compiled", action="store_true", help="compile the networks: minutes once, then faster"
    )
    add_weights(group)


def resolve_execution(options: argparse.Namespace, specs: Sequence[MethodSpec]) -> Execution:
    """Return how the options ask methods to run, on a device that is chosen later.

    Raises:
        BenchError: An option means nothing to one of the methods.
    """
    from ccsr_bench.methods.base import Execution

    execution = Execution(dtype=options.dtype, batch=options.batch, compiled=options.compiled)
    for spec in specs:
        spec.check_execution(execution, own_weights=options.weights is not None)
    return execution


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images, and where results go."""
    add_images(parser)
    add_out(parser)


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images."""
    group = parser.add_argument_group("data set")
    group.add_argument("--dataset", metavar="D", help="a data set's name, or the path of a .toml manifest")
    group.add_argument("--lr", type=Path, metavar="DIR", help="your own LR images, paired with --hr by file stem")
    group.add_argument("--hr", type=Path, metavar="DIR", help="your own HR images; --dataset then only names them")
    group.add_argument("--limit", type=positive, metavar="K", help="only the first K images")


def resolve_dataset(options: argparse.Namespace) -> Dataset:
    """Return the data set that the options choose."""
    from ccsr_bench.datasets.loading import choose_dataset

    if options.dataset is None and options.lr is None and options.hr is None:
        raise BenchError("give --dataset D, or --lr DIR and --hr DIR (`ccsr-bench list datasets`)")
    return choose_dataset(options.dataset, lr=options.lr, hr=options.hr)


def resolve_scoring(options: argparse.Namespace, protocol: str) -> Scoring:
    """Build the metrics that the options choose; says which are skipped, before any work starts.

    Args:
        options: As `add_scoring` reads them.
        protocol: Name of the protocol.
    """
    from ccsr_bench.cli.console import remark
    from ccsr_bench.devices.memory import keep_freed_memory
    from ccsr_bench.running.scoring import build_scoring

    scoring = build_scoring(
        options.metrics,
        protocol=protocol,
        device=options.device,
        precision=options.precision,
        backends=dict(options.backends),
    )
    if scoring.device == "cpu":
        keep_freed_memory()
    for line in scoring.skipped_lines():
        remark(f"skipping {line}")
    return scoring
