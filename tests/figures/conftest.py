"""Results that figures are drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.figures.selection import open_comparison
from ccsr_bench.ledger.results import Results
from ccsr_bench.methods.base import Method
from ccsr_bench.methods.interpolation import DitheredBicubic, Interpolation
from ccsr_bench.metrics.catalogue import PROTOCOLS
from ccsr_bench.running.runner import Job, run_job
from ccsr_bench.running.units import MethodSource
from tests.running.test_runner import scorer


def record(
    dataset: Dataset,
    out: Path,
    name: str,
    *,
    method: Method | None = None,
    runs: int = 4,
    images: Sequence[str] | None = None,
    protocol: str = "paper",
) -> None:
    """Add a method's results to an output folder."""
    source = MethodSource(method or DitheredBicubic(sigma=8.0))
    samples = [sample for sample in dataset.samples if images is None or sample.name in images]
    job = Job(name, name.title(), dataset, samples, runs, PROTOCOLS[protocol], out, made_by="test", load=lambda: source)
    run_job(job, scorer(protocol=protocol), device="cpu", progress=lambda *_: None)


@pytest.fixture
def own(pairs: Path) -> Dataset:
    return datasets.from_folders(pairs / "lr", pairs / "hr", name="own")


@pytest.fixture
def out(own: Dataset, tmp_path: Path) -> Path:
    """Results of `still`, which runs once, and of `calm` and `wild`, whose outputs move little and much."""
    folder = tmp_path / "out"
    record(own, folder, "still", method=Interpolation(kernel="bicubic"), runs=1)
    record(own, folder, "calm", method=DitheredBicubic(sigma=2.0))
    record(own, folder, "wild", method=DitheredBicubic(sigma=16.0))
    return folder


@pytest.fixture
def compared(out: Path) -> Iterator[list[Results]]:
    """`still`, `calm` and `wild`, in this order."""
    with open_comparison(out, methods=["still", "calm", "wild"]) as results:
        yield results
