"""`ccsr-bench figure`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from tests.support.cli import Capture, done, mistake

pytest.importorskip("matplotlib", reason="needs the extra `figures`")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The folder of results of two methods on `sample`."""
    out = tmp_path / "results"
    command = ["run", "--method", "bicubic", "bicubic-dither", "--dataset", "sample", "--limit", "2", "--runs", "3"]
    done([*command, "--metrics", "psnr", "ssim", "--out", out])
    return out


def test_every_kind_of_figure_of_the_sample(results: Path, tmp_path: Path, capsys: Capture) -> None:
    capsys.readouterr()
    for kind, *options in (
        ("strip", "--image", "astronaut-face"),
        ("heat-map", "--image", "astronaut-face"),
        ("perception-distortion", "--metrics", "psnr", "ssim"),
        ("quality-stability",),
        ("quality-stability", "--spread", "l-std", "--metric", "ssim"),
        ("cost", "--width", "7.16"),
        ("runs",),
    ):
        files = [tmp_path / f"{kind}.pdf", tmp_path / f"{kind}.png"]
        done(["figure", kind, *options, "--out", results, "--to", *files])
        assert capsys.readouterr().out.splitlines() == [str(file) for file in files]
        assert files[0].read_bytes().startswith(b"%PDF")
        assert files[1].read_bytes().startswith(b"\x89PNG")


def test_bytes_depend_on_neither_process_nor_time(results: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = ["figure", "quality-stability", "--out", results, "--to", tmp_path / f"{seed}.pdf"]
        subprocess.run(
            [sys.executable, "-m", "ccsr_bench", *map(str, command)], check=True, env={"PYTHONHASHSEED": seed}
        )
    assert (tmp_path / "1.pdf").read_bytes() == (tmp_path / "2.pdf").read_bytes()


def test_default_file_says_what_it_shows(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    done(["figure", "strip", "--image", "astronaut-face", "--out", results])
    done(["figure", "runs", "--out", results])
    said = capsys.readouterr()
    assert said.out.splitlines() == ["strip-astronaut-face.pdf", "runs-sample.pdf"]
    assert (tmp_path / "runs-sample.pdf").is_file()
    chosen, left_out = said.err.splitlines()
    assert chosen.startswith("enlarged: --crop ")
    assert left_out == "Left out: Bicubic (one run, no spread)."


def test_strip_of_the_users_own_folders(run: list[object], pairs: Path, tmp_path: Path, capsys: Capture) -> None:
    done(run)
    strip = ["figure", "strip", "--image", "image1", "--out", tmp_path / "out", "--to", tmp_path / "a.png"]
    assert "unknown data set 'own'" in mistake(capsys, *strip)
    assert "--lr and --hr go together" in mistake(capsys, *strip, "--lr", pairs / "lr")
    done([*strip, "--dataset", "own", "--lr", pairs / "lr", "--hr", pairs / "hr", "--crop", "0,8,32"])
    manifest = tmp_path / "mine.toml"
    manifest.write_text(
        'name = "own"\ntitle = "t"\ncitation = "me"\nlicence = "CC0"\nscale = 4\n'
        '[source]\nkind = "folder"\nlr = "own/lr"\nhr = "own/hr"\n'
    )
    done([*strip[:-1], tmp_path / "b.png", "--dataset", manifest, "--crop", "0,8,32"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_mistakes_end_in_one_line(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    out = ["--out", tmp_path / "out"]
    for arguments, line in (
        ([], "the following arguments are required: KIND"),
        (["strips"], "argument KIND: invalid choice: 'strips'"),
        (["strip"], "the following arguments are required: --image"),
        (["heat-map", "--image", "image9", *out], "unknown image 'image9': did you mean image"),
        (["strip", "--image", "image0", "--crop", "1,2"], "'1,2' is not X,Y,SIZE in pixels"),
        (["strip", "--image", "image0", "--crop", "1,2,0"], "'1,2,0' is not X,Y,SIZE in pixels"),
        (["perception-distortion", *out], "no image has musiq for all its runs; `ccsr-bench run --metrics musiq` adds"),
        (["cost", "--metric", "ssin", *out], "unknown metric 'ssin': did you mean ssim"),
        (["runs", "--to", "a.svg"], "'a.svg' does not end in .pdf or .png"),
        (["runs", "--to", "nowhere/a.pdf"], "'nowhere' is not a folder; make it first"),
        (["runs", "--width", "900"], "'900' is not a width of 2 to 20 inches"),
        (["runs", "--method", "bicubc", *out], "unknown method 'bicubc'"),
    ):
        assert line in mistake(capsys, "figure", *arguments)


def test_missing_library_is_one_line(
    run: list[object], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(run)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "pip install 'ccsr-bench[figures]'" in mistake(capsys, "figure", "runs", "--out", tmp_path / "out")


def test_help_of_a_kind(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["figure", "perception-distortion", "--help"])
    assert end.value.code == 0
    assert "with their intervals" in capsys.readouterr().out
