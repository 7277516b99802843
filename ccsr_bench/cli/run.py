"""`ccsr-bench run`: run methods on a data set."""

from __future__ import annotations

import argparse

from ccsr_bench.cli import options as shared

EXAMPLES = """\
  ccsr-bench run --method bicubic bicubic-dither --dataset sample
  ccsr-bench run --method bicubic --dataset RealSR --limit 10
  ccsr-bench run --method bicubic --lr my/lr --hr my/hr --dataset mine
  ccsr-bench run --method ccsr-s2 --dataset RealSR --device cuda
The same command again computes only what is missing; with more --runs or more --metrics it adds to the results.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", nargs="+", action="extend", required=True, metavar="METHOD", help="methods to run")
    shared.add_dataset(parser)
    parser.add_argument(
        "--runs", type=shared.positive, default=10, metavar="N", help="number of runs per image (default: %(default)s)"
    )
    shared.add_scoring(parser)
    shared.add_execution(parser)
    parser.add_argument(
        "--shard",
        type=_shard,
        default=(0, 1),
        metavar="I/N",
        help="run on every N-th image only, from the image with index I on (the first has index 0)",
    )
    parser.add_argument(
        "--base-seed",
        type=int,
        default=0,
        metavar="INTEGER",
        help="base of all seeds; another number gives other noise (default: %(default)s)",
    )
    parser.add_argument(
        "--same-seed",
        action="store_true",
        help="give every run the seed of run 0; what still varies is the noise floor, recorded as METHOD.same-seed",
    )
    shared.add_methods_dir(parser)
    shared.add_json(parser, "a summary of each job")


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N with 0 <= I < N, such as 0/2")
    return int(index), int(count)


def execute(options: argparse.Namespace) -> int:
    """Run methods on a data set."""
    from dataclasses import replace

    from ccsr_bench.datasets.loading import choose_samples
    from ccsr_bench.methods.registry import find_method

    # These checks take no time, so they come before the import of torch.
    specs = [find_method(name, options.methods_dir) for name in dict.fromkeys(options.method)]
    execution = shared.resolve_execution(options, specs)
    dataset = shared.resolve_dataset(options)
    samples = choose_samples(dataset, limit=options.limit, shard=options.shard)
    for spec in specs:
        spec.check_use(dataset.name, dataset.scale, execution, own_weights=options.weights is not None)

    from ccsr_bench.cli.job import do_and_report
    from ccsr_bench.running.jobs import method_job

    scoring = shared.resolve_scoring(options, options.protocol)
    jobs = [
        method_job(
            spec,
            dataset,
            samples,
            scoring,
            out=options.out,
            execution=replace(execution, device=scoring.device),
            runs=options.runs,
            base_seed=options.base_seed,
            same_seed=options.same_seed,
            own_weights=options.weights,
        )
        for spec in specs
    ]
    return do_and_report(jobs, scoring, options)
