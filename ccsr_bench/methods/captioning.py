"""Captioning the LR images of a data set, once each, before a captioned method runs on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.ledger.records import CaptionOrigin
from ccsr_bench.methods import loading
from ccsr_bench.methods.captions import Captions
from ccsr_bench.methods.isolated.host import WorkerError
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.places import worker_log


@dataclass(frozen=True)
class Captioning:
    """How captioning ended."""

    folder: Path
    """The folder that keeps the captions."""
    made: int
    """The number of captions that were made now."""
    failures: dict[str, str]
    """Image -> reason."""


def caption_images(
    spec: MethodSpec,
    samples: Sequence[Sample],
    *,
    device: str = "cpu",
    weights: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Captioning:
    """Make the captions that are missing; the failure of one image does not end the work.

    Args:
        spec: The captioner of a method, as `MethodSpec.captioner` returns it.
        samples: The images.
        device: The device that its networks run on.
        weights: The user's own folder of weights, instead of those that `prepare` installed.
        progress: Called after each image with the number of captions, the number of images and the image's name.

    Raises:
        BenchError: The captioner cannot be loaded, or captions of another captioner are in the way.
    """
    captions = Captions(spec.manifest.id)
    found = [(sample, captions.find(sample.read_lr())) for sample in samples]
    missing = [sample for sample, caption in found if caption is None]
    progress(len(samples) - len(missing), len(samples), "")
    if not missing:
        return Captioning(captions.folder, 0, {})
    installed = spec.find_weights(weights)
    gpu = device.startswith("cuda")
    versions = [CaptionOrigin(captioner=origin, gpu=gpu) for origin in spec.origins(weights=installed)]
    captions.check_made_by(versions, [caption for _, caption in found if caption is not None])

    failures: dict[str, str] = {}
    log = worker_log(f"{spec.manifest.id}-captioner")
    captioner = loading.load_captioner(spec, installed, device=device, log=log)
    try:
        for done, sample in enumerate(missing, start=len(samples) - len(missing) + 1):
            try:
                captions.make(sample.read_lr(), captioner, versions[0])
            except WorkerError as error:
                failures[sample.name] = str(error)
            progress(done, len(samples), sample.name)
    finally:
        captioner.close()
    return Captioning(captions.folder, len(missing) - len(failures), failures)
