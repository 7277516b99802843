from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.manifest import read_manifest
from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.images import write_png
from tests.support.pictures import picture


@pytest.mark.parametrize(("name", "images"), [("RealSR", 100), ("DRealSR", 93), ("DIV2K-Val", 3000), ("sample", 6)])
def test_shipped_manifests(name: str, images: int) -> None:
    manifest = read_manifest(name)
    assert manifest.name == name
    assert (manifest.images, manifest.scale) == (images, 4)
    assert manifest.title
    assert manifest.citation
    assert manifest.licence
    for files in manifest.files.values():
        assert len(files) == images
        assert len(set(files.values())) == images  # no picture twice


def test_unknown_name_gives_near_names() -> None:
    with pytest.raises(BenchError, match="did you mean RealSR"):
        datasets.load_dataset("realsr")


def test_unprepared_data_set_says_how_to_prepare_it() -> None:
    with pytest.raises(BenchError, match="not prepared: run `ccsr-bench prepare --dataset RealSR`"):
        datasets.load_dataset("RealSR")


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
    dataset = datasets.load_dataset(own_manifest(pairs))
    assert dataset.name == "own"
    assert len(dataset.samples) == 4
    assert dataset.samples[0].read().lr.shape == (16, 16, 3)


def test_wrong_sha256_is_found_when_reading(pairs: Path) -> None:
    hashes = {
        part: {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (pairs / part).iterdir()}
        for part in ("lr", "hr")
    }
    tables = "".join(
        f"[files.{part}]\n" + "".join(f'"{n}" = "{h}"\n' for n, h in files.items()) for part, files in hashes.items()
    )
    dataset = datasets.load_dataset(own_manifest(pairs, tables))
    dataset.samples[1].read()
    write_png(pairs / "hr" / "image1.png", picture(9))
    with pytest.raises(BenchError, match=r"image1\.png: wrong sha256"):
        dataset.samples[1].read()


def test_mistakes_in_a_manifest_name_the_field(pairs: Path) -> None:
    with pytest.raises(BenchError, match=r"own\.toml: .*unknown field `colour`"):
        datasets.load_dataset(own_manifest(pairs, "colour = 3\n"))
    with pytest.raises(BenchError, match="no such manifest"):
        datasets.load_dataset(str(pairs / "nowhere.toml"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "own"', 'name = "../own"'), r"matching regex.*at `\$\.name`"),
        (('name = "own"', 'name = "RealSR"'), "'RealSR' is a data set that ships with ccsr-bench"),
        (("scale = 4", "scale = 0"), r"at `\$\.scale`"),
    ],
)
def test_manifest_that_would_write_elsewhere_or_pose_as_another(
    pairs: Path, change: tuple[str, str], message: str
) -> None:
    path = Path(own_manifest(pairs))
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(BenchError, match=message):
        datasets.load_dataset(str(path))


def test_file_names_in_a_manifest_stay_in_their_folder(pairs: Path) -> None:
    files = f'[files.lr]\n"../../escaped.png" = "{"0" * 64}"\n'
    with pytest.raises(BenchError, match="matching regex"):
        datasets.load_dataset(own_manifest(pairs, files))


def test_hashes_of_one_folder_only(pairs: Path) -> None:
    sha256 = hashlib.sha256((pairs / "hr" / "image0.png").read_bytes()).hexdigest()
    dataset = datasets.load_dataset(own_manifest(pairs, f'[files.hr]\n"image0.png" = "{sha256}"\n'))
    assert dataset.samples[0].read().lr.shape == (16, 16, 3)


def test_hash_of_a_file_that_does_not_exist_protects_nothing(pairs: Path) -> None:
    files = f'[files.hr]\n"typo.png" = "{"0" * 64}"\n'
    with pytest.raises(BenchError, match=r"names a hash for hr/typo\.png, which does not exist"):
        datasets.load_dataset(own_manifest(pairs, files))


def test_sizes_of_an_own_manifest_are_checked_before_any_work(pairs: Path) -> None:
    write_png(pairs / "lr" / "image2.png", picture(2, 20))
    with pytest.raises(BenchError, match=r"image2\.png: 64x64 pixels, but .* must be 80x80"):
        datasets.load_dataset(own_manifest(pairs))


def test_manifest_that_is_not_text(pairs: Path) -> None:
    (pairs / "own.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(BenchError, match=r"own\.toml: .*correct the manifest"):
        datasets.load_dataset(str(pairs / "own.toml"))


def test_absent_and_damaged_are_told_apart(home: Path) -> None:
    with pytest.raises(NotInstalledError, match="not prepared"):
        datasets.load_dataset("RealSR")
    folder = home / "datasets" / "RealSR" / "lr"
    folder.mkdir(parents=True)
    (folder / "Canon_001_LR4.png").write_bytes(b"the only one left")
    with pytest.raises(BenchError, match="incomplete") as error:
        datasets.load_dataset("RealSR")
    assert not isinstance(error.value, NotInstalledError)
    assert not datasets.is_ready(read_manifest("RealSR"))
