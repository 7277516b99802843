"""`sample`, which ships with ccsr-bench: the pictures of every version, from the photographs that LICENCES.md names."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import skimage
from PIL import Image

from ccsr_bench.cli import main
from ccsr_bench.datasets import loading as datasets
from ccsr_bench.images import pixels_sha256
from ccsr_bench.places import shipped


class Crop(NamedTuple):
    name: str
    photograph: str
    left: int
    top: int
    hr_pixels_sha256: str
    lr_pixels_sha256: str


CROPS = [
    Crop(
        "astronaut-face",
        "astronaut.png",
        96,
        0,
        "8e6c2203b9add0fe79fa37c0997a29b97cf396537ee0d04b7812e87854473a2b",
        "ba881eeef5a431a076aff2ef55c7f311b541dc87418fac17e370240d340ca6a9",
    ),
    Crop(
        "astronaut-suit",
        "astronaut.png",
        200,
        256,
        "0eb3bd1439d26752f8b013d0871f5bceaf795653665997f8bb78482f9b341ef7",
        "7c8c4008916c918ab1e50b2394e5e25be36302108bab31a9023b53ba37213ab0",
    ),
    Crop(
        "chelsea",
        "chelsea.png",
        100,
        20,
        "7f0dcc8d14511d0464bab029d736c523e4b8359ae5284bd5e946b0d9de93f1c6",
        "4624d1e81753619355a0373b6003ce7134d8458cfe1ff9962c0f6d6474b8e2ff",
    ),
    Crop(
        "coffee-cup",
        "coffee.png",
        140,
        60,
        "db9a92819808ecc8be9fc220f133eb301f28f6a6d724e3d7db7bba974c71fce4",
        "417f36037ec2ea2bbfa087491b317b384efa8c86c0ce2b931e87760856548c96",
    ),
    Crop(
        "coffee-spoon",
        "coffee.png",
        330,
        130,
        "5c044bd59c36ac5ef163297416d2a6ef5ee4beeba0ac10db46e8d4b74b354688",
        "bb42e613b97534ef3b8825a1c5693642e2952d4db2ab8204e716a66a767b7a07",
    ),
    Crop(
        "tissue",
        "ihc.png",
        128,
        128,
        "b337b248d92fb5aa7e2be0e45a6bf26ab9b41d3062cfb29c239c67d5ee05dd8f",
        "b5750f3f58aad0e8e6ae0dee768cf6d74aa720b4ae28c1fb069a1d89c6251a80",
    ),
]
"""As the manifest of version 0.1 had them, whose `prepare` made the images from scikit-image's files."""


def test_it_is_there_without_installing_anything_and_the_same_every_time(home: Path) -> None:
    first = datasets.load_dataset("sample")
    assert [sample.name for sample in first.samples] == sorted(sample.name for sample in first.samples)
    for sample in first.samples:
        pair = sample.read()
        assert pair.lr.shape == (64, 64, 3)
        assert pair.hr.shape == (256, 256, 3)
        assert pair.hr.std() > 20  # a photograph, not a blank
        assert sample.lr_sha256
        assert sample.hr_sha256
    assert datasets.load_dataset("sample") == first
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("crop", CROPS, ids=lambda crop: crop.name)
def test_its_pictures_are_those_of_every_version(crop: Crop) -> None:
    pair = {sample.name: sample for sample in datasets.load_dataset("sample").samples}[crop.name].read()
    assert pixels_sha256(pair.hr) == crop.hr_pixels_sha256
    assert pixels_sha256(pair.lr) == crop.lr_pixels_sha256


@pytest.mark.parametrize("crop", CROPS, ids=lambda crop: crop.name)
def test_its_pictures_are_crops_of_the_photographs_that_its_licences_name(crop: Crop) -> None:
    with Image.open(Path(skimage.__file__).parent / "data" / crop.photograph) as photograph:
        box = (crop.left, crop.top, crop.left + 256, crop.top + 256)
        hr = photograph.convert("RGB").crop(box)
    pair = {sample.name: sample for sample in datasets.load_dataset("sample").samples}[crop.name].read()
    np.testing.assert_array_equal(pair.hr, np.asarray(hr))
    np.testing.assert_array_equal(pair.lr, np.asarray(hr.resize((64, 64), Image.Resampling.BICUBIC)))
    licences = (shipped("datasets") / "sample" / "LICENCES.md").read_text(encoding="utf-8")
    line = next(line for line in licences.splitlines() if line.startswith(f"| `{crop.name}` |"))
    assert f"`{crop.photograph}`" in line
    assert f"| {crop.left}, {crop.top} |" in line


def test_ledger_of_the_files_that_an_earlier_version_made_is_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their bytes differ between versions of Pillow; the pictures in them do not."""
    run = ["run", "--method", "bicubic-dither", "--dataset", "sample", "--metrics", "psnr", "--out", str(tmp_path)]
    assert main([*run, "--limit", "2", "--runs", "2"]) == 0
    with closing(sqlite3.connect(tmp_path / "sample" / "bicubic-dither" / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE images SET files_sha256 = ?", ["0" * 64])
        ledger.commit()
        capsys.readouterr()
        assert main([*run, "--limit", "2", "--runs", "2"]) == 0
        assert "2 images x 2 runs, 0 images computed now" in capsys.readouterr().out
        ledger.execute("UPDATE images SET pixels_sha256 = ?", ["0" * 64])
        ledger.commit()
    assert main([*run, "--limit", "2", "--runs", "2"]) == 2
    assert "differs from the image recorded under that name" in capsys.readouterr().err
