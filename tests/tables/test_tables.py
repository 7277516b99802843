from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench import datasets
from ccsr_bench.datasets import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.interpolation import Interpolation
from ccsr_bench.stability import g_std
from ccsr_bench.store import Ledger
from ccsr_bench.tables.collect import collect
from ccsr_bench.tables.paper import paper_rows
from ccsr_bench.tables.render import FORMATS, as_json, cell_text, comma_separated, latex, markdown
from ccsr_bench.tables.rows import COLUMNS, L_STD, Cell, Row, Section
from tests.test_runner import FailsOn, run

PSNR, SSIM = COLUMNS[0], COLUMNS[1]


@pytest.fixture
def own(pairs: Path) -> Dataset:
    return datasets.from_folders(pairs / "lr", pairs / "hr", name="own")


def test_numbers_are_those_of_the_ledger(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    (section,) = collect(tmp_path)
    (row,) = section.rows
    with Ledger(tmp_path / "own" / "m") as ledger:
        scores = np.array([list(runs.values()) for runs in ledger.scores("psnr").values()])
        assert row.cells["psnr"].value == pytest.approx(scores.mean())
        assert row.cells["psnr"].g_std == pytest.approx(g_std(scores))
        assert row.cells["l-std"].value == pytest.approx(np.mean(list(ledger.l_std(4).values())))
    assert (row.runs, row.images) == (4, 4)
    interval = row.cells["psnr"].value_interval
    assert interval is not None
    assert interval.low < row.cells["psnr"].value < interval.high


@pytest.mark.parametrize(
    ("cell", "column", "text"),
    [
        (Cell(28.4351, 0.43659), PSNR, "28.44/0.4366"),
        (Cell(0.75546, None), SSIM, "0.7555/-"),
        (Cell(0.02893), L_STD, "0.0289"),
        (None, PSNR, "-"),
    ],
)
def test_cells_are_printed_as_in_the_paper(cell: Cell | None, column: object, text: str) -> None:
    assert cell_text(cell, column) == text  # type: ignore[arg-type]


def test_single_run_has_no_spread(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=Interpolation(kernel="bicubic"), runs=1)
    (section,) = collect(tmp_path)
    assert section.rows[0].cells["psnr"].g_std is None
    assert "l-std" not in section.rows[0].cells


def test_notes_say_what_every_number_means_and_what_is_missing(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=FailsOn(own.samples[1].read().lr))
    (section,) = collect(tmp_path)
    notes = "\n".join(section.notes)
    assert "Protocol `paper`" in notes
    assert "PSNR in dB on Y of BT.601" in notes
    assert "m: test." in notes
    assert "m: 3 of the 4 images asked for have 4 runs" in notes
    assert "m: 1 images failed, for instance image1: RuntimeError: out of luck" in notes
    assert section.rows[0].images == 3


def test_unfinished_top_up_keeps_the_row(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, runs=2)
    run(own, tmp_path, runs=5, names=["image0"])
    (section,) = collect(tmp_path)
    assert (section.rows[0].runs, section.rows[0].images) == (2, 4)
    assert "m: 5 runs were asked for; N is what all recorded images have (--runs chooses)." in section.notes
    (section,) = collect(tmp_path, runs=5)
    assert (section.rows[0].runs, section.rows[0].images) == (5, 1)
    assert "m: 1 of the 4 images asked for have 5 runs." in section.notes
    assert not [note for note in section.notes if "all recorded images" in note]
    (section,) = collect(tmp_path, runs=3)
    assert "m: L-STD covers 0 of 1 images; run it again with --runs 3." in section.notes


def test_metric_that_covers_fewer_images_says_so(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, metrics=["psnr"])
    run(own, tmp_path, names=["image0"])
    (section,) = collect(tmp_path)
    assert (section.rows[0].cells["psnr"].images, section.rows[0].cells["ssim"].images) == (4, 1)
    assert "m: SSIM covers 1 of 4 images; run it again with --runs 4." in section.notes


def test_different_definitions_are_never_in_one_table(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    run(own, tmp_path / "other", protocol="ccsr-v1")
    (tmp_path / "other" / "own" / "m").rename(tmp_path / "own" / "m-cropped")
    with pytest.raises(BenchError, match=r"is defined differently in .* never mixed"):
        collect(tmp_path)


def test_unknown_names_and_empty_folders(own: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no results"):
        collect(tmp_path)
    run(own, tmp_path)
    with pytest.raises(BenchError, match="unknown method 'n'"):
        collect(tmp_path, methods=["n"])
    with pytest.raises(BenchError, match="unknown data set 'owm': did you mean own"):
        collect(tmp_path, datasets=["owm"])


def section_of(*rows: Row) -> list[Section]:
    return [Section("A_b & 50%", (PSNR, L_STD), rows, ("Note with `code` & 5 % of _x_.",))]


ROW = Row("m", "M_1 | x", {"psnr": Cell(25.0, 0.1), "l-std": Cell(0.02)}, runs=10, images=100)


def test_markdown() -> None:
    lines = markdown(section_of(ROW)).splitlines()
    assert lines[2] == "| Method   |   N | Images |       PSNR ↑ | L-STD ↓ |"
    assert lines[4] == "| M_1 \\| x |  10 |    100 | 25.00/0.1000 |  0.0200 |"


def test_latex_compiles(tmp_path: Path) -> None:
    text = latex(section_of(ROW))
    assert r"A\_b \& 50\%" in text
    assert r"M\_1 | x & 10 & 100 & 25.00/0.1000 & 0.0200 \\" in text
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here to compile it with")
    document = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{text}\\end{{document}}"
    (tmp_path / "t.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-2000:]


def test_csv_and_json_have_full_precision(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    sections = collect(tmp_path)
    cells = sections[0].rows[0].cells
    rows = list(csv.DictReader(io.StringIO(comma_separated(sections))))
    assert [row["metric"] for row in rows] == ["psnr", "ssim", "l-std"]
    assert float(rows[0]["value"]) == cells["psnr"].value
    assert float(rows[0]["g_std"]) == cells["psnr"].g_std
    assert float(rows[0]["g_std_low"]) <= float(rows[0]["g_std"]) <= float(rows[0]["g_std_high"])
    assert json.loads(as_json(sections))["records"][0]["value"] == cells["psnr"].value
    assert FORMATS.keys() == {"md", "latex", "csv"}


def test_paper_rows_are_as_printed() -> None:
    rows = {row.title: row for row in paper_rows("RealSR", ["PSNR", "L-STD"])}
    ours = rows["CCSR-S2 (paper, IV, V, VI)"]
    assert cell_text(ours.cells["psnr"], PSNR).endswith("/0.3032")
    assert rows["BSRGAN (paper, IV)"].cells["psnr"].g_std is None


def test_paper_row_printed_differently_in_two_tables_is_two_rows() -> None:
    """DIV2K CCSR-S1: PSNR 24.31 in Tables IV and V, 24.32 in VI."""
    rows = {row.title: row.cells["psnr"].value for row in paper_rows("DIV2K", ["PSNR"]) if row.method == "CCSR-S1"}
    assert rows == {"CCSR-S1 (paper, IV, V)": 24.31, "CCSR-S1 (paper, VI)": 24.32}


def test_paper_rows_stand_beside_ours(pairs: Path, tmp_path: Path) -> None:
    dataset = datasets.from_folders(pairs / "lr", pairs / "hr", name="own")
    realsr = Dataset("own", "t", 4, dataset.samples, paper_name="RealSR")
    run(realsr, tmp_path)
    (section,) = collect(tmp_path, paper=True)
    assert section.rows[0].source == "ours"
    assert {row.source for row in section.rows[1:]} == {"paper"}
    assert {"psnr", "ssim", "l-std"} >= set(section.rows[1].cells)
