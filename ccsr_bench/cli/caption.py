"""`ccsr-bench caption`: caption the LR images of a data set."""

from __future__ import annotations

import argparse
import time

from ccsr_bench.cli import options as shared
from ccsr_bench.errors import number_of

EXAMPLES = """\
  ccsr-bench caption --method supir-s50 --dataset RealSR --device cuda
  ccsr-bench caption --method supir-s50 --lr my/lr --hr my/hr
Captions are kept in $CCSR_BENCH_HOME, or in the platform's cache folder: one for each image, which `run` uses for all
runs of the image. The same command again makes only the missing captions.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", required=True, metavar="METHOD", help="method that takes captions")
    shared.add_images(parser)
    shared.add_device(parser)
    shared.add_threads(parser)
    shared.add_weights(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "the result")


def execute(options: argparse.Namespace) -> int:
    """Caption the images of a data set."""
    from ccsr_bench.cli.console import EXIT_DONE, EXIT_FAILURES_RECORDED, echo, echo_json, progress, remark
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.datasets.loading import choose_samples
    from ccsr_bench.devices.selection import find_device
    from ccsr_bench.devices.threads import computing_threads
    from ccsr_bench.methods.captioning import caption_images
    from ccsr_bench.methods.registry import find_method

    captioner = find_method(options.method, options.methods_dir).captioner
    dataset = shared.resolve_dataset(options)
    samples = choose_samples(dataset, limit=options.limit)
    device = str(find_device(options.device))
    started = time.perf_counter()
    with (
        computing_threads(options.threads),
        progress(f"{captioner.name} on {dataset.name}") as show,
        stdout_to_stderr(),
    ):
        ended = caption_images(captioner, samples, device=device, weights=options.weights, progress=show)
    for image, reason in ended.failures.items():
        remark(f"{captioner.name}: {image} failed: {reason}")
    if options.json:
        echo_json({"folder": str(ended.folder), "images": len(samples), "made": ended.made, "failures": ended.failures})
    else:
        echo(
            f"{captioner.name}: {number_of(len(samples), 'image')}, {ended.made} captioned now in "
            f"{time.perf_counter() - started:.1f} s, {len(ended.failures)} failed -> {ended.folder}"
        )
    return EXIT_FAILURES_RECORDED if ended.failures else EXIT_DONE
