"""`ccsr-bench score`: score images that were made elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared

EXAMPLES = """\
  ccsr-bench score --images my_outputs --method mine --dataset RealSR
  ccsr-bench score --images my_outputs --method mine --lr my/lr --hr my/hr
DIR of --images has one folder per run (run-00, sample03, ...), or the images of a single run. The file stems must be
those of the data set.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--images", type=Path, required=True, metavar="DIR", help="folder of the images to score, PNG or BMP"
    )
    parser.add_argument("--method", required=True, metavar="NAME", help="name of the method that made the images")
    shared.add_dataset(parser)
    shared.add_scoring(parser)
    shared.add_json(parser, "a summary of the job")


def execute(options: argparse.Namespace) -> int:
    """Score images that were made elsewhere."""
    from ccsr_bench.datasets.loading import choose_samples
    from ccsr_bench.datasets.output_folders import check_runs, find_runs
    from ccsr_bench.places import check_name

    # These checks take little time, so they come before the import of torch.
    check_name("method", options.method)
    dataset = shared.resolve_dataset(options)
    samples = choose_samples(dataset, limit=options.limit)
    files = find_runs(options.images)
    check_runs(files, samples, partial=options.limit is not None)

    from ccsr_bench.cli.job import do_and_report
    from ccsr_bench.running.jobs import images_job

    scoring = shared.resolve_scoring(options, options.protocol)
    job = images_job(files, options.method, dataset, samples, scoring, out=options.out)
    return do_and_report([job], scoring, options)
