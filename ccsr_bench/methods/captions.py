"""Captions of LR images: one per image, stored apart from the results and used in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.errors import BenchError, some
from ccsr_bench.images import pixels_sha256, write_atomically
from ccsr_bench.ledger.records import CaptionOrigin, Origin, text_of
from ccsr_bench.methods.isolated.host import IsolatedCaptioner
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.places import home


class Caption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caption of an image, as stored in a file."""

    text: str
    made_by: CaptionOrigin | str
    """Origin of the caption; a text in captions that version 0.1.0 made."""


class Captions:
    """The captions for one family of methods, in files named by the hash of the LR image's pixels.

    Args:
        family: Id in the family's manifest.
    """

    def __init__(self, family: str) -> None:
        self.folder = home() / "captions" / family

    def find(self, lr: np.ndarray) -> Caption | None:
        """Return the caption of an image, or None if it has none.

        Raises:
            BenchError: The caption's file is damaged.
        """
        file = self._file(lr)
        try:
            return msgspec.json.decode(file.read_bytes(), type=Caption)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BenchError(f"{file}: cannot be read ({error.strerror})") from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BenchError(f"{file}: {error}; remove it and caption again") from error

    def make(self, lr: np.ndarray, captioner: IsolatedCaptioner, made_by: CaptionOrigin) -> None:
        """Make and store the caption of an image, with a seed that depends on the image alone.

        Raises:
            WorkerError: The captioner failed.
            OSError: The caption cannot be written.
        """
        caption = Caption(captioner.caption(lr, int(pixels_sha256(lr)[:16], 16) >> 1), made_by)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file(lr), msgspec.json.format(msgspec.json.encode(caption), indent=1))

    def check_made_by(self, versions: Sequence[Origin | CaptionOrigin], captions: Iterable[Caption]) -> None:
        """Check that captions were made by a captioner or by one of its earlier versions.

        Args:
            versions: Origins of the captioner and of its earlier versions that give the same captions. An `Origin`
                stands for any weights and any device.
            captions: Captions to check.

        Raises:
            BenchError: Another captioner made some of the captions.
        """
        others = sum(not any(_made_by(caption.made_by, version) for version in versions) for caption in captions)
        if others:
            raise BenchError(
                f"{self.folder}: another captioner, or another version of it, made {others} of the captions; "
                f"move the folder away and caption again"
            )

    def _file(self, lr: np.ndarray) -> Path:
        return self.folder / f"{pixels_sha256(lr)}.json"


def same_caption(_lr: np.ndarray) -> str:
    """Return a fixed caption, for images that are in no data set, such as those for testing and timing methods."""
    return "A photograph."


def caption_reader(spec: MethodSpec) -> Callable[[np.ndarray], str]:
    """Return a function that returns the caption of an LR image, and raises a `BenchError` if it has none."""
    captions = Captions(spec.manifest.id)

    def read(lr: np.ndarray) -> str:
        caption = captions.find(lr)
        if caption is None:
            raise BenchError(f"the image has no caption in {captions.folder}; {_advice(spec)}")
        return caption.text

    return read


def check_captions(spec: MethodSpec, samples: Sequence[Sample]) -> list[CaptionOrigin | str]:
    """Check that all images have a caption by the captioner of a method, and return the origin of the captions.

    Returns:
        Origin of the captions with the present version of the captioner, then the same origin with each earlier version
        that gives the same captions according to the manifest.

    Raises:
        BenchError: Captions are missing or damaged, or were not all made by the method's captioner in one way.
    """
    captions = Captions(spec.manifest.id)
    by_image = {sample.name: captions.find(sample.read_lr()) for sample in samples}
    missing = [name for name, caption in by_image.items() if caption is None]
    if missing:
        raise BenchError(f"method '{spec.name}': no caption of {some(missing)}; {_advice(spec)}")
    versions = spec.captioner.origins()
    existing = [caption for caption in by_image.values() if caption is not None]
    captions.check_made_by(versions, existing)
    makers = {text_of(maker): maker for caption in existing for maker in [_as_version(caption.made_by, versions, 0)]}
    if len(makers) > 1:
        raise BenchError(
            f"method '{spec.name}': {len(makers)} different captioners made the captions in {captions.folder}; "
            f"move the folder away and caption again"
        )
    (maker,) = makers.values()
    return [_as_version(maker, versions, index) for index in range(len(versions))]


def _made_by(maker: CaptionOrigin | str, version: Origin | CaptionOrigin) -> bool:
    """Return whether a version of a captioner made a caption; an `Origin` matches any weights and device."""
    if isinstance(maker, str):
        return maker.startswith(version.text())  # a text by version 0.1.0, which ends with weights and device
    if isinstance(version, CaptionOrigin):
        return maker == version
    return msgspec.structs.replace(maker.captioner, weights={}) == version


def _as_version(maker: CaptionOrigin | str, versions: Sequence[Origin], index: int) -> CaptionOrigin | str:
    """Return the origin of a caption with another version of the captioner in it."""
    if isinstance(maker, str):
        present = next(version.text() for version in versions if _made_by(maker, version))
        return versions[index].text() + maker.removeprefix(present)
    captioner = msgspec.structs.replace(maker.captioner, code_sha256=versions[index].code_sha256)
    return msgspec.structs.replace(maker, captioner=captioner)


def _advice(spec: MethodSpec) -> str:
    return f"run `ccsr-bench caption --method {spec.name}` with the same `dataset`, or `lr` and `hr`"
