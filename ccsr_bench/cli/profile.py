"""`ccsr-bench profile`: the columns of the paper's Table VII, measured here."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE

if TYPE_CHECKING:
    from ccsr_bench.running.profiling import Profile

EXAMPLES = """\
  ccsr-bench profile --method ccsr-s1 ccsr-s2 --device cuda
  ccsr-bench profile --method ccsr-s2                # without weights: parameters and steps only
  ccsr-bench profile --method bicubic --json
One run of an image is what the paper's Table VII times; seconds exclude loading and the first, warming calls.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", nargs="+", action="extend", required=True, metavar="M", help="methods to profile")
    parser.add_argument("--runs", type=shared.positive, default=10, help="runs of one image (default: %(default)s)")
    parser.add_argument(
        "--size",
        type=shared.positive,
        default=128,
        metavar="PIXELS",
        help="side of the LR image (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats", type=shared.positive, default=3, help="times everything is measured; the median counts"
    )
    shared.add_device(parser)
    shared.add_execution(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "the figures")


def execute(options: argparse.Namespace) -> int:
    """Profile methods."""
    from ccsr_bench.cli.console import echo_json, remark
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.methods.registry import find_method
    from ccsr_bench.running.profiling import profile

    specs = [find_method(name, options.methods_dir) for name in dict.fromkeys(options.method)]
    execution = shared.resolve_execution(options, specs)

    from ccsr_bench.devices.memory import keep_freed_memory
    from ccsr_bench.devices.selection import find_device

    execution = replace(execution, device=str(find_device(options.device)))
    if execution.device == "cpu":
        keep_freed_memory()
    found: list[Profile] = []
    try:
        for spec in specs:
            with stdout_to_stderr():
                figures = profile(
                    spec, execution, own=options.weights, runs=options.runs, size=options.size, repeats=options.repeats
                )
            if figures.missing:
                remark(f"no times: {figures.missing}")
            found.append(figures)
    finally:  # what was measured is shown even when a later method fails
        if found and options.json:
            echo_json([asdict(figures) for figures in found])
        elif found:
            _show(found, options.runs)
    return EXIT_DONE


def _show(found: list[Profile], runs: int) -> None:
    from ccsr_bench.cli.console import columns, echo
    from ccsr_bench.paper.printed import read_costs

    header = [
        "method",
        "steps",
        "s/image, one run",
        f"s/image, {runs} run{'s' * (runs > 1)}",
        "s/run",
        "parameters",
        "peak MiB",
    ]
    rows = [header]
    for figures in found:
        rows.append(
            [
                figures.title,
                str(figures.steps or "-"),
                _number(figures.seconds_one_run, 3),
                _number(figures.seconds_all_runs, 3),
                _number(figures.seconds_per_run, 3),
                f"{sum(figures.parameters.values()):,}" if figures.parameters else "-",
                _number(figures.peak_mib, 0),
            ]
        )
        paper = read_costs().get(figures.title)
        if paper is not None:
            billions = f"{paper.parameters_billion:.2f} billion"
            rows.append([f"{figures.title} (paper)", str(paper.steps), f"{paper.seconds:.2f}", "-", "-", billions, "-"])
    columns(rows)
    echo()
    for note in found[0].notes:
        echo(f"- {note}")
    echo("- The paper's seconds are of one run on an A100 80G, its Table VII.")


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
