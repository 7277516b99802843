"""The records that a ledger stores: its identity, the origin of its outputs, and everything about one image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

SAME_SEED_FOLDER = ".same-seed"
"""Suffix of the folder of a ledger whose runs all had the same seed."""

_SAME_SEED_TITLE = " (same seed)"
_OWN_WEIGHTS_TITLE = " (own weights)"
_SAME_SEED_TEXT = "; every run has the seed of run 0"


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code, parameters and weights that made the outputs of a ledger; different origins are never mixed."""

    code: str = ""
    """Entry point or adapter file of the method; empty for images that were made elsewhere."""
    code_sha256: str = ""
    """First 16 digits of the sha256 of the code's file; empty unless the file lies beside the method's manifest."""
    repository: str = ""
    """Address of the official repository."""
    commit: str = ""
    """First 12 digits of the official repository's commit."""
    python: str = ""
    """Python version of an isolated method's environment."""
    lock: str = ""
    """File with the exact package versions of an isolated method's environment."""
    lock_sha256: str = ""
    """First 16 digits of the sha256 of the lock file."""
    parameters: dict[str, Any] = {}
    weights: dict[str, str] = {}
    """Role of the weights -> first 16 digits of their sha256, after ``tensors:`` if it is that of the tensors."""
    dtype: str = ""
    """Precision of the networks; empty for the precision of the authors' code."""
    compiled: bool = False
    captions: CaptionOrigin | str | None = None
    """Origin of the captions of the LR images, for a captioned method; a text for captions that version 0.1.0 made."""

    def text(self) -> str:
        """Return the origin in words, exactly as version 0.1.0 recorded it."""
        if not self.code:
            return "images made elsewhere"
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield _with_hash(self.code, self.code_sha256)
        if self.repository:
            yield f", {self.repository} at {self.commit}"
        if self.python:
            yield f", python {self.python} with {_with_hash(self.lock, self.lock_sha256)}"
        yield f" {json.dumps(self.parameters, sort_keys=True)}"
        for role, sha256 in sorted(self.weights.items()):
            digits = sha256.removeprefix("tensors:")
            yield f", {role} weights{', tensors' if digits != sha256 else ''} sha256 {digits}"
        if self.dtype:
            yield f", {self.dtype}"
        if self.compiled:
            yield ", compiled"
        if self.captions:
            yield f", captions by {text_of(self.captions)}"


class CaptionOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """The captioner that made a caption, and the kind of processor that it ran on."""

    captioner: Origin
    gpu: bool
    """Whether the captioner's networks ran on a GPU."""

    def text(self) -> str:
        """Return the origin in words, exactly as version 0.1.0 recorded it."""
        return f"{self.captioner.text()}, on {'a GPU' if self.gpu else 'a CPU'}"


def text_of(origin: Origin | CaptionOrigin | str) -> str:
    """Return an origin in words; version 0.1.0 recorded the words alone."""
    return origin if isinstance(origin, str) else origin.text()


def _with_hash(file: str, sha256: str) -> str:
    return f"{file} sha256 {sha256}" if sha256 else file


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The properties that all results of a ledger share; results of another identity are never added to it."""

    dataset: str
    method: str
    made_by: Origin | str
    """Origin of the outputs; a text in ledgers of version 0.1.0."""
    protocol: str
    base_seed: int
    same_seed: bool = False
    """Whether every run had the seed of run 0: then the spread is the noise floor of the method and the machine."""

    @property
    def label(self) -> str:
        """Name of the method in tables and folders; a suffix marks a ledger whose runs all had the same seed."""
        return self.method + SAME_SEED_FOLDER if self.same_seed else self.method

    @property
    def made_by_text(self) -> str:
        """Origin of the outputs, in words."""
        made_by = text_of(self.made_by)
        return made_by + _SAME_SEED_TEXT if self.same_seed else made_by


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of the method and the data set that a table prints beside the numbers."""

    title: str
    """Title of the method in tables."""
    paper_dataset: str
    """Name of the data set in the CCSR paper; empty for a data set that the paper does not use."""
    dataset_images: int
    """Number of images in the data set."""
    steps: int = 0
    """Network calls per output, where the passes of guidance count as one call; 0 for a method that does not sample."""
    parameters: dict[str, int] = {}
    """Network -> number of parameters; empty if the method's code does not count them."""
    own_weights: tuple[str, ...] = ()
    """Roles whose weights the user gave, and which are not the published ones; earlier versions did not record them."""


def decode_identity(encoded: str) -> Identity:
    """Return the identity that this version or an earlier one encoded.

    Raises:
        msgspec.MsgspecError: The text does not encode an identity.
    """
    identity = msgspec.json.decode(encoded, type=Identity)
    if isinstance(identity.made_by, str) and identity.method.endswith(SAME_SEED_FOLDER):
        return msgspec.structs.replace(
            identity,
            method=identity.method.removesuffix(SAME_SEED_FOLDER),
            made_by=identity.made_by.removesuffix(_SAME_SEED_TEXT),
            same_seed=True,
        )
    return identity


def title_of(title: str, *, same_seed: bool, own_weights: bool) -> str:
    """Return the title of a method in tables; suffixes mark the user's own weights, and runs that had the same seed."""
    return f"{title}{_OWN_WEIGHTS_TITLE if own_weights else ''}{_SAME_SEED_TITLE if same_seed else ''}"


@dataclass(frozen=True)
class Output:
    """One recorded output."""

    seed: int | None
    """Seed of the run; None for an image made elsewhere."""
    png_sha256: str
    origin_sha256: str | None = None
    """The sha256 of the file that the output was read from; None for a generated output."""
    seconds: float | None = None
    """Wall time of the method's call, divided by the number of runs in the call; None for an image made elsewhere."""


@dataclass(frozen=True)
class UnitRecord:
    """Everything that one unit of work adds to a ledger, about one image."""

    image: str
    pixels_sha256: str
    """The sha256 of the decoded LR and HR images."""
    files_sha256: str
    """The sha256 of the files of the LR and HR images."""
    outputs: dict[int, Output]
    scores: dict[str, dict[int, float]]
    """Metric -> run -> value."""
    l_std: dict[int, float]
    """Number of runs N -> L-STD over the first N runs."""
    failure: str = ""
    """Reason why the image is incomplete; empty if it is complete."""
    features: dict[int, bytes] = field(default_factory=dict)
    """Run -> feature vector of the output."""
    reference_features: bytes = b""
    """Feature vector of the HR image; empty if it was not computed."""
