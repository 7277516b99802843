"""Where the outputs of a job come from: a method that generates them, or files that were made elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_bytes, read_image
from ccsr_bench.ledger.records import Identity
from ccsr_bench.methods.base import Method
from ccsr_bench.seeds import seed


class OpenSource(Protocol):
    """A source that is ready to give outputs."""

    def outputs(self, sample: Sample, lr: np.ndarray, runs: Mapping[int, int | None]) -> np.ndarray:
        """Return the outputs of some runs.

        Args:
            sample: Image of the data set.
            lr: (h, w, 3) uint8 RGB, its LR image.
            runs: Run -> seed; None where the output was made elsewhere.

        Returns:
            (len(runs), H, W, 3) uint8 RGB.
        """
        ...

    def about(self) -> Mapping[str, Any]:
        """Return what the provenance records of the source: versions of an interpreter and packages of its own."""
        ...

    def close(self) -> None:
        """Release resources. The source must not be used afterwards."""
        ...


class Source(Protocol):
    """Where the outputs of a job come from, before anything is loaded."""

    generates: bool
    """Whether outputs are generated here, so that the time it takes is the method's."""

    def seed(self, identity: Identity, image: str, run: int) -> int | None:
        """Return the seed of a run; None for an output that was made elsewhere."""
        ...

    def origin_sha256(self, image: str, run: int) -> str | None:
        """Return the sha256 of the file that an output is read from; None for an output that is generated."""
        ...

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Check that an output is the one that was recorded.

        Raises:
            BenchError: The output is read from a file with another sha256.
        """
        ...

    def open(self) -> OpenSource:
        """Load what gives the outputs.

        Raises:
            BenchError: It cannot be loaded.
        """
        ...


@dataclass(frozen=True)
class Generated:
    """Outputs that a method generates."""

    load: Callable[[], Method]
    """Loads the method; not called when no output is missing."""
    batch: int = 0
    """The most runs that go through the method in one call; 0 for all."""
    generates = True

    def seed(self, identity: Identity, image: str, run: int) -> int:
        """Return the seed of a run, or of run 0 where all runs share one seed."""
        return seed(identity.dataset, image, 0 if identity.same_seed else run, base_seed=identity.base_seed)

    def origin_sha256(self, image: str, run: int) -> None:
        """Return nothing: the outputs are read from no file."""

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Check nothing: the identity of the ledger says what made the outputs."""

    def open(self) -> OpenMethod:
        """Load the method."""
        return OpenMethod(self.load(), batch=self.batch)


@dataclass(frozen=True)
class MadeElsewhere:
    """Outputs that were made elsewhere, as files."""

    files: Mapping[int, Mapping[str, Path]]
    """Run -> image name -> file."""
    generates = False

    def seed(self, identity: Identity, image: str, run: int) -> None:
        """Return nothing: the seed is not known."""

    def origin_sha256(self, image: str, run: int) -> str:
        """Return the sha256 of the file of an output.

        Raises:
            BenchError: The file cannot be read.
        """
        return hashlib.sha256(read_bytes(self.files[run][image])).hexdigest()

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Check that the file of an output is the one that was recorded; raises as `Source.check_recorded` does."""
        if run in self.files and self.origin_sha256(image, run) != origin_sha256:
            raise BenchError(
                f"{self.files[run][image]}: not the image recorded for that run; give `method` another name"
            )

    def open(self) -> OpenFiles:
        """Return what reads the files."""
        return OpenFiles(self.files)


class OpenMethod:
    """A loaded method.

    Args:
        method: The loaded method.
        batch: The most runs that go through it in one call; 0 for all.
    """

    def __init__(self, method: Method, *, batch: int = 0) -> None:
        self._method = method
        self._batch = batch

    def outputs(self, sample: Sample, lr: np.ndarray, runs: Mapping[int, int | None]) -> np.ndarray:
        """See `OpenSource`.

        Raises:
            ValueError: The method returned something else than it has to.
        """
        seeds = [seed for seed in runs.values() if seed is not None]
        step = self._batch or len(seeds)
        size = (sample.scale * lr.shape[0], sample.scale * lr.shape[1], 3)
        parts = []
        for start in range(0, len(seeds), step):
            batch = seeds[start : start + step]
            part: object = self._method.restore(lr, batch)
            if not (isinstance(part, np.ndarray) and part.dtype == np.uint8 and part.shape == (len(batch), *size)):
                given = f"{part.dtype} {part.shape}" if isinstance(part, np.ndarray) else type(part).__name__
                raise ValueError(f"the method returned {given}, it must return uint8 {(len(batch), *size)}")
            parts.append(part)
        return np.concatenate(parts)

    def about(self) -> Mapping[str, Any]:
        """Return the versions that a method in a process of its own reports."""
        return getattr(self._method, "about", None) or {}

    def close(self) -> None:
        """End the method's own process, where it has one."""
        close = getattr(self._method, "close", None)
        if close is not None:
            close()


class OpenFiles:
    """Files of outputs that were made elsewhere.

    Args:
        files: Run -> image name -> file.
    """

    def __init__(self, files: Mapping[int, Mapping[str, Path]]) -> None:
        self._files = files

    def outputs(self, sample: Sample, lr: np.ndarray, runs: Mapping[int, int | None]) -> np.ndarray:  # noqa: ARG002
        """See `OpenSource`; raises `BenchError` when a file is damaged."""
        return np.stack([read_image(self._files[run][sample.name]) for run in runs])

    def about(self) -> Mapping[str, Any]:
        """Return nothing: files run no code."""
        return {}

    def close(self) -> None:
        """Nothing to release."""
