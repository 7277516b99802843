"""`prepare --metrics`: files, hashes, and the messages when a file cannot be installed."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from ccsr_bench.install.sources import Url
from ccsr_bench.metrics import weight_files
from ccsr_bench.published import canary
from tests.support.cli import done, mistake

Capture = pytest.CaptureFixture[str]
CONTENT = b"weights of somebody"


@pytest.fixture
def alexnet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A local folder with the two files of LPIPS, whose hashes are registered as the expected ones."""
    folder = tmp_path / "local"
    folder.mkdir()
    files = dict(weight_files.FILES)
    for key in ("alexnet", "lpips-alex"):
        (folder / files[key].name).write_bytes(CONTENT)
        files[key] = dataclasses.replace(
            files[key], sha256=hashlib.sha256(CONTENT).hexdigest(), sources=(Url("http://127.0.0.1:9/gone"),)
        )
    monkeypatch.setattr(weight_files, "FILES", files)
    monkeypatch.setattr(canary, "canary_files", lambda: ())  # these files come only from the network
    return folder


def failure(capsys: Capture, *arguments: object) -> str:
    """Run a command that must end with exit code 2; return its last line."""
    assert main([str(argument) for argument in arguments]) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_weights_are_taken_from_a_folder_and_verified(alexnet: Path, home: Path, capsys: Capture) -> None:
    done(["prepare", "--metrics", "lpips", "--from", alexnet])
    assert f"alexnet-owt-7be5be79.pth: verified, 19 bytes, in {home}" in capsys.readouterr().out
    assert (home / "weights" / "alexnet-owt-7be5be79.pth").read_bytes() == CONTENT
    (home / "weights" / "alexnet-owt-7be5be79.pth").unlink()
    (alexnet / "alexnet-owt-7be5be79.pth").write_bytes(CONTENT[:-1])
    assert "wrong sha256" in failure(capsys, "prepare", "--metrics", "lpips", "--from", alexnet)
    assert not (home / "weights" / "alexnet-owt-7be5be79.pth").exists()


def test_a_missing_file_does_not_keep_others_from_being_installed(alexnet: Path, home: Path, capsys: Capture) -> None:
    (alexnet / "alexnet-owt-7be5be79.pth").unlink()
    error = failure(capsys, "prepare", "--metrics", "lpips", "--from", alexnet)
    assert "alexnet-owt-7be5be79.pth: missing from the local copy" in error
    assert (home / "weights" / "LPIPS_v0.1_alex-df73285e.pth").is_file()


def test_failing_downloads_name_file_addresses_and_folder(alexnet: Path, home: Path, capsys: Capture) -> None:
    error = failure(capsys, "prepare", "--metrics", "lpips")
    assert "cannot download alexnet-owt-7be5be79.pth: tried http://127.0.0.1:9/gone (ConnectionError)" in error
    assert f"or put the file in {home / 'weights'}" in error


def test_offline_lists_what_is_missing_and_where_it_goes(alexnet: Path, home: Path, capsys: Capture) -> None:
    command = ["prepare", "--metrics", "lpips", "--dataset", "RealSR", "--method", "ccsr-s1", "--offline"]
    assert main(command) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0] == f"data set RealSR: goes to {home / 'datasets' / 'RealSR'}"
    assert lines[1].startswith("method 'ccsr-s1': ")
    assert lines[2].startswith("alexnet-owt-7be5be79.pth (244,408,911 bytes, sha256 ")
    assert lines[2].endswith(f"goes to {home / 'weights'}, from http://127.0.0.1:9/gone/alexnet-owt-7be5be79.pth")
    done(["prepare", "--metrics", "lpips", "--from", alexnet])
    capsys.readouterr()
    done(["prepare", "--metrics", "lpips", "--offline"])
    assert capsys.readouterr().out == "nothing is missing\n"


def test_unknown_metric(capsys: Capture) -> None:
    assert "unknown metric 'lpipz': did you mean lpips" in mistake(capsys, "prepare", "--metrics", "lpipz")


def test_doctor_says_which_weights_are_missing(alexnet: Path, capsys: Capture) -> None:
    done(["prepare", "--metrics", "lpips", "--from", alexnet])
    capsys.readouterr()
    done(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok  metric lpips ") for line in lines)
    assert any(
        line.startswith("--  metric dists") and "no vgg16-397923af.pth and no DISTS_weights-f5e65c96.pth" in line
        for line in lines
    )
