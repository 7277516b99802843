"""`ccsr-bench test-method`."""

from __future__ import annotations

import argparse
import functools
from dataclasses import asdict

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
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    shared.add_execution(parser)
    shared.add_methods_dir(parser)
    parser.add_argument("--json", action="store_true", help="print the promises of the contract as JSON")


def execute(options: argparse.Namespace) -> int:
    """Check a method."""
    from ccsr_bench.cli.console import columns, echo_json, remark
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.cli.main import EXIT_CHECK_FAILED, EXIT_DONE
    from ccsr_bench.methods.captions import same_caption
    from ccsr_bench.methods.contract_check import check_contract
    from ccsr_bench.methods.loading import load_method
    from ccsr_bench.methods.registry import find_method
    from ccsr_bench.places import worker_log

    spec = find_method(options.name, options.methods_dir)
    shared.check_execution(options, [spec])
    execution = shared.resolve_execution(options, shared.resolve_device(options.device))
    weights = spec.find_weights(options.weights)
    with stdout_to_stderr():
        load = functools.partial(load_method, spec, execution, weights, log=worker_log(spec.name), caption=same_caption)
        checked = list(check_contract(spec, load, size=options.size, progress=lambda what: remark(f"checking: {what}")))
    if options.json:
        echo_json([asdict(one) for one in checked])
    else:
        columns([["ok" if one.kept else "BROKEN", one.promise, one.detail] for one in checked])
    return EXIT_DONE if all(one.kept for one in checked) else EXIT_CHECK_FAILED
