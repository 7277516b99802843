"""The paper's own numbers, in every format, against the files that hold them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ccsr_bench.ccsr.settings import read_settings
from ccsr_bench.cli.table import _FORMATS, _LAYOUTS
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.metrics.quantities import SCORES
from ccsr_bench.paper.names import common_name, corrected_name, read_setting, variants_of
from ccsr_bench.places import shipped
from ccsr_bench.tables.build import build
from ccsr_bench.tables.paper import paper_methods, paper_rows
from ccsr_bench.tables.render import FORMATS
from ccsr_bench.tables.render.cells import cell_text
from ccsr_bench.tables.request import LAYOUTS, Request
from tests.support.tables import Cells, from_csv, from_html, from_latex, from_markdown

READERS = {
    "md": from_markdown,
    "latex": from_latex,
    "latex-table": from_latex,
    "html": from_html,
    "csv": from_csv,
}


def printed(layout: str) -> Cells:
    """Return the cells of a table as its file has them, digit by digit."""
    number = LAYOUTS[layout]
    cells: Cells = {}
    if number == "VII":
        labels = ("Steps", "Seconds/image", "Parameters/10^9")
        with (shipped("results/paper") / "table7.csv").open(newline="") as file:
            for method, *costs in list(csv.reader(file))[1:]:
                cells |= {("", method, label): cost for label, cost in zip(labels, costs, strict=True)}
        return cells
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["table"] == number:
                text = row["value"] or "-"
                if row["value"] and row["metric"] != "L-STD":
                    text += f"/{row['g_std'] or '-'}"
                cells[row["dataset"], row["method"], row["metric"]] = text
    return cells


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", READERS)
def test_every_cell_is_as_printed_and_in_order(layout: str, name: str) -> None:
    tables = build(Request(layout=layout, paper="only", marking="best"))
    cells = READERS[name](FORMATS[name](tables))
    expected = printed(layout)
    if name == "csv":  # which has no line for an empty cell
        expected = {place: text for place, text in expected.items() if text != "-"}
    assert len(expected) >= 36
    assert list(cells.items()) == list(expected.items())


def test_layouts_and_formats_of_the_command_line_are_all() -> None:
    assert {*_LAYOUTS} == {"free", *LAYOUTS}
    assert {*_FORMATS} == {*FORMATS} == {*READERS}


@pytest.mark.parametrize(
    "wish", [{"methods": ["x"]}, {"runs": 3}, {"intervals": True}, {"marking": "significant"}, {"datasets": ["x"]}]
)
def test_the_papers_table_takes_nothing_that_needs_results(wish: dict[str, object]) -> None:
    with pytest.raises(BenchError, match="leave out `methods`"):
        build(Request(layout="paper-iv", paper="only", **wish))  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="choose it with `layout`"):
        build(Request(paper="only"))


def test_columns_of_the_papers_table_can_be_chosen_and_sorted_by() -> None:
    (table,) = build(Request(layout="paper-vi", paper="only", metrics=["l-std", "psnr"], sort="l-std"))
    assert [column.label for column in table.columns] == ["L-STD", "PSNR"]
    realsr = table.sections[1]
    assert realsr.dataset == "RealSR"
    assert [row.title for row in realsr.rows][:2] == ["CCSR-S1", "CCSR-S2"]
    assert realsr.rows[-1].title == "OSEDiff-S1"  # which has none
    with pytest.raises(BenchError, match="unknown metric 'psn'"):
        build(Request(layout="paper-vi", paper="only", metrics=["psn"]))


def test_paper_rows_are_as_printed() -> None:
    rows = {row.title: row for row in paper_rows("RealSR", ["PSNR", "L-STD"])}
    ours = rows["CCSR-S2 (paper, IV, V, VI)"]
    assert cell_text(ours.cells["psnr"], SCORES[0]).endswith("/0.3032")
    assert rows["BSRGAN (paper, IV)"].cells["psnr"].g_std is None


def test_paper_row_printed_differently_in_two_tables_is_two_rows() -> None:
    """DIV2K CCSR-S1: PSNR 24.31 in Tables IV and V, 24.32 in VI."""
    rows = {row.title: row.cells["psnr"].value for row in paper_rows("DIV2K", ["PSNR"]) if row.method == "CCSR-S1"}
    assert rows == {"CCSR-S1 (paper, IV, V)": 24.31, "CCSR-S1 (paper, VI)": 24.32}


def test_every_row_of_the_paper_is_a_method_here() -> None:
    methods = find_methods()
    names = {name for number in LAYOUTS.values() for name in paper_methods(number)}
    found = {name: variants_of(name, methods) for name in names}
    assert {name for name, variants in found.items() if not variants} == set()
    assert found["DiffBIR-S50"] == ["diffbir-v1-s50", "diffbir-v2-s50"]  # which of them is not stated
    assert found["V1"] == ["ccsr-v1"]
    assert found["CCSR(6,2)"] == found["CCSR(2/3,1/2,2)"] == found["CCSR-S2"] == ["ccsr-s2"]
    assert found["CCSR(1/2,1/6,2)"] == ["ccsr-1of2-1of6"]
    assert common_name("CCSR(6,2)", methods) == "CCSR-S2"


def test_steps_of_a_setting_are_those_of_the_sampler() -> None:
    methods = find_methods()
    for name in (*paper_methods("II"), *paper_methods("III")):
        setting = read_setting(name)
        assert setting is not None
        (variant,) = variants_of(name, methods)
        assert setting.steps == read_settings(methods[variant].variant.parameters).schedule.network_calls
    assert corrected_name("CCSR(1/2,1/6,2)") == "CCSR(1/2,1/6,3)"
    assert corrected_name("CCSR(18,4)") == "CCSR(18,4)"
    assert read_setting("CCSR-S2") is None


def test_notes_say_what_the_numbers_are(tmp_path: Path) -> None:
    (table,) = build(Request(layout="paper-iii", paper="only"))
    text = "\n".join(table.notes)
    assert "nothing is computed here" in text
    assert "N = 10 runs" in text
    assert "100 images of RealSR, 93 images of DRealSR" in text
    (costs,) = build(Request(layout="paper-vii", paper="only"))
    assert "one run of a 128x128 image on an A100 80G" in "\n".join(costs.notes)
