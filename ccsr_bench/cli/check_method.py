"""`ccsr-bench test-method`."""

from __future__ import annotations

import argparse
import functools
from dataclasses import asdict, replace

from ccsr_bench.cli import options as shared

EXAMPLES = """\
  ccsr-bench test-method bicubic-dither
  ccsr-bench test-method mine --methods-dir my/methods
  ccsr-bench test-method sinsr-s1 --device cuda --json
Exit code 1 when a promise is broken.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("name", metavar="NAME", help="the method")
    parser.add_argument(
        "--size", type=shared.positive, default=128, help="sides of the LR images, in pixels (default: %(default)s)"
    )
    shared.add_device(parser)
    shared.add_execution(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "the promises of the contract")


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
        checked = list(check_contract(spec, load, size=options.size, progress=lambda what: remark(f"checking: {what}")))
    if options.json:
        echo_json([asdict(one) for one in checked])
    else:
        columns([["ok" if one.kept else "BROKEN", one.promise, one.detail] for one in checked])
    return EXIT_DONE if all(one.kept for one in checked) else EXIT_CHECK_FAILED
