"""A row names the weights behind it by a hash that a person can compute, and says whether they are the user's own."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ccsr_bench.gate.baseline import read
from ccsr_bench.ledger.reader import Ledger
from tests.support.cli import Capture, done, mistake

PUBLISHED = hashlib.sha256(b"9").hexdigest()
MANIFEST = f"""
id = "flat"
title = "A flat image"
licence = "none"
scale = 4
stochastic = false
[environment]
kind = "in-process"
entry = "adapter.py:Flat"
networks = true
[variants.flat]
title = "Flat"
weights = {{ network = "level" }}
[weights.level]
licence = "CC0"
folder = "level"
sources = [{{ kind = "url", address = "https://web.test" }}]
files = {{ "level.txt" = "{PUBLISHED}" }}
"""
ADAPTER = """
import numpy as np

class Flat:
    def __init__(self, *, execution, weights):
        self.level = int((weights["network"] / "level.txt").read_text())

    def restore(self, lr, seeds):
        return np.full((len(seeds), 4 * lr.shape[0], 4 * lr.shape[1], 3), self.level, np.uint8)
"""


@pytest.fixture
def flat(run: list[object], tmp_path: Path) -> list[object]:
    """The arguments of a run with weights in a folder."""
    folder = tmp_path / "methods" / "flat"
    folder.mkdir(parents=True)
    (folder / "method.toml").write_text(MANIFEST)
    (folder / "adapter.py").write_text(ADAPTER)
    (tmp_path / "weights" / "level").mkdir(parents=True)
    own = ["--methods-dir", folder.parent, "--weights", tmp_path / "weights"]
    return [*run[:2], "flat", *run[3:], *own]


def write_weights(folder: Path, level: int) -> None:
    (folder / "weights" / "level" / "level.txt").write_text(str(level))


def table(out: Path, capsys: Capture, *options: object) -> str:
    capsys.readouterr()
    done(["table", "--out", out, *options])
    return capsys.readouterr().out


@pytest.mark.parametrize("level", [9, 8], ids=["published", "own"])
def test_rows_with_own_weights_say_so(flat: list[object], tmp_path: Path, capsys: Capture, level: int) -> None:
    write_weights(tmp_path, level)
    out, own = tmp_path / "out", level != 9
    done(flat)
    printed = table(out, capsys)
    sha256 = hashlib.sha256(str(level).encode()).hexdigest()[:16]
    assert f"network weights sha256 {sha256}" in printed
    assert ("| Flat (own weights) |" in printed) == own
    assert ("; own weights, not the published ones: network." in printed) == own
    (record,) = json.loads(table(out, capsys, "--json"))["records"]
    assert record["own_weights"] == ("network" if own else "")
    ledger = out / "own" / "flat"
    assert read(ledger).made_by.endswith("own weights, not the published ones: network") == own
    done(["compare", ledger, ledger])
    assert ("own weights, not the published ones" in capsys.readouterr().out) == own
    done(["report", "--out", out, "--to", tmp_path / "report"])
    assert ("Flat (own weights)" in (tmp_path / "report" / "data.js").read_text()) == own


def test_a_ledger_that_names_a_file_by_the_hash_of_its_list_is_continued(
    flat: list[object], tmp_path: Path, capsys: Capture
) -> None:
    write_weights(tmp_path, 9)
    done([*flat, "--limit", "2"])
    folder = tmp_path / "out" / "own" / "flat"
    listed = hashlib.sha256(f"level.txt {PUBLISHED}\n".encode()).hexdigest()[:16]
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:  # as earlier versions recorded it
        connection.execute("UPDATE meta SET value = replace(value, ?, ?)", (PUBLISHED[:16], listed))
        connection.commit()
    with Ledger(folder) as ledger:
        assert f"network weights sha256 {listed}" in ledger.identity.made_by_text
    done(flat)
    with Ledger(folder) as ledger:
        assert len(ledger.image_names()) == 4
    write_weights(tmp_path, 8)
    assert "the outputs in this ledger were made by" in mistake(capsys, *flat)
