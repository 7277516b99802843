from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, build_metrics
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.published import canary

CPU = torch.device("cpu")
PAPER = PROTOCOLS["paper"]


def scorer(*metrics: str, protocol: str = "paper") -> Scorer:
    return Scorer(build_metrics(metrics, PROTOCOLS[protocol], CPU)[0], CPU)


@pytest.fixture
def pair(shared: Path) -> tuple[Path, Path]:
    """The canary's images, installed."""
    files = canary.canary_files()
    for file in files:
        file.target.parent.mkdir(parents=True)
        shutil.copy(shared / "data" / "RealSR" / file.part / file.file.path, file.target)
    return files[0].target, files[1].target


def test_published_scores_are_met(pair: tuple[Path, Path], niqe_weights: Path) -> None:
    assert canary.check(scorer("psnr", "ssim", "niqe"), PAPER) == ["psnr", "ssim", "niqe"]


class Untrained:
    """A metric whose weights were silently not loaded."""

    definition = "SSIM of nothing"

    def prepare(self, reference: ImageBatch) -> None:
        pass

    def score(self, outputs: ImageBatch, prepared: Any) -> Tensor:
        return torch.full((len(outputs),), 0.5, dtype=torch.float64)


def test_another_number_ends_the_job_before_it_starts(pair: tuple[Path, Path]) -> None:
    with pytest.raises(
        BenchError, match=r"ssim gives 0\.500000 for the published image Canon_001_LR4, which scores 0\.85"
    ):
        canary.check(Scorer({"ssim": Untrained()}, CPU), PAPER)


def test_not_a_number_is_another_number(pair: tuple[Path, Path]) -> None:
    class Broken(Untrained):
        def score(self, outputs: ImageBatch, prepared: Any) -> Tensor:
            return torch.full((len(outputs),), float("nan"), dtype=torch.float64)

    with pytest.raises(BenchError, match="the canary failed before any work: ssim: not finite"):
        canary.check(Scorer({"ssim": Broken()}, CPU), PAPER)


def test_other_definitions_have_no_canary(pair: tuple[Path, Path]) -> None:
    assert canary.check(scorer("psnr", "ssim", protocol="ccsr-v1"), PROTOCOLS["ccsr-v1"]) == []


def test_nothing_to_check_with(home: Path) -> None:
    assert canary.check(scorer("psnr"), PAPER) == []


def test_damaged_images_are_refused(pair: tuple[Path, Path]) -> None:
    pair[1].write_bytes(pair[0].read_bytes())
    with pytest.raises(BenchError, match="wrong sha256: remove it"):
        canary.check(scorer("psnr"), PAPER)


def test_every_per_image_metric_of_the_paper_has_a_published_score() -> None:
    names = [info.name for info in METRICS.values() if info.default and info.kind != "distribution"]
    assert canary.comparable(names, PAPER) == names
    assert all(file.file.sources for file in canary.canary_files())
