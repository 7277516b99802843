from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.datasets.manifest import read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS
from ccsr_bench.places import shipped
from ccsr_bench.published import scores as published
from tests.support.score_sets import use_sets_in, write_set


@pytest.mark.parametrize("name", sorted(published.published_sets()))
def test_shipped_sets_are_complete(name: str) -> None:
    one = published.find_published(name)
    files = read_manifest(one.dataset).files["hr" if one.method else f"outputs/{one.outputs}"]
    values = published.published_values(name)
    assert one.protocol in PROTOCOLS
    assert one.tolerances.keys() <= METRICS.keys() & values.keys()
    for column in values.values():
        assert column.keys() == {Path(file).stem for file in files}
    if one.computed is not None:
        assert one.method in find_methods()
        assert one.computed.definitions.keys() == one.tolerances.keys() == values.keys()
        assert published.output_hashes(name).keys() == next(iter(values.values())).keys()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ('outputs = "o"\nmethod = "bicubic"', "either `outputs` or `method`"),
        ("", "either `outputs` or `method`"),
        ('method = "bicubic"', "a table `computed`"),
    ],
)
def test_a_set_says_what_was_scored(kind: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_sets_in(tmp_path, monkeypatch)
    write_set(tmp_path, "set", {"psnr": {"a": "1.0"}}, dataset="sample", outputs="o")
    path = tmp_path / "results" / "published" / "set.toml"
    path.write_text(path.read_text().replace('outputs = "o"', kind))
    with pytest.raises(BenchError, match=rf"set\.toml: .*{error}"):
        published.find_published("set")


def test_means_are_the_published_ones() -> None:
    """The averages that OSEDiff's authors' log gives."""
    values = published.published_values("osediff-realsr")
    means = {metric: np.mean([float(v) for v in column.values()]) for metric, column in values.items()}
    assert means["psnr"] == pytest.approx(25.1511, abs=5e-5)
    assert means["ssim"] == pytest.approx(0.7341, abs=5e-5)
    assert means["niqe"] == pytest.approx(5.6476, abs=5e-5)


def test_unknown_set_gives_near_names() -> None:
    with pytest.raises(BenchError, match=r"did you mean .*osediff-realsr"):
        published.find_published("osediff-realst")


def test_paper_tables_are_the_ones_the_readme_describes() -> None:
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} == {"I", "II", "III", "IV", "V", "VI"}
    assert {row["dataset"] for row in rows} == {"DIV2K", "DRealSR", "RealSR"}
