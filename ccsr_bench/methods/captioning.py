"""Captioning the LR images of a data set, once per image, before a captioned method runs on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
    """The outcome of captioning."""

    folder: Path
    """Folder of the captions."""
    made: int
    """Number of newly made captions."""
    failures: dict[str, str]
    """Image -> reason of its failure."""


def caption_images(
    spec: MethodSpec,
    samples: Sequence[Sample],
    *,
    device: str = "cpu",
    weights: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Captioning:
    """Make the missing captions; a failure on one image does not affect the others.

    Args:
        spec: Captioner of a method, as returned by `MethodSpec.captioner`.
        samples: Images to caption.
        device: Device of the captioner's networks.
        weights: Folder of the user's own weights; the weights that `prepare` installed when None.
        progress: Function that is called after each image with the number of captions, the number of images and the
            image's name.

    Raises:
        BenchError: The captioner cannot be loaded, or another captioner made the existing captions.
    """
    captions = Captions(spec.manifest.id)
    pairs = [(sample, captions.find(sample.read_lr())) for sample in samples]
    missing = [sample for sample, caption in pairs if caption is None]
    progress(len(samples) - len(missing), len(samples), "")
    if not missing:
        return Captioning(captions.folder, 0, {})
    installed = spec.find_weights(weights)
    gpu = device.startswith("cuda")
    # Captions name even a single file by the hash of the list of files, so that new captions complete older ones.
    listed = {role: replace(found, sha256=found.earlier_sha256 or found.sha256) for role, found in installed.items()}
    versions = [CaptionOrigin(captioner=origin, gpu=gpu) for origin in spec.origins(weights=listed)]
    captions.check_made_by(versions, [caption for _, caption in pairs if caption is not None])

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
