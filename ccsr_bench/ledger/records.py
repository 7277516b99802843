"""What a ledger holds, as records: what it is about, what made its outputs, and what was recorded of one image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

SAME_SEED_FOLDER = ".same-seed"
"""End of the name of the folder whose ledger holds runs that all had one seed."""

_SAME_SEED_TITLE = " (same seed)"
_SAME_SEED_TEXT = "; every run has the seed of run 0"


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What made the outputs of a ledger; outputs of different origins are never mixed."""

    code: str = ""
    """Entry point or adapter file of the method; empty for images that were made elsewhere."""
    code_sha256: str = ""
    """First 16 digits of the sha256 of the code's file, where it lies beside the method's manifest."""
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
    """Role of the weights -> first 16 digits of their sha256."""
    dtype: str = ""
    """Precision of the networks, where another than the authors' was chosen."""
    compiled: bool = False
    captions: CaptionOrigin | str | None = None
    """What made the captions of the LR images, for a captioned method; a text for captions that version 0.1.0 kept."""

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
        yield from (f", {role} weights sha256 {sha256}" for role, sha256 in sorted(self.weights.items()))
        if self.dtype:
            yield f", {self.dtype}"
        if self.compiled:
            yield ", compiled"
        if self.captions:
            yield f", captions by {text_of(self.captions)}"


class CaptionOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """What made a caption."""

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
    """What a ledger is about; a ledger is only ever added to by the same."""

    dataset: str
    method: str
    made_by: Origin | str
    """What made the outputs; a text in ledgers of version 0.1.0."""
    protocol: str
    base_seed: int
    same_seed: bool = False
    """Whether every run had the seed of run 0: then the ledger is the noise floor of the method and the machine."""

    @property
    def label(self) -> str:
        """Name of the method in tables and folders, which tells a noise floor from the method itself."""
        return self.method + SAME_SEED_FOLDER if self.same_seed else self.method

    @property
    def made_by_text(self) -> str:
        """What made the outputs, in words."""
        made_by = text_of(self.made_by)
        return made_by + _SAME_SEED_TEXT if self.same_seed else made_by


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a table prints beside the numbers."""

    title: str
    """Title of the method in tables."""
    paper_dataset: str
    """Name of the data set in the CCSR paper; empty where it has none."""
    dataset_images: int
    """Number of images in the data set."""
    steps: int = 0
    """Network calls for one output, guidance counted once; 0 where the method does not sample."""
    parameters: dict[str, int] = {}
    """Network -> number of parameters; empty where the method's code does not count them."""


def decode_identity(encoded: str) -> Identity:
    """Return the identity that a ledger recorded, in the form of this version or of an earlier one.

    Raises:
        msgspec.MsgspecError: It is no identity.
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


def title_of(title: str, *, same_seed: bool) -> str:
    """Return the title of a method in tables, which tells a noise floor from the method itself."""
    return title + _SAME_SEED_TITLE if same_seed else title


@dataclass(frozen=True)
class Output:
    """One recorded output."""

    seed: int | None
    """None for images made elsewhere."""
    png_sha256: str
    origin_sha256: str | None = None
    """The sha256 of the file that the output was read from, for images made elsewhere."""
    seconds: float | None = None
    """Wall time of generating it: the call's time divided by the runs it made."""


@dataclass(frozen=True)
class UnitRecord:
    """Everything that one unit of work adds about one image."""

    image: str
    pixels_sha256: str
    """The sha256 of the decoded LR and HR images."""
    files_sha256: str
    """The sha256 of the files of the LR and HR images."""
    outputs: dict[int, Output]
    scores: dict[str, dict[int, float]]
    """Metric -> run -> value."""
    l_std: dict[int, float]
    """Number of runs -> L-STD over that many."""
    failure: str = ""
    """Why the image is not done; empty when it is."""
    features: dict[int, bytes] = field(default_factory=dict)
    """Run -> vector."""
    reference_features: bytes = b""
    """The vector of the HR image; empty for none."""
