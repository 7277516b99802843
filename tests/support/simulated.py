"""Results with scores that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ccsr_bench.gate.baseline import Baseline


def results(
    scores: Mapping[str, np.ndarray],
    l_std: Sequence[float] = (),
    distances: Mapping[str, Sequence[float]] | None = None,
    *,
    definitions: Mapping[str, str] | None = None,
    dataset: str = "own",
    protocol: str = "paper",
    pixels: str = "pixels",
) -> Baseline:
    """Return results of (M, N) scores by metric, M values of L-STD, and N distances by metric."""
    images, runs = next(iter(scores.values())).shape
    names = [f"image{index}" for index in range(images)]
    defined = {name: f"{name} as ever" for name in [*scores, *(distances or {}), "l-std"]}
    return Baseline(
        dataset=dataset,
        method="m",
        made_by="code",
        version="ccsr-bench 1",
        protocol=protocol,
        base_seed=0,
        runs=runs,
        definitions={**defined, **(definitions or {})},
        pixels_sha256={name: f"{pixels} of {name}" for name in names},
        l_std=dict(zip(names, l_std, strict=False)),
        scores={metric: dict(zip(names, values.tolist(), strict=True)) for metric, values in scores.items()},
        distances={metric: list(values) for metric, values in (distances or {}).items()},
    )
