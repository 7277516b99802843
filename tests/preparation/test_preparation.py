"""Preparing by name: what is installed, in which order, and what a failure costs."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import Progress, silent
from ccsr_bench.install.sources import Url
from ccsr_bench.metrics import weight_files
from ccsr_bench.preparation.installation import Installation, install_all, plan
from ccsr_bench.preparation.prepare import prepare
from ccsr_bench.preparation.selection import Selection, missing, select


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
    lines = prepare(metrics="lpips", local=str(lpips_files))
    assert len(lines) == 2
    assert lines[0].startswith(f"alexnet-owt-7be5be79.pth: verified, 7 bytes, in {home / 'weights'}")
    assert missing(selection) == []


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
    with pytest.raises(BenchError, match=r"^no a; no c$"):
        install_all(wanted, lambda one: shown.append(one.install(silent)))
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
