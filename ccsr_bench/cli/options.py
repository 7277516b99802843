"""Options that several verbs share, and the objects that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.metrics.catalogue import DEFAULT_PROTOCOL

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Dataset
    from ccsr_bench.methods.base import Execution
    from ccsr_bench.methods.registry import MethodSpec
    from ccsr_bench.running.scoring import Scoring


def positive(text: str) -> int:
    """Parse an integer of at least 1, for argparse."""
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
    for flag, metavar, noun in (("--method", "METHOD", "methods"), ("--dataset", "DATASET", "data sets")):
        parser.add_argument(
            flag,
            dest=f"{flag[2:]}s",
            nargs="+",
            action="extend",
            default=[],
            metavar=metavar,
            help=f"{noun} to include (default: all)",
        )


def add_recorded_runs(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses how many of the recorded runs are used."""
    parser.add_argument(
        "--runs",
        type=positive,
        metavar="N",
        help="number of runs to use, from the first on (default: the most that all images have)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses the device on which networks compute."""
    parser.add_argument("--device", default="auto", help="device to use: auto, cpu or cuda (default: %(default)s)")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses how many threads compute on the CPU."""
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="number of threads that networks and metrics compute with on the CPU (default: $OMP_NUM_THREADS, or one "
        "for each core)",
    )


def add_json(parser: argparse._ActionsContainer, what: str) -> None:
    """Add the option that prints the output as JSON.

    Args:
        parser: Parser to add the option to.
        what: Noun phrase for the output.
    """
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON")


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose metrics and the way they are computed, the device and the threads."""
    add_device(parser)
    add_threads(parser)
    group = parser.add_argument_group("metrics")
    group.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        metavar="METRIC",
        help="metrics to compute (default: all that can be computed here)",
    )
    group.add_argument(
        "--protocol", default=DEFAULT_PROTOCOL, help="protocol that defines the metrics (default: %(default)s)"
    )
    add_computing(group)
    group.add_argument(
        "--no-canary",
        dest="canary",
        action="store_false",
        help="do not check the metrics on an image with published scores first",
    )


def add_computing(parser: argparse._ActionsContainer) -> None:
    """Add the options that choose the precision and the packages of metrics."""
    parser.add_argument(
        "--precision",
        choices=["exact", "fast"],
        default="exact",
        help="precision of the metrics' networks: exact is float32, fast is TF32 and bfloat16 where the effect is "
        "small (default: %(default)s)",
    )
    parser.add_argument(
        "--backend",
        dest="backends",
        nargs="+",
        action="extend",
        type=_backend,
        default=[],
        metavar="METRIC=PACKAGE",
        help="other package that computes a metric: lpips=lpips, lpips-vgg=lpips, dists=piq or niqe=pyiqa",
    )


def _backend(text: str) -> tuple[str, str]:
    metric, _, package = text.partition("=")
    if not (metric and package):
        raise argparse.ArgumentTypeError(f"'{text}' is not METRIC=PACKAGE, such as dists=piq")
    return metric, package


def add_methods_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that names folders of the user's own methods."""
    parser.add_argument(
        "--methods-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of your own methods; may be given several times",
    )


def add_weights(parser: argparse._ActionsContainer) -> None:
    """Add the option that replaces the published weights."""
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="folder of your own weights, in subfolders as `prepare --from` takes them (default: published weights)",
    )


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose how a method's networks are executed."""
    group = parser.add_argument_group("execution of methods")
    group.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help="number of runs to process at once (default: on a GPU 10, or as many as fit in memory; on a CPU 2; all "
        "runs if the method has no networks)",
    )
    group.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float16"],
        help="precision of the networks; all other arithmetic is float32 (default: the precision of the authors' code)",
    )
    group.add_argument(
        "--compile",
        dest="compiled",
        action="store_true",
        help="compile the networks, which takes minutes once and makes them faster",
    )
    add_weights(group)


def resolve_execution(options: argparse.Namespace, specs: Sequence[MethodSpec]) -> Execution:
    """Return how the methods are executed, without the device, which is chosen later.

    Raises:
        BenchError: An option does not apply to one of the methods.
    """
    from ccsr_bench.methods.base import Execution

    execution = Execution(dtype=options.dtype, batch=options.batch, compiled=options.compiled)
    for spec in specs:
        spec.check_execution(execution, own_weights=options.weights is not None)
    return execution


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images and the folder of results."""
    add_images(parser)
    add_out(parser)


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose images."""
    group = parser.add_argument_group("data set")
    group.add_argument(
        "--dataset",
        metavar="DATASET",
        help="name of a data set, or path of a .toml manifest; with --lr and --hr, the name of your own data set",
    )
    group.add_argument("--lr", type=Path, metavar="DIR", help="folder of your own LR images; requires --hr")
    group.add_argument(
        "--hr", type=Path, metavar="DIR", help="folder of your own HR images, paired with the LR images by file stem"
    )
    group.add_argument(
        "--limit", type=positive, metavar="N", help="number of images to use, from the first on (default: all)"
    )


def resolve_dataset(options: argparse.Namespace) -> Dataset:
    """Return the data set that the options choose."""
    from ccsr_bench.datasets.loading import choose_dataset

    return choose_dataset(options.dataset, lr=options.lr, hr=options.hr)


def resolve_scoring(options: argparse.Namespace, protocol: str) -> Scoring:
    """Build the metrics that the options choose, and print which are skipped, before any work starts.

    Args:
        options: Options that `add_scoring` adds.
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
