"""The verbs of the command line, as a user gives them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from ccsr_bench.ledger.reader import Ledger
from tests.support.cli import Capture, done, mistake
from tests.support.methods import ADAPTER, write_method


def test_run_then_table(run: list[object], tmp_path: Path, capsys: Capture) -> None:
    done(run)
    assert "bicubic-dither: 4 images x 3 runs, 4 images computed now" in capsys.readouterr().out
    done(["table", "--out", tmp_path / "out"])
    table = capsys.readouterr().out
    assert "| Method          |   N | Images |       PSNR ↑ | L-STD ↓ |" in table
    assert "| Bicubic + noise |   3 |      4 |" in table


def test_the_noise_floor_is_recorded_beside_the_method(run: list[object], tmp_path: Path) -> None:
    done(run)
    done([*run, "--same-seed"])
    with Ledger(tmp_path / "out" / "own" / "bicubic-dither.same-seed") as floor:
        assert floor.l_std(3) == {f"image{i}": 0.0 for i in range(4)}
        seeds = [output.seed for output in floor.outputs("image0").values()]
    with Ledger(tmp_path / "out" / "own" / "bicubic-dither") as ledger:
        assert seeds == [ledger.outputs("image0")[0].seed] * 3
        assert min(ledger.l_std(3).values()) > 0


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
    printed = capsys.readouterr().out
    assert "m: 4 images x 1 run, 4 images computed now" in printed
    assert "80.00/-" in printed


def test_default_metric_without_weights_is_skipped_with_the_reason(run: list[object], capsys: Capture) -> None:
    done(run[:-2])
    assert (
        "niqe, clipiqa, musiq, maniqa: no weights here; `ccsr-bench prepare --metrics lpips" in capsys.readouterr().err
    )


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
    assert capsys.readouterr().out.startswith("sample: already on this machine, nothing to prepare")
    assert "say what to prepare" in mistake(capsys, "prepare")
    assert "--from nowhere: no such folder" in mistake(capsys, "prepare", "--metrics", "--from", "nowhere")
    done(["doctor", "--json"])
    components = {component["what"]: component for component in json.loads(capsys.readouterr().out)}
    assert components["metric psnr"]["works"]
    assert components["data set sample"]["works"]
    assert not components["data set RealSR"]["works"]
    assert "prepare --dataset RealSR" in components["data set RealSR"]["detail"]


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
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_can_be_imported() -> None:
    import ccsr_bench

    for name in ccsr_bench.__all__:
        assert getattr(ccsr_bench, name) is not None
    with pytest.raises(AttributeError):
        _ = ccsr_bench.nothing  # type: ignore[attr-defined]


def test_help_and_version(capsys: Capture) -> None:
    for verb in (
        "run",
        "score",
        "table",
        "report",
        "stats",
        "figure",
        "list",
        "export",
        "compare",
        "prepare",
        "verify",
        "merge",
        "profile",
        "doctor",
        "new-method",
        "test-method",
    ):
        with pytest.raises(SystemExit) as end:
            main([verb, "--help"])
        assert end.value.code == 0
        assert f"ccsr-bench {verb}" in capsys.readouterr().out.partition("examples:")[2]
    done(["--version"])
    assert capsys.readouterr().out.startswith("ccsr-bench 0.")
