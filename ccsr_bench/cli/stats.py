"""`ccsr-bench stats`: test which methods differ, and whether the number of runs is sufficient."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import number_of

if TYPE_CHECKING:
    from ccsr_bench.ledger.results import Results
    from ccsr_bench.statistics.comparisons import MethodComparison, RunsOf

EXAMPLES = """\
  ccsr-bench stats differences --dataset RealSR                     # paired tests between every two methods
  ccsr-bench stats differences --against ccsr-s2 --metrics lpips
  ccsr-bench stats runs --metrics psnr                              # G-STD by the number of runs: are 10 enough?
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "what", choices=["differences", "runs"], help="differences between methods, or G-STD by the number of runs"
    )
    shared.add_out(parser)
    shared.add_choice(parser)
    parser.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        default=[],
        metavar="METRIC",
        help="metrics to include; l-std can be one of them (default: all)",
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="METHOD",
        help="method that all others are compared with (default: every two methods are compared)",
    )
    shared.add_recorded_runs(parser)
    shared.add_json(parser, "the numbers")


def execute(options: argparse.Namespace) -> int:
    """Print statistics."""
    from ccsr_bench.errors import BenchError, unknown_name
    from ccsr_bench.ledger.results import open_results
    from ccsr_bench.metrics.quantities import find_quantities

    find_quantities(options.metrics)
    if options.against and options.what == "runs":
        raise BenchError(
            "--against is an option of `stats differences`; `stats runs` does not compare methods, so leave it out"
        )
    with open_results(options.out, methods=options.methods, datasets=options.datasets, runs=options.runs) as results:
        names = {method.label for method in results}
        if options.against and options.against not in names:
            raise unknown_name("method", options.against, names, hint=f"in {options.out}")
        if options.what == "differences":
            _differences(results, options)
        else:
            _runs(results, options)
    return EXIT_DONE


def _differences(results: list[Results], options: argparse.Namespace) -> None:
    from ccsr_bench.cli.console import columns, echo, echo_json
    from ccsr_bench.statistics.comparisons import compare_methods
    from ccsr_bench.statistics.paired import MOST_EXACT, SIGNIFICANCE

    comparisons = compare_methods(results, metrics=options.metrics, against=options.against)
    recorded = _recorded_images(results)
    if options.json:
        echo_json([_comparison_record(comparison, recorded) for comparison in comparisons])
        return
    head = ["data set", "first", "second", "number", "images", "second - first", "95 % interval", "p", "corrected", ""]
    columns([head, *(_comparison_line(comparison, recorded) for comparison in comparisons)])
    echo()
    echo(
        f"- p: two-sided sign-flip permutation test over images; corrected: by Holm's method for "
        f"{number_of(len(comparisons), 'comparison')}; * significant at {SIGNIFICANCE:g}."
    )
    fewest = min(comparison.difference.images for comparison in comparisons)
    if fewest <= MOST_EXACT:
        least = f"{2 / 2**fewest:.2g}"
        echo(f"- With {number_of(fewest, 'image')} p is at least {least}: 2 of the 2^{fewest} assignments of signs.")
    echo("- 95 % interval: bootstrap over images.")
    echo("- A mean is taken over all runs of a method, G-STD and L-STD over as many runs as both methods have.")
    if any(comparison.difference.images < _most_images(comparison, recorded) for comparison in comparisons):
        echo("- images, such as 3 of 6: both methods have the number on 3 images, and one of them has outputs of 6.")


def _recorded_images(results: list[Results]) -> dict[tuple[str, str], int]:
    """Return the number of images with all runs by data set and method."""
    return {(one.identity.dataset, one.label): len(one.images) for one in results}


def _most_images(comparison: MethodComparison, recorded: Mapping[tuple[str, str], int]) -> int:
    """Return the number of images of the compared method that has more."""
    return max(recorded[comparison.dataset, method] for method in (comparison.first, comparison.second))


def _images_text(images: int, recorded: int) -> str:
    return f"{images} of {recorded}" if images < recorded else str(images)


def _comparison_line(comparison: MethodComparison, recorded: Mapping[tuple[str, str], int]) -> list[str]:
    from ccsr_bench.metrics.quantities import find_quantities

    (column,) = find_quantities([comparison.metric])
    mean, interval, p_value, images = comparison.difference
    label = f"{column.label} G-STD" if comparison.quantity == "G-STD" else column.label
    return [
        comparison.dataset,
        comparison.first,
        comparison.second,
        label,
        _images_text(images, _most_images(comparison, recorded)),
        f"{mean:+.4g}",
        f"[{interval.low:+.4g}, {interval.high:+.4g}]",
        _p_value(p_value),
        _p_value(comparison.corrected),
        "*" if comparison.significant else "",
    ]


def _p_value(value: float) -> str:
    return "<0.0001" if value < 1e-4 else f"{value:.4f}"


def _comparison_record(comparison: MethodComparison, recorded: Mapping[tuple[str, str], int]) -> dict[str, object]:
    difference = comparison.difference
    return {
        "dataset": comparison.dataset,
        "first": comparison.first,
        "second": comparison.second,
        "metric": comparison.metric,
        "quantity": comparison.quantity,
        "images": difference.images,
        "recorded_images": _most_images(comparison, recorded),
        "difference": difference.mean,
        "low": difference.interval.low,
        "high": difference.interval.high,
        "p": difference.p_value,
        "p_corrected": comparison.corrected,
        "significant": comparison.significant,
    }


def _runs(results: list[Results], options: argparse.Namespace) -> None:
    from ccsr_bench.cli.console import columns, echo, echo_json
    from ccsr_bench.statistics.comparisons import runs_of_methods

    curves = runs_of_methods(results, metrics=options.metrics)
    recorded = _recorded_images(results)
    if options.json:
        echo_json([record for curve in curves for record in _run_records(curve, recorded)])
        return
    head = ["data set", "method", "metric", "images", "runs", "G-STD", "95 % interval"]
    head += ["share of N runs", "expected if Gaussian"]
    columns([head, *(line for curve in curves for line in _run_lines(curve, recorded))])
    echo()
    echo(
        "- G-STD: mean over images and, for each, over random choices of this number of runs among its N recorded runs."
    )
    echo("- 95 % interval: over choices of runs and resampled images.")
    echo(
        "- share of N runs: G-STD as a share of G-STD over all N runs. The standard deviation (ddof 0) of few runs is "
        "too small; the last column is the share to expect if scores follow a Gaussian distribution. Only compare "
        "G-STDs over the same number of runs."
    )
    if any(curve.images < recorded[curve.dataset, curve.method] for curve in curves):
        echo("- images, such as 3 of 6: the method has the metric on 3 images, and outputs of 6.")


def _run_lines(curve: RunsOf, recorded: Mapping[tuple[str, str], int]) -> list[list[str]]:
    from ccsr_bench.metrics.quantities import find_quantities
    from ccsr_bench.statistics.run_counts import normal_share

    (column,) = find_quantities([curve.metric])
    most = curve.counts[-1]
    return [
        [
            curve.dataset,
            curve.method,
            column.label,
            _images_text(curve.images, recorded[curve.dataset, curve.method]),
            str(count.runs),
            f"{count.g_std:.4g}",
            f"[{count.interval.low:.4g}, {count.interval.high:.4g}]",
            f"{count.g_std / most.g_std:.1%}" if most.g_std else "-",
            f"{normal_share(count.runs, most.runs):.1%}",
        ]
        for count in curve.counts
    ]


def _run_records(curve: RunsOf, recorded: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    return [
        {
            "dataset": curve.dataset,
            "method": curve.method,
            "metric": curve.metric,
            "images": curve.images,
            "recorded_images": recorded[curve.dataset, curve.method],
            "runs": count.runs,
            "g_std": count.g_std,
            "low": count.interval.low,
            "high": count.interval.high,
        }
        for count in curve.counts
    ]
