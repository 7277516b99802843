"""`ccsr-bench verify`: compare our scores of published images with the published scores."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, columns, echo, echo_json, progress, remark
from ccsr_bench.errors import BenchError, NotInstalledError

if TYPE_CHECKING:
    from ccsr_bench.published.scores import PublishedSet
    from ccsr_bench.published.verify import PublishedComparison

EXAMPLES = """\
  ccsr-bench verify
  ccsr-bench verify osediff-realsr --metrics psnr ssim
  ccsr-bench verify osediff-realsr --protocol ccsr-v1   # another definition, so it fails
The exit code is 1 if a score does not agree with the published score.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "sets",
        nargs="*",
        metavar="SET",
        help="sets of published images to check (default: all that are installed)",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        metavar="METRIC",
        help="metrics to check (default: all that can be computed here)",
    )
    parser.add_argument("--protocol", help="protocol that defines the metrics (default: the one of the set)")
    shared.add_device(parser)
    shared.add_threads(parser)
    shared.add_computing(parser)
    shared.add_json(parser, "the comparison")


def execute(options: argparse.Namespace) -> int:
    """Compare our scores of published images with the published scores."""
    from ccsr_bench.published.scores import find_published, published_sets

    names = options.sets or list(published_sets())
    published = {name: find_published(name) for name in names}
    results: dict[str, list[PublishedComparison]] = {}
    for name, published_set in published.items():
        try:
            results[name] = _check(name, published_set, options)
        except NotInstalledError as error:
            if options.sets:
                raise
            remark(f"{name}: not checked: {error}")
    if not results:
        raise BenchError(
            "nothing could be checked: no published images are installed; run `ccsr-bench prepare --dataset RealSR`"
        )
    if options.json:
        echo_json({name: [_record(c) for c in comparisons] for name, comparisons in results.items()})
    else:
        for name, comparisons in results.items():
            _show(published[name], comparisons)
    agree = all(c.agrees for comparisons in results.values() for c in comparisons)
    return EXIT_DONE if agree else EXIT_CHECK_FAILED


def _check(name: str, published: PublishedSet, options: argparse.Namespace) -> list[PublishedComparison]:
    from ccsr_bench.datasets import loading as datasets
    from ccsr_bench.devices.threads import computing_threads
    from ccsr_bench.published.verify import compare

    dataset = datasets.load_dataset(published.dataset)
    outputs = dataset.outputs(published.outputs)
    scoring = shared.resolve_scoring(options, options.protocol or published.protocol)
    with computing_threads(options.threads), progress(f"verify {name}") as show:
        return compare(name, published, dataset, outputs, scoring.scorer, show)


def _record(comparison: PublishedComparison) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(comparison), "agrees": comparison.agrees}


def _show(published: PublishedSet, comparisons: list[PublishedComparison]) -> None:
    echo(f"{published.title} ({published.source})")
    rows = [
        [
            "metric",
            "images",
            "ours",
            "published",
            "error of mean",
            "tolerance",
            "worst error",
            "tolerance",
            "",
            "worst image",
        ]
    ]
    rows += [
        [
            c.metric,
            str(c.images),
            f"{c.ours:.6f}",
            f"{c.published:.6f}",
            f"{abs(c.ours - c.published):.1e}",
            f"{c.allowed_mean:.1e}",
            f"{c.worst:.1e}",
            f"{c.allowed_image:.1e}",
            "agrees" if c.agrees else "DIFFERS",
            c.worst_image,
        ]
        for c in comparisons
    ]
    columns(rows)
    for c in comparisons:
        if c.left_out:
            echo(f"{c.metric}: {c.left_out}")
    echo()
