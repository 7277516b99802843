"""Results recorded with the former words of a definition stay with those of the present words."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.gate.baseline import as_text, read
from ccsr_bench.gate.compare import compare_baselines, read_pair
from ccsr_bench.ledger.merge import merge_folders
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.metrics.psnr import PSNR
from ccsr_bench.metrics.scorer import Scorer
from tests.support.jobs import CPU, run
from tests.support.tables import collect

WORDS = {
    "lpips": "LPIPS 0.1 (ccsr-bench); {}, LPIPS_v0.1_alex-df73285e.pth sha256 df73285e35b2",
    "dists": "DISTS (ccsr-bench); {}, DISTS_weights-f5e65c96.pth sha256 f5e65c96230b",
}
FORMER = {"lpips": "alexnet-owt-7be5be79.pth sha256 7be5be791159", "dists": "vgg16-397923af.pth sha256 397923af8e79"}
PRESENT = {
    "lpips": "AlexNet features, tensors sha256 f73c95bb44a1",
    "dists": "VGG16 features, tensors sha256 9312c69c1c4c",
}


def defined(cited: dict[str, str]) -> dict[str, str]:
    return {metric: words.format(cited[metric]) for metric, words in WORDS.items()}


class Renamed(PSNR):
    """A quick metric with the definition of another."""

    def __init__(self, definition: str) -> None:
        super().__init__()
        self.definition = definition


def scoring() -> Scorer:
    return Scorer({metric: Renamed(definition) for metric, definition in defined(PRESENT).items()}, CPU)


@pytest.fixture
def compute(own: Dataset) -> Callable[..., int]:
    """Records LPIPS and DISTS with the present words, and returns the number of images that were computed."""

    def compute(out: Path, name: str = "m", names: list[str] | None = None) -> int:
        return run(own, out, name=name, names=names, scoring=scoring()).computed

    return compute


def recorded_formerly(ledger: Path) -> Path:
    """Give a ledger the former words, as version 0.1.0 wrote them."""
    with closing(sqlite3.connect(ledger / "ledger.sqlite")) as connection:
        for metric, definition in defined(FORMER).items():
            changed = connection.execute(
                "UPDATE definitions SET definition = ? WHERE metric = ?", (definition, metric)
            ).rowcount
            assert changed == 1
        connection.commit()
    return ledger


def test_a_ledger_with_former_words_is_resumed(tmp_path: Path, compute: Callable[..., int]) -> None:
    compute(tmp_path, names=["image0", "image1"])
    ledger = recorded_formerly(tmp_path / "own" / "m")
    assert compute(tmp_path) == 2
    assert compute(tmp_path) == 0
    with Ledger(ledger) as opened:
        assert {metric: opened.definitions[metric] for metric in WORDS} == defined(PRESENT)


def test_other_weights_than_the_published_are_still_others(tmp_path: Path, compute: Callable[..., int]) -> None:
    compute(tmp_path, names=["image0"])
    ledger = recorded_formerly(tmp_path / "own" / "m")
    with closing(sqlite3.connect(ledger / "ledger.sqlite")) as connection:
        connection.execute("UPDATE definitions SET definition = replace(definition, '7be5be791159', '0be5be791591')")
        connection.commit()
    with pytest.raises(BenchError, match="definitions are never mixed"):
        compute(tmp_path)


def test_ledgers_with_both_words_are_merged(tmp_path: Path, compute: Callable[..., int]) -> None:
    compute(tmp_path / "a", names=["image0", "image1"])
    compute(tmp_path / "b", names=["image2", "image3"])
    recorded_formerly(tmp_path / "a" / "own" / "m")
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "new")
    merge_folders([tmp_path / "a"], tmp_path / "old")
    recorded_formerly(tmp_path / "old" / "own" / "m")
    merge_folders([tmp_path / "b"], tmp_path / "old")
    for out in (tmp_path / "new", tmp_path / "old"):
        assert compute(out) == 0


def test_rows_with_both_words_stand_in_one_table(tmp_path: Path, compute: Callable[..., int]) -> None:
    compute(tmp_path, "former")
    compute(tmp_path, "present")
    recorded_formerly(tmp_path / "own" / "former")
    (section,) = collect(tmp_path)
    assert len(section.rows) == 2
    for definition in defined(PRESENT).values():
        assert f"{definition}." in section.notes


def test_a_baseline_with_former_words_is_compared(tmp_path: Path, compute: Callable[..., int]) -> None:
    compute(tmp_path)
    ledger = tmp_path / "own" / "m"
    baseline = read(ledger)
    former = msgspec.structs.replace(baseline, definitions=baseline.definitions | defined(FORMER))
    file = tmp_path / "baseline.json"
    file.write_text(as_text(former), encoding="utf-8")
    assert FORMER["lpips"] in file.read_text(encoding="utf-8")
    present = tmp_path / "present.json"
    present.write_text(as_text(baseline), encoding="utf-8")
    formerly = recorded_formerly(Path(shutil.copytree(ledger, tmp_path / "former" / "m")))
    for pair in ((file, ledger), (ledger, file), (present, formerly)):
        outcomes = compare_baselines(*read_pair(*pair), metrics=["lpips", "dists"]).outcomes
        assert {outcome.verdict for outcome in outcomes} == {"same"}
