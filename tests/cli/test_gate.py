"""`export` and `compare`, and this repository's own gate."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ccsr_bench.cli import main
from tests.support.cli import Capture, done, mistake

BASELINES = Path(__file__).parents[2] / "results" / "baselines"


@pytest.fixture
def exported(run: list[object], tmp_path: Path, capsys: Capture) -> list[object]:
    """The arguments that compare a run with its own baseline."""
    done([*run, "ssim"])
    file = tmp_path / "baselines" / "own.json"
    done(["export", "--method", "bicubic-dither", "--dataset", "own", "--out", tmp_path / "out", "--to", file])
    assert "bicubic-dither on own: 4 images x 3 runs, psnr, ssim -> " in capsys.readouterr().out
    return ["compare", file, tmp_path / "out" / "own" / "bicubic-dither"]


def test_own_baseline_is_passed(exported: list[object], capsys: Capture) -> None:
    done(exported)
    out = capsys.readouterr().out
    assert out.startswith("own, protocol paper, 4 images, N = 3\nbase: bicubic-dither, ")
    assert out.endswith("no regression in 5 quantities\n")
    done([*exported, "--json"])
    record = json.loads(capsys.readouterr().out)
    assert {outcome["verdict"] for outcome in record["outcomes"]} == {"same"}


def test_more_noise_is_a_regression(
    exported: list[object], run: list[object], pairs: Path, tmp_path: Path, capsys: Capture
) -> None:
    text = (Path(__file__).parents[2] / "methods" / "bicubic-dither" / "method.toml").read_text(encoding="utf-8")
    text = text.replace("sigma = 8.0", "sigma = 9.6").replace('id = "bicubic-dither"', 'id = "noisier"')
    (tmp_path / "methods" / "noisier").mkdir(parents=True)
    (tmp_path / "methods" / "noisier" / "method.toml").write_text(
        text.replace("[variants.bicubic-dither]", "[variants.noisier]"), encoding="utf-8"
    )
    run[2] = "noisier"
    done([*run, "ssim", "--methods-dir", tmp_path / "methods", "--base-seed", "1"])
    capsys.readouterr()
    new = tmp_path / "out" / "own" / "noisier"
    junit = tmp_path / "gate.xml"
    assert main([str(a) for a in [*exported[:2], new, "--github", "--junit", junit]]) == 1
    out = capsys.readouterr().out
    assert "regression: PSNR" in out
    assert "::error title=PSNR of noisier on own::REGRESSION: " in out
    assert ElementTree.fromstring(junit.read_bytes()).find("testsuite/testcase/failure") is not None
    done([*exported[:2], new, "--tolerance", "psnr=9", "ssim=1", "g-std=9", "--tolerance", "l-std=2"])


def test_results_that_are_not_comparable_are_reported_in_every_format(
    exported: list[object], run: list[object], tmp_path: Path, capsys: Capture
) -> None:
    other = tmp_path / "other"
    done([*run, "--out", other, "--protocol", "ccsr-v1"])
    capsys.readouterr()
    command = [*exported[:2], other / "own" / "bicubic-dither"]
    line = mistake(capsys, *command, "--junit", tmp_path / "gate.xml")
    assert "not comparable: the protocol of BASE is 'paper', of NEW 'ccsr-v1'" in line
    error = ElementTree.fromstring((tmp_path / "gate.xml").read_bytes()).find("testsuite/testcase/error")
    assert error is not None
    assert str(error.get("message")) in line
    assert main([str(a) for a in [*command, "--github"]]) == 2
    assert capsys.readouterr().out.startswith("::error title=ccsr-bench compare::not comparable: the protocol")


def test_metrics_beyond_the_baseline_are_mentioned(exported: list[object], tmp_path: Path, capsys: Capture) -> None:
    file, ledger = exported[1:]
    done(["compare", file, ledger, "--metrics", "psnr"])
    assert "SSIM" not in capsys.readouterr().out
    assert "unknown metric 'lpips'" in mistake(capsys, *exported, "--metrics", "lpips")


@pytest.mark.parametrize("text", ["psnr", "psnr=", "psnr=-1", "psnr=nan", "l-std=0.9", "g-std=inf"])
def test_bad_tolerances(exported: list[object], capsys: Capture, text: str) -> None:
    assert f"'{text}' is neither METRIC=DIFFERENCE" in mistake(capsys, *exported, "--tolerance", text)


def test_bad_exports(exported: list[object], tmp_path: Path, capsys: Capture) -> None:
    export = ["export", "--out", tmp_path / "out", "--to", tmp_path / "b.json", "--dataset", "own"]
    assert "unknown method 'bicubc': did you mean bicubic" in mistake(capsys, *export, "--method", "bicubc")
    assert "no l-std over 2 runs" in mistake(capsys, *export, "--method", "bicubic-dither", "--runs", "2")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("method", ["bicubic", "bicubic-dither"])
def test_this_repository_passes_its_own_gate(method: str, tmp_path: Path, capsys: Capture) -> None:
    """With the same seeds the scores are the committed ones on every machine, and not only within the tolerance."""
    done(["run", "--method", method, "--dataset", "sample", "--metrics", "psnr", "ssim", "--out", tmp_path])
    capsys.readouterr()
    done(["compare", BASELINES / f"sample-{method}.json", tmp_path / "sample" / method, "--json"])
    for outcome in json.loads(capsys.readouterr().out)["outcomes"]:
        assert abs(outcome["base"] - outcome["new"]) < 1e-4, outcome
