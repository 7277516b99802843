from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import find_verified, install_file, installing
from ccsr_bench.install.sources import PublishedFile, Url

SHA256 = hashlib.sha256(b"weights").hexdigest()
NOWHERE = [Url("http://127.0.0.1:9")]


def test_file_is_copied_verified_and_then_kept(tmp_path: Path) -> None:
    source = tmp_path / "from" / "model.mat"
    source.parent.mkdir()
    source.write_bytes(b"weights")
    target = tmp_path / "to" / "model.mat"
    published = PublishedFile("model.mat", NOWHERE, SHA256)
    assert install_file(target.parent, published, local=source) == target
    assert target.read_bytes() == b"weights"
    source.unlink()
    assert install_file(target.parent, published) == target  # it is there already
    with pytest.raises(BenchError, match=r"model\.mat: missing from the local copy"):
        install_file(tmp_path / "other", published, local=source)
    with pytest.raises(BenchError, match="cannot download"):
        install_file(target.parent, PublishedFile("model.mat", NOWHERE, "0" * 64))
    assert target.read_bytes() == b"weights"


def test_copy_that_is_another_file_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "model.mat"
    source.write_bytes(b"others")
    with pytest.raises(BenchError, match=r"model\.mat: wrong sha256: it is not the published file; download it again"):
        install_file(tmp_path / "to", PublishedFile("model.mat", NOWHERE, SHA256), local=source)
    assert list((tmp_path / "to").iterdir()) == []


def test_failed_download_names_the_file_every_address_with_its_reason_and_the_folder(tmp_path: Path) -> None:
    published = PublishedFile("model.mat", [*NOWHERE, Url("http://127.0.0.1:9/more")], SHA256)
    with pytest.raises(BenchError) as error:
        install_file(tmp_path, published, name="parts/model.mat")
    assert str(error.value) == (
        "cannot download model.mat: tried http://127.0.0.1:9 (ConnectionError); http://127.0.0.1:9/more "
        f"(ConnectionError); or put the file in {tmp_path / 'parts'}"
    )


def test_file_in_another_format_counts_where_its_hash_is_right(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")
    assert find_verified(tmp_path / "model.safetensors", SHA256) == tmp_path / "pytorch_model.bin"
    assert find_verified(tmp_path / "model.safetensors", "0" * 64) is None
    assert find_verified(tmp_path / "model.safetensors", "") is None  # nothing to verify with


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = r"cannot install own in .*file.*make room there, or set CCSR_BENCH_HOME"
    with pytest.raises(BenchError, match=message), installing("own", tmp_path / "file" / "own"):
        raise AssertionError
