"""PSNR and SSIM against other people's implementations, and against published values."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from ccsr_bench.methods.interpolation import Interpolation
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.gaussian import gaussian_taps
from ccsr_bench.metrics.psnr import PSNR
from ccsr_bench.metrics.ssim import SSIM
from tests.support.pictures import noisy, picture

CPU = torch.device("cpu")


def score(metric: Any, output: np.ndarray, reference: np.ndarray) -> float:
    """Score one image."""
    return float(metric.score(ImageBatch(output[None], CPU), metric.prepare(ImageBatch(reference[None], CPU)))[0])


def y_of_matlab(image: np.ndarray) -> np.ndarray:
    """Return Y as MATLAB's `rgb2ycbcr` documents it, unrounded, in [16, 235]."""
    weights: np.ndarray = np.array([65.481, 128.553, 24.966])
    result: np.ndarray = 16 + (image.astype(np.float64) / 255) @ weights
    return result


def test_psnr_is_the_textbook_formula_on_limited_range_y() -> None:
    reference = picture(0)
    output = noisy(reference, 9)
    mse = np.mean((y_of_matlab(output) - y_of_matlab(reference)) ** 2)
    assert score(PSNR(), output, reference) == pytest.approx(-10 * math.log10(mse / 255**2 + 1e-8), abs=1e-9)
    mse = np.mean((output.astype(float) - reference) ** 2)
    expected = -10 * math.log10(mse / 255**2 + 1e-8)
    assert score(PSNR(colour="rgb"), output, reference) == pytest.approx(expected, abs=1e-9)


def test_psnr_of_grey_is_lower_on_rgb_by_the_range_of_y() -> None:
    """The 1.32 dB trap: limited range makes every grey difference 219/255 as large."""
    reference = np.repeat(picture(1)[..., :1], 3, axis=-1)
    output = np.repeat(noisy(reference, 5)[..., :1], 3, axis=-1)
    gap = score(PSNR(), output, reference) - score(PSNR(colour="rgb"), output, reference)
    assert gap == pytest.approx(20 * math.log10(255 / 219), abs=1e-3)


def test_identical_images() -> None:
    assert score(PSNR(), picture(2), picture(2)) == pytest.approx(80, abs=1e-12)
    assert score(SSIM(), picture(2), picture(2)) == pytest.approx(1, abs=1e-12)


def test_ssim_agrees_with_scikit_image() -> None:
    """scikit-image pads, so its map is compared where the whole window lies inside the image."""
    reference = picture(3, 96)
    output = noisy(reference, 12)
    _, full = structural_similarity(  # type: ignore[no-untyped-call]
        np.rint(y_of_matlab(output)),
        np.rint(y_of_matlab(reference)),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    assert score(SSIM(floor_at_zero=False), output, reference) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-9)


def test_ssim_floor_only_raises() -> None:
    reference = picture(4)
    output = noisy(255 - reference, 30)  # anti-correlated
    assert score(SSIM(), output, reference) > score(SSIM(floor_at_zero=False), output, reference)


@pytest.mark.parametrize("shape", [(512, 512), (97, 131)])
@pytest.mark.parametrize("crop", [0, 4])
def test_agree_with_pyiqa(shape: tuple[int, int], crop: int) -> None:
    pyiqa = pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    reference = picture(5, 512)[: shape[0], : shape[1]]
    outputs = np.stack([noisy(reference, 6, seed) for seed in range(2)])

    def tensor(images: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255

    for name, metric, tolerance in (("psnr", PSNR(crop=crop), 1e-4), ("ssim", SSIM(crop=crop), 1e-5)):
        theirs = pyiqa.create_metric(name, device=CPU, test_y_channel=True, color_space="ycbcr", crop_border=crop)
        expected = theirs(tensor(outputs), tensor(np.stack([reference] * 2)))
        ours = [score(metric, output, reference) for output in outputs]
        np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)


def test_ssim_is_pyiqas_formula_to_the_last_digits() -> None:
    """Given the same Y and a float64 window; pyiqa's own window is float32, which moves SSIM by some 1e-7."""
    pyiqa_ssim = pytest.importorskip("pyiqa.archs.ssim_arch", reason="needs the extra `pyiqa`").ssim
    reference = picture(7, 96)
    output = noisy(reference, 10)
    x, y = (ImageBatch(image[None], CPU).luma.round()[:, None] for image in (output, reference))
    taps = torch.tensor(gaussian_taps(11, 1.5), dtype=torch.float64)
    expected = float(pyiqa_ssim(x, y, win=torch.outer(taps, taps)[None, None], data_range=255))
    assert score(SSIM(), output, reference) == pytest.approx(expected, abs=1e-12)


def test_too_small_for_the_window() -> None:
    with pytest.raises(BenchError, match="smaller than the 11-pixel window"):
        score(SSIM(crop=4), picture(6, 16), picture(6, 16))


def test_every_option_is_in_the_definition() -> None:
    definitions = {
        metric.definition
        for metric in (PSNR(), PSNR(crop=4), PSNR(colour="rgb"), SSIM(), SSIM(crop=4), SSIM(colour="grey"))
    }
    assert len(definitions | {SSIM(floor_at_zero=False).definition}) == 7


BICUBIC_ON_SAMPLE = {
    "astronaut-face": (27.165112, 0.831676),
    "astronaut-suit": (25.090523, 0.810531),
    "chelsea": (29.306797, 0.705438),
    "coffee-cup": (27.613953, 0.859028),
    "coffee-spoon": (26.986057, 0.723951),
    "tissue": (28.761328, 0.704160),
}
"""Measured with pyiqa 0.1.16: psnr and ssim with test_y_channel=True and color_space="ycbcr"."""


def test_bicubic_on_sample() -> None:
    """Golden values that need nothing but what this repository installs."""
    found = {}
    for sample in datasets.load_dataset("sample").samples:
        lr, hr = sample.read()
        output = Interpolation(kernel="bicubic").restore(lr, [0])[0]
        found[sample.name] = (score(PSNR(), output, hr), score(SSIM(), output, hr))
    assert found.keys() == BICUBIC_ON_SAMPLE.keys()
    for name, (psnr, ssim) in BICUBIC_ON_SAMPLE.items():
        assert found[name][0] == pytest.approx(psnr, abs=1e-5), name
        # pyiqa rounds a Y computed in float32, so exact halves (3 pixels of chelsea) can fall on the other side.
        assert found[name][1] == pytest.approx(ssim, abs=1e-5), name


def published(shared: Path) -> list[dict[str, str]]:
    """Return the scores that OSEDiff's authors published for RealSR."""
    with (shared / "data" / "published" / "osediff-realsr.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_published_osediff_scores(shared: Path) -> None:
    """Every image, not only the mean: PSNR within 1e-4 and SSIM within 1e-5."""
    folder = shared / "data" / "RealSR"
    rows = published(shared)
    assert len(rows) == 100
    sums = np.zeros(2)
    for row in rows:
        reference = read_image(folder / "hr" / f"{row['image']}.png")
        output = read_image(folder / "outputs" / "osediff" / f"{row['image']}.png")
        psnr, ssim = score(PSNR(), output, reference), score(SSIM(), output, reference)
        assert psnr == pytest.approx(float(row["psnr"]), abs=1e-4), row["image"]
        assert ssim == pytest.approx(float(row["ssim"]), abs=1e-5), row["image"]
        sums += psnr, ssim
    assert sums[0] / 100 == pytest.approx(25.1511, abs=5e-5)
    assert sums[1] / 100 == pytest.approx(0.7341, abs=5e-5)


def test_bicubic_on_realsr(shared: Path) -> None:
    """27.1128 and 0.7555, measured with pyiqa 0.1.16."""
    folder = shared / "data" / "RealSR"
    sums = np.zeros(2)
    for row in published(shared):
        reference = read_image(folder / "hr" / f"{row['image']}.png")
        with Image.open(folder / "lr" / f"{row['image']}.png") as lr:
            output = np.asarray(lr.resize((512, 512), Image.Resampling.BICUBIC))
        sums += score(PSNR(), output, reference), score(SSIM(), output, reference)
    assert f"{sums[0] / 100:.4f}" == "27.1128"
    assert f"{sums[1] / 100:.4f}" == "0.7555"
