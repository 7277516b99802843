"""`ccsr-bench verify`: compute published scores again, and compare ours with them."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, columns, echo, echo_json, progress, remark
from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.places import verification_home

if TYPE_CHECKING:
    from ccsr_bench.published.scores import PublishedSet
    from ccsr_bench.verification.comparison import PublishedComparison
    from ccsr_bench.verification.subject import Subject
    from ccsr_bench.verification.verify import Verification

EXAMPLES = """\
  ccsr-bench verify
  ccsr-bench verify osediff-realsr --metrics psnr ssim
  ccsr-bench verify bicubic-realsr --limit 10           # runs the method on the first ten images
  ccsr-bench verify osediff-realsr --protocol ccsr-v1   # another definition, so it fails
The exit code is 1 if a score does not agree with the published score. What was computed is kept: the same command again
computes only what is missing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "sets",
        nargs="*",
        metavar="SET",
        help="sets of published scores to check: of published images, or of a method, which is run (default: all whose "
        "images and weights are installed)",
    )
    parser.add_argument(
        "--limit",
        type=shared.positive,
        metavar="N",
        help="number of images of each set to use, from the first on; FID needs all (default: all)",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        metavar="METRIC",
        help="metrics to check (default: all that can be computed here)",
    )
    parser.add_argument("--protocol", help="protocol that defines the metrics (default: the one of the set)")
    parser.add_argument(
        "--out",
        type=Path,
        default=verification_home(),
        metavar="DIR",
        help="folder in which the results are kept, in one folder for each protocol (default: verify in the cache)",
    )
    shared.add_device(parser)
    shared.add_threads(parser)
    shared.add_computing(parser)
    shared.add_json(parser, "the comparison")


def execute(options: argparse.Namespace) -> int:
    """Compute published scores again, and compare ours with them."""
    from ccsr_bench.published.scores import find_published, published_sets
    from ccsr_bench.verification.subject import find_subject

    published = {name: find_published(name) for name in options.sets} if options.sets else published_sets()
    subjects = []
    for name in published:
        try:
            subjects.append(find_subject(name, limit=options.limit))
        except NotInstalledError as error:
            _skip(name, error, options)
    if not subjects:
        raise BenchError(
            "nothing could be checked: no published images are installed; run `ccsr-bench prepare --dataset RealSR`"
        )
    results = _verify(subjects, options)
    if options.json:
        echo_json({name: [_record(c) for c in result.comparisons] for name, result in results.items()})
    else:
        for name, result in results.items():
            _show(published[name], result.comparisons)
        for out in dict.fromkeys(result.out for result in results.values()):
            echo(f"the scores are kept: ccsr-bench table --out {out}")
    agree = all(c.agrees for result in results.values() for c in result.comparisons)
    return EXIT_DONE if agree else EXIT_CHECK_FAILED


def _skip(name: str, error: BenchError, options: argparse.Namespace) -> None:
    """Print why a set is not checked; a set that the user named must be checked."""
    if options.sets:
        raise error
    remark(f"{name}: not checked: {error}")


def _verify(subjects: Sequence[Subject], options: argparse.Namespace) -> dict[str, Verification]:
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.devices.threads import computing_threads
    from ccsr_bench.verification.verify import NothingToCompareError, verify

    build_scoring = functools.cache(functools.partial(shared.resolve_scoring, options))
    results: dict[str, Verification] = {}
    for subject in subjects:
        scoring = build_scoring(options.protocol or subject.published.protocol)
        try:
            with (
                computing_threads(options.threads),
                progress(f"verify {subject.name}") as show,
                stdout_to_stderr(),
            ):
                result = verify(subject, scoring, out=options.out, progress=show)
        except NothingToCompareError as error:
            _skip(subject.name, error, options)
            continue
        for line in result.remarks:
            remark(f"{subject.name}: {line}")
        results[subject.name] = result
    if not results:
        raise BenchError(
            "nothing could be checked: no set has a value of the requested metrics; choose other `metrics`"
        )
    return results


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
