"""Mistakes: one clear line, exit code 2, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ccsr_bench.cli import main
from ccsr_bench.images import write_png
from ccsr_bench.ledger.reader import SCHEMA, Ledger
from ccsr_bench.places import shipped
from tests.support.bad_images import bad_images
from tests.support.cli import Capture, done, mistake
from tests.support.ledgers import everything
from tests.support.methods import ADAPTER, write_method
from tests.support.pictures import picture


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--method", "bicubc", "unknown method 'bicubc': did you mean bicubic"),
        ("--metrics", "pnsr", "unknown metric 'pnsr': did you mean psnr"),
        ("--protocol", "papre", "unknown protocol 'papre': did you mean paper"),
        ("--runs", "0", "'0' is not an integer of at least 1"),
        ("--limit", "0", "'0' is not an integer of at least 1"),
        ("--shard", "2/2", "'2/2' is not I/N"),
        ("--shard", "7/10", "--shard 7/10 leaves none of the 4 images"),
        ("--device", "meta", "--device 'meta' cannot be used here"),
        ("--device", "cuda:99", "--device 'cuda:99' cannot be used here"),
        ("--dataset", "RealSR", "--dataset RealSR is the name of another data set"),
        ("--dataset", "a/b", "--dataset 'a/b': use letters"),
    ],
)
def test_bad_values(run: list[object], tmp_path: Path, capsys: Capture, option: str, value: str, line: str) -> None:
    arguments = [*run, option, value] if option != "--metrics" else [*run[:-1], value]
    assert line in mistake(capsys, *arguments)
    assert not (tmp_path / "out").exists()


def test_unknown_data_set_and_verb(capsys: Capture) -> None:
    assert "did you mean RealSR" in mistake(capsys, "run", "--method", "bicubic", "--dataset", "RealSE")
    assert "unknown verb 'rum': did you mean run" in mistake(capsys, "rum")
    assert "give --dataset, or both --lr and --hr" in mistake(capsys, "run", "--method", "bicubic")
    assert "--lr and --hr go together" in mistake(capsys, "run", "--method", "bicubic", "--lr", "x")
    assert "see `ccsr-bench run --help`" in mistake(capsys, "run", "--colour")


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (["run", "--method", "bicubic", "--dataset", "sample"], "ccsr-bench run"),
        (["figure", "cost"], "ccsr-bench figure cost"),
        ([], "ccsr-bench"),
    ],
)
def test_an_unknown_option_points_to_the_help_of_the_verb(command: list[str], program: str, capsys: Capture) -> None:
    expected = f"ccsr-bench: unrecognized arguments: --colour (see `{program} --help`)"
    assert mistake(capsys, *command, "--colour") == expected


def test_metric_asked_for_by_name_without_weights(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    assert "run `ccsr-bench prepare --metrics niqe`" in mistake(capsys, *run[:-1], "niqe")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["greyscale", "RGBA", "palette", "16 bits", "truncated", "empty", "not a readable"])
def test_bad_images_in_every_place(
    run: list[object], score: list[object], pairs: Path, tmp_path: Path, capsys: Capture, kind: str
) -> None:
    (tmp_path / "bad").mkdir()
    bad = bad_images(tmp_path / "bad")[kind]
    for place, command in (
        (tmp_path / "outputs" / "sample2" / "image2.png", score),
        (pairs / "lr" / "image2.png", run),
        (pairs / "hr" / "image1.png", run),
    ):
        good = place.read_bytes()
        place.write_bytes(bad.read_bytes())
        line = mistake(capsys, *command)
        assert kind in line
        assert str(place) in line
        assert not (tmp_path / "out").exists()  # the error comes before any work
        place.write_bytes(good)
    done(run)
    done(score)


def test_images_that_do_not_match(score: list[object], pairs: Path, tmp_path: Path, capsys: Capture) -> None:
    run2 = tmp_path / "outputs" / "sample2"
    (run2 / "image1.png").rename(run2 / "image9.png")
    assert "sample2: no image for image1 (1 of 4)" in mistake(capsys, *score)
    shutil.copy(run2 / "image9.png", run2 / "image1.png")
    assert "image9.png is not in the data set (1 extra)" in mistake(capsys, *score)
    (run2 / "image9.png").unlink()
    write_png(run2 / "image1.png", picture(1, 60))
    assert "60x60 pixels, but the reference is 64x64" in mistake(capsys, *score)
    shutil.copy(pairs / "hr" / "image1.png", run2)
    run2.rename(tmp_path / "outputs" / "second")
    assert "must end in its number" in mistake(capsys, *score)
    assert not (tmp_path / "out").exists()


def test_lr_and_hr_that_do_not_pair(run: list[object], pairs: Path, capsys: Capture) -> None:
    (pairs / "lr" / "image3.png").unlink()
    assert "no image for image3 (1 of 4); LR and HR are paired by file stem" in mistake(capsys, *run)


def test_wrong_sha256_of_a_file_of_a_data_set(tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(shipped("datasets") / "sample", tmp_path / "sample")
    manifest = (shipped("datasets") / "sample.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(manifest.replace('name = "sample"', 'name = "own"'), encoding="utf-8")
    command = ["run", "--method", "bicubic", "--dataset", tmp_path / "own.toml", "--metrics", "psnr", "--out", tmp_path]
    done([*command, "--limit", "2"])
    before = everything_of(tmp_path / "own" / "bicubic")
    write_png(tmp_path / "sample" / "hr" / "coffee-cup.png", picture(0, 256))
    assert "coffee-cup.png: wrong sha256" in mistake(capsys, *command)
    after = everything_of(tmp_path / "own" / "bicubic")
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"chelsea"}  # the results before the damaged image are kept


def everything_of(folder: Path) -> dict[str, object]:
    """Return the records of a ledger by image."""
    with Ledger(folder) as ledger:
        return {name: ledger.record(name) for name in ledger.image_names()}


def test_ledger_of_something_else(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    before = everything(tmp_path / "out", "bicubic-dither")
    assert "protocol of this ledger is 'paper', not 'ccsr-v1'" in mistake(capsys, *run, "--protocol", "ccsr-v1")
    assert "base seed of this ledger is '0', not '1'" in mistake(capsys, *run, "--base-seed", "1")
    (tmp_path / "out" / "own").rename(tmp_path / "out" / "other")
    assert "data set of this ledger is 'own', not 'other'" in mistake(capsys, *run, "--dataset", "other")
    (tmp_path / "out" / "other").rename(tmp_path / "out" / "own")
    ledger = tmp_path / "out" / "own" / "bicubic-dither" / "ledger.sqlite"
    with sqlite3.connect(ledger) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    assert f"schema {SCHEMA + 1}" in mistake(capsys, *run)
    assert f"schema {SCHEMA + 1}" in mistake(capsys, "table", "--out", tmp_path / "out")
    with sqlite3.connect(ledger) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.close()
    assert everything(tmp_path / "out", "bicubic-dither") == before


SLOW = """
import time
import numpy as np

class Slow:
    def restore(self, lr, seeds):
        time.sleep(1)
        return np.zeros((len(seeds), 4 * lr.shape[0], 4 * lr.shape[1], 3), np.uint8)
"""


def test_generated_outputs_and_those_made_elsewhere_are_never_in_one_ledger(
    run: list[object], score: list[object], capsys: Capture
) -> None:
    done(run)
    assert "were made by 'ccsr_bench.methods.interpolation" in mistake(capsys, *score, "--method", "bicubic-dither")


def test_replaced_images_are_not_reported_as_the_old_ones(
    score: list[object], pairs: Path, tmp_path: Path, capsys: Capture
) -> None:
    done(score)
    write_png(tmp_path / "outputs" / "sample2" / "image2.png", picture(9))
    assert "image2.png: not the image recorded for that run" in mistake(capsys, *score)
    shutil.copy(pairs / "hr" / "image2.png", tmp_path / "outputs" / "sample2")
    done(score)


def test_changed_parameters_are_another_method(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    methods = write_method(tmp_path / "methods", "mine", parameters="{ level = 3 }")
    command = [str(a) for a in [*run, "--methods-dir", methods]]
    command[2] = "mine"
    done(list(command))
    manifest = methods / "mine" / "method.toml"
    manifest.write_text(manifest.read_text().replace("level = 3", "level = 4"))
    assert "were made by 'adapter.py:Constant" in mistake(capsys, *command)


def test_two_processes_on_one_ledger(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    methods = write_method(tmp_path / "methods", "slow", entry="adapter.py:Slow")
    (methods / "slow" / "adapter.py").write_text(SLOW)
    command = [str(a) for a in [*run, "--methods-dir", methods]]
    command[2] = "slow"
    with subprocess.Popen([sys.executable, "-m", "ccsr_bench", *command], stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        assert "slow on own: 0/4" in first.stderr.readline()  # it has locked the ledger
        assert "another process is writing to this ledger" in mistake(capsys, *command)
        first.communicate()
    assert first.returncode == 0
    done(list(command))
    assert "0 images computed now" in capsys.readouterr().out


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 KiB, which only root may mount."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=200k", "none", folder], check=False).returncode:
        pytest.skip("this machine does not let root mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_keeps_what_was_recorded(
    run: list[object], small_disk: Path, tmp_path: Path, capsys: Capture
) -> None:
    done(run)
    expected = everything_of(tmp_path / "out" / "own" / "bicubic-dither")
    line = mistake(capsys, *run, "--out", small_disk, "--runs", "4")
    assert "cannot be written" in line
    assert "what was recorded is kept" in line
    kept = everything_of(small_disk / "own" / "bicubic-dither")
    assert len(kept) < 4
    subprocess.run(["mount", "-o", "remount,size=10m", small_disk], check=True)
    done([*run, "--out", small_disk, "--runs", "4"])
    assert len(everything_of(small_disk / "own" / "bicubic-dither")) == len(expected)


def test_read_only_output_folder(run: list[object], small_disk: Path, tmp_path: Path, capsys: Capture) -> None:
    done([*run, "--out", small_disk, "--runs", "1", "--limit", "1"])
    before = everything_of(small_disk / "own" / "bicubic-dither")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert "cannot be written" in mistake(capsys, *run, "--out", small_disk)
    assert "cannot be written" in mistake(capsys, *run, "--out", small_disk / "new")
    done(["table", "--out", small_disk])  # reading needs no writing
    assert everything_of(small_disk / "own" / "bicubic-dither") == before


def test_output_folder_that_is_a_file(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in mistake(capsys, *run, "--out", tmp_path / "file")


def test_failures_are_recorded_and_exit_with_3(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    methods = write_method(tmp_path / "methods", "broken", entry="adapter.py:Broken")
    (methods / "broken" / "adapter.py").write_text(
        "class Broken:\n    def restore(self, lr, seeds):\n        raise RuntimeError('out of luck')\n"
    )
    command = [str(a) for a in [*run, "--methods-dir", methods]]
    command[2] = "broken"
    assert main(command) == 3
    printed = capsys.readouterr()
    assert "broken: image0 failed: RuntimeError: out of luck" in printed.err
    summary, next_step = printed.out.splitlines()
    assert "0 images computed now" in summary
    assert next_step == "next: correct what failed and give the same command again; --debug shows tracebacks"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise type('Odd', (BaseException,), {})('two\\nlines')", "Odd: two lines"),
        ("return None", "the method returned NoneType, it must return uint8 (1, 64, 64, 3)"),
    ],
)
def test_whatever_a_method_does_is_its_own_failure(
    run: list[object], tmp_path: Path, capsys: Capture, body: str, reason: str
) -> None:
    methods = write_method(tmp_path / "methods", "odd", entry="adapter.py:Odd")
    source = f"class Odd:\n    def restore(self, lr, seeds):\n        {body}\n"
    (methods / "odd" / "adapter.py").write_text(source)
    command = [str(a) for a in [*run, "--methods-dir", methods]]
    command[2] = "odd"
    assert main(command) == 3
    assert "odd: image0 failed: " in (error := capsys.readouterr().err)
    assert reason in error
    # Failed images do not tie the ledger to the code that failed: the corrected method may add to it.
    (methods / "odd" / "adapter.py").write_text(ADAPTER.replace("Constant", "Odd"))
    done(list(command))


def test_folder_of_one_method_is_not_a_folder_of_methods(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    methods = write_method(tmp_path / "methods", "mine")
    line = mistake(capsys, *run, "--methods-dir", methods / "mine")
    assert f"no folder in it holds a method.toml; give {methods}" in line


def test_output_folders_that_are_neither_one_run_nor_several(
    score: list[object], pairs: Path, tmp_path: Path, capsys: Capture
) -> None:
    shutil.copy(pairs / "hr" / "image0.png", tmp_path / "outputs")
    assert "holds images beside the folder sample1" in mistake(capsys, *score)
    (tmp_path / "outputs" / "image0.png").unlink()
    (tmp_path / "outputs" / "sample3").mkdir()
    assert "sample3: holds no PNG or BMP image" in mistake(capsys, *score)
    with Image.open(pairs / "hr" / "image0.png") as image:
        image.save(tmp_path / "outputs" / "sample3" / "image0.jpg")
    assert "image0.jpg: a JPEG" in mistake(capsys, *score)


def test_table_of_a_ledger_without_results(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    command = list(map(str, run))
    methods = write_method(tmp_path / "methods", "mine", entry="adapter.py:Typo")
    command[2] = "mine"
    assert "cannot be loaded" in mistake(capsys, *command, "--methods-dir", methods)
    assert "no results" in mistake(capsys, "table", "--out", tmp_path / "out")


def test_output_that_cannot_be_written(run: list[object], tmp_path: Path) -> None:
    done(run)
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "ccsr_bench", "table", "--out", str(tmp_path / "out")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("ccsr-bench: ")
    assert "No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_internal_errors_are_one_line(run: list[object], monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("ccsr_bench.datasets.loading.from_folders", broken)
    assert "internal error: ZeroDivisionError: oh no; run it again with --debug" in mistake(capsys, *run)
    with pytest.raises(ZeroDivisionError):
        main([*map(str, run), "--debug"])
