from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench import datasets
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from tests.conftest import picture


@pytest.mark.parametrize(("name", "images"), [("RealSR", 100), ("DRealSR", 93), ("DIV2K-Val", 3000), ("sample", 6)])
def test_shipped_manifests(name: str, images: int) -> None:
    manifest = datasets.read_manifest(name)
    assert manifest.name == name
    assert (manifest.images, manifest.scale) == (images, 4)
    assert manifest.title
    assert manifest.citation
    assert manifest.licence
    for files in manifest.files.values():
        assert len(files) == images
        assert all(len(record.sha256) == 64 and record.bytes > 0 for record in files.values())


def test_sample_needs_no_download_and_is_the_same_every_time(home: Path) -> None:
    first = datasets.load("sample")
    assert [sample.name for sample in first.samples] == sorted(sample.name for sample in first.samples)
    for sample in first.samples:
        pair = sample.read()
        assert pair.lr.shape == (64, 64, 3)
        assert pair.hr.shape == (256, 256, 3)
        assert pair.hr.std() > 20  # a photograph, not a blank
    assert datasets.load("sample") == first
    assert (home / "datasets" / "sample" / "hr" / "chelsea.png").is_file()


def test_unknown_name_gives_near_names() -> None:
    with pytest.raises(BenchError, match="did you mean RealSR"):
        datasets.load("realsr")


def test_unprepared_data_set_says_how_to_prepare_it() -> None:
    with pytest.raises(BenchError, match="not prepared: run `ccsr-bench prepare --dataset RealSR`"):
        datasets.load("RealSR")


def test_own_folders_are_paired_by_stem(pairs: Path) -> None:
    dataset = datasets.from_folders(pairs / "lr", pairs / "hr", name="own")
    assert [sample.name for sample in dataset.samples] == [f"image{i}" for i in range(4)]
    lr, hr = dataset.samples[2].read()
    np.testing.assert_array_equal(hr, picture(2))
    np.testing.assert_array_equal(lr, picture(2)[2::4, 2::4])


def test_unpaired_images_are_named(pairs: Path) -> None:
    (pairs / "lr" / "image1.png").unlink()
    with pytest.raises(BenchError, match=r"lr: no image for image1 \(1 of 4\)"):
        datasets.from_folders(pairs / "lr", pairs / "hr")
    (pairs / "hr" / "image1.png").unlink()
    (pairs / "hr" / "image3.png").unlink()
    with pytest.raises(BenchError, match=r"hr: no image for image3 \(1 of 3\)"):
        datasets.from_folders(pairs / "lr", pairs / "hr")


def test_pairs_of_the_wrong_size_are_refused_before_any_work(pairs: Path) -> None:
    write_png(pairs / "lr" / "image2.png", picture(2, 20))
    with pytest.raises(BenchError, match=r"image2\.png: 64x64 pixels, but .* must be 80x80"):
        datasets.from_folders(pairs / "lr", pairs / "hr")


def own_manifest(pairs: Path, extra: str = "") -> str:
    path = pairs / "own.toml"
    path.write_text(
        'name = "own"\ntitle = "t"\ncitation = "c"\nlicence = "l"\nscale = 4\n'
        f'[source]\nkind = "folder"\nlr = "lr"\nhr = "hr"\n{extra}'
    )
    return str(path)


def test_own_manifest(pairs: Path) -> None:
    dataset = datasets.load(own_manifest(pairs))
    assert dataset.name == "own"
    assert len(dataset.samples) == 4
    assert dataset.samples[0].read().lr.shape == (16, 16, 3)


def test_wrong_sha256_is_found_when_reading(pairs: Path) -> None:
    hashes = {
        part: {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (pairs / part).iterdir()}
        for part in ("lr", "hr")
    }
    tables = "".join(
        f"[files.{part}]\n" + "".join(f'"{n}" = {{ bytes = 1, sha256 = "{h}" }}\n' for n, h in files.items())
        for part, files in hashes.items()
    )
    dataset = datasets.load(own_manifest(pairs, tables))
    dataset.samples[1].read()
    write_png(pairs / "hr" / "image1.png", picture(9))
    with pytest.raises(BenchError, match=r"image1\.png: wrong sha256"):
        dataset.samples[1].read()


def test_mistakes_in_a_manifest_name_the_field(pairs: Path) -> None:
    with pytest.raises(BenchError, match=r"own\.toml: .*unknown field `colour`"):
        datasets.load(own_manifest(pairs, "colour = 3\n"))
    with pytest.raises(BenchError, match="no such manifest"):
        datasets.load(str(pairs / "nowhere.toml"))
