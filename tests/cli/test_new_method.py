"""The skeleton of a method runs as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccsr_bench.cli import main
from tests.support.cli import Capture, mistake
from tests.support.isolated import write_environment, write_repository


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
