"""`ccsr-bench score`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared

EXAMPLES = """\
  ccsr-bench score --images my_outputs --method mine --dataset RealSR
  ccsr-bench score --images my_outputs --method mine --lr my/lr --hr my/hr
DIR holds one folder per run (run-00, sample03, ...) or the images of a single run; file stems match the data set's.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="the outputs to score, PNG or BMP")
    parser.add_argument("--method", required=True, metavar="NAME", help="what to call the method that made them")
    shared.add_dataset(parser)
    shared.add_scoring(parser)
    parser.add_argument("--json", action="store_true", help="print how it ended as JSON")


def execute(options: argparse.Namespace) -> int:
    """Score images that were made elsewhere."""
    from ccsr_bench.cli.job import finish, run_all
    from ccsr_bench.datasets.output_folders import check_runs, find_runs
    from ccsr_bench.running.runner import Job

    shared.check_slug("--method", options.method)
    dataset = shared.resolve_dataset(options)
    samples = shared.first(dataset.samples, options.limit)
    runs = find_runs(options.images)
    check_runs(runs, samples, partial=options.limit is not None)
    scoring = shared.resolve_scoring(options, options.protocol)
    job = Job(
        method=options.method,
        title=options.method,
        dataset=dataset,
        samples=samples,
        runs=len(runs),
        protocol=scoring.protocol,
        out=options.out,
        files=runs,
    )
    return finish(run_all([job], scoring, canary=not options.no_canary), options)
