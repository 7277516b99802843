"""Definitions that version 0.1.0 recorded are those of this version where only the name of the weights changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.gate.baseline import as_text, read
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.metrics.definitions import present_form
from tests.support.simulated import results

FORMER = (
    "LPIPS 0.1 on RGB x/255 standardised by ImageNet's mean and deviation, no resizing; no crop; AlexNet, float32 "
    "network (ccsr-bench); {}, LPIPS_v0.1_alex-df73285e.pth sha256 df73285e35b2"
)
FILE, TENSORS = "alexnet-owt-7be5be79.pth sha256 7be5be791159", "AlexNet features, tensors sha256 f73c95bb44a1"


def test_the_former_hash_of_a_file_is_the_hash_of_its_tensors() -> None:
    assert present_form(FORMER.format(FILE)) == FORMER.format(TENSORS)
    assert present_form(FORMER.format(TENSORS)) == FORMER.format(TENSORS)
    vgg = (
        "VGG16 with L2 pooling; vgg16-397923af.pth sha256 397923af8e79, DISTS_weights-f5e65c96.pth sha256 f5e65c96230b"
    )
    assert "VGG16 features, tensors sha256 9312c69c1c4c, DISTS_weights" in present_form(vgg)


@pytest.mark.parametrize(
    "definition",
    [
        FORMER.format("alexnet-owt-7be5be79.pth sha256 000000000000"),
        "MUSIQ on RGB; musiq_koniq_ckpt-e95806b9.pth sha256 e95806b9eae5",
        "NIQE by pyiqa 0.1.16 on Y of full-range YIQ; niqe_modelparameters.mat sha256 df16a821ebd0",
    ],
)
def test_other_weights_keep_their_words(definition: str) -> None:
    assert present_form(definition) == definition


def test_ledgers_and_baselines_are_read_in_the_present_form(tmp_path: Path) -> None:
    recorded = Path(__file__).parents[1] / "fixtures" / "version-0.1.0" / "results" / "own" / "bicubic"
    folder = tmp_path / "ledger"
    folder.mkdir()
    (folder / "ledger.sqlite").write_bytes((recorded / "ledger.sqlite").read_bytes())
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection, connection:
        connection.execute("UPDATE definitions SET definition = ? WHERE metric = 'psnr'", (FORMER.format(FILE),))
    with Ledger(folder) as ledger:
        assert ledger.definitions["psnr"] == FORMER.format(TENSORS)
    baseline = results({"lpips": np.array([[0.1, 0.2]])}, [0.01])
    baseline.definitions["lpips"] = FORMER.format(FILE)
    (tmp_path / "baseline.json").write_text(as_text(baseline))
    assert json.loads((tmp_path / "baseline.json").read_text())["definitions"]["lpips"] == FORMER.format(FILE)
    assert read(tmp_path / "baseline.json").definitions["lpips"] == FORMER.format(TENSORS)
