"""`ccsr-bench verify` on small sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from tests.support.cli import Capture, done, mistake
from tests.support.score_sets import output_scores, use_sets_in, write_dataset, write_set


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The set `true`, and the set `wrong`, in which one value is not the true one."""
    use_sets_in(tmp_path, monkeypatch)
    dataset = write_dataset(tmp_path / "data")
    manifest = str(tmp_path / "data" / "own.toml")
    values = output_scores(dataset, ["psnr"])
    write_set(tmp_path, "true", values, dataset=manifest, outputs="others")
    values["psnr"]["image3"] = "1.00000000"
    write_set(tmp_path, "wrong", values, dataset=manifest, outputs="others")
    return tmp_path


def test_exit_code_says_whether_the_scores_agree(sets: Path, capsys: Capture) -> None:
    done(["verify", "true", "--metrics", "psnr"])
    assert "agrees" in capsys.readouterr().out
    assert main(["verify", "--metrics", "psnr"]) == 1
    assert capsys.readouterr().out.count("DIFFERS") == 1
    done(["verify", "--metrics", "psnr", "--limit", "3"])


def test_kept_scores_can_be_shown_as_a_table(sets: Path, home: Path, capsys: Capture) -> None:
    done(["verify", "true", "--metrics", "psnr", "--limit", "2"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"the scores are kept: ccsr-bench table --out {home / 'verify' / 'paper'}"
    done([*last.partition("ccsr-bench ")[2].split()])
    assert "| others |" in capsys.readouterr().out


def test_json_names_the_images(sets: Path, capsys: Capture) -> None:
    done(["verify", "true", "--metrics", "psnr", "--limit", "2", "--json", "--out", sets / "out"])
    (comparison,) = json.loads(capsys.readouterr().out)["true"]
    assert (comparison["images"], comparison["agrees"]) == (2, True)
    assert comparison["image_names"] == ["image0", "image1"]
    assert (sets / "out" / "paper" / "own" / "others" / "ledger.sqlite").is_file()


def test_metric_that_no_set_has(sets: Path, capsys: Capture) -> None:
    assert "true has no published value of ssim" in mistake(capsys, "verify", "true", "--metrics", "ssim")
    assert main(["verify", "--metrics", "ssim"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1] == (
        "ccsr-bench: nothing could be checked: no set has a value of the requested metrics; choose other --metrics"
    )
