from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ccsr_bench.ccsr.resize import resize, upscale
from tests.support.pictures import picture


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (128, 128, (512, 512)),
        (64, 64, (512, 512)),  # enlarged first
        (64, 96, (512, 768)),
        (128, 131, (512, 520)),  # 524 is not a multiple of 8
        (130, 129, (520, 512)),
        (45, 33, (696, 512)),  # 45 * 128 / 33 = 174.5: to even, 174
        (200, 300, (800, 1200)),
    ],
)
def test_size_of_the_upscaled_image(height: int, width: int, expected: tuple[int, int]) -> None:
    lr = picture(0, 300)[:height, :width]
    assert upscale(lr, factor=4, process_size=512).shape == (*expected, 3)


def test_upscaling_is_pillows_bicubic() -> None:
    lr = picture(1, 128)
    expected = Image.fromarray(lr).resize((512, 512), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(upscale(lr, factor=4, process_size=512), np.asarray(expected))


def test_resizing_to_the_same_size_changes_nothing() -> None:
    np.testing.assert_array_equal(resize(picture(2, 64), 64, 64), picture(2, 64))
    assert resize(picture(2, 64), 40, 50).shape == (40, 50, 3)
