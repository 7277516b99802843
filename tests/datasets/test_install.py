from __future__ import annotations

import functools
import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.install import prepare_dataset
from ccsr_bench.datasets.manifest import ArchiveSource, DatasetManifest, FilesSource, read_manifest
from ccsr_bench.errors import BenchError


@pytest.fixture
def server(pairs: Path) -> Iterator[SimpleNamespace]:
    """An HTTP server on the loopback address that serves `pairs`, and remembers what was asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    (pairs / "lr").rename(pairs / "test_LR")
    (pairs / "hr").rename(pairs / "test_HR")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(pairs))) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield SimpleNamespace(address=f"http://127.0.0.1:{http.server_port}", asked=asked)
        http.shutdown()


def manifest_of(pairs: Path, *addresses: str) -> DatasetManifest:
    folders = {"lr": "test_LR", "hr": "test_HR"}
    files = {
        part: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((pairs / folder).iterdir())}
        for part, folder in folders.items()
    }
    source = FilesSource(addresses=list(addresses), folders=folders)
    return DatasetManifest(
        name="own", title="t", citation="c", licence="l", scale=4, images=4, source=source, files=files
    )


def test_downloads_resumes_and_verifies(pairs: Path, server: SimpleNamespace) -> None:
    manifest = manifest_of(pairs, server.address)
    folder = prepare_dataset(manifest)
    assert sorted(p.name for p in (folder / "lr").iterdir()) == [f"image{i}.png" for i in range(4)]
    assert len(server.asked) == 8

    # One file was lost, one damaged: only these two are fetched again.
    (folder / "lr" / "image0.png").unlink()
    (folder / "hr" / "image3.png").write_bytes(b"half")
    server.asked.clear()
    steps: list[tuple[int, int, str]] = []
    prepare_dataset(manifest, progress=lambda *step: steps.append(step))
    assert sorted(server.asked) == ["/test_HR/image3.png", "/test_LR/image0.png"]
    assert (steps[-1][0], steps[-1][1]) == (8, 8)


def test_second_address_is_tried(pairs: Path, server: SimpleNamespace) -> None:
    folder = prepare_dataset(manifest_of(pairs, f"{server.address}/gone", server.address))
    assert len(list((folder / "lr").iterdir())) == len(list((folder / "hr").iterdir())) == 4


def test_failed_download_names_file_addresses_and_folder(pairs: Path, server: SimpleNamespace, home: Path) -> None:
    with pytest.raises(
        BenchError, match=r"cannot download image0\.png: tried http.*HTTP 404.* or put the file in"
    ) as error:
        prepare_dataset(manifest_of(pairs, f"{server.address}/gone"))
    assert str(home) in str(error.value)


def test_download_with_a_wrong_hash_is_not_installed(pairs: Path, server: SimpleNamespace, home: Path) -> None:
    manifest = manifest_of(pairs, server.address)
    (pairs / "test_LR" / "image2.png").write_bytes(b"something else")
    with pytest.raises(BenchError, match=r"image2\.png.*wrong sha256"):
        prepare_dataset(manifest)
    assert not (home / "datasets" / "own" / "lr" / "image2.png").exists()


@pytest.mark.parametrize("names", [("test_LR", "test_HR"), ("lr", "hr")])
def test_local_copy_with_either_names(pairs: Path, server: SimpleNamespace, names: tuple[str, str]) -> None:
    manifest = manifest_of(pairs, "http://127.0.0.1:9")
    (pairs / "test_LR").rename(pairs / names[0])
    (pairs / "test_HR").rename(pairs / names[1])
    folder = prepare_dataset(manifest, local=pairs)
    assert len(list((folder / "hr").iterdir())) == 4
    assert server.asked == []


def test_local_copy_that_is_wrong(pairs: Path, server: SimpleNamespace, tmp_path: Path) -> None:
    manifest = manifest_of(pairs, server.address)
    (pairs / "test_HR" / "image1.png").write_bytes(b"something else")
    with pytest.raises(BenchError, match=r"image1\.png: wrong sha256"):
        prepare_dataset(manifest, local=pairs)
    with pytest.raises(BenchError, match="holds neither 'lr' nor 'test_LR'"):
        prepare_dataset(manifest, local=tmp_path)


def archive_manifest() -> DatasetManifest:
    source = ArchiveSource(
        repository="someone/sets",
        revision="main",
        file="sets.zip",
        folders={"lr": ["sets/val/lq", "sets/val/test_LR"], "hr": ["sets/val/gt", "sets/val/test_HR"]},
    )
    return DatasetManifest(name="own", title="t", citation="c", licence="l", scale=4, images=4, source=source)


def test_archive_is_unpacked_and_its_hashes_recorded(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "sets.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for part, name in (("lr", "test_LR"), ("hr", "gt")):
            for path in (pairs / part).iterdir():
                pack.write(path, f"sets/val/{name}/{path.name}")
        pack.writestr("sets/other/readme.txt", "not ours")
    asked: list[tuple[str, str]] = []

    def download(repository: str, file: str, **_: object) -> str:
        asked.append((repository, file))
        return str(archive)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    folder = prepare_dataset(archive_manifest())
    assert asked == [("someone/sets", "sets.zip")]
    assert not archive.exists()  # gigabytes that are not needed any more
    assert sorted(p.name for p in (folder / "hr").iterdir()) == [f"image{i}.png" for i in range(4)]

    hashes = datasets.known_hashes(archive_manifest(), folder)
    assert hashes["lr/image0.png"] == hashlib.sha256((pairs / "lr" / "image0.png").read_bytes()).hexdigest()
    prepare_dataset(archive_manifest())  # verifies, downloads nothing
    assert len(asked) == 1
    (folder / "lr" / "image0.png").write_bytes((folder / "lr" / "image1.png").read_bytes())
    with pytest.raises(
        BenchError, match=r"image0\.png: wrong sha256: it is not the file recorded at the first installation"
    ):
        prepare_dataset(archive_manifest())


def test_archive_from_a_local_copy(pairs: Path) -> None:
    (pairs / "lr").rename(pairs / "lq")
    folder = prepare_dataset(archive_manifest(), local=pairs)
    assert len(list((folder / "lr").iterdir())) == 4


def test_incomplete_archive_copy_is_not_taken_for_the_whole(pairs: Path) -> None:
    (pairs / "hr" / "image3.png").unlink()
    with pytest.raises(BenchError, match=r"7 images in .* expected 8"):
        prepare_dataset(archive_manifest(), local=pairs)


def test_real_manifest_takes_the_real_images(shared: Path) -> None:
    prepare_dataset(read_manifest("RealSR"), local=shared / "data" / "RealSR")
    dataset = datasets.load_dataset("RealSR")
    assert len(dataset.samples) == 100
    assert dataset.samples[0].read().hr.shape == (512, 512, 3)
    assert len(dataset.outputs("osediff")) == 100


def test_leftovers_of_a_killed_install_do_no_harm(pairs: Path, home: Path) -> None:
    folder = home / "datasets" / "own"
    (folder / "hr").mkdir(parents=True)
    (folder / "hr" / ".image0.png.99.tmp").write_bytes(b"half")
    (folder / "hr" / "image1.png.partial").write_bytes(b"half")
    prepare_dataset(archive_manifest(), local=pairs)
    assert sorted(datasets.known_hashes(archive_manifest(), folder)) == sorted(
        f"{part}/image{i}.png" for part in ("hr", "lr") for i in range(4)
    )


def test_damaged_record_is_named_and_made_anew(pairs: Path) -> None:
    folder = prepare_dataset(archive_manifest(), local=pairs)
    before = datasets.known_hashes(archive_manifest(), folder)
    (folder / "lr" / "image2.png").unlink()
    (folder / "installed.json").write_text("{")
    with pytest.raises(BenchError, match=r"installed\.json: damaged; remove it and prepare again"):
        datasets.known_hashes(archive_manifest(), folder)
    (folder / "installed.json").unlink()
    assert not datasets.is_ready(archive_manifest())
    prepare_dataset(archive_manifest(), local=pairs)
    assert datasets.known_hashes(archive_manifest(), folder) == before


def test_data_set_that_an_earlier_version_installed_is_kept_and_verified(pairs: Path, home: Path) -> None:
    folder = home / "datasets" / "own"
    hashes = {}
    for path in sorted(pairs.rglob("*.png")):
        name = path.relative_to(pairs).as_posix()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
        hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "sha256.json").write_text(json.dumps(hashes))
    assert datasets.is_ready(archive_manifest())
    assert datasets.known_hashes(archive_manifest(), folder) == hashes
    prepare_dataset(archive_manifest())  # no network in tests: nothing is downloaded
    (folder / "lr" / "image0.png").write_bytes(b"changed")
    with pytest.raises(
        BenchError, match=r"image0\.png: wrong sha256: it is not the file recorded at the first installation"
    ):
        prepare_dataset(archive_manifest())


def test_archive_that_is_not_one(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "sets.zip"
    archive.write_bytes(b"half of a zip")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_, **__: str(archive))
    with pytest.raises(BenchError, match="not a complete zip archive"):
        prepare_dataset(archive_manifest())
    assert not archive.exists()
