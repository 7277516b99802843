"""Verified rows stand beside the paper's, with the decimals to which both agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from ccsr_bench.paper.reproduced import agreeing_decimals, reproduced
from tests.support.cli import Capture, done
from tests.support.score_sets import use_sets_in, write_set

PRINTED = {"psnr": "25.69", "ssim": "0.7616", "lpips": "0.2727", "dists": "0.2063", "niqe": "5.83"}
"""Real-ESRGAN's row of Table IV on RealSR."""

OURS = {"psnr": 25.7093, "ssim": 0.76157, "lpips": 0.2708, "dists": 0.206, "niqe": 6.5}


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verified row of Real-ESRGAN on RealSR, of two images whose means are `OURS`, and one of bicubic."""
    use_sets_in(tmp_path, monkeypatch)
    values = {metric: {"a": f"{mean - 0.1:.8f}", "b": f"{mean + 0.1:.8f}"} for metric, mean in OURS.items()}
    write_set(tmp_path, "network", values, dataset="RealSR", method="real-esrgan")
    write_set(tmp_path, "interpolated", values, dataset="RealSR", method="bicubic")
    write_set(tmp_path, "elsewhere", values, dataset="sample", method="real-esrgan")


@pytest.mark.parametrize(
    ("ours", "printed", "decimals"),
    [
        (25.6949, "25.69", 2),
        (25.695, "25.69", 2),
        (25.6951, "25.69", 1),
        (25.709, "25.69", 1),  # although 25.71 and 25.69 differ in the first decimal after rounding to it
        (25.75, "25.69", 0),
        (26.0, "25.69", 0),
        (26.2, "25.69", None),
        (0.76157, "0.7616", 4),
        (0.0, "0", 0),
    ],
)
def test_numbers_agree_to_a_decimal_if_they_differ_by_at_most_half_of_it(
    ours: float, printed: str, decimals: int | None
) -> None:
    assert agreeing_decimals(ours, printed) == decimals


def test_row_of_the_paper_is_found_by_method_and_data_set(row: None) -> None:
    numbers = {number.metric.lower(): number for number in reproduced()}
    assert {(number.verified, number.table, number.dataset, number.row) for number in numbers.values()} == {
        ("network", "IV", "RealSR", "Real-ESRGAN")
    }
    assert {metric: number.printed for metric, number in numbers.items()} == PRINTED
    assert {metric: number.decimals for metric, number in numbers.items()} == {
        "psnr": 1,
        "ssim": 4,
        "lpips": 2,
        "dists": 3,
        "niqe": None,
    }
    assert numbers["psnr"].difference == pytest.approx(0.0193)


def test_audit_ends_with_the_reproduced_rows(row: None, capsys: Capture) -> None:
    done(["table", "--audit"])
    lines = capsys.readouterr().out.partition("Reproduced by ccsr-bench")[2].splitlines()
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[3:]]
    assert cells[0] == ["Real-ESRGAN on RealSR", "IV", "PSNR", "25.7093", "25.69", "+0.0193", "1 decimal"]
    assert [line[-1] for line in cells] == ["1 decimal", "all 4 decimals", "2 decimals", "3 decimals", "no decimal"]
    done(["table", "--audit", "--json"])
    assert [number["decimals"] for number in json.loads(capsys.readouterr().out)["reproduced"]] == [1, 4, 2, 3, None]


def test_audit_without_a_reproduced_row_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    use_sets_in(tmp_path, monkeypatch)
    assert main(["table", "--audit"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("  none: no verified row")
