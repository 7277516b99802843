from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.images import read_image
from ccsr_bench.metrics.backends import NIQEPackage
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.catalogue import METRICS, recorded_backend
from ccsr_bench.metrics.niqe import NIQE, halve
from ccsr_bench.metrics.weight_files import FILES, find_weights
from tests.support.pictures import noisy, picture

CPU = torch.device("cpu")
WEIGHTS = FILES["niqe"].name


@pytest.fixture
def pyiqa(niqe_weights: Path) -> NIQEPackage:
    """pyiqa's NIQE."""
    import_torchvision()
    pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    return NIQEPackage(device=CPU)


def score(metric: NIQE | NIQEPackage, *images: np.ndarray) -> list[float]:
    """Score images of one size."""
    values: list[float] = metric.score(ImageBatch(np.stack(images), CPU), None).tolist()
    return values


def textured(size: int = 288) -> np.ndarray:
    """Return a picture in which no two neighbouring pixels are equal for long."""
    return noisy(picture(3, size), 12)


def test_missing_weights_say_how_to_get_them(home: Path) -> None:
    with pytest.raises(MetricUnavailableError, match=r"niqe: no niqe_modelparameters\.mat in .*prepare --metrics"):
        NIQE(device=CPU)


def test_weights_are_found_where_pyiqa_keeps_them(niqe_weights: Path, home: Path) -> None:
    theirs = home / "torch" / "hub" / "pyiqa" / WEIGHTS
    theirs.parent.mkdir(parents=True)
    niqe_weights.rename(theirs)
    assert find_weights("niqe", "niqe") == theirs
    assert "tensors sha256 64d28395da01" in NIQE(device=CPU).definition


def test_wrong_weights_are_refused(home: Path) -> None:
    (home / "weights").mkdir()
    (home / "weights" / WEIGHTS).write_bytes(b"something else")
    with pytest.raises(BenchError, match="no readable weights"):
        NIQE(device=CPU)


def test_definitions_of_the_two_implementations(pyiqa: NIQEPackage, niqe_weights: Path) -> None:
    """Ledgers of earlier versions hold pyiqa's, to the letter."""
    import pyiqa as package

    ours = NIQE(device=CPU).definition
    assert ours.endswith("; NIQE's model of natural images, tensors sha256 64d28395da01")
    assert pyiqa.definition == (
        f"NIQE by pyiqa {package.__version__} on Y of full-range YIQ, rounded to 8 bits; no crop; "
        f"96x96 blocks at two scales; niqe_modelparameters.mat sha256 {FILES['niqe'].sha256[:12]}"
    )
    assert (recorded_backend("niqe", ours), recorded_backend("niqe", pyiqa.definition)) == (None, "pyiqa")
    assert METRICS["niqe"].licence == "Apache-2.0"


def test_too_small_for_a_block(niqe_weights: Path) -> None:
    with pytest.raises(BenchError, match="smaller than its 96-pixel block"):
        score(NIQE(device=CPU), picture(0, 64))


def test_one_block_is_enough(niqe_weights: Path) -> None:
    alone, with_a_rest = textured()[:96, :96], textured()[:100, :190]
    metric = NIQE(device=CPU)
    assert 0 < score(metric, alone)[0] == score(metric, with_a_rest)[0]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_image_without_texture_is_refused(niqe_weights: Path, level: int) -> None:
    with pytest.raises(BenchError, match="none of the image's 96-pixel blocks has texture"):
        score(NIQE(device=CPU), np.full((192, 192, 3), level, np.uint8))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_areas_do_not_let_rounding_errors_in(niqe_weights: Path, level: int) -> None:
    """Without a rule for them, the sign of the last bit decides how many pixels count."""
    image = textured()
    image[40:120, 30:260] = level
    image[192:, :96] = level
    metric = NIQE(device=CPU)
    grey = ImageBatch(image[None], CPU).grey[0].round()
    generator = torch.Generator().manual_seed(0)
    errors = torch.randn(grey.shape, generator=generator, dtype=torch.float64) * 1e-15
    assert float(metric._score(grey)) == pytest.approx(score(metric, image)[0], abs=1e-12)
    assert float(metric._score(grey * (1 + errors))) == pytest.approx(score(metric, image)[0], abs=1e-8)


def test_a_score_depends_on_its_own_image_alone(niqe_weights: Path) -> None:
    metric = NIQE(device=CPU)
    images = [noisy(picture(index, 200), 10) for index in range(3)]
    assert score(metric, *images) == [score(metric, image)[0] for image in images]


def test_noise_and_blur_are_worse_than_the_picture(niqe_weights: Path, shared: Path) -> None:
    image = read_image(next(iter(sorted((shared / "data" / "RealSR" / "hr").iterdir()))))[:384, :384]
    blurred = np.asarray(Image.fromarray(image).resize((48, 48)).resize((384, 384)))
    clear, noise, blur = score(NIQE(device=CPU), image, noisy(image, 40), blurred)
    assert clear < min(noise, blur)


def test_halving_is_bicubic_and_antialiased() -> None:
    levels = torch.from_numpy(textured(64)[..., 0]).double()
    theirs = Image.fromarray(levels.float().numpy()).resize((32, 32), Image.Resampling.BICUBIC)
    # Pillow leaves out what lies beyond the border, where MATLAB reflects the image.
    np.testing.assert_allclose(halve(levels)[2:-2, 2:-2], np.asarray(theirs)[2:-2, 2:-2], atol=1e-3)
    mirrored = torch.cat([torch.cat([levels.flip(1), levels], 1).flip(0), torch.cat([levels.flip(1), levels], 1)])
    torch.testing.assert_close(halve(mirrored)[32:, 32:], halve(levels))


@pytest.mark.parametrize("size", [96, 200, 288, 400])
def test_agrees_with_pyiqa(pyiqa: NIQEPackage, size: int) -> None:
    """Not closer: pyiqa's arithmetic is partly float32, and the next entry of the table moves a score by as much."""
    images = [noisy(picture(index, size), 12) for index in range(4)]
    np.testing.assert_allclose(score(NIQE(device=CPU), *images), score(pyiqa, *images), rtol=5e-3, atol=0)


def test_agrees_with_the_official_code(niqe_weights: Path, shared: Path) -> None:
    """To the last digits where an image has no flat area; in those of the others, its rounding counts."""
    folder = shared / "data" / "calibration"
    with (folder / "results_official.csv").open(newline="") as file:
        official = next(row for row in csv.DictReader(file) if row["Method"] == "niqe")
    metric = NIQE(device=CPU)
    for name, tolerance in (("I04", 1e-9), ("I06", 1e-3), ("I08", 1e-2)):
        value = score(metric, read_image(folder / "dist_dir" / f"{name}.bmp"))[0]
        assert value == pytest.approx(float(official[f"{name}.bmp"]), abs=tolerance)


def test_published_osediff_scores(niqe_weights: Path, shared: Path) -> None:
    """Every fifth image here; `ccsr-bench verify` compares all of them."""
    with (shared / "data" / "published" / "osediff-realsr.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::5]
    folder = shared / "data" / "RealSR" / "outputs" / "osediff"
    ours = score(NIQE(device=CPU), *(read_image(folder / f"{row['image']}.png") for row in rows))
    published = [float(row["niqe"]) for row in rows]
    np.testing.assert_allclose(ours, published, rtol=0, atol=0.02)
    assert np.mean(ours) == pytest.approx(np.mean(published), abs=1e-3)
