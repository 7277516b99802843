from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ccsr_bench.methods.interpolation import DitheredBicubic, Interpolation
from tests.support.pictures import picture


@pytest.mark.parametrize("kernel", ["bicubic", "lanczos"])
def test_interpolation_is_pillows_resampling(kernel: str) -> None:
    lr = picture(0, 20)
    expected = np.asarray(Image.fromarray(lr).resize((80, 80), Image.Resampling[kernel.upper()]))
    for output in Interpolation(kernel=kernel).restore(lr, [1, 2]):
        np.testing.assert_array_equal(output, expected)


def test_without_noise_dither_is_bicubic_up_to_pillows_own_rounding() -> None:
    lr = picture(1, 20)
    dithered = DitheredBicubic(sigma=0.0).restore(lr, [5])[0].astype(int)
    bicubic = Interpolation(kernel="bicubic").restore(lr, [5])[0].astype(int)
    assert np.abs(dithered - bicubic).max() <= 1


def test_noise_has_the_declared_standard_deviation() -> None:
    flat = np.full((32, 32, 3), 128, np.uint8)
    outputs = DitheredBicubic(sigma=8.0).restore(flat, list(range(8))).astype(float)
    assert outputs.mean() == pytest.approx(128, abs=0.05)
    assert outputs.std() == pytest.approx(np.sqrt(64 + 1 / 12), rel=5e-3)
    assert np.corrcoef(outputs[0].ravel(), outputs[1].ravel())[0, 1] == pytest.approx(0, abs=0.02)


def test_levels_beyond_0_and_255_are_clipped() -> None:
    lr = np.zeros((8, 8, 3), np.uint8)
    lr[:, 4:] = 255
    outputs = DitheredBicubic(sigma=8.0).restore(lr, [0])
    assert outputs[0, :, :8].max() < 128 < outputs[0, :, -8:].min()
