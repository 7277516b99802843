"""`ccsr-bench test-method`: check that a method keeps the contract."""

from __future__ import annotations

import argparse
import functools
from dataclasses import asdict, replace

from ccsr_bench.cli import options as shared

EXAMPLES = """\
  ccsr-bench test-method bicubic-dither
  ccsr-bench test-method mine --methods-dir my/methods
  ccsr-bench test-method sinsr-s1 --device cuda --json
The exit code is 1 if a promise of the contract is broken.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("name", metavar="NAME", help="name of the method")
    parser.add_argument(
        "--size",
        type=shared.positive,
        default=128,
        metavar="PIXELS",
        help="sides of the LR images in pixels (default: %(default)s)",
    )
    shared.add_device(parser)
    shared.add_execution(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "which promises of the contract are kept")


def execute(options: argparse.Namespace) -> int:
    """Check a method."""
    from ccsr_bench.cli.console import EXIT_CHECK_FAILED, EXIT_DONE, columns, echo_json, remark
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.methods.captions import same_caption
    from ccsr_bench.methods.contract_check import check_contract
    from ccsr_bench.methods.loading import load_method
    from ccsr_bench.methods.registry import find_method
    from ccsr_bench.places import worker_log

    spec = find_method(options.name, options.methods_dir)
    execution = shared.resolve_execution(options, [spec])
    weights = spec.find_weights(options.weights)

    from ccsr_bench.devices.selection import find_device

    execution = replace(execution, device=str(find_device(options.device)))
    with stdout_to_stderr():
        load = functools.partial(load_method, spec, execution, weights, log=worker_log(spec.name), caption=same_caption)
        promises = list(
            check_contract(spec, load, size=options.size, progress=lambda step: remark(f"checking: {step}"))
        )
    if options.json:
        echo_json([asdict(promise) for promise in promises])
    else:
        columns([["ok" if promise.kept else "BROKEN", promise.promise, promise.detail] for promise in promises])
    return EXIT_DONE if all(promise.kept for promise in promises) else EXIT_CHECK_FAILED
