"""The sources of a job's outputs: a method that generates them, or files that were made elsewhere."""

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
    """A source that is loaded and can return outputs."""

    def outputs(self, sample: Sample, lr: np.ndarray | None, runs: Mapping[int, int | None]) -> np.ndarray:
        """Return the outputs of some runs.

        Args:
            sample: Image of the data set.
            lr: LR image of the sample, (h, w, 3) uint8 RGB; None for a data set without LR images.
            runs: Run -> seed; None for an output that was made elsewhere.

        Returns:
            One output per run, (len(runs), H, W, 3) uint8 RGB.
        """
        ...

    def about(self) -> Mapping[str, Any]:
        """Return the versions for the provenance, if the source has an interpreter and packages of its own."""
        ...

    def close(self) -> None:
        """Release resources. The source must not be used afterwards."""
        ...


class Source(Protocol):
    """A source of outputs before anything is loaded."""

    generates: bool
    """Whether the source generates outputs, so that its wall time is the method's."""

    def seed(self, identity: Identity, image: str, run: int) -> int | None:
        """Return the seed of a run; None for an output that was made elsewhere."""
        ...

    def origin_sha256(self, image: str, run: int) -> str | None:
        """Return the sha256 of the file that an output is read from; None for an output that is generated."""
        ...

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Check that an output comes from the same file as the recorded output.

        Raises:
            BenchError: The sha256 of the output's file differs from `origin_sha256`.
        """
        ...

    def open(self) -> OpenSource:
        """Load the source.

        Raises:
            BenchError: The source cannot be loaded.
        """
        ...


@dataclass(frozen=True)
class Generated:
    """The source of outputs that a method generates."""

    load: Callable[[], Method]
    """Function that loads the method; it is not called if no output is missing."""
    batch: int = 0
    """Largest number of runs in one call of the method; 0 for all runs."""
    generates = True

    def seed(self, identity: Identity, image: str, run: int) -> int:
        """Return the seed of a run, or the seed of run 0 if all runs have the same seed."""
        return seed(identity.dataset, image, 0 if identity.same_seed else run, base_seed=identity.base_seed)

    def origin_sha256(self, image: str, run: int) -> None:
        """Return None, because generated outputs are not read from a file."""

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Do nothing, because the identity of the ledger already describes what made the outputs."""

    def open(self) -> OpenMethod:
        """Load the method."""
        return OpenMethod(self.load(), batch=self.batch)


@dataclass(frozen=True)
class MadeElsewhere:
    """The source of outputs that were made elsewhere and are read from files."""

    files: Mapping[int, Mapping[str, Path]]
    """Run -> image name -> file."""
    generates = False

    def seed(self, identity: Identity, image: str, run: int) -> None:
        """Return None, because the seed is not known."""

    def origin_sha256(self, image: str, run: int) -> str:
        """Return the sha256 of the file of an output.

        Raises:
            BenchError: The file cannot be read.
        """
        return hashlib.sha256(read_bytes(self.files[run][image])).hexdigest()

    def check_recorded(self, image: str, run: int, origin_sha256: str | None) -> None:
        """Check that the file of an output is the recorded file; raises the same errors as `Source.check_recorded`."""
        if run in self.files and self.origin_sha256(image, run) != origin_sha256:
            raise BenchError(
                f"{self.files[run][image]}: not the image recorded for that run; give `method` another name"
            )

    def open(self) -> OpenFiles:
        """Return an object that reads the files."""
        return OpenFiles(self.files)


class OpenMethod:
    """The source of outputs that a loaded method generates.

    Args:
        method: Loaded method.
        batch: Largest number of runs in one call of the method; 0 for all runs.
    """

    def __init__(self, method: Method, *, batch: int = 0) -> None:
        self._method = method
        self._batch = batch

    def outputs(self, sample: Sample, lr: np.ndarray | None, runs: Mapping[int, int | None]) -> np.ndarray:
        """Generate the outputs of some runs; see `OpenSource`.

        Raises:
            ValueError: The method returned a wrong type or shape.
            BenchError: The data set has no LR images.
        """
        if lr is None:
            raise sample.lacks_lr()
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
        """Return the versions that a method in a separate process reports."""
        return getattr(self._method, "about", None) or {}

    def close(self) -> None:
        """End the method's process, if it runs in a separate one."""
        close = getattr(self._method, "close", None)
        if close is not None:
            close()


class OpenFiles:
    """The source of outputs that are read from files.

    Args:
        files: Run -> image name -> file.
    """

    def __init__(self, files: Mapping[int, Mapping[str, Path]]) -> None:
        self._files = files

    def outputs(self, sample: Sample, lr: np.ndarray | None, runs: Mapping[int, int | None]) -> np.ndarray:  # noqa: ARG002
        """Read the outputs of some runs; see `OpenSource`.

        Raises:
            BenchError: A file is damaged.
        """
        return np.stack([read_image(self._files[run][sample.name]) for run in runs])

    def about(self) -> Mapping[str, Any]:
        """Return no versions, because reading files runs no code of a method."""
        return {}

    def close(self) -> None:
        """Nothing to release."""
