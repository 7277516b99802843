from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from ccsr_bench.gate import report
from ccsr_bench.gate.compare import BaselineComparison, compare_baselines
from tests.support.simulated import results

NOISE = np.random.default_rng(0).normal(0, 0.01, (2, 6, 4))


@pytest.fixture
def comparison() -> BaselineComparison:
    """PSNR got worse, LPIPS better, L-STD infinitely worse; the G-STDs are the same."""
    base = results({"psnr": 25 + NOISE[0], "lpips": 0.5 + NOISE[1]}, [0.0] * 6)
    return compare_baselines(base, results({"psnr": 24 + NOISE[0], "lpips": 0.4 + NOISE[1]}, [0.02] * 6))


def test_table_has_a_row_for_every_quantity(comparison: BaselineComparison) -> None:
    table = report.rows(comparison)
    assert [row[0] for row in table] == ["", "PSNR", "LPIPS", "PSNR G-STD", "LPIPS G-STD", "L-STD"]
    assert table[1][1:4] == [f"{25 + NOISE[0].mean():.4f}", f"{24 + NOISE[0].mean():.4f}", "-1.0000"]
    assert [row[-1] for row in table] == ["verdict", "REGRESSION", "better", "same", "same", "REGRESSION"]
    assert table[3][3:5] == ["x 1.0000", "95 % in x 1.0000 to 1.0000"]
    assert report.summary(comparison) == "regression: PSNR, L-STD"
    assert report.summary(compare_baselines(comparison.base, comparison.base)) == "no regression in 5 quantities"


def test_json_is_json_and_carries_definitions(comparison: BaselineComparison) -> None:
    text = json.dumps(report.record(comparison), allow_nan=False)
    read = json.loads(text)
    assert read["regressions"] == ["psnr", "l-std"]
    assert read["definitions"]["psnr"] == "psnr as ever"
    psnr, _, spread, _, l_std = read["outcomes"]
    assert psnr["difference"] == pytest.approx(-1)
    assert psnr["p_value"] < 0.05
    assert spread["ratio"] == 1
    assert (l_std["ratio"], l_std["base"], l_std["new"]) == (None, 0, 0.02)


def test_junit_has_a_failure_for_every_regression(comparison: BaselineComparison) -> None:
    suites = ElementTree.fromstring(report.junit(comparison).encode())
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "2", "0")
    failed = {
        case.get("name"): failure.get("message") for case in suite if (failure := case.find("failure")) is not None
    }
    assert list(failed) == ["PSNR", "L-STD"]
    assert "-1.0000, tolerance" in str(failed["PSNR"])


def test_junit_says_why_nothing_was_compared() -> None:
    (suite,) = ElementTree.fromstring(report.junit_error('psnr is "a < b & c"').encode())
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == 'psnr is "a < b & c"'
    assert suite.get("errors") == "1"


def test_github_annotations_name_what_moved(comparison: BaselineComparison) -> None:
    lines = report.github(comparison)
    assert [line.partition("::")[2].partition("::")[0] for line in lines] == [
        "error title=PSNR of m on own",
        "notice title=LPIPS of m on own",
        "error title=L-STD of m on own",
    ]
    assert report.github(compare_baselines(comparison.base, comparison.base)) == []


def test_github_annotations_are_escaped() -> None:
    line = report.annotation("error", "a: b, 50 %", "95 %: x, y\r\nz::w")
    assert line == "::error title=a%3A b%2C 50 %25::95 %25: x, y%0D%0Az::w"
