from __future__ import annotations

import sqlite3
import statistics
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.metrics.catalogue import PROTOCOLS
from ccsr_bench.running.jobs import do_jobs, images_job
from ccsr_bench.running.scoring import Scoring
from ccsr_bench.tables.build import build
from ccsr_bench.tables.request import Request
from ccsr_bench.tables.rows import Table
from tests.support.jobs import fill, scorer
from tests.support.pictures import write_pairs


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = write_pairs(tmp_path_factory.mktemp("own"), [f"image{index}" for index in range(4)])
    return datasets.from_folders(folder / "lr", folder / "hr", name="own")


@pytest.fixture(scope="module")
def out(own: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results as of three of the paper's methods and one other, on two of its data sets and another."""
    out = tmp_path_factory.mktemp("out")
    for name, paper_name in (("RealSR", "RealSR"), ("DIV2K-Val", "DIV2K"), ("own", "")):
        dataset = Dataset(name, name, 4, own.samples, paper_name=paper_name)
        fill(out, dataset, "ccsr-s2", "CCSR-S2", noise=8, steps=2, parameters={"unet": 10**9, "vae": 5 * 10**8})
        fill(out, dataset, "bsrgan", "BSRGAN")
        fill(out, dataset, "mine", "Mine", noise=2)
    fill(out, Dataset("RealSR", "RealSR", 4, own.samples, paper_name="RealSR"), "ccsr-1of2-1of6", "CCSR(1/2,1/6,3)")
    return out


def rows(table: Table) -> list[tuple[str, list[str]]]:
    return [(section.dataset, [row.title for row in section.rows]) for section in table.sections]


def test_layout_has_the_papers_rows_columns_and_data_sets_in_its_order(out: Path) -> None:
    (table,) = build(Request(out=out, layout="paper-iv"))
    assert rows(table) == [("DIV2K-Val", ["BSRGAN", "CCSR-S2"]), ("RealSR", ["BSRGAN", "CCSR-S2"])]
    assert [column.name for column in table.columns] == ["psnr", "ssim", "l-std"]
    notes = "\n".join(table.notes)
    assert "RealSR: N = 1, 4 images: BSRGAN; N = 3, 4 images: CCSR-S2." in notes
    assert f"Left out, without results of these methods in {out}: DRealSR." in notes
    assert "Columns left out, without any number: LPIPS, DISTS, FID" in notes
    assert "RealSR: Left out, without results" in notes
    assert "`ccsr-bench run --method real-esrgan real-esrgan-ncnn resshift-s15 " in notes
    assert notes.count("PSNR in dB on Y") == 1  # once for all data sets


def test_settings_are_rows_under_the_papers_names_with_the_right_steps(out: Path) -> None:
    (table,) = build(Request(out=out, layout="paper-iii"))
    assert rows(table) == [("RealSR", ["CCSR(1/2,1/6,3)", "CCSR(2/3,1/2,2)"])]
    (table,) = build(Request(out=out, layout="paper-ii"))
    assert rows(table) == [("RealSR", ["CCSR(6,2)"])]


def test_settings_with_own_weights_keep_their_mark_under_the_papers_names(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path, Dataset("RealSR", "RealSR", 4, own.samples, paper_name="RealSR"), "ccsr-s2", "CCSR-S2 (own weights)")
    with closing(sqlite3.connect(tmp_path / "RealSR" / "ccsr-s2" / "ledger.sqlite")) as connection:
        connection.execute(
            """UPDATE meta SET value = json_set(value, '$.own_weights', json('["vae"]')) WHERE key = 'description'"""
        )
        connection.commit()
    (table,) = build(Request(out=tmp_path, layout="paper-iii"))
    assert rows(table) == [("RealSR", ["CCSR(2/3,1/2,2) (own weights)"])]
    assert "ccsr-s2: test; own weights, not the published ones: vae." in "\n".join(table.notes)


def test_images_made_elsewhere_are_a_row_under_the_papers_name(own: Dataset, tmp_path: Path) -> None:
    """`score` knows no title: it takes the method's name."""
    fill(tmp_path / "out", own, "osediff-s1", "osediff-s1")
    (table,) = build(Request(out=tmp_path / "out", layout="paper-vi", datasets=["own"]))
    assert rows(table) == [("own", ["OSEDiff-S1"])]


def test_layout_takes_other_methods_data_sets_and_columns(out: Path) -> None:
    wish = Request(out=out, layout="paper-iv", methods=["mine", "bsrgan"], datasets=["own", "RealSR"], metrics=["ssim"])
    (table,) = build(wish)
    assert rows(table) == [("own", ["Mine", "BSRGAN"]), ("RealSR", ["Mine", "BSRGAN"])]
    assert [column.name for column in table.columns] == ["ssim"]
    assert "Left out" not in "\n".join(table.notes)


def test_layout_without_any_of_its_methods_says_so(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path / "out", own, "bsrgan", "BSRGAN")
    with pytest.raises(BenchError, match=r"no results of BSRGAN, .* on DIV2K or RealSR or DRealSR; .*--paper only"):
        build(Request(out=tmp_path / "out", layout="paper-iv"))
    with pytest.raises(BenchError, match="no results of StableSR-S3, "):
        build(Request(out=tmp_path / "out", layout="paper-v", datasets=["own"]))


def test_free_tables_are_one_for_each_data_set_sorted_as_asked(out: Path) -> None:
    tables = build(Request(out=out, metrics=["l-std", "psnr"], sort="psnr", datasets=["own", "RealSR"]))
    assert [table.title for table in tables] == ["RealSR", "own"]
    assert rows(tables[1]) == [("own", ["BSRGAN", "Mine", "CCSR-S2"])]
    (table,) = build(Request(out=out, sort="l-std", datasets=["own"]))
    assert rows(table) == [("own", ["Mine", "CCSR-S2", "BSRGAN"])]  # lower is better; none comes last
    with pytest.raises(BenchError, match="unknown metric 'fid': known: l-std, psnr, ssim"):
        build(Request(out=out, sort="fid"))
    with pytest.raises(BenchError, match="did you mean ssim"):
        build(Request(out=out, metrics=["ssin"]))


@pytest.mark.parametrize("name", ["layout", "paper", "mark"])
def test_a_choice_that_does_not_exist_is_an_error(out: Path, name: str) -> None:
    choice = {"marking" if name == "mark" else name: "paper-x"}
    with pytest.raises(BenchError, match=f"unknown `{name}` 'paper-x'"):
        build(Request(out=out, **choice))  # type: ignore[arg-type]


def test_paper_beside_ours(out: Path) -> None:
    (table,) = build(Request(out=out, layout="paper-iv", paper="beside", datasets=["RealSR"]))
    cells = {row.title: row.cells["psnr"] for row in table.sections[0].rows}
    paper = cells["CCSR-S2"].paper
    assert paper is not None
    assert (paper.value, paper.g_std) == (25.86, 0.3032)
    assert "In parentheses: what the CCSR paper prints, and ours less the paper's." in table.notes
    assert "The paper's numbers are from Table IV: bsrgan (BSRGAN), ccsr-s2 (CCSR-S2)." in table.notes
    (table,) = build(Request(out=out, layout="paper-iii", paper="beside"))
    paper = table.sections[0].rows[1].cells["psnr"].paper
    assert paper is not None
    assert paper.g_std == 0.2916  # Table III prints another spread than Table IV


def test_paper_beside_ours_in_a_free_table_is_from_the_first_table_that_has_it(out: Path) -> None:
    tables = {table.title: table for table in build(Request(out=out, paper="beside"))}
    found = {row.method: row.cells["psnr"].paper for row in tables["RealSR"].sections[0].rows}
    assert {method: paper.value for method, paper in found.items() if paper} == {
        "bsrgan": 26.39,
        "ccsr-s2": 25.86,
        "ccsr-1of2-1of6": 26.29,
    }
    notes = "\n".join(tables["RealSR"].notes)
    assert "Table IV: bsrgan (BSRGAN), ccsr-s2 (CCSR-S2); Table III: ccsr-1of2-1of6" in notes
    assert "The paper has none of these methods on own." in tables["own"].notes


def paper_values(table: Table) -> dict[str, float | None]:
    """Return the paper's PSNR beside each row of a table of one data set."""
    cells = {row.method: row.cells["psnr"].paper for row in table.sections[0].rows}
    return {method: paper.value if paper else None for method, paper in cells.items()}


def test_a_method_of_ones_own_is_paired_with_a_row_of_the_paper_on_request(out: Path) -> None:
    choice = {"out": out, "datasets": ["RealSR"], "paper": "beside"}
    (table,) = build(Request(**choice))  # type: ignore[arg-type]
    assert paper_values(table) == {"bsrgan": 26.39, "ccsr-s2": 25.86, "ccsr-1of2-1of6": 26.29, "mine": None}
    (table,) = build(Request(**choice, paper_rows={"mine": "real-esrgan", "bsrgan": "V1"}))  # type: ignore[arg-type]
    values = paper_values(table)
    assert (values["mine"], values["ccsr-s2"]) == (25.69, 25.86)
    assert values["bsrgan"] not in (None, 26.39)  # the row that was asked for, and not its own
    assert "mine: paired with the paper's row Real-ESRGAN because the user asked for it." in table.notes
    assert "bsrgan: paired with the paper's row V1 because the user asked for it." in table.notes


def test_a_paired_method_takes_its_place_in_a_layout_under_its_own_title(out: Path) -> None:
    paired = {"mine": "BSRGAN"}
    for methods in ([], ["mine", "bsrgan", "ccsr-s2"]):
        choice = Request(out=out, layout="paper-iv", datasets=["RealSR"], methods=methods, paper_rows=paired)
        (table,) = build(choice)
        assert sorted(rows(table)[0][1]) == ["BSRGAN", "CCSR-S2", "Mine"]
        assert "mine: paired with the paper's row BSRGAN because the user asked for it." in table.notes
    (table,) = build(Request(out=out, layout="paper-iv", datasets=["RealSR"], paper="beside", paper_rows=paired))
    assert paper_values(table) == {"bsrgan": 26.39, "mine": 26.39, "ccsr-s2": 25.86}
    (table,) = build(Request(out=out, layout="paper-vii", datasets=["RealSR"], paper_rows={"mine": "StableSR-S200"}))
    assert "Mine" in rows(table)[0][1]


def test_a_paired_method_needs_no_other_rows(own: Dataset, tmp_path: Path) -> None:
    """Its title is its name, as `score` records it, and it is not lost for the paper's."""
    fill(tmp_path, Dataset("RealSR", "RealSR", 4, own.samples, paper_name="RealSR"), "mine", "mine")
    (table,) = build(Request(out=tmp_path, layout="paper-iii", paper_rows={"mine": "CCSR(2/3,1/2,2)"}, paper="beside"))
    assert rows(table) == [("RealSR", ["mine"])]
    assert paper_values(table)["mine"] is not None


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"paper": "beside", "paper_rows": {"nine": "BSRGAN"}}, "unknown method 'nine': did you mean mine"),
        (
            {"paper": "beside", "paper_rows": {"mine": "RealESRGAN"}},
            r"unknown row of the paper 'RealESRGAN': did you mean .*Real-ESRGAN.*\(in Tables IV, V, VI, I, II, III ",
        ),
        (
            {"layout": "paper-v", "paper_rows": {"mine": "BSRGAN"}},
            r"unknown row of the paper 'BSRGAN': .*\(in Table V of the CCSR paper\)",
        ),
        ({"paper_rows": {"mine": "BSRGAN"}}, "`paper_rows` pairs results with rows of the paper: add `paper` 'be"),
        ({"paper": "only", "layout": "paper-iv", "paper_rows": {"mine": "BSRGAN"}}, "without `paper` 'only'"),
    ],
)
def test_pairs_that_cannot_be_are_an_error(out: Path, choice: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        build(Request(out=out, **choice))


def test_papers_rows_below_ours(out: Path) -> None:
    (table,) = build(Request(out=out, layout="paper-iv", paper="rows", datasets=["RealSR"], marking="best"))
    section = table.sections[0]
    assert [row.title for row in section.rows[:3]] == ["BSRGAN", "CCSR-S2", "BSRGAN (paper)"]
    assert [row.source for row in section.rows] == ["ours"] * 2 + ["paper"] * 10
    assert {row.cells["psnr"].mark for row in section.rows[2:]} == {""}
    (table,) = build(Request(out=out, paper="rows", datasets=["RealSR"], metrics=["psnr"]))
    titles = [row.title for row in table.sections[0].rows]
    assert "CCSR-S2 (paper, IV, V, VI)" in titles
    assert table.sections[0].rows[-1].cells.keys() == {"psnr"}
    (table,) = build(Request(out=out, paper="rows", datasets=["own"]))
    assert "The paper has no results on own." in table.notes


def test_costs_are_what_was_recorded(out: Path) -> None:
    (table,) = build(Request(out=out, layout="paper-vii", datasets=["own"], metrics=["steps", "seconds", "parameters"]))
    assert rows(table) == [("own", ["CCSR-S2"])]
    cells = table.sections[0].rows[0].cells
    with Ledger(out / "own" / "ccsr-s2") as ledger:
        taken = [output.seconds or 0 for image in ledger.image_names() for output in ledger.outputs(image).values()]
    assert cells["seconds"].value == statistics.median(taken)
    assert (cells["steps"].value, cells["parameters"].value) == (2, 1.5)
    notes = "\n".join(table.notes)
    assert "median over all outputs that were generated here of the wall time of the call" in notes
    assert "ccsr-s2: timed on " in notes
    with pytest.raises(BenchError, match="unknown metric 'psnr': known: parameters, seconds, steps"):
        build(Request(out=out, layout="paper-vii", metrics=["psnr"]))


def test_marks_are_those_asked_for(own: Dataset, tmp_path: Path) -> None:
    for method, noise in (("a", 2), ("b", 40)):
        fill(tmp_path, own, method, method, noise=noise)
    marks = {}
    for marking in ("none", "best", "significant"):
        (table,) = build(Request(out=tmp_path, marking=marking, metrics=["psnr"], sort="psnr"))
        marks[marking] = [row.cells["psnr"].mark for row in table.sections[0].rows]
    assert marks == {"none": ["", ""], "best": ["best", "second"], "significant": ["", ""]}
    assert "1 comparison corrected" in table.notes[-1]  # of four images, so p is at least 2 / 2^4


def test_intervals_say_what_they_are(out: Path) -> None:
    (table,) = build(Request(out=out, datasets=["own"], intervals=True))
    assert table.intervals
    assert "In brackets: 95 % bootstrap intervals over images" in table.notes[-1]
    (table,) = build(Request(out=out, datasets=["own"], layout="paper-vii", metrics=["steps"], intervals=True))
    assert not table.intervals  # costs have none


def test_a_table_that_lacks_the_column_is_left_unsorted(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path, own, "a", "A", noise=8)
    fill(tmp_path, own, "b", "B", noise=2)
    fill(tmp_path, Dataset("other", "other", 4, own.samples), "a", "A")  # a single run has no L-STD
    titles = dict(pair for table in build(Request(out=tmp_path, sort="l-std")) for pair in rows(table))
    assert titles == {"own": ["B", "A"], "other": ["A"]}
    with pytest.raises(BenchError, match="unknown metric 'fid'"):
        build(Request(out=tmp_path, sort="fid"))


def test_a_column_that_nobody_has_is_no_empty_table(out: Path) -> None:
    with pytest.raises(
        BenchError, match="no results of fid for the chosen methods and data sets; run the methods again"
    ):
        build(Request(out=out, metrics=["fid"]))


def test_machines_are_those_of_outputs_made_here(own: Dataset, tmp_path: Path) -> None:
    scoring = Scoring(scorer(), PROTOCOLS["paper"], "cpu")
    files = {0: {sample.name: sample.hr for sample in own.samples}}
    do_jobs([images_job(files, "osediff-s1", own, own.samples, scoring, out=tmp_path, title="OSEDiff-S1")], scoring)
    (table,) = build(Request(out=tmp_path, layout="paper-vii", methods=["osediff-s1"], datasets=["own"]))
    assert not [note for note in table.notes if "osediff-s1: timed on" in note]
