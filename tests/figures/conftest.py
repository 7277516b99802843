"""Results that figures are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.figures.selection import open_comparison
from ccsr_bench.ledger.results import Results
from ccsr_bench.methods.interpolation import DitheredBicubic, Interpolation
from tests.support.jobs import run


@pytest.fixture
def out(own: Dataset, tmp_path: Path) -> Path:
    """Results of `still`, which runs once, and of `calm` and `wild`, whose outputs vary little and much."""
    folder = tmp_path / "out"
    run(own, folder, name="still", method=Interpolation(kernel="bicubic"), runs=1)
    run(own, folder, name="calm", method=DitheredBicubic(sigma=2.0))
    run(own, folder, name="wild", method=DitheredBicubic(sigma=16.0))
    return folder


@pytest.fixture
def compared(out: Path) -> Iterator[list[Results]]:
    """`still`, `calm` and `wild`, in this order."""
    with open_comparison(out, methods=["still", "calm", "wild"]) as results:
        yield results
