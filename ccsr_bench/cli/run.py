"""`ccsr-bench run`."""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.errors import BenchError
from ccsr_bench.seeds import SAME_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ccsr_bench.datasets.loading import Dataset, Sample
    from ccsr_bench.methods.base import Execution
    from ccsr_bench.methods.registry import MethodSpec
    from ccsr_bench.methods.weights import InstalledWeights
    from ccsr_bench.running.runner import Job
    from ccsr_bench.running.units import OutputSource

EXAMPLES = """\
  ccsr-bench run --method bicubic bicubic-dither --dataset sample
  ccsr-bench run --method bicubic --dataset RealSR --limit 10
  ccsr-bench run --method bicubic --lr my/lr --hr my/hr --dataset mine
  ccsr-bench run --method ccsr-s2 --dataset RealSR --device cuda
The same command again does only what is missing: more --runs and more --metrics add to what is recorded.
"""

WORKER_LOG = "worker.log"
"""In a ledger's folder: what a method's official code printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", nargs="+", action="extend", required=True, metavar="M", help="methods to run")
    shared.add_dataset(parser)
    parser.add_argument("--runs", type=shared.positive, default=10, help="runs per image (default: %(default)s)")
    shared.add_scoring(parser)
    shared.add_execution(parser)
    parser.add_argument(
        "--shard",
        type=_shard,
        default=(0, 1),
        metavar="I/N",
        help="every N-th image from the I-th on, I from 0",
    )
    parser.add_argument(
        "--base-seed", type=int, default=0, help="another number gives other noise (default: %(default)s)"
    )
    parser.add_argument(
        "--same-seed", action="store_true",
        help=f"give every run the same seed: the noise floor, recorded beside the method as M{SAME_SEED}",
    )  # fmt: skip
    shared.add_methods_dir(parser)
    parser.add_argument("--json", action="store_true", help="print how it ended as JSON")


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N with 0 <= I < N, such as 0/2")
    return int(index), int(count)


def execute(options: argparse.Namespace) -> int:
    """Run methods on a data set."""
    from ccsr_bench.cli.job import finish, run_all
    from ccsr_bench.methods.registry import find_method

    specs = [find_method(name, options.methods_dir) for name in dict.fromkeys(options.method)]
    shared.check_execution(options, specs)
    dataset = shared.resolve_dataset(options)
    for spec in specs:
        if spec.manifest.scale != dataset.scale:
            raise BenchError(
                f"method '{spec.name}' magnifies {spec.manifest.scale} times, {dataset.name} needs {dataset.scale}"
            )
    scoring = shared.resolve_scoring(options, options.protocol)
    index, count = options.shard
    samples = shared.first(dataset.samples, options.limit)[index::count]
    if not samples:
        raise BenchError(f"--shard {index}/{count} leaves none of the {len(dataset.samples)} images of {dataset.name}")

    execution = shared.resolve_execution(options, scoring.device)
    jobs = [_job(spec, dataset, samples, scoring, execution, options) for spec in specs]
    return finish(run_all(jobs, scoring, canary=not options.no_canary), options)


def _job(
    spec: MethodSpec,
    dataset: Dataset,
    samples: Sequence[Sample],
    scoring: shared.Scoring,
    execution: Execution,
    options: argparse.Namespace,
) -> Job:
    from ccsr_bench.ledger.reader import ledger_folder
    from ccsr_bench.methods import captions
    from ccsr_bench.running.runner import Job

    weights = spec.find_weights(options.weights)
    captioned = f", captions by {captions.check(spec, samples)}" if spec.variant.captioned else ""
    name, title, made_by = spec.name, spec.variant.title, spec.made_by(execution, weights) + captioned
    if options.same_seed:
        name, title, made_by = name + SAME_SEED, f"{title} (same seed)", f"{made_by}; every run has the seed of run 0"
    networks = spec.manifest.in_process_networks or spec.manifest.isolated
    return Job(
        method=name,
        title=title,
        dataset=dataset,
        samples=samples,
        runs=options.runs if spec.stochastic or options.same_seed else 1,
        protocol=scoring.protocol,
        out=options.out,
        made_by=made_by,
        load=functools.partial(_load, spec, execution, weights, ledger_folder(options.out, dataset.name, name)),
        base_seed=options.base_seed,
        same_seed=options.same_seed,
        execution=execution if networks else None,
    )


def _load(
    spec: MethodSpec, execution: Execution, weights: Mapping[str, InstalledWeights], ledger: Path
) -> OutputSource:
    from ccsr_bench.methods import loading
    from ccsr_bench.running.units import MethodSource

    # Networks batch the runs themselves: one call, and the LR image is encoded once.
    batch = 0 if spec.manifest.in_process_networks else execution.batch or 0
    return MethodSource(loading.load_method(spec, execution, weights, log=ledger / WORKER_LOG), batch=batch)
