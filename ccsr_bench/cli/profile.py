"""`ccsr-bench profile`: measure the columns of the paper's Table VII on this machine."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import number_of

if TYPE_CHECKING:
    from ccsr_bench.running.profiling import Profile

EXAMPLES = """\
  ccsr-bench profile --method ccsr-s1 ccsr-s2 --device cuda
  ccsr-bench profile --method ccsr-s2                # without weights: parameters and steps only
  ccsr-bench profile --method bicubic --json
The paper's Table VII times one run of an image. Seconds exclude loading and the first calls, which warm up the machine.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--method", nargs="+", action="extend", required=True, metavar="METHOD", help="methods to profile"
    )
    parser.add_argument(
        "--runs",
        type=shared.positive,
        default=10,
        metavar="N",
        help="number of runs of the image (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=shared.positive,
        default=128,
        metavar="PIXELS",
        help="sides of the LR image in pixels (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats",
        type=shared.positive,
        default=3,
        metavar="N",
        help="number of measurements, of which the median is printed (default: %(default)s)",
    )
    shared.add_device(parser)
    shared.add_threads(parser)
    shared.add_execution(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "the measurements")


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
    from ccsr_bench.devices.threads import computing_threads

    execution = replace(execution, device=str(find_device(options.device)))
    if execution.device == "cpu":
        keep_freed_memory()
    profiles: list[Profile] = []
    try:
        for spec in specs:
            with computing_threads(options.threads), stdout_to_stderr():
                costs = profile(
                    spec, execution, own=options.weights, runs=options.runs, size=options.size, repeats=options.repeats
                )
            if costs.missing:
                remark(f"no times: {costs.missing}")
            profiles.append(costs)
    finally:  # measurements are printed even if a later method fails
        if profiles and options.json:
            echo_json([asdict(costs) for costs in profiles])
        elif profiles:
            _show(profiles, options.runs)
    return EXIT_DONE


def _show(profiles: list[Profile], runs: int) -> None:
    from ccsr_bench.cli.console import columns, echo
    from ccsr_bench.paper.printed import read_costs

    header = [
        "method",
        "steps",
        "s/image, one run",
        f"s/image, {number_of(runs, 'run')}",
        "s/run",
        "parameters",
        "peak MiB",
    ]
    rows = [header]
    for costs in profiles:
        rows.append(
            [
                costs.title,
                str(costs.steps or "-"),
                _number(costs.seconds_one_run, 3),
                _number(costs.seconds_all_runs, 3),
                _number(costs.seconds_per_run, 3),
                f"{sum(costs.parameters.values()):,}" if costs.parameters else "-",
                _number(costs.peak_mib, 0),
            ]
        )
        paper = read_costs().get(costs.title)
        if paper is not None:
            billions = f"{paper.parameters_billion:.2f} billion"
            rows.append([f"{costs.title} (paper)", str(paper.steps), f"{paper.seconds:.2f}", "-", "-", billions, "-"])
    columns(rows)
    echo()
    for note in profiles[0].notes:
        echo(f"- {note}")
    echo("- The paper's seconds are those of one run on an A100 80G (its Table VII).")


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
