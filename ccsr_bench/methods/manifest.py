"""`method.toml`: the data about one family of methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import msgspec
import numpy as np

from ccsr_bench.manifests import Name


class Method(Protocol):
    """A loaded super-resolution method."""

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Restore one image once per seed.

        Every random stream is reset from the seed at each call, so an output depends on (lr, seed) alone.

        Args:
            lr: (h, w, 3) uint8 RGB.
            seeds: One 63-bit integer for each output.

        Returns:
            (len(seeds), scale*h, scale*w, 3) uint8 RGB.
        """
        ...


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The official code."""

    repository: str
    commit: str


class InProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="in-process", tag_field="kind"):
    """Runs inside our process, with our dependencies."""

    entry: Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[A-Za-z_][A-Za-z0-9_]*$")]
    """``package.module:Name``, or ``file.py:Name`` for a file beside the manifest; called with the variant's
    parameters, it returns a `Method`."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to run a family, named ``<family>-s<steps>`` for diffusion."""

    title: str
    steps: int = 0
    """Sampling steps; 0 where the method does not sample."""
    parameters: dict[str, Any] = {}


class MethodManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A family's `method.toml`."""

    id: Name
    title: str
    licence: str
    scale: int
    stochastic: bool
    """Whether outputs depend on the seed. A deterministic method runs once and has no spread."""
    environment: InProcess
    variants: dict[Name, Variant]
    paper: str = ""
    upstream: Upstream | None = None
    paper_settings: str = ""
    """What is known about the settings that the CCSR paper used."""
