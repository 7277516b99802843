from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ccsr_bench import stability
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image, write_png
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.methods.interpolation import DitheredBicubic, Interpolation
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.catalogue import PROTOCOLS, build_metrics
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.seeds import seed
from tests.support.jobs import FailsOn, run, scorer
from tests.support.ledgers import everything
from tests.support.pictures import picture
from tests.support.theory import expected_population_std

CPU = torch.device("cpu")


@pytest.fixture
def expected(own: Dataset, tmp_path: Path) -> Mapping[str, Any]:
    """What one uninterrupted job gives."""
    run(own, tmp_path / "expected")
    return everything(tmp_path / "expected")


def test_records_are_the_metrics_of_the_files(own: Dataset, tmp_path: Path, expected: Mapping[str, Any]) -> None:
    metrics = scorer()
    with Ledger(tmp_path / "expected" / "own" / "m") as ledger:
        for sample in own.samples:
            record = ledger.record(sample.name)
            files = np.stack([read_image(ledger.image_path(sample.name, run)) for run in range(4)])
            scores = metrics.score(files, metrics.reference(sample.read().hr), ["psnr", "ssim"])
            assert ({m: list(values.values()) for m, values in record.scores.items()}, []) == scores
            assert record.l_std == {4: stability.l_std(files)}
            assert {k: o.seed for k, o in record.outputs.items()} == {k: seed("own", sample.name, k) for k in range(4)}


def test_order_and_subsets_of_images_do_not_matter(own: Dataset, tmp_path: Path, expected: Mapping[str, Any]) -> None:
    run(own, tmp_path / "out", names=["image3", "image1"])
    run(own, tmp_path / "out", names=["image2", "image0", "image1"])
    assert everything(tmp_path / "out") == expected


def test_more_runs_only_add(own: Dataset, tmp_path: Path, expected: Mapping[str, Any]) -> None:
    run(own, tmp_path / "out", runs=2)
    run(own, tmp_path / "out", runs=4)
    grown = everything(tmp_path / "out")
    assert grown["pngs"] == expected["pngs"]
    for name, (pair, outputs, scores, l_std, _) in expected["records"].items():
        assert grown["records"][name][:3] == (pair, outputs, scores)
        assert grown["records"][name][3][4] == l_std[4]


@pytest.mark.parametrize("batch", [0, 1])
def test_runs_of_one_seed_are_all_run_0(own: Dataset, tmp_path: Path, expected: Mapping[str, Any], batch: int) -> None:
    run(own, tmp_path / "out", same_seed=True, batch=batch)
    floor = everything(tmp_path / "out", "m.same-seed")
    for sample in own.samples:
        files = [f"images/run-{index:02}/{sample.name}.png" for index in range(4)]
        assert {floor["pngs"][file] for file in files} == {expected["pngs"][files[0]]}
        assert len({expected["pngs"][file] for file in files}) == 4
        _, outputs, scores, l_std, _ = floor["records"][sample.name]
        assert [made for made, _ in outputs.values()] == [seed("own", sample.name, 0)] * 4
        assert all(stability.g_std(np.array([list(runs.values())])) == 0 for runs in scores.values())
        assert l_std == {4: 0.0}
        assert min(expected["records"][sample.name][3].values()) > 0


@pytest.mark.parametrize("batch", [1, 3])
def test_batch_does_not_matter(own: Dataset, tmp_path: Path, expected: Mapping[str, Any], batch: int) -> None:
    run(own, tmp_path / "out", batch=batch)
    assert everything(tmp_path / "out") == expected


def test_more_metrics_only_add_and_generate_nothing(own: Dataset, tmp_path: Path, expected: Mapping[str, Any]) -> None:
    run(own, tmp_path / "out", metrics=["psnr"])

    class Forbidden:
        def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
            raise AssertionError("everything is generated already")

    run(own, tmp_path / "out", method=Forbidden())
    assert everything(tmp_path / "out") == expected


def test_second_call_does_nothing(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    with Ledger(tmp_path / "own" / "m") as ledger:
        sessions = ledger.sessions
    assert len(sessions) == 1
    assert run(own, tmp_path).computed == 0
    with Ledger(tmp_path / "own" / "m") as ledger:
        assert ledger.sessions == sessions


def test_failure_costs_one_image_and_is_tried_again(own: Dataset, tmp_path: Path, expected: Mapping[str, Any]) -> None:
    method = FailsOn(own.samples[1].read().lr)
    summary = run(own, tmp_path / "out", method=method)
    assert summary.failures == {"image1": "RuntimeError: out of luck"}
    with Ledger(tmp_path / "out" / "own" / "m") as ledger:
        assert ledger.failures == summary.failures
        assert "image1" not in ledger.image_names()
    method.broken = False
    assert run(own, tmp_path / "out", method=method).computed == 1
    assert everything(tmp_path / "out") == expected


@pytest.mark.parametrize(
    "result", [np.zeros((4, 8, 8, 3), np.uint8), np.zeros((4, 64, 64, 3)), np.zeros((3, 64, 64, 3), np.uint8)]
)
def test_method_that_returns_something_else(own: Dataset, tmp_path: Path, result: np.ndarray) -> None:
    summary = run(own, tmp_path, method=FailsOn(own.samples[0].read().lr, result))
    assert "the method returned" in summary.failures["image0"]


def test_bad_input_keeps_what_was_computed_before_it(own: Dataset, tmp_path: Path) -> None:
    write_png(own.samples[2].hr, picture(2, 60))
    with pytest.raises(BenchError, match=r"image2\.png: 60x60 pixels"):
        run(own, tmp_path)
    with Ledger(tmp_path / "own" / "m") as ledger:
        assert ledger.image_names() == ["image0", "image1"]


def test_changed_output_is_not_scored(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, metrics=["psnr"])
    with Ledger(tmp_path / "own" / "m") as ledger:
        path = ledger.image_path("image0", 1)
    write_png(path, picture(9))
    with pytest.raises(BenchError, match=r"run-01/image0\.png: wrong sha256: the file was changed"):
        run(own, tmp_path)


@pytest.mark.parametrize("runs", [2, 4])
def test_changed_data_set_is_found_even_when_nothing_is_missing(own: Dataset, tmp_path: Path, runs: int) -> None:
    run(own, tmp_path, runs=2)
    before = everything(tmp_path)
    write_png(own.samples[0].hr, picture(9))
    with pytest.raises(BenchError, match="'image0' is not the one recorded under that name"):
        run(own, tmp_path, runs=runs)
    assert everything(tmp_path) == before


def test_same_pictures_in_other_files_are_the_same_data_set(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    for sample in own.samples:
        with Image.open(sample.hr) as image:
            image.load()
        image.save(sample.hr, optimize=True)
    assert run(own, tmp_path).computed == 0


def test_other_images_under_the_same_data_set_name(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    fewer = dataclasses.replace(own, samples=own.samples[1:])
    with pytest.raises(BenchError, match="holds image 'image0', which is not in the data set"):
        run(fewer, tmp_path)


def test_lost_png_is_made_again(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    before = everything(tmp_path)
    with Ledger(tmp_path / "own" / "m") as ledger:
        ledger.image_path("image1", 2).unlink()
    assert run(own, tmp_path).computed == 1
    assert everything(tmp_path) == before


def test_lost_png_that_comes_out_differently_is_not_taken(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    with Ledger(tmp_path / "own" / "m") as ledger:
        ledger.image_path("image1", 2).unlink()
    with pytest.raises(BenchError, match="was lost, and does not come out as it was recorded"):
        run(own, tmp_path, method=DitheredBicubic(sigma=9.0))


class Picky:
    """A metric that cannot score one picture."""

    definition = "PSNR of a kind; no crop"

    def prepare(self, reference: ImageBatch) -> bool:
        return bool((reference.levels[0].permute(1, 2, 0).numpy() == picture(1)).all())

    def score(self, outputs: ImageBatch, prepared: bool) -> torch.Tensor:
        return torch.full((len(outputs),), float("nan") if prepared else 1.0, dtype=torch.float64)


def test_metric_that_fails_costs_neither_outputs_nor_other_metrics(own: Dataset, tmp_path: Path) -> None:
    both = Scorer({**build_metrics(["psnr"], PROTOCOLS["paper"], CPU)[0], "picky": Picky()}, CPU)
    summary = run(own, tmp_path, runs=2, scoring=both)
    assert list(summary.failures) == ["image1"]
    assert "picky: not finite" in summary.failures["image1"]
    with Ledger(tmp_path / "own" / "m") as ledger:
        assert ledger.failures == summary.failures
        assert len(ledger.outputs("image1")) == 2
        assert ledger.image_scores("image1").keys() == {"psnr"}
        assert ledger.image_scores("image2").keys() == {"psnr", "picky"}


def test_deterministic_method_has_exactly_no_spread(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=Interpolation(kernel="bicubic"), runs=10)
    with Ledger(tmp_path / "own" / "m") as ledger:
        assert set(ledger.l_std(10).values()) == {0.0}
        for metric in ("psnr", "ssim"):
            scores = np.array([list(runs.values()) for runs in ledger.scores(metric).values()])
            assert stability.g_std(scores) == 0.0


def test_control_method_has_the_spread_that_theory_says(own: Dataset, tmp_path: Path) -> None:
    """L-STD within 1 %: the pictures are away from 0 and 255. Rounding adds a variance of 1/12."""
    run(own, tmp_path, runs=10)
    with Ledger(tmp_path / "own" / "m") as ledger:
        measured = np.mean(list(ledger.l_std(10).values()))
    theory = np.sqrt(8.0**2 + 1 / 12) * expected_population_std(10) / 255
    assert measured == pytest.approx(theory, rel=0.01)


def test_crop_of_the_protocol_reaches_l_std(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, protocol="ccsr-v1")
    with Ledger(tmp_path / "own" / "m") as ledger:
        files = np.stack([read_image(ledger.image_path("image0", run)) for run in range(4)])
        assert ledger.l_std(4)["image0"] == stability.l_std(files, crop=4) != stability.l_std(files)
