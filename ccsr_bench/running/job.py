"""A job: one method on one data set, and how it ended."""

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
    """One method on one data set."""

    identity: Identity
    description: Description
    dataset: Dataset
    samples: Sequence[Sample]
    """The images asked for."""
    runs: int
    """Number of runs for each image."""
    protocol: MetricProtocol
    out: Path
    """Folder of all results."""
    source: Source
    """Where the outputs come from."""
    equivalent: Sequence[str] = ()
    """Texts of `Identity.made_by` that stand for code with the same outputs, whose ledgers are added to."""
    execution: Execution | None = None
    """How the method's networks run, for the provenance; None where there are none."""
    count_parameters: Callable[[], Mapping[str, int]] = dict
    """Returns network -> number of parameters; called when outputs are generated."""


@dataclass(frozen=True)
class Summary:
    """How a job ended."""

    folder: Path
    """Folder of the ledger."""
    images: int
    """Number of images asked for."""
    runs: int
    """Number of runs for each image."""
    computed: int
    """Number of images that something was computed for."""
    failures: dict[str, str]
    """Image -> reason."""
    seconds: float
    """Wall time."""
