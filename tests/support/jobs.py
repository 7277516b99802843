"""Jobs on small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ccsr_bench.datasets.loading import Dataset, Sample
from ccsr_bench.ledger.records import Description, Identity
from ccsr_bench.methods.base import Method
from ccsr_bench.methods.interpolation import DitheredBicubic, Interpolation
from ccsr_bench.metrics.base import ImageBatch, SetMetric
from ccsr_bench.metrics.catalogue import PROTOCOLS, build_metrics
from ccsr_bench.metrics.psnr import PSNR
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running.job import Job, Summary
from ccsr_bench.running.runner import run_job
from ccsr_bench.running.sources import Generated, Source

CPU = torch.device("cpu")


def scorer(metrics: Sequence[str] = ("psnr", "ssim"), protocol: str = "paper") -> Scorer:
    """Return a scorer."""
    return Scorer(build_metrics(list(metrics), PROTOCOLS[protocol], CPU)[0], CPU)


class TileMeans:
    """Vectors of twelve means, which are quick."""

    definition = "means of quarters"

    def __init__(self, broken: bool = False) -> None:
        self.seen = 0
        self._broken = broken

    def features(self, images: ImageBatch) -> Tensor:
        self.seen += len(images)
        vectors = functional.adaptive_avg_pool2d(images.rgb, 2).flatten(1)
        return vectors * float("nan") if self._broken else vectors


def set_scorer(extractor: TileMeans | None = None) -> Scorer:
    """Return a scorer of PSNR, and of FID and KID of quick vectors."""
    extractor = extractor or TileMeans()
    names = {name: SetMetric(f"{name} of {extractor.definition}", extractor) for name in ("fid", "kid")}
    return Scorer({"psnr": PSNR(), **names}, CPU)


def job(
    dataset: Dataset,
    out: Path,
    source: Source,
    *,
    name: str = "m",
    title: str | None = None,
    samples: Sequence[Sample] | None = None,
    runs: int = 4,
    protocol: str = "paper",
    same_seed: bool = False,
    steps: int = 0,
    parameters: Mapping[str, int] | None = None,
) -> Job:
    """Return the job of a method called `name`."""
    return Job(
        identity=Identity(
            dataset=dataset.name,
            method=name,
            made_by="test",
            protocol=protocol,
            base_seed=0,
            same_seed=same_seed,
        ),
        description=Description(
            title=title or name.title(),
            paper_dataset=dataset.paper_name,
            dataset_images=len(dataset.samples),
            steps=steps,
        ),
        dataset=dataset,
        samples=dataset.samples if samples is None else samples,
        runs=runs,
        protocol=PROTOCOLS[protocol],
        out=out,
        source=source,
        count_parameters=lambda: parameters or {},
    )


def run(
    dataset: Dataset,
    out: Path,
    *,
    name: str = "m",
    title: str | None = None,
    method: Method | None = None,
    names: Sequence[str] | None = None,
    runs: int = 4,
    batch: int = 0,
    metrics: Sequence[str] = ("psnr", "ssim"),
    protocol: str = "paper",
    scoring: Scorer | None = None,
    same_seed: bool = False,
    steps: int = 0,
    parameters: Mapping[str, int] | None = None,
) -> Summary:
    """Run a method, the control method unless told otherwise."""
    samples = [s for s in dataset.samples if names is None or s.name in names]
    if names is not None:
        samples.sort(key=lambda sample: list(names).index(sample.name))
    chosen = method or DitheredBicubic(sigma=8.0)
    asked = job(
        dataset,
        out,
        Generated(lambda: chosen, batch=batch),
        name=name,
        title=title,
        samples=samples,
        runs=runs,
        protocol=protocol,
        same_seed=same_seed,
        steps=steps,
        parameters=parameters,
    )
    return run_job(asked, scoring or scorer(metrics, protocol), device="cpu", progress=lambda *_: None)


def fill(
    out: Path,
    dataset: Dataset,
    method: str,
    title: str,
    *,
    noise: float = 0.0,
    runs: int = 3,
    steps: int = 0,
    parameters: Mapping[str, int] | None = None,
) -> None:
    """Record bicubic interpolation under a method's name: with noise several runs, without it one."""
    bicubic = DitheredBicubic(sigma=noise) if noise else Interpolation(kernel="bicubic")
    count = runs if noise else 1
    run(dataset, out, name=method, title=title, method=bicubic, runs=count, steps=steps, parameters=parameters)


class FailsOn:
    """Raises for one picture until told otherwise."""

    def __init__(self, bad: np.ndarray, result: object = None) -> None:
        self.bad = bad
        self.result = result
        self.broken = True

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        if self.broken and np.array_equal(lr, self.bad):
            if self.result is not None:
                return self.result  # type: ignore[return-value]
            raise RuntimeError("out of luck")
        return DitheredBicubic(sigma=8.0).restore(lr, seeds)
