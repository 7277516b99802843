"""`ccsr-bench table` and `ccsr-bench stats`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from ccsr_bench.paper.audit import audit
from ccsr_bench.statistics.bootstrap import Interval
from ccsr_bench.statistics.comparisons import MethodComparison
from ccsr_bench.statistics.paired import PairedDifference
from tests.support.cli import Capture, done, mistake


@pytest.fixture
def results(run: list[object], tmp_path: Path, capsys: Capture) -> Path:
    """Three runs of one method and one of another, on the user's own four pairs."""
    done(run)
    done([*run[:2], "bicubic", *run[3:]])
    capsys.readouterr()
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("form", "best"),
    [("latex", r"\textcolor{red}{"), ("latex-table", r"\textcolor{red}{"), ("html", '<b class="best">'), ("md", "**")],
)
def test_formats_with_colours_mark_unasked(results: Path, capsys: Capture, form: str, best: str) -> None:
    done(["table", "--out", results, "--format", form])
    assert (best in capsys.readouterr().out) == (form != "md")
    done(["table", "--out", results, "--format", form, "--mark", "best"])
    assert best in capsys.readouterr().out
    done(["table", "--out", results, "--format", form, "--mark", "none"])
    assert best not in capsys.readouterr().out


def test_rows_columns_and_intervals_are_chosen(results: Path, capsys: Capture) -> None:
    done(["table", "--out", results, "--metrics", "l-std", "psnr", "--sort", "psnr", "--intervals"])
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[4:6]] == ["L-STD ↓", "PSNR ↑"]
    assert lines[4].startswith("| Bicubic  ")
    assert lines[5].count("[") == 3  # of L-STD, PSNR and its G-STD
    done(["table", "--out", results, "--json", "--mark", "best"])
    printed = json.loads(capsys.readouterr().out)
    assert {record["mark"] for record in printed["records"]} == {"best", "second", ""}
    assert "own" in printed["notes"]


def test_a_layout_of_results_and_of_the_paper_alone(results: Path, capsys: Capture) -> None:
    done(["table", "--layout", "paper-vii", "--paper", "only"])
    assert "| CCSR-S1  |       1 |            0.11 |" in capsys.readouterr().out
    done(["table", "--out", results, "--layout", "paper-vi", "--method", "bicubic", "--dataset", "own"])
    assert "Table VI of the CCSR paper, with numbers computed here" in capsys.readouterr().out
    assert "no results of StableSR-S3, " in mistake(capsys, "table", "--out", results, "--layout", "paper-v")
    assert "choose it with --layout (paper-i, " in mistake(capsys, "table", "--paper", "only")
    assert "unknown metric 'psn': did you mean psnr" in mistake(capsys, "table", "--out", results, "--metrics", "psn")


def test_a_method_is_paired_with_a_row_of_the_paper(results: Path, capsys: Capture) -> None:
    layout = ["table", "--out", results, "--layout", "paper-iv", "--dataset", "own"]
    done([*layout, "--paper-row", "bicubic=Real-ESRGAN", "bicubic-dither=bsrgan"])
    printed = capsys.readouterr().out
    assert "- bicubic-dither: paired with the paper's row BSRGAN because the user asked for it." in printed
    assert "did you mean BSRGAN" in mistake(capsys, *layout, "--paper-row", "bicubic=BSRGANN")
    assert "add --paper 'beside', or choose a --layout of the paper" in mistake(
        capsys, "table", "--out", results, "--paper-row", "bicubic=BSRGAN"
    )
    assert "'bicubic' is not METHOD=ROW, such as mine=Real-ESRGAN" in mistake(capsys, "table", "--paper-row", "bicubic")


def test_audit_says_what_is_known_and_what_is_not(capsys: Capture) -> None:
    done(["table", "--audit"])
    lines = capsys.readouterr().out.splitlines()
    contradictions = audit()
    unlisted = [item for item in contradictions if not item.known]
    assert sum("not in the list  " in line for line in lines) == len(unlisted) == 4
    found = lines[: next(index for index, line in enumerate(lines) if line.startswith("Reproduced by ccsr-bench"))]
    assert sum(line.startswith("    ") for line in found) == len(contradictions)
    assert "  Not found: it is about a formula." in lines
    done(["table", "--audit", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["findings"]) == len(contradictions)
    assert printed["not found"] == {"equation-5": "it is about a formula"}


def test_differences_between_methods(results: Path, capsys: Capture) -> None:
    done(["stats", "differences", "--out", results])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:5] == ["own", "bicubic", "bicubic-dither", "PSNR", "4"]
    assert "for 1 comparison;" in lines[3]
    assert lines[4] == "- With 4 images p is at least 0.12: 2 of the 2^4 assignments of signs."
    done(["stats", "differences", "--out", results, "--against", "bicubic-dither", "--json"])
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["first"], record["second"], record["images"]) == ("bicubic-dither", "bicubic", 4)
    assert record["low"] <= record["difference"] <= record["high"]
    assert record["p"] == record["p_corrected"] == 0.125
    assert record["significant"] is False


def test_small_p_values_are_printed_as_an_upper_bound(
    results: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    difference = PairedDifference(0.1, Interval(0.05, 0.15), 0.00004, 100)
    comparisons = [MethodComparison("own", "bicubic", "bicubic-dither", "psnr", "mean", difference, 0.0001)]
    monkeypatch.setattr("ccsr_bench.statistics.comparisons.compare_methods", lambda *_, **__: comparisons)
    done(["stats", "differences", "--out", results])
    assert capsys.readouterr().out.splitlines()[1].split()[-3:] == ["<0.0001", "0.0001", "*"]


def test_runs_that_are_enough(results: Path, capsys: Capture) -> None:
    done(["stats", "runs", "--out", results, "--metrics", "psnr"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("share of N runs  expected if Gaussian")
    assert [line.split()[4] for line in lines[1:3]] == ["2", "3"]
    assert lines[2].split()[-2:] == ["100.0%", "100.0%"]
    done(["stats", "runs", "--out", results, "--json"])
    records = json.loads(capsys.readouterr().out)
    assert [record["runs"] for record in records] == [2, 3]
    assert records[0]["g_std"] < records[1]["g_std"]


def test_statistics_over_a_part_of_the_images_say_so(results: Path, run: list[object], capsys: Capture) -> None:
    done(["stats", "differences", "--out", results])
    assert " of " not in capsys.readouterr().out.splitlines()[1]
    for method in ("bicubic", "bicubic-dither"):
        done([*run[:2], method, *run[3:], "--limit", "2", "--metrics", "ssim"])
    capsys.readouterr()
    done(["stats", "differences", "--out", results, "--metrics", "ssim"])
    printed = capsys.readouterr().out
    assert "  SSIM    2 of 4  " in printed
    assert (
        "- images, such as 3 of 6: both methods have the number on 3 images, and one of them has outputs of 6."
        in printed
    )
    done(["stats", "runs", "--out", results, "--metrics", "ssim"])
    printed = capsys.readouterr().out
    assert "  SSIM    2 of 4  " in printed
    assert "- images, such as 3 of 6: the method has the metric on 3 images, and outputs of 6." in printed


def test_mistakes_of_stats_end_in_one_line(results: Path, capsys: Capture) -> None:
    assert "unknown method 'x'" in mistake(capsys, "stats", "differences", "--out", results, "--against", "x")
    assert "--against is an option of `stats differences`" in mistake(
        capsys, "stats", "runs", "--out", results, "--against", "bicubic"
    )
    assert "unknown metric 'psn'" in mistake(capsys, "stats", "runs", "--out", results, "--metrics", "psn")
    assert "nothing to compare" in mistake(capsys, "stats", "differences", "--out", results, "--method", "bicubic")
    assert "several runs" in mistake(capsys, "stats", "runs", "--out", results, "--method", "bicubic")
    with pytest.raises(SystemExit):
        main(["stats", "--help"])
