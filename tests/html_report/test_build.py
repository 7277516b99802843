"""The folder of a report: its contents, and how an existing folder is replaced."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ccsr_bench.html_report.build import MOST_THREADS, thread_count
from ccsr_bench.html_report.pictures import ImageContent, PictureTask, write_pictures
from ccsr_bench.images import read_image, write_png
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.stability import l_std, std_map
from tests.support.cli import Capture, done, mistake
from tests.support.pictures import picture
from tests.support.reports import HOSTILE, NAMES, RUNS, build, own_images, with_a_noise_floor_of_two_runs


def content(report: Path) -> dict[str, Any]:
    """Return the page's data of the only data set."""
    text = (report / "data.js").read_text(encoding="utf-8")
    (dataset,) = json.loads(text.removeprefix("const REPORT = ").removesuffix(";\n"))["datasets"]
    return dict(dataset)


@pytest.fixture
def copied(results: Path, tmp_path: Path) -> Path:
    """A copy of the results, which a test may change."""
    return shutil.copytree(results, tmp_path / "results")


def test_page_has_the_data_of_the_ledger(results: Path, tmp_path: Path) -> None:
    build(results, tmp_path / "report")
    data = content(tmp_path / "report")
    assert [image["name"] for image in data["images"]] == sorted(NAMES)
    assert (data["ranked_by"], [column["name"] for column in data["columns"]]) == ("psnr", ["psnr", "ssim", "l-std"])
    plain, noisy = data["methods"]
    assert (plain["runs"], noisy["runs"], noisy["images"]) == (1, RUNS, len(NAMES))
    with Ledger(results / "out" / "own" / "bicubic-dither") as ledger:
        scores = {name: list(runs.values()) for name, runs in ledger.scores("psnr").items()}
        seconds = [output.seconds for name in NAMES for output in ledger.outputs(name).values()]
        assert noisy["seconds"] == pytest.approx(np.median([s for s in seconds if s is not None]))
        assert noisy["scores"]["l-std"] == [[ledger.l_std(RUNS)[name]] for name in sorted(NAMES)]
    assert noisy["scores"]["psnr"] == [scores[name] for name in sorted(NAMES)]
    assert noisy["best"] == [int(np.argmax(scores[name])) for name in sorted(NAMES)]
    assert noisy["worst"] == [int(np.argmin(scores[name])) for name in sorted(NAMES)]
    assert noisy["cells"]["psnr"]["value"] == pytest.approx(np.mean(list(scores.values())))
    assert [method["cells"]["psnr"]["mark"] for method in data["methods"]] == ["best", "second"]
    assert any("bicubic-dither: " in note for note in data["notes"])


def test_pictures_are_those_of_the_output_folder_under_safe_names(results: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    build(results, report)
    for index, name in enumerate(sorted(NAMES)):
        folder = report / "images" / "d0" / f"i{index:04d}"
        assert read_image(folder / "lr.png").tobytes() == read_image(results / "lr" / f"{name}.png").tobytes()
        assert (folder / "hr.png").read_bytes() == (results / "hr" / f"{name}.png").read_bytes()
        with Ledger(results / "out" / "own" / "bicubic-dither") as ledger:
            for run in range(RUNS):
                assert (folder / f"m1-r{run:02d}.png").samefile(ledger.image_path(name, run))
        with Image.open(folder / "m1-small.jpg") as thumbnail:
            assert thumbnail.size == (64, 64)
    assert all(
        path.name.isascii() and path.name.replace("-", "").replace(".", "").isalnum() for path in report.rglob("*")
    )
    assert HOSTILE not in (report / "data.js").read_text(encoding="utf-8")  # its < is written otherwise


def test_heat_map_is_the_standard_deviation_over_runs(results: Path, tmp_path: Path) -> None:
    build(results, tmp_path / "report")
    image = content(tmp_path / "report")["images"][0]
    outputs = np.stack(
        [read_image(tmp_path / "report" / image["folder"] / f"m1-r{run:02d}.png") for run in range(RUNS)]
    )
    with Image.open(tmp_path / "report" / image["folder"] / "m1-std.png") as picture_of_it:
        levels = np.asarray(picture_of_it).astype(float)
    expected = outputs.astype(float).std(axis=0).mean(axis=-1) / 255
    assert image["heat_top"] == pytest.approx(np.percentile(expected, 99.5))
    inside = expected < image["heat_top"]
    assert np.abs(levels / 63 * image["heat_top"] - expected)[inside].max() <= image["heat_top"] / 126 + 1e-9
    assert (levels[~inside] == 63).all()
    assert l_std(outputs) == pytest.approx(std_map(outputs).mean())
    assert not (tmp_path / "report" / image["folder"] / "m0-std.png").exists()


def test_files_are_copied_where_they_cannot_be_linked(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    build(results, tmp_path / "report")
    copy = tmp_path / "report" / "images" / "d0" / "i0000" / "hr.png"
    assert copy.stat().st_nlink == 1
    assert copy.read_bytes() == (results / "hr" / f"{min(NAMES)}.png").read_bytes()


def test_report_replaces_a_report_and_nothing_else(results: Path, tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "report"
    build(results, report)
    build(results, report, "--method", "bicubic-dither", "--runs", "2")
    (method,) = content(report)["methods"]
    assert method["runs"] == 2
    assert sorted(path.name for path in report.iterdir()) == ["data.js", "images", "index.html", "page"]
    (report / "CNAME").write_text("example.org")
    refused = mistake(capsys, "report", "--out", results / "out", "--to", report)
    assert "CNAME is not part of it" in refused
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    (other / "images" / "mine.png").write_bytes(b"mine")
    assert "not a report" in mistake(capsys, "report", "--out", results / "out", "--to", other)
    assert [path.name for path in other.rglob("*")] == ["images", "mine.png"]
    (tmp_path / "file").touch()
    assert "not a folder" in mistake(capsys, "report", "--out", results / "out", "--to", tmp_path / "file")


def test_failure_leaves_the_report_as_it_was(copied: Path, tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "report"
    build(copied, report)
    before = (report / "data.js").read_bytes()
    changed = copied / "out" / "own" / "bicubic-dither" / "images" / "run-02" / "c-third.png"
    write_png(changed, picture(9))
    assert "changed after it was recorded" in mistake(
        capsys, "report", "--out", copied / "out", "--to", report, "--dataset", "own", *own_images(copied)
    )
    assert (report / "data.js").read_bytes() == before
    assert sorted(path.name for path in report.iterdir()) == ["data.js", "images", "index.html", "page"]


def test_other_reference_images_are_refused(copied: Path, tmp_path: Path, capsys: Capture) -> None:
    write_png(copied / "hr" / "c-third.png", picture(9))
    assert "not the image 'c-third' that was scored" in mistake(
        capsys, "report", "--out", copied / "out", "--to", tmp_path / "r", "--dataset", "own", *own_images(copied)
    )
    assert not (tmp_path / "r" / "index.html").exists()


def test_images_that_are_not_available_are_left_out(results: Path, tmp_path: Path, capsys: Capture) -> None:
    build(results, tmp_path / "report", with_images=False)
    assert "own: shown without LR and HR images; give its folders with --lr and --hr" in capsys.readouterr().err
    assert {(image["lr"], image["hr"]) for image in content(tmp_path / "report")["images"]} == {(None, None)}


def test_manifest_names_the_images(results: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "own.toml"
    manifest.write_text(
        'name = "own"\ntitle = "t"\ncitation = "c"\nlicence = "l"\nscale = 4\n[source]\nkind = "folder"\n'
        f'lr = "{results / "lr"}"\nhr = "{results / "hr"}"\n'
    )
    done(["report", "--out", results / "out", "--to", tmp_path / "report", "--dataset", manifest])
    assert {image["hr"] for image in content(tmp_path / "report")["images"]} == {"hr.png"}


def test_method_that_lacks_an_image(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    own = ["--dataset", "own", *own_images(results), "--metrics", "psnr", "--no-canary", "--out", out]
    done(["run", "--method", "bicubic", *own])
    done(["run", "--method", "bicubic-dither", "--runs", "2", "--limit", "1", *own])
    done(["report", "--out", out, "--to", tmp_path / "report", "--dataset", "own", *own_images(results)])
    data = content(tmp_path / "report")
    assert data["methods"][1]["present"] == [True, False, False, False]
    assert data["methods"][1]["scores"]["psnr"][1] is None
    assert data["methods"][1]["best"][1] is None
    assert data["images"][1]["heat_top"] is None


def test_method_without_an_image_of_as_many_runs_is_left_out(results: Path, tmp_path: Path, capsys: Capture) -> None:
    out = with_a_noise_floor_of_two_runs(results, tmp_path)
    own = ["--dataset", "own", *own_images(results)]
    report = ["report", "--out", out, "--to", tmp_path / "report", *own, "--runs"]
    done([*report, RUNS])
    assert [method["name"] for method in content(tmp_path / "report")["methods"]] == ["bicubic", "bicubic-dither"]
    assert "--runs 99: no image has that many runs" in mistake(capsys, *report, 99)


@pytest.mark.parametrize(("usable", "threads"), [(1, 1), (3, 3), (96, MOST_THREADS)])
def test_threads_are_as_many_as_the_process_may_use(monkeypatch: pytest.MonkeyPatch, usable: int, threads: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(usable)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert thread_count() == threads


def test_run_can_record_while_pictures_are_made(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def record_meanwhile(task: PictureTask, report: Path) -> ImageContent:
        connection = sqlite3.connect(copied / "out" / "own" / "bicubic" / "ledger.sqlite", timeout=3)
        with contextlib.closing(connection), connection:
            connection.execute("INSERT OR REPLACE INTO failures VALUES ('x', 'while the report was made', '')")
        return write_pictures(task, report)

    monkeypatch.setattr("ccsr_bench.html_report.build.write_pictures", record_meanwhile)
    build(copied, tmp_path / "report")
    with Ledger(copied / "out" / "own" / "bicubic") as ledger:
        assert ledger.failures == {"x": "while the report was made"}


def test_mistakes(results: Path, tmp_path: Path, capsys: Capture) -> None:
    out = ["report", "--to", tmp_path / "r", "--out"]
    assert "no results" in mistake(capsys, *out, tmp_path / "nowhere")
    assert "unknown method 'n'" in mistake(capsys, *out, results / "out", "--method", "n")
    assert "go together" in mistake(capsys, *out, results / "out", "--lr", results / "lr")
    assert "name it with --dataset" in mistake(capsys, *out, results / "out", *own_images(results))
    assert not (tmp_path / "r").exists()
