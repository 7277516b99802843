"""Time FID and KID of 100 images x 10 runs from the vectors that a ledger keeps, as `ccsr-bench table` computes them.

python benchmarks/fid.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from ccsr_bench.ledger.records import Description, Identity, Output, UnitRecord
from ccsr_bench.ledger.writer import LedgerWriter
from ccsr_bench.metrics.frechet import fid_definition, kid_definition
from ccsr_bench.tables.build import build
from ccsr_bench.tables.request import Request

IMAGES, RUNS, DIMENSIONS = 100, 10, 2048


def write_ledger(out: Path) -> None:
    """Write a ledger with random vectors."""
    generator = np.random.default_rng(0)
    identity = Identity(dataset="d", method="m", made_by="a benchmark", protocol="paper", base_seed=0)
    description = Description(title="M", paper_dataset="", dataset_images=IMAGES)
    definitions = {"fid": fid_definition("random vectors"), "kid": kid_definition("random vectors")}

    def vector() -> bytes:
        return generator.random(DIMENSIONS).astype("<f4").tobytes()

    with LedgerWriter(out / "d" / "m", identity, description, definitions) as ledger:
        for index in range(IMAGES):
            name = f"image{index:03d}"
            runs = range(RUNS)
            outputs = {run: Output(seed=run, png_sha256="") for run in runs}
            vectors = {run: vector() for run in runs}
            record = UnitRecord(name, "", "", outputs, {}, {}, features=vectors, reference_features=vector())
            ledger.add(record, "now")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        write_ledger(Path(folder))
        started = time.perf_counter()
        (table,) = build(Request(out=Path(folder)))
        seconds = time.perf_counter() - started
    cells = {name: (cell.value, cell.g_std, cell.images) for name, cell in table.sections[0].rows[0].cells.items()}
    sys.stdout.write(
        f"FID and KID of {IMAGES} images x {RUNS} runs from kept vectors: {seconds:.2f} s on {torch.get_num_threads()} "
        f"threads\n{cells}\n"
    )


if __name__ == "__main__":
    main()
