"""`ccsr-bench caption`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ccsr_bench.cli import options as shared

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Sample
    from ccsr_bench.methods.registry import MethodSpec

EXAMPLES = """\
  ccsr-bench caption --method supir-s50 --dataset RealSR --device cuda
  ccsr-bench caption --method supir-s50 --lr my/lr --hr my/hr
Captions are kept in $CCSR_BENCH_HOME, or the platform's cache folder, one for every image; `run` uses them in every run
of it. The same command again makes only those that are missing.
"""


class _Ended(NamedTuple):
    folder: Path
    made: int
    failures: dict[str, str]
    """Image -> reason."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--method", required=True, metavar="M", help="a method that takes captions")
    shared.add_images(parser)
    shared.add_device(parser)
    shared.add_weights(parser)
    shared.add_methods_dir(parser)
    shared.add_json(parser, "how it ended")


def execute(options: argparse.Namespace) -> int:
    """Caption the images of a data set."""
    from ccsr_bench.cli.console import EXIT_DONE, EXIT_FAILURES_RECORDED, echo, echo_json, progress, remark
    from ccsr_bench.cli.job import stdout_to_stderr
    from ccsr_bench.datasets.loading import choose_samples
    from ccsr_bench.methods.registry import find_method

    captioner = find_method(options.method, options.methods_dir).captioner
    dataset = shared.resolve_dataset(options)
    samples = choose_samples(dataset, limit=options.limit)
    clock = time.perf_counter()
    with progress(f"{captioner.name} on {dataset.name}") as show, stdout_to_stderr():
        ended = _caption(captioner, samples, options, show)
    for image, reason in ended.failures.items():
        remark(f"{captioner.name}: {image} failed: {reason}")
    if options.json:
        echo_json({"folder": str(ended.folder), "images": len(samples), "made": ended.made, "failures": ended.failures})
    else:
        echo(
            f"{captioner.name}: {len(samples)} images, {ended.made} captioned now in {time.perf_counter() - clock:.1f} "
            f"s, {len(ended.failures)} failed -> {ended.folder}"
        )
    return EXIT_FAILURES_RECORDED if ended.failures else EXIT_DONE


def _caption(
    spec: MethodSpec, samples: Sequence[Sample], options: argparse.Namespace, show: Callable[[int, int, str], None]
) -> _Ended:
    """Make the captions that are missing; an image that fails costs itself alone."""
    from ccsr_bench.devices.selection import find_device
    from ccsr_bench.methods import loading
    from ccsr_bench.methods.captions import Captions
    from ccsr_bench.methods.isolated.host import WorkerError
    from ccsr_bench.places import worker_log

    captions = Captions(spec.manifest.id)
    found = [(sample, captions.find(sample.read_lr())) for sample in samples]
    missing = [sample for sample, caption in found if caption is None]
    show(len(samples) - len(missing), len(samples), "")
    failures: dict[str, str] = {}
    if missing:
        weights = spec.find_weights(options.weights)
        device = str(find_device(options.device))
        made_by = f"{spec.origin(weights=weights).text()}, on {'a GPU' if device.startswith('cuda') else 'a CPU'}"
        captions.check_made_by(made_by, [caption for _, caption in found if caption is not None])
        log = worker_log(f"{spec.manifest.id}-captioner")
        captioner = loading.load_captioner(spec, weights, device=device, log=log)
        try:
            for done, sample in enumerate(missing, start=len(samples) - len(missing) + 1):
                try:
                    captions.make(sample.read_lr(), captioner, made_by)
                except WorkerError as error:
                    failures[sample.name] = str(error)
                show(done, len(samples), sample.name)
        finally:
            captioner.close()
    return _Ended(captions.folder, len(missing) - len(failures), failures)
