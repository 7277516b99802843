"""The command line as a user meets it: exit codes, one line for every mistake, nothing lost."""

from __future__ import annotations

import json
import os
import re
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
from ccsr_bench.store import SCHEMA, Ledger
from tests.conftest import picture
from tests.methods.test_registry import ADAPTER, write_method
from tests.test_images import bad_images
from tests.test_runner import everything

Capture = pytest.CaptureFixture[str]


def mistake(capsys: Capture, *arguments: object) -> str:
    """Run a command that must end in one clear line and exit code 2; return the line."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    beside = re.compile(r"^(skipping |\S+ on \S+: \d+/\d+ \()")  # remarks and progress
    lines = [line for line in output.err.splitlines() if not beside.match(line)]
    assert len(lines) == 1, output.err
    assert lines[0].startswith("ccsr-bench: ")
    assert "Traceback" not in output.err
    return lines[0]


@pytest.fixture
def run(pairs: Path, tmp_path: Path) -> list[object]:
    """A run on the user's own four pairs."""
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["run", "--method", "bicubic-dither", *own, "--runs", "3", "--metrics", "psnr"]


@pytest.fixture
def score(pairs: Path, tmp_path: Path) -> list[object]:
    """A score of two runs that are the references themselves."""
    for name in ("sample1", "sample2"):
        shutil.copytree(pairs / "hr", tmp_path / "outputs" / name)
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["score", "--images", tmp_path / "outputs", "--method", "m", *own, "--metrics", "psnr"]


def done(arguments: list[object]) -> None:
    """Run a command that must succeed."""
    assert main([str(a) for a in arguments]) == 0


def test_run_then_table(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    assert "bicubic-dither: 4 images x 3 runs, 4 images computed now" in capsys.readouterr().out
    done(["table", "--out", tmp_path / "out"])
    table = capsys.readouterr().out
    assert "| Method          |   N | Images |       PSNR ↑ | L-STD ↓ |" in table
    assert "| Bicubic + noise |   3 |      4 |" in table


def test_score_takes_over_images_made_elsewhere(score: list[object], tmp_path: Path, capsys: Capture) -> None:
    done([*score, "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["m"]["computed"] == 4
    with Ledger(tmp_path / "out" / "own" / "m") as ledger:
        assert ledger.scores("psnr") == {f"image{i}": {0: 80.0, 1: 80.0} for i in range(4)}
        assert ledger.l_std(2) == {f"image{i}": 0.0 for i in range(4)}
        assert ledger.outputs("image0")[0].seed is None
        assert ledger.image_path("image3", 1).is_file()


def test_score_of_one_flat_folder(score: list[object], pairs: Path, tmp_path: Path, capsys: Capture) -> None:
    score[2] = pairs / "hr"
    done(score)
    done(["table", "--out", tmp_path / "out"])
    assert "80.00/-" in capsys.readouterr().out


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
        ("--device", "meta", "--device meta cannot be used here"),
        ("--device", "cuda:99", "--device cuda:99 cannot be used here"),
        ("--dataset", "RealSR", "--dataset RealSR is a data set of its own"),
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
    assert "give --dataset D, or --lr DIR and --hr DIR" in mistake(capsys, "run", "--method", "bicubic")
    assert "--lr and --hr go together" in mistake(capsys, "run", "--method", "bicubic", "--lr", "x")
    assert "see `ccsr-bench run --help`" in mistake(capsys, "run", "--colour")


def test_metric_asked_for_by_name_without_weights(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    assert "run `ccsr-bench prepare --metrics`" in mistake(capsys, *run[:-1], "niqe")
    assert not (tmp_path / "out").exists()


def test_default_metric_without_weights_is_skipped_with_the_reason(run: list[object], capsys: Capture) -> None:
    done(run[:-2])
    assert "skipping niqe: no niqe_modelparameters.mat" in capsys.readouterr().err


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
        assert not (tmp_path / "out").exists()  # found before any work
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


def test_wrong_sha256_of_an_installed_data_set(home: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ["run", "--method", "bicubic", "--dataset", "sample", "--metrics", "psnr", "--out", tmp_path]
    done([*command, "--limit", "2"])
    before = everything_of(tmp_path / "sample" / "bicubic")
    write_png(home / "datasets" / "sample" / "hr" / "coffee-cup.png", picture(0, 256))
    assert "coffee-cup.png: wrong sha256" in mistake(capsys, *command)
    after = everything_of(tmp_path / "sample" / "bicubic")
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"chelsea"}  # what came before the damaged image is kept


def everything_of(folder: Path) -> dict[str, object]:
    """Return the records of a ledger by image."""
    with Ledger(folder) as ledger:
        return {name: ledger.record(name) for name in ledger.image_names()}


def test_ledger_of_something_else(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    before = everything_named(tmp_path)
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
    assert everything_named(tmp_path) == before


def everything_named(tmp_path: Path) -> dict[str, object]:
    """Return all of the ledger that the `run` fixture writes."""
    folder = tmp_path / "out" / "own"
    (folder / "bicubic-dither").rename(folder / "m")
    try:
        return everything(tmp_path / "out")
    finally:
        (folder / "m").rename(folder / "bicubic-dither")


SLOW = """
import time
import numpy as np

class Slow:
    def restore(self, lr, seeds):
        time.sleep(1)
        return np.zeros((len(seeds), 4 * lr.shape[0], 4 * lr.shape[1], 3), np.uint8)
"""


def test_generated_and_foreign_outputs_are_never_in_one_ledger(
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
        assert "slow on own: 0/4" in first.stderr.readline()  # it has the ledger now
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
    assert "broken: image0 failed: RuntimeError: out of luck" in capsys.readouterr().err


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
    # Corrected code is not held to what failed before.
    (methods / "odd" / "adapter.py").write_text(ADAPTER.replace("Constant", "Odd"))
    done(list(command))


def test_stdout_is_for_results_whatever_a_method_prints(run: list[object], tmp_path: Path) -> None:
    methods = write_method(tmp_path / "methods", "loud", entry="adapter.py:Constant")
    loud = "import os\nprint('hello')\nos.system('echo there')\n" + ADAPTER
    (methods / "loud" / "adapter.py").write_text(loud)
    command = [str(a) for a in [*run, "--methods-dir", methods, "--json"]]
    command[2] = "loud"
    ended = subprocess.run([sys.executable, "-m", "ccsr_bench", *command], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["loud"]["failures"] == {}
    assert "hello" in ended.stderr
    assert "there" in ended.stderr


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
    assert "sample3: no PNG or BMP image in it" in mistake(capsys, *score)
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


def test_shards_are_merged(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    for index in (0, 1):
        done([*run, "--shard", f"{index}/2", "--out", tmp_path / f"shard{index}"])
    done(["merge", tmp_path / "shard0", tmp_path / "shard1", "--out", tmp_path / "merged"])
    capsys.readouterr()
    done(["table", "--out", tmp_path / "out", "--json"])
    whole = json.loads(capsys.readouterr().out)
    done(["table", "--out", tmp_path / "merged", "--json"])
    assert json.loads(capsys.readouterr().out)["records"] == whole["records"]


@pytest.mark.parametrize("what", ["methods", "datasets", "metrics", "protocols"])
def test_list(what: str, capsys: Capture) -> None:
    done(["list", what])
    lines = capsys.readouterr().out.splitlines()
    done(["list", what, "--json"])
    records = json.loads(capsys.readouterr().out)
    assert [line.split()[0] for line in lines[1:]] == [record["name"] for record in records]


def test_prepare_and_doctor(home: Path, capsys: Capture) -> None:
    done(["prepare", "--dataset", "sample"])
    assert f"sample: verified, in {home}" in capsys.readouterr().out
    assert "say what to prepare" in mistake(capsys, "prepare")
    assert "--from nowhere: no such folder" in mistake(capsys, "prepare", "--metrics", "--from", "nowhere")
    done(["doctor", "--json"])
    findings = {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["metric psnr"]["works"]
    assert findings["data set sample"]["works"]
    assert not findings["data set RealSR"]["works"]
    assert "prepare --dataset RealSR" in findings["data set RealSR"]["detail"]


def test_verify_without_any_published_image(capsys: Capture) -> None:
    assert main(["verify"]) == 2
    error = capsys.readouterr().err
    assert "osediff-realsr: not checked: data set 'RealSR' is not prepared" in error
    assert error.splitlines()[-1].startswith("ccsr-bench: nothing could be checked")


def test_verify(shared: Path, capsys: Capture) -> None:
    done(["prepare", "--dataset", "RealSR", "--from", shared / "data" / "RealSR"])
    done(["verify", "osediff-realsr", "--metrics", "psnr", "ssim", "--json"])
    comparisons = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))["osediff-realsr"]
    assert [(c["metric"], c["images"], c["agrees"]) for c in comparisons] == [("psnr", 100, True), ("ssim", 100, True)]
    # Another definition must not pass.
    assert main(["verify", "osediff-realsr", "--metrics", "psnr", "ssim", "--protocol", "ccsr-v1"]) == 1
    assert capsys.readouterr().out.count("DIFFERS") == 2


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, ccsr_bench, ccsr_bench.cli\n"
        "try: ccsr_bench.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'PIL', 'skimage', 'pyiqa', 'msgspec', 'tqdm'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_every_public_name_can_be_imported() -> None:
    import ccsr_bench

    for name in ccsr_bench.__all__:
        assert getattr(ccsr_bench, name) is not None
    with pytest.raises(AttributeError):
        _ = ccsr_bench.nothing


def test_help_and_version(capsys: Capture) -> None:
    for verb in ("run", "score", "table", "list", "prepare", "verify", "merge", "doctor"):
        with pytest.raises(SystemExit) as end:
            main([verb, "--help"])
        assert end.value.code == 0
        assert f"ccsr-bench {verb}" in capsys.readouterr().out.partition("examples:")[2]
    done(["--version"])
    assert capsys.readouterr().out.startswith("ccsr-bench 0.")


def test_internal_errors_are_one_line(run: list[object], monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("ccsr_bench.datasets.from_folders", broken)
    assert "internal error: ZeroDivisionError: oh no; run it again with --debug" in mistake(capsys, *run)
    with pytest.raises(ZeroDivisionError):
        main([*map(str, run), "--debug"])
