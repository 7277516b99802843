"""The audit finds what is known, and what is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ccsr_bench.paper.audit import RULES, audit, read_errata
from ccsr_bench.places import shipped

NUMBERS = """
.3032 .0135 .0096 .4838 .0347 1.3055 .0156 .2916 .0127 .0090 .4632 .0325 1.2133 .0140 126.12 126.32 .2295 .2296
.0123 .0125 .0343 .0299 161.94 163.74 28.44 .4365 28.43 .4366 7.01 7.00 24.31 24.32 .6629 .6520 .6339 .5899"""
"""Of the known errata, as results/paper/README.md writes them."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The paper's tables, to be changed."""
    folder = tmp_path / "paper"
    shutil.copytree(shipped("results/paper"), folder)
    return folder


def change(folder: Path, line: str, new: str) -> None:
    path = folder / "tables.csv"
    text = path.read_text()
    assert text.count(f"\n{line}\n") == 1
    path.write_text(text.replace(f"\n{line}\n", f"\n{new}\n"))


def test_every_known_erratum_is_found_by_the_rules_that_can() -> None:
    found = {(finding.rule, finding.about): finding.known for finding in audit()}
    errata = read_errata()
    assert len(errata) == 8
    for name, erratum in errata.items():
        assert bool(erratum.findings) != bool(erratum.not_in_the_numbers)
        for rule, subjects in erratum.findings.items():
            assert rule in RULES
            for about in subjects:
                assert found[rule, about] == name
    assert {name for name, erratum in errata.items() if not erratum.findings} == {"equation-5"}


def test_what_is_not_in_the_list_is_its_own_find() -> None:
    own = {(finding.rule, finding.about): finding.says for finding in audit() if not finding.known}
    assert own.keys() == {
        ("spreads of another", "DRealSR CCSR(2/3,1/3,3) and CCSR-S2"),
        ("spread is a mean", "DIV2K PASD-S20 PSNR G-STD"),
        ("not as published", "RealSR OSEDiff-S1 FID"),
        ("not as published", "DRealSR OSEDiff-S1 FID"),
    }
    assert own["not as published", "RealSR OSEDiff-S1 FID"] == "123.50 in VI, published 123.493817"


def test_readme_and_list_agree() -> None:
    """Every number of the README's list is in a finding that the list of errata names."""
    known = " ".join(finding.says for finding in audit() if finding.known)
    assert [number for number in NUMBERS.split() if number not in known] == []


@pytest.mark.parametrize(
    ("row", "old", "new", "found"),
    [
        ("V,RealSR,CCSR-S1,LPIPS", "0.2804,0.0077", "0.2840,0.0077", "printed differently: RealSR CCSR-S1 LPIPS"),
        (
            'II,RealSR,"CCSR(6,2)",SSIM',
            "0.7335,0.0115",
            "0.7335,0.0151",
            "printed differently: RealSR CCSR-S2 SSIM G-STD",
        ),
        ("IV,DIV2K,SeeSR-S50,PSNR", "23.71,0.3921", "23.71,3.921", "out of line: DIV2K SeeSR-S50 PSNR G-STD"),
        ("VI,RealSR,OSEDiff-S1,PSNR", "25.15,", "25.16,", "not as published: RealSR OSEDiff-S1 PSNR"),
        ("IV,RealSR,PASD-S20,PSNR", "25.22,0.5301", "25.22,0.6809", "spread is a mean: RealSR PASD-S20 PSNR G-STD"),
    ],
)
def test_a_changed_number_is_a_new_finding(copy: Path, row: str, old: str, new: str, found: str) -> None:
    before = set(audit(copy))
    change(copy, f"{row},{old}", f"{row},{new}")
    assert [f"{finding.rule}: {finding.about}" for finding in set(audit(copy)) - before] == [found]


def test_spreads_copied_from_another_row_or_column_are_found(copy: Path) -> None:
    change(copy, "IV,DRealSR,SeeSR-S50,NIQE,6.52,0.7485", "IV,DRealSR,SeeSR-S50,NIQE,6.52,0.7560")
    change(copy, "IV,DRealSR,SeeSR-S50,MUSIQ,64.84,2.8756", "IV,DRealSR,SeeSR-S50,MUSIQ,64.84,2.7189")
    found = {finding.about: finding.says for finding in audit(copy) if finding.rule == "spreads of another"}
    assert found["DRealSR PASD-S20 and SeeSR-S50"] == "NIQE 0.7560, MUSIQ 2.7189 (PASD-S20 in IV; SeeSR-S50 in IV)"


def test_a_corrected_number_is_a_finding_less(copy: Path) -> None:
    text = (copy / "tables.csv").read_text()
    (copy / "tables.csv").write_text(text.replace('"CCSR(1/2,1/6,2)"', '"CCSR(1/2,1/6,3)"'))
    assert not [finding for finding in audit(copy) if finding.rule == "steps"]
    change(copy, 'III,RealSR,"CCSR(1/2,1/6,3)",NIQE,6.39,0.0090', 'III,RealSR,"CCSR(1/2,1/6,3)",NIQE,6.39,0.5000')
    found = {(finding.rule, finding.about) for finding in audit(copy)}
    assert ("spreads of another column", "CCSR(1/2,1/6,3) DISTS and NIQE") not in found
    assert ("out of line", "RealSR CCSR(1/2,1/6,3) NIQE G-STD") not in found
