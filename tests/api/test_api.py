"""The Python API, with strings as a user gives them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

import ccsr_bench as cb
from ccsr_bench.api.results import ResultsFolder
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from ccsr_bench.metrics.catalogue import METRICS
from tests.support.pictures import write_pairs

COLUMNS = [
    "dataset",
    "method",
    "title",
    "image",
    "run",
    "seed",
    "metric",
    "value",
    "seconds",
    "protocol",
    "definition",
]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("own"), ["image0", "image1", "image2"])


@pytest.fixture(scope="module")
def results(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    """Results of three runs of the control method."""
    return cb.run(
        "bicubic-dither",
        lr=str(pairs / "lr"),
        hr=str(pairs / "hr"),
        runs=3,
        metrics=["psnr", "ssim"],
        out=str(tmp_path_factory.mktemp("out")),
        device="cpu",
        progress=False,
    )


def test_a_method_and_a_data_set_are_given_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cb.run("bicubic-dither", dataset="sample", runs=2, metrics=["psnr", "ssim"], limit=2)
    frame = cb.load_results("results").frame()
    assert sorted(frame["metric"].unique()) == ["l-std", "psnr", "ssim"]
    assert len(frame) == 2 * (2 * 2 + 1)


def test_the_frame_holds_every_single_score_with_its_definition(results: ResultsFolder) -> None:
    frame = results.frame()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 3 * (2 * 3 + 1)
    scores = frame[frame["metric"] == "psnr"]
    assert scores["run"].tolist() == [0, 1, 2] * 3
    assert scores["seed"].tolist() == [cb.seed("custom", f"image{i}", run) for i in range(3) for run in range(3)]
    assert scores["definition"].str.contains("BT.601").all()
    assert (scores["seconds"] > 0).all()
    table_mean = results.table(metrics=["psnr"])[0].sections[0].rows[0].cells["psnr"].value
    assert scores["value"].mean() == pytest.approx(table_mean)
    spread = frame[frame["metric"] == "l-std"]
    assert spread["run"].isna().all()
    assert spread["value"].between(0.01, 0.04).all()


@pytest.mark.parametrize(("form", "read"), [("csv", pandas.read_csv), ("parquet", pandas.read_parquet)])
def test_scores_are_written_for_other_tools(results: ResultsFolder, tmp_path: Path, form: str, read: object) -> None:
    file = tmp_path / f"scores.{form}"
    assert results.write_scores(file) == len(results.frame())
    again = read(file)  # type: ignore[operator]
    assert list(again.columns) == COLUMNS
    np.testing.assert_array_equal(again["value"], results.frame()["value"])


def test_tables_are_displayed(results: ResultsFolder) -> None:
    tables = results.table()
    assert "| Bicubic + noise |" in str(tables)
    assert "<table>" in tables._repr_html_()
    assert "<table>" in results._repr_html_()
    assert r"\begin{tabular}" in tables.render("latex-table")
    assert str(cb.table(results.folder)) == str(tables)
    paired = cb.table(results.folder, paper="beside", paper_rows={"bicubic-dither": "Real-ESRGAN"})
    assert "bicubic-dither: paired with the paper's row Real-ESRGAN because the user asked for it." in str(paired)
    with pytest.raises(BenchError, match="unknown row of the paper 'ESRGAN': did you mean "):
        results.table(paper="beside", paper_rows={"bicubic-dither": "ESRGAN"})


class Nearest:
    """A method that repeats every pixel."""

    stochastic = False

    def restore(self, lr: np.ndarray, seeds: list[int]) -> np.ndarray:
        return lr.repeat(4, 0).repeat(4, 1)[None].repeat(len(seeds), 0)


@pytest.mark.parametrize("method", [Nearest, Nearest()])
def test_a_class_or_an_object_is_a_method(pairs: Path, tmp_path: Path, method: object) -> None:
    results = cb.run(
        method, lr=pairs / "lr", hr=pairs / "hr", metrics="psnr", out=tmp_path, device="cpu", progress=False
    )
    frame = results.frame()
    assert frame["method"].unique().tolist() == ["nearest"]
    hr = read_image(pairs / "hr" / "image0.png")
    lr = read_image(pairs / "lr" / "image0.png")
    expected = cb.metric("psnr", device="cpu")(lr.repeat(4, 0).repeat(4, 1), hr)
    assert frame.loc[frame["image"] == "image0", "value"].tolist() == [expected]


def test_images_made_elsewhere_are_scored_under_a_title(pairs: Path, tmp_path: Path) -> None:
    results = cb.score(
        str(pairs / "hr"),
        method="mine",
        title="My model (ours)",
        lr=str(pairs / "lr"),
        hr=str(pairs / "hr"),
        metrics=["ssim"],
        out=str(tmp_path),
        device="cpu",
        progress=False,
    )
    frame = results.frame()
    assert frame["title"].unique().tolist() == ["My model (ours)"]
    assert frame["value"].tolist() == pytest.approx([1.0] * 3)
    assert results.failures == {}


def test_results_compare_with_older_ones(results: ResultsFolder, pairs: Path, tmp_path: Path) -> None:
    ledger = results.folder / "custom" / "bicubic-dither"
    verdict = cb.compare(str(ledger), str(ledger), metrics=["psnr"])
    assert verdict.passed
    assert "no regression" in str(verdict)
    assert "<table>" in verdict._repr_html_()


def test_a_metric_takes_arrays_pictures_and_paths(pairs: Path) -> None:
    psnr = cb.metric("psnr", device="cpu")
    file = pairs / "hr" / "image0.png"
    hr = read_image(file)
    output = np.clip(hr.astype(int) + 5, 0, 255).astype(np.uint8)
    score = psnr(output, hr)
    assert isinstance(score, float)
    assert psnr(Image.fromarray(output), str(file)) == score
    batch = psnr(np.stack([output, hr]), hr)
    assert isinstance(batch, np.ndarray)
    assert batch[0] == score
    assert psnr([output, hr], [hr, hr]).tolist() == batch.tolist()  # type: ignore[union-attr]
    assert psnr.definition in repr(psnr)
    assert psnr.higher_is_better


@pytest.mark.parametrize(
    ("output", "reference", "message"),
    [
        (np.zeros((8, 8, 3)), np.zeros((8, 8, 3), np.uint8), "`output` is float64: scores are computed from 8-bit"),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8), r"`output` has shape \(8, 8\)"),
        (np.zeros((8, 8, 3), np.uint8), None, "give it as `reference`"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((16, 8, 3), np.uint8), "sizes must match"),
        ([], np.zeros((8, 8, 3), np.uint8), "`output` is an empty list"),
        (Image.new("L", (8, 8)), np.zeros((8, 8, 3), np.uint8), "`output` is a L image"),
        ("nowhere.png", np.zeros((8, 8, 3), np.uint8), "nowhere.png: no such image"),
    ],
)
def test_a_metric_refuses_anything_but_images(output: object, reference: object, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        cb.metric("psnr", device="cpu")(output, reference)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "bicubc"}, "unknown method 'bicubc': did you mean bicubic"),
        ({"dataset": "smple"}, "unknown data set 'smple': did you mean sample"),
        ({"dataset": None}, "give `dataset`, or both `lr` and `hr`"),
        ({"metrics": ["pnsr"]}, "unknown metric 'pnsr'"),
        ({"metrics": []}, "`metrics` is empty"),
        ({"runs": 0}, "`runs` is 0: it must be an integer of at least 1"),
        ({"limit": 0}, "`limit` is 0"),
        ({"shard": (2, 2)}, "`shard` is"),
        ({"device": "tpu"}, "`device` tpu does not exist"),
        ({"dtype": "float16"}, "`dtype`: method 'bicubic' runs no networks; leave it out"),
        ({"method": []}, "`method` is an empty list"),
        ({"method": 3}, "method"),
    ],
)
def test_errors_name_arguments(arguments: dict[str, object], message: str, tmp_path: Path) -> None:
    asked = {"method": "bicubic", "dataset": "sample", "out": tmp_path, "progress": False, **arguments}
    with pytest.raises(BenchError, match=message) as caught:
        cb.run(asked.pop("method"), **asked)  # type: ignore[arg-type]
    assert "--" not in str(caught.value)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, ccsr_bench; dir(ccsr_bench); ccsr_bench.__version__; "
        "print([name for name in ('torch', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name, info in METRICS.items() if info.kind == "distribution"])
def test_a_distance_of_sets_needs_sets(name: str) -> None:
    with pytest.raises(BenchError, match="no pt_inception"):
        cb.metric(name, device="cpu")
