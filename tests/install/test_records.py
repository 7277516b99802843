from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.install.records import InstalledFile, read_record, record_files


def test_files_are_recorded_one_after_the_other(tmp_path: Path) -> None:
    assert read_record(tmp_path) == {}
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        record_files(tmp_path, {name: (tmp_path / name, hashlib.sha256(name.encode()).hexdigest())})
    record = read_record(tmp_path)
    assert list(record) == ["a", "b"]
    assert record["b"].current_sha256(tmp_path / "b") == record["b"].sha256
    (tmp_path / "b").write_text("changed")
    assert record["b"].current_sha256(tmp_path / "b") == hashlib.sha256(b"changed").hexdigest()


def test_unchanged_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    record_files(tmp_path, {"a": (tmp_path / "a", "what was recorded")})
    recorded = read_record(tmp_path)["a"]
    assert recorded.current_sha256(tmp_path / "a") == "what was recorded"
    os.utime(tmp_path / "a", ns=(0, 0))
    assert recorded.current_sha256(tmp_path / "a") == hashlib.sha256(b"a").hexdigest()


def test_record_of_earlier_weights_and_of_an_earlier_data_set(tmp_path: Path) -> None:
    (tmp_path / "sha256.json").write_text(json.dumps({"lr/a.png": "0" * 64}))
    assert read_record(tmp_path) == {"lr/a.png": InstalledFile("0" * 64)}
    (tmp_path / "lr").mkdir()
    (tmp_path / "lr" / "a.png").write_text("a")
    assert (
        read_record(tmp_path)["lr/a.png"].current_sha256(tmp_path / "lr" / "a.png") == hashlib.sha256(b"a").hexdigest()
    )
    text = '{"unet/config.json": {"sha256": "1", "size": 2, "modified_ns": 3}}'
    (tmp_path / "installed.json").write_text(text)
    assert read_record(tmp_path) == {"unet/config.json": InstalledFile("1", 2, 3)}


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', "\xff"])
def test_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "installed.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BenchError, match=r"installed\.json: damaged; remove it and prepare again"):
        read_record(tmp_path)
