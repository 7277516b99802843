"""What version 0.1.0 recorded still opens, resumes and compares, and the same run gives the same bytes and scores."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import PIL
import pytest

from ccsr_bench.images import pixels_sha256, read_image
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.ledger.results import open_results
from tests.support.cli import Capture, done, mistake

RECORDED = Path(__file__).parents[1] / "fixtures" / "version-0.1.0"
PAIRS = ["--lr", RECORDED / "own" / "lr", "--hr", RECORDED / "own" / "hr", "--dataset", "own"]
METRICS = ["--metrics", "psnr", "ssim"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A copy of the recorded results, to add to."""
    return Path(shutil.copytree(RECORDED / "results", tmp_path / "results"))


def rows(ledger: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return what a ledger holds of images, without sessions and times."""
    queries = {
        "outputs": "SELECT image, run, seed, png_sha256, origin_sha256 FROM outputs ORDER BY 1, 2",
        "scores": "SELECT image, run, metric, value FROM scores ORDER BY 1, 2, 3",
        "l_std": "SELECT image, runs, value FROM l_std ORDER BY 1, 2",
    }
    with closing(sqlite3.connect(ledger / "ledger.sqlite")) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def test_recorded_results_give_the_recorded_table(results: Path, capsys: Capture) -> None:
    done(["table", "--out", results, "--json"])
    table, recorded = json.loads(capsys.readouterr().out), json.loads((RECORDED / "table.json").read_text())
    assert {record.pop("own_weights") for record in table["records"]} == {""}  # 0.1.0 did not record them
    assert table["records"] == recorded["records"]
    # What made the rows is said as it was; the version is that of the recording.
    assert table["notes"] == recorded["notes"]


@pytest.mark.parametrize(
    ("method", "arguments", "images"),
    [
        ("bicubic", ["run", "--method", "bicubic", "--runs", "3"], 0),
        ("bicubic-dither", ["run", "--method", "bicubic-dither", "--runs", "3"], 0),
        ("bicubic-dither", ["run", "--method", "bicubic-dither", "--runs", "4"], 2),
        ("bicubic-dither.same-seed", ["run", "--method", "bicubic-dither", "--same-seed", "--runs", "4"], 2),
        ("elsewhere", ["score", "--method", "elsewhere", "--images", RECORDED / "outputs"], 0),
    ],
)
def test_recorded_ledgers_are_added_to(
    results: Path, capsys: Capture, method: str, arguments: list[object], images: int
) -> None:
    ledger = results / "own" / method
    before = rows(ledger)
    done([*arguments, *PAIRS, *METRICS, "--out", results])
    assert f"{method}: 2 images" in (printed := capsys.readouterr().out)
    assert f"{images} images computed now" in printed
    after = rows(ledger)
    for table, recorded in before.items():
        assert set(recorded) <= set(after[table])
    assert len(after["outputs"]) == len(before["outputs"]) + images


def test_runs_added_to_a_recorded_ledger_are_those_of_a_new_one(results: Path, tmp_path: Path) -> None:
    for out in (results, tmp_path / "new"):
        done(["run", "--method", "bicubic-dither", "--runs", "5", *PAIRS, *METRICS, "--out", out])
    assert (
        rows(results / "own" / "bicubic-dither")["outputs"]
        == rows(tmp_path / "new" / "own" / "bicubic-dither")["outputs"]
    )


def test_a_recorded_noise_floor_is_known_as_one(results: Path) -> None:
    with open_results(results, methods=["bicubic-dither.same-seed"]) as (floor,):
        assert (floor.identity.method, floor.identity.same_seed) == ("bicubic-dither", True)
        assert floor.description.title == "Bicubic + noise (same seed)"


def test_another_method_under_a_recorded_name_is_still_refused(results: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "methods" / "mine"
    folder.mkdir(parents=True)
    manifest = (Path(__file__).parents[2] / "methods" / "bicubic-dither" / "method.toml").read_text()
    renamed = manifest.replace("bicubic-dither", "elsewhere").replace("sigma = 8.0", "sigma = 9.0")
    (folder / "method.toml").write_text(renamed)
    with Ledger(results / "own" / "elsewhere") as ledger:
        assert ledger.identity.made_by_text == "images made elsewhere"
    arguments = ["run", "--method", "elsewhere", "--methods-dir", folder.parent, *PAIRS, *METRICS, "--out", results]
    assert "were made by 'images made elsewhere'" in mistake(capsys, *arguments)


def test_a_recorded_baseline_compares_with_new_results(tmp_path: Path, capsys: Capture) -> None:
    done(["run", "--method", "bicubic-dither", "--runs", "3", *PAIRS, *METRICS, "--out", tmp_path])
    done(["compare", RECORDED / "baseline.json", tmp_path / "own" / "bicubic-dither", "--metrics", "psnr"])
    assert "no regression" in capsys.readouterr().out


def test_a_recorded_report_is_replaced(results: Path, tmp_path: Path) -> None:
    report = Path(shutil.copytree(RECORDED / "report", tmp_path / "report"))
    done(["report", "--out", results, "--to", report])
    assert (report / "page").is_dir()


@pytest.mark.parametrize("method", ["bicubic", "bicubic-dither", "lanczos"])
def test_a_run_of_sample_gives_the_recorded_bytes_and_scores(tmp_path: Path, method: str) -> None:
    done(["run", "--method", method, "--dataset", "sample", *METRICS, "--out", tmp_path])
    recording = json.loads((RECORDED / "sample.json").read_text())
    recorded = recording["methods"][method]
    with Ledger(tmp_path / "sample" / method) as ledger:
        assert ledger.image_names() == sorted(recorded)
        for image, expected in recorded.items():
            record = ledger.record(image)
            files = [ledger.image_path(image, run) for run in sorted(record.outputs)]
            assert [pixels_sha256(read_image(file)) for file in files] == expected["pixels_sha256"]
            if PIL.__version__ == recording["pillow"]:  # another version may compress otherwise
                assert [record.outputs[run].png_sha256 for run in sorted(record.outputs)] == expected["png_sha256"]
            for metric, scores in record.scores.items():
                assert list(scores.values()) == pytest.approx(expected["scores"][metric], rel=1e-12)
            assert list(record.l_std.values()) == ([expected["l_std"]] if "l_std" in expected else [])
