"""A job, which runs one method on one data set, and its summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.datasets.loading import Dataset, Sample
from ccsr_bench.ledger.records import Description, Identity
from ccsr_bench.methods.base import Execution
from ccsr_bench.metrics.catalogue import MetricProtocol
from ccsr_bench.running.sources import Source


@dataclass(frozen=True, kw_only=True)
class Job:
    """The outputs of one method on one data set that are requested."""

    identity: Identity
    description: Description
    dataset: Dataset
    samples: Sequence[Sample]
    """Requested images."""
    runs: int
    """Number of runs per image."""
    protocol: MetricProtocol
    out: Path
    """Folder of all results."""
    source: Source
    """Source of the outputs."""
    equivalent: Sequence[str] = ()
    """Values of `Identity.made_by_text` for other code with the same outputs, whose ledgers are continued."""
    execution: Execution | None = None
    """Settings of the method's networks, for the provenance; None for a method without networks."""
    count_parameters: Callable[[], Mapping[str, int]] = dict
    """Function that returns network -> number of parameters; it is called if outputs are generated."""


@dataclass(frozen=True)
class Summary:
    """The outcome of a job."""

    folder: Path
    """Folder of the ledger."""
    images: int
    """Number of requested images."""
    runs: int
    """Number of runs per image."""
    computed: int
    """Number of images with newly computed outputs or scores."""
    failures: dict[str, str]
    """Image -> reason of its failure."""
    seconds: float
    """Wall time of the job in seconds."""
