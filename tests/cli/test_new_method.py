"""The skeleton of a method runs as it is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ccsr_bench.cli import main
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.registry import find_method
from ccsr_bench.methods.spandrel_models import SpandrelModel
from tests.support.cli import Capture, mistake
from tests.support.isolated import write_environment, write_repository
from tests.support.tiny_spandrel import CHECKPOINTS, write_checkpoints


@pytest.mark.parametrize("isolated", [False, True])
def test_from_nothing_to_a_table_row(isolated: bool, home: Path, tmp_path: Path, capsys: Capture) -> None:
    own = ["--methods-dir", str(tmp_path / "methods")]
    assert main(["new-method", "mine", *own, *(["--isolated"] if isolated else [])]) == 0
    if isolated:
        write_environment(home, (tmp_path / "methods" / "mine" / "requirements.lock").read_bytes())
    assert main(["test-method", "mine", *own, "--size", "16"]) == 0
    assert "BROKEN" not in capsys.readouterr().out
    run = ["run", "--method", "mine", *own, "--dataset", "sample", "--limit", "1", "--runs", "2", "--metrics", "psnr"]
    assert main([*run, "--out", str(tmp_path / "out")]) == 0
    assert main(["table", "--out", str(tmp_path / "out")]) == 0
    assert "| mine" in capsys.readouterr().out


def test_from_a_checkpoint_to_a_table_row(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip("spandrel", reason="needs the extra `spandrel`")
    write_checkpoints(tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path)
    checkpoint = Path("checkpoints") / CHECKPOINTS["swinir-gan"]
    assert main(["new-method", "mine", "--spandrel", str(checkpoint)]) == 0
    written, *following = capsys.readouterr().out.splitlines()
    assert written == "my_methods/mine/method.toml"
    assert [line.split(": ccsr-bench ")[0] for line in following] == ["next", "next", "then"]
    prepare, test, run = (shlex.split(line.split(": ccsr-bench ")[1]) for line in following)
    assert main(prepare) == 0
    assert main(test) == 0
    assert "BROKEN" not in capsys.readouterr().out
    assert main([*run, "--limit", "1", "--metrics", "psnr"]) == 0
    assert main(["table"]) == 0
    assert "| mine" in capsys.readouterr().out


def test_optional_sizes_of_a_network_can_be_uncommented(tmp_path: Path) -> None:
    pytest.importorskip("spandrel", reason="needs the extra `spandrel`")
    write_checkpoints(tmp_path)
    own = ["--methods-dir", str(tmp_path / "methods")]
    assert main(["new-method", "mine", "--spandrel", str(tmp_path / CHECKPOINTS["swinir-gan"]), *own]) == 0
    manifest = tmp_path / "methods" / "mine" / "method.toml"
    manifest.write_text(re.sub(r"^# (\w+ = \d+) .*$", r"\1", manifest.read_text(), flags=re.MULTILINE))
    spec = find_method("mine", own[1])
    assert spec.variant.parameters.keys() >= {"mirror_to_next", "pre_padding", "tile", "tile_overlap"}
    weights = {"network": (tmp_path / CHECKPOINTS["swinir-gan"]).parent}
    SpandrelModel(**spec.variant.parameters, weights=weights, execution=Execution())


def test_a_file_that_is_no_network_is_refused(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("spandrel", reason="needs the extra `spandrel`")
    new = ["new-method", "mine", "--methods-dir", tmp_path / "methods", "--spandrel"]
    page = tmp_path / "model.pth"
    page.write_text("<!DOCTYPE html>")
    assert "model.pth: not the weights of a network that spandrel knows" in mistake(capsys, *new, page)
    assert "missing.pth: no such file; give the checkpoint of a network as --spandrel" in mistake(
        capsys, *new, tmp_path / "missing.pth"
    )
    page.rename(tmp_path / "my model.pth")
    assert "rename it" in mistake(capsys, *new, tmp_path / "my model.pth")
    assert "not allowed with argument" in mistake(capsys, *new, page, "--isolated")
    assert not (tmp_path / "methods").exists()


def test_nothing_is_overwritten(tmp_path: Path, capsys: Capture) -> None:
    own = ["--methods-dir", tmp_path]
    assert main([str(a) for a in ["new-method", "mine", *own]]) == 0
    assert "exists already" in mistake(capsys, "new-method", "mine", *own)
    assert "use letters" in mistake(capsys, "new-method", "../mine", *own)


def test_a_checkout_needs_the_official_repository_in_the_manifest(home: Path, tmp_path: Path, capsys: Capture) -> None:
    own = ["--methods-dir", str(tmp_path / "methods")]
    source = tmp_path / "official"
    commit = write_repository(source)
    assert main(["new-method", "theirs", "--isolated", *own]) == 0
    manifest = tmp_path / "methods" / "theirs" / "method.toml"
    write_environment(home, (manifest.parent / "requirements.lock").read_bytes())
    prepare = ["prepare", "--method", "theirs", "--source", str(source), *own]
    line = mistake(capsys, *prepare)
    assert f"add [upstream] with its address and commit to {manifest}" in line
    text = manifest.read_text().replace("# [upstream]\n# repository", "[upstream]\nrepository")
    manifest.write_text(text.replace('# commit = "40 hexadecimal digits"', f'commit = "{commit}"'))
    assert main(prepare) == 0
    assert (home / "sources" / "theirs").resolve() == source
