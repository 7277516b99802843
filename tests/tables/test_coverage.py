"""A number that covers a part of its row's images is marked wherever it is shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ccsr_bench.api.results import load_results
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.html_report.content import dataset_content
from ccsr_bench.ledger.results import open_results
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.psnr import PSNR
from ccsr_bench.metrics.quantities import SCORES
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.tables.build import build
from ccsr_bench.tables.collect import OTHER_IMAGES_NOTE, PARTIAL_NOTE
from ccsr_bench.tables.render import FORMATS, Tables
from ccsr_bench.tables.request import Request
from ccsr_bench.tables.rows import Row
from tests.support.jobs import fill, run, set_scorer
from tests.support.tables import from_csv, from_html, from_latex, from_markdown

READERS = {"md": from_markdown, "latex": from_latex, "latex-table": from_latex, "html": from_html, "csv": from_csv}
LABELS = {column.label: column.name for column in SCORES}
IMAGES = ("image0", "image1", "image2", "image3")


def record(own: Dataset, out: Path, covered: Sequence[str]) -> None:
    """Record `m`, which has PSNR of four images, and all else, and L-STD over three runs, of some of them only."""
    for runs in (3, 4):
        run(own, out, names=covered, runs=runs)
    run(own, out, names=covered, runs=4, scoring=set_scorer())
    run(own, out, runs=4, metrics=["psnr"])
    run(own, out, name="n", title="N", runs=4)


def expected(row: Row, column: str) -> str:
    """Return the mark that a cell must have."""
    cell = row.cells[column]
    assert cell.images is not None
    assert row.images is not None
    return f"({cell.images} of {row.images} images)" if cell.images < row.images else ""


@pytest.mark.parametrize("covered", [IMAGES[:2], IMAGES[1:], IMAGES], ids=["two", "three", "all"])
@pytest.mark.parametrize("intervals", [False, True], ids=["plain", "intervals"])
def test_every_format_marks_exactly_the_partial_cells(
    own: Dataset, tmp_path: Path, covered: Sequence[str], intervals: bool
) -> None:
    record(own, tmp_path, covered)
    for runs in (None, 3):
        (table,) = tables = build(Request(out=tmp_path, runs=runs, marking="best", intervals=intervals))
        rows = {row.title: row for row in table.sections[0].rows}
        partial = {name for name, cell in rows["M"].cells.items() if cell.missing}
        ssim_and_sets = {"ssim", "fid", "kid"} if runs is None else {"ssim", "fid", "kid", "l-std"}
        assert partial == (set() if covered == IMAGES else ssim_and_sets & set(rows["M"].cells))
        assert not any(cell.missing for cell in rows["N"].cells.values())
        assert (PARTIAL_NOTE in table.notes) == bool(partial)
        for form, read in READERS.items():
            for (_, title, label), text in read(FORMATS[form](tables)).items():
                if label in LABELS and LABELS[label] in rows[title].cells:
                    mark = expected(rows[title], LABELS[label])
                    assert (mark in text) if mark else (" of " not in text), (form, title, label)
        for records in (
            list(csv.DictReader(io.StringIO(FORMATS["csv"](tables)))),
            json.loads(Tables(tables).render("json"))["records"],
        ):
            marked = {(one["title"], one["metric"]) for one in records if one["mark"] == "partial"}
            assert marked == {("M", name) for name in partial}
            assert {int(one["images"]) for one in records if one["mark"] == "partial"} == (
                {len(covered)} if partial else set()
            )


class FailsOnce(PSNR):
    """A metric that fails on the first image."""

    fails = True

    def score(self, outputs: ImageBatch, prepared: Tensor) -> Tensor:
        if self.fails:
            self.fails = False
            raise RuntimeError("out of luck")
        return super().score(outputs, prepared)


def test_a_metric_that_failed_on_an_image_is_partial(own: Dataset, tmp_path: Path) -> None:
    scoring = Scorer({"psnr": PSNR(), "ssim": FailsOnce()}, torch.device("cpu"))
    assert run(own, tmp_path, runs=1, scoring=scoring).failures
    (section,) = build(Request(out=tmp_path))[0].sections
    assert {name: cell.coverage for name, cell in section.rows[0].cells.items()} == {
        "psnr": "",
        "ssim": "3 of 4 images",
    }


def test_notebooks_and_the_report_mark_partial_cells(own: Dataset, tmp_path: Path) -> None:
    record(own, tmp_path, IMAGES[:1])
    assert "(1 of 4 images)" in load_results(tmp_path)._repr_html_()
    with open_results(tmp_path) as results:
        content = dataset_content(results, IMAGES)
    assert PARTIAL_NOTE in content.notes
    cells = {method.name: method.cells for method in content.methods}
    assert (cells["m"]["ssim"].coverage, cells["m"]["ssim"].complete) == ("1 of 4 images", False)
    assert (cells["n"]["ssim"].coverage, cells["n"]["ssim"].complete) == ("", True)
    assert {(method.images, method.coverage) for method in content.methods} == {(4, "4")}


def test_a_partial_value_is_never_best_and_is_sorted_below_complete_ones(own: Dataset, tmp_path: Path) -> None:
    record(own, tmp_path, IMAGES[:1])
    fill(tmp_path, own, "noisy", "Noisy", noise=60)
    fill(tmp_path, Dataset("own", "own", 4, own.samples), "plain", "Plain")
    run(own, tmp_path, name="empty", title="Empty", runs=1, metrics=["psnr"])
    (table,) = build(Request(out=tmp_path, sort="ssim", marking="best", metrics=["ssim", "psnr"]))
    assert [row.title for row in table.sections[0].rows] == ["Plain", "N", "Noisy", "M", "Empty"]
    marks = {row.title: row.cells["ssim"].mark for row in table.sections[0].rows if "ssim" in row.cells}
    assert marks == {"Plain": "best", "N": "second", "Noisy": "", "M": ""}


def test_values_that_are_all_partial_are_not_marked(own: Dataset, tmp_path: Path) -> None:
    for name, noise_runs in (("a", 2), ("b", 3)):
        run(own, tmp_path, name=name, runs=noise_runs, names=IMAGES[:2])
        run(own, tmp_path, name=name, runs=noise_runs, metrics=["psnr"])
    (table,) = build(Request(out=tmp_path, marking="best"))
    assert {row.cells["ssim"].mark for row in table.sections[0].rows} == {""}
    assert {row.cells["psnr"].mark for row in table.sections[0].rows} == {"best", "second"}


def test_rows_of_a_part_of_the_data_set_say_so(own: Dataset, tmp_path: Path) -> None:
    dataset = Dataset("RealSR", "RealSR", 4, own.samples, paper_name="RealSR")
    fill(tmp_path, dataset, "bsrgan", "BSRGAN")
    (table,) = build(Request(out=tmp_path))
    assert OTHER_IMAGES_NOTE not in table.notes
    run(dataset, tmp_path, name="ccsr-s2", title="CCSR-S2", names=IMAGES[:3])
    (table,) = tables = build(Request(out=tmp_path, sort="psnr"))
    assert [row.coverage for row in table.sections[0].rows] == ["4", "3 of 4"]
    assert OTHER_IMAGES_NOTE in table.notes
    for form in ("md", "latex", "html"):
        assert "3 of 4" in FORMATS[form](tables)
    (table,) = tables = build(Request(out=tmp_path, layout="paper-iv", paper="beside"))
    for form in ("md", "latex", "html"):
        assert "CCSR-S2 (3 of 4 images)" in FORMATS[form](tables)


def test_as_many_but_other_images_are_said_to_be_other(own: Dataset, tmp_path: Path) -> None:
    for name, names in (("a", IMAGES[:2]), ("b", IMAGES[2:])):
        run(own, tmp_path, name=name, names=names, runs=2)
    (table,) = build(Request(out=tmp_path, marking="best"))
    assert OTHER_IMAGES_NOTE in table.notes
    assert {cell.mark for row in table.sections[0].rows for cell in row.cells.values()} == {""}


def test_the_papers_number_beside_a_partial_value_does_not_hide_its_mark(own: Dataset, tmp_path: Path) -> None:
    dataset = Dataset("RealSR", "RealSR", 4, own.samples, paper_name="RealSR")
    run(dataset, tmp_path, name="bsrgan", title="BSRGAN", runs=1, metrics=["psnr"], names=IMAGES)
    run(dataset, tmp_path, name="bsrgan", title="BSRGAN", runs=1, names=IMAGES[:1])
    text = FORMATS["md"](build(Request(out=tmp_path, paper="beside", metrics=["ssim"])))
    assert "/- (1 of 4 images) (paper " in text
