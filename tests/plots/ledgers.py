"""Ledgers with random scores, without pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ccsr_bench.ledger.reader import ledger_folder
from ccsr_bench.ledger.records import Description, Identity, Output, UnitRecord
from ccsr_bench.ledger.writer import LedgerWriter

DIMENSIONS = 5


def write_ledger(
    out: Path,
    method: str,
    images: Sequence[str],
    *,
    seed: int,
    runs: int = 3,
    metrics: Sequence[str] = ("psnr", "ssim"),
    seconds: float | None = 1.0,
    features: bool = False,
) -> None:
    """Record random scores of a method on the data set `own`."""
    generator = np.random.default_rng(seed)
    identity = Identity(dataset="own", method=method, made_by="", protocol="paper", base_seed=0)
    description = Description(title=method.title(), paper_dataset="", dataset_images=4)
    definitions = {name: name for name in (*metrics, *(["fid"] if features else []), "l-std")}
    with LedgerWriter(ledger_folder(out, identity), identity, description, definitions) as ledger:
        ledger.begin_session({"processor": "A100", "device": "cuda"})
        for image in images:
            outputs = {run: Output(seed=run, png_sha256="", seconds=seconds) for run in range(runs)}
            scores = {metric: dict(enumerate(generator.normal(20, 1, runs).tolist())) for metric in metrics}
            l_std = {runs: generator.uniform()} if runs > 1 else {}
            vectors = {run: vector(generator) for run in range(runs)} if features else {}
            reference = vector(np.random.default_rng(len(image) + ord(image[0]))) if features else b""
            ledger.add(UnitRecord(image, "p", "f", outputs, scores, l_std, "", vectors, reference), "")


def vector(generator: np.random.Generator) -> bytes:
    """Return the features of an image, as a ledger keeps them."""
    return generator.normal(0, 1, DIMENSIONS).astype("<f4").tobytes()
