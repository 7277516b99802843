from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ccsr_bench.metrics.quantities import L_STD, SCORES, Quantity
from ccsr_bench.statistics.bootstrap import Interval
from ccsr_bench.tables.build import build
from ccsr_bench.tables.render.cells import cell_text
from ccsr_bench.tables.render.html import html
from ccsr_bench.tables.render.latex import document, escaped, fragment
from ccsr_bench.tables.render.markdown import markdown
from ccsr_bench.tables.render.records import as_json, comma_separated
from ccsr_bench.tables.request import LAYOUTS, Request
from ccsr_bench.tables.rows import Cell, Row, Section, Table

PSNR, SSIM = SCORES[0], SCORES[1]

ROW = Row("m", "M_1 | x", {"psnr": Cell(25.0, 0.1, mark="best"), "l-std": Cell(0.02, mark="second")}, 10, 100)
ODD = Row("n", '[*] <b>"É"</b> --x \\ 中 ~^#', {"psnr": Cell(26.0)})


def table_of(*rows: Row, intervals: bool = False) -> Table:
    section = Section("A_b & 50%", (PSNR, L_STD), rows)
    return Table(section.dataset, (section,), ("Note with `code` & 5 % of _x_ < 2.",), intervals=intervals)


@pytest.mark.parametrize(
    ("cell", "column", "text"),
    [
        (Cell(28.4351, 0.43659), PSNR, "28.44/0.4366"),
        (Cell(0.75546, None), SSIM, "0.7555/-"),
        (Cell(0.02893), L_STD, "0.0289"),
        (None, PSNR, "-"),
        (Cell(25.004, 0.1, paper=Cell(24.99, 0.2)), PSNR, "25.00/0.1000 (paper 24.99/0.2000, +0.01/-0.1000)"),
        (Cell(25.0, paper=Cell(25.31, 0.2)), PSNR, "25.00/- (paper 25.31/0.2000, -0.31)"),
        (Cell(0.02, paper=Cell(0.03)), L_STD, "0.0200 (paper 0.0300, -0.0100)"),
    ],
)
def test_cells_are_printed_as_in_the_paper(cell: Cell | None, column: Quantity, text: str) -> None:
    assert cell_text(cell, column) == text


def test_difference_from_the_paper_is_of_what_is_printed() -> None:
    """Not -0.00, where both are printed alike."""
    assert cell_text(Cell(25.149, paper=Cell(25.15)), PSNR) == "25.15/- (paper 25.15/-, +0.00)"


def test_intervals_are_shown_when_asked_for() -> None:
    cell = Cell(25.0, 0.1, value_interval=Interval(24.5, 25.5), g_std_interval=Interval(0.05, 0.15))
    assert cell_text(cell, PSNR) == "25.00/0.1000"
    assert cell_text(cell, PSNR, intervals=True) == "25.00 [24.50, 25.50]/0.1000 [0.0500, 0.1500]"
    row = Row("m", "M", {"psnr": cell})
    assert "[24.50, 25.50]" in markdown([table_of(row, intervals=True)])
    assert "[24.50, 25.50]" not in markdown([table_of(row)])


def test_markdown() -> None:
    lines = markdown([table_of(ROW)]).splitlines()
    assert lines[2] == "| Method   |   N | Images |           PSNR ↑ |  L-STD ↓ |"
    assert lines[4] == "| M_1 \\| x |  10 |    100 | **25.00**/0.1000 | *0.0200* |"
    assert "- **Bold**: best; *italic*: second best." in lines
    assert "Bold" not in markdown([table_of(ODD)])


def compile_with_pdflatex(folder: Path, text: str) -> str:
    """Return the log; skip where there is no TeX."""
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here to compile it with")
    (folder / "t.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


def test_latex_document_compiles_as_it_is(tmp_path: Path) -> None:
    papers = [table for layout in LAYOUTS for table in build(Request(layout=layout, paper="only", marking="best"))]
    assert len(papers) == 7
    log = compile_with_pdflatex(tmp_path, document([*papers, table_of(ROW, ODD)]))
    assert "Overfull \\hbox" not in log


def test_latex_table_compiles_in_a_paper_with_the_packages_it_names(tmp_path: Path) -> None:
    (tmp_path / "table.tex").write_text(fragment([table_of(ROW, ODD)]), encoding="utf-8")
    named = [line.lstrip("% ") for line in fragment([]).splitlines() if "usepackage" in line]
    paper = "\n".join([r"\documentclass{article}", *named, r"\begin{document}\input{table}\end{document}"])
    assert "Output written on t.pdf (1 page" in compile_with_pdflatex(tmp_path, paper)


def test_latex_prints_any_text(tmp_path: Path) -> None:
    every = "".join(chr(code) for code in range(1, 0x250)) + "\u202e中\U0001f600–’×"
    compile_with_pdflatex(tmp_path, rf"\documentclass{{article}}\begin{{document}}{escaped(every)}\end{{document}}")
    assert escaped("a--b_c `d` 5 %\n\ne") == r"a-{}-b\_c d 5 \% e"
    assert escaped("É中") == r"É\texttt{U+4E2D}"


def test_latex() -> None:
    text = document([table_of(ROW, ODD)])
    assert r"\caption{A\_b \& 50\%.}" in text
    assert r"M\_1 \textbar{} x & 10 & 100 & \textcolor{red}{25.00}/0.1000 & \textcolor{blue}{0.0200} \\" in text
    assert "\n{}[*]" in text  # else LaTeX would take it for an option
    assert "Note with code \\& 5 \\% of \\_x\\_" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1


def test_html_is_one_page_with_everything_escaped() -> None:
    page = html([table_of(ROW, ODD)])
    assert page.startswith("<!DOCTYPE html>")
    section = page[page.index("<section") : page.index("</section>") + len("</section>")]
    tree = ElementTree.fromstring(section)  # well-formed
    heads = [row.find("th").text for row in tree.findall(".//tbody/tr")]  # type: ignore[union-attr]
    assert heads == [ROW.title, ODD.title]
    assert [(tag, tree.find(f".//td/{tag}").text) for tag in ("b", "u")] == [  # type: ignore[union-attr]
        ("b", "25.00"),
        ("u", "0.0200"),
    ]
    assert tree.find(".//caption").text == "A_b & 50%"  # type: ignore[union-attr]
    assert "Note with `code` & 5 % of _x_ < 2." in [item.text for item in tree.findall(".//li")]
    assert "prefers-color-scheme: dark" in page
    for outside in ("http", "<script", "<link", "url("):
        assert outside not in page


def test_csv_and_json_have_full_precision() -> None:
    cell = Cell(1 / 3, 1 / 7, tuple("abcde"), Interval(0.1, 0.9), Interval(0.0, 0.2), "best", Cell(0.25, None))
    tables = [table_of(Row("m", "M", {"psnr": cell}, 10, 5))]
    (record,) = csv.DictReader(io.StringIO(comma_separated(tables)))
    assert float(record["value"]) == 1 / 3
    assert float(record["g_std"]) == 1 / 7
    assert (record["value_low"], record["g_std_high"], record["mark"]) == ("0.1", "0.2", "best")
    assert (record["paper_value"], record["paper_g_std"]) == ("0.25", "")
    loaded = json.loads(as_json(tables))
    assert loaded["records"][0]["value"] == 1 / 3
    assert loaded["records"][0]["cell"] == "0.33/0.1429 (paper 0.25/-, +0.08)"
    assert loaded["notes"] == {"A_b & 50%": ["Note with `code` & 5 % of _x_ < 2."]}


def test_several_data_sets_are_one_table() -> None:
    sections = tuple(Section(name, (PSNR,), (Row("m", "M", {"psnr": Cell(20.0)}),)) for name in ("A", "B"))
    table = Table("Two", sections, counts=False)
    assert [line for line in markdown([table]).splitlines() if line.startswith(("| A", "| B"))] == [
        "| A        | M      | 20.00/- |",
        "| B        | M      | 20.00/- |",
    ]
    assert document([table]).count(r"\begin{tabular}") == 1
    assert html([table]).count("<tbody>") == 2
