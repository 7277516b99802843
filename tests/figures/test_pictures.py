"""The contents of strips and heat maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.figures.pictures import Group, Picture, heat_maps, strip
from ccsr_bench.figures.regions import Region, busiest_region
from ccsr_bench.figures.selection import open_comparison
from ccsr_bench.figures.strip import arrange_rows
from ccsr_bench.images import read_image, write_png
from ccsr_bench.ledger.results import Results
from ccsr_bench.stability import std_map_top
from tests.support.jobs import run
from tests.support.pictures import picture


def test_busiest_region_has_the_highest_mean_over_methods_on_whole_lr_pixels() -> None:
    first, second = np.zeros((64, 96)), np.zeros((64, 96))
    first[40:44, 81:85] = 3  # most for one method
    first[8:24, 20:36] = 0.1
    second[8:24, 20:36] = 2  # most for both
    assert busiest_region([first, second], 4) == Region(20, 8, 16)
    assert busiest_region([first], 4).left % 4 == 0
    assert busiest_region([np.ones((64, 64))], 4) == Region(0, 0, 16)
    assert busiest_region([np.ones((7, 9))], 4).size == 4


def test_strip_shows_the_best_and_the_worst_run_and_their_scores(compared: list[Results], own: Dataset) -> None:
    region = Region(8, 12, 20)
    contents = strip(compared, own, "image2", region)
    pair = own.samples[2].read()
    inputs, still, calm, wild = contents.groups
    assert [group.title for group in contents.groups] == ["", "Still", "Calm", "Wild"]
    np.testing.assert_array_equal(inputs.pictures[0].pixels[::4, ::4], pair.lr[3:8, 2:7])
    np.testing.assert_array_equal(inputs.pictures[1].pixels, pair.hr[12:32, 8:28])
    np.testing.assert_array_equal(contents.overview, pair.lr)
    assert [len(group.pictures) for group in (still, calm, wild)] == [1, 2, 2]
    for method, group in zip(compared[1:], (calm, wild), strict=True):
        scores = method.ledger.scores("psnr")["image2"]
        best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
        labels = [f"best {scores[best]:.2f} dB", f"worst {scores[worst]:.2f} dB"]
        assert [shown.label for shown in group.pictures] == labels
        for number, shown in zip((best, worst), group.pictures, strict=True):
            output = read_image(method.ledger.image_path("image2", number))
            np.testing.assert_array_equal(shown.pixels, region.cut(output))
    assert still.pictures[0].label == f"{compared[0].ledger.scores('psnr')['image2'][0]:.2f} dB"


def test_region_is_chosen_where_outputs_vary(compared: list[Results], own: Dataset) -> None:
    def spread(region: Region) -> float:
        outputs = [read_image(compared[2].ledger.image_path("image0", run)) for run in range(4)]
        return float(np.std([region.cut(output) / 255 for output in outputs], axis=0).mean())

    chosen = strip(compared[2:], own, "image0").region
    assert chosen.size == 16
    others = [Region(left, top, 16) for left in range(0, 49, 4) for top in range(0, 49, 4)]
    assert spread(chosen) == pytest.approx(max(map(spread, others)))
    # A single output, which cannot vary, is enlarged where it differs most from HR.
    still = strip(compared[:1], own, "image0").region
    error = np.abs(own.samples[0].read().hr.astype(float) - read_image(compared[0].ledger.image_path("image0", 0)))
    assert still.cut(error).mean() == pytest.approx(max(other.cut(error).mean() for other in others))


def test_strip_of_other_pictures_is_refused(compared: list[Results], own: Dataset, pairs: Path) -> None:
    with pytest.raises(BenchError, match=r"`region` 50,0,20 is not inside the image of 64x64 pixels"):
        strip(compared, own, "image0", Region(50, 0, 20))
    with pytest.raises(BenchError, match="unknown image 'imago0': did you mean image0"):
        strip(compared, own, "imago0")
    few = Dataset("own", "few pairs", 4, own.samples[1:])
    with pytest.raises(BenchError, match=r"unknown image 'image0': .* \(of few pairs\)"):
        strip(compared, few, "image0")
    write_png(pairs / "hr" / "image0.png", picture(77))
    with pytest.raises(BenchError, match=r"not the image 'image0' that was scored"):
        strip(compared, datasets.from_folders(pairs / "lr", pairs / "hr", name="own"), "image0")
    write_png(compared[1].ledger.image_path("image1", 0), picture(78))
    with pytest.raises(BenchError, match=r"image1.png: wrong sha256: the file was changed"):
        strip(compared, own, "image1")


@pytest.mark.parametrize("protocol", ["paper", "ccsr-v1"])
def test_heat_map_is_the_map_whose_mean_is_the_recorded_l_std(own: Dataset, tmp_path: Path, protocol: str) -> None:
    run(own, tmp_path, name="wild", protocol=protocol)
    with open_comparison(tmp_path) as results:
        maps, remarks = heat_maps(results, "image3")
        recorded = results[0].ledger.l_std(4)["image3"]
    assert maps[0].l_std == recorded
    assert maps[0].std.shape == ((64, 64) if protocol == "paper" else (56, 56))
    assert remarks == []


def test_heat_maps_have_one_scale_and_leave_out_a_single_run(compared: list[Results]) -> None:
    maps, remarks = heat_maps(compared, "image0")
    assert [heat_map.title for heat_map in maps] == ["Calm", "Wild"]
    assert remarks == ["Left out: Still (one run, no spread)."]
    tops = [std_map_top([heat_map.std]) for heat_map in maps]
    assert std_map_top(heat_map.std for heat_map in maps) == tops[1] > 4 * tops[0]
    with pytest.raises(BenchError, match="no method here has several runs"):
        heat_maps(compared[:1], "image0")


def test_rows_hold_whole_groups() -> None:
    one, two = (Group("", [Picture("", np.zeros((1, 1, 3), np.uint8))] * count) for count in (1, 2))
    assert arrange_rows([two, two, one, two, two], 6) == [[two, two, one], [two, two]]
    assert arrange_rows([two, one, one], 2) == [[two], [one, one]]
