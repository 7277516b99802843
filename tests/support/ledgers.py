"""What a ledger holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ccsr_bench.ledger.reader import Ledger


def everything(out: Path, method: str = "m") -> dict[str, Any]:
    """Return all that a method's ledger of the data set `own` holds but times, and the bytes of its PNGs."""
    folder = out / "own" / method
    with Ledger(folder) as ledger:
        records = {
            name: (
                r.pixels_sha256,
                {k: (o.seed, o.png_sha256) for k, o in r.outputs.items()},
                r.scores,
                r.l_std,
                (r.features, r.reference_features),
            )
            for name in ledger.image_names()
            for r in [ledger.record(name)]
        }
    pngs = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("images/*/*.png"))}
    return {"records": records, "pngs": pngs}
