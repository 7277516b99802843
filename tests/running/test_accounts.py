"""The progress, summary, sessions and definitions that a job reports and records beside its outputs and scores."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.interpolation import DitheredBicubic
from ccsr_bench.metrics.catalogue import PROTOCOLS
from ccsr_bench.metrics.psnr import PSNR
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running.job import Summary
from ccsr_bench.running.runner import run_job
from ccsr_bench.running.sources import Generated, MadeElsewhere
from ccsr_bench.seeds import seed
from tests.support.jobs import job
from tests.support.pictures import picture

CPU = torch.device("cpu")


class Method:
    """Adds noise to the enlarged image, and raises an error once, in a chosen call.

    Args:
        error: Error to raise; none when None.
        at: Number of calls before the call that raises it.
    """

    def __init__(self, error: BaseException | None = None, at: int = 0) -> None:
        self.batches: list[int] = []
        self.closed = 0
        self._error = error
        self._at = at

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        self.batches.append(len(seeds))
        if self._error is not None and len(self.batches) > self._at:
            error, self._error = self._error, None
            raise error
        return DitheredBicubic(sigma=8.0).restore(lr, seeds)

    def close(self) -> None:
        self.closed += 1


class Run:
    """Runs jobs on one data set, and collects their progress."""

    def __init__(self, own: Dataset, out: Path) -> None:
        self.method = Method()
        self.job = job(own, out, Generated(lambda: self.method), runs=2)
        self.progress: list[tuple[int, int, str]] = []
        self.begun = 0

    def __call__(self, **changes: Any) -> Summary:
        """Run the job with changed fields."""
        return run_job(
            dataclasses.replace(self.job, **changes),
            Scorer({"psnr": PSNR()}, CPU),
            device="cpu",
            progress=lambda *given: self.progress.append(given),
            before=self._before,
        )

    def _before(self) -> None:
        self.begun += 1

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.job.out / "own" / "m")


@pytest.fixture
def run(pairs: Path, tmp_path: Path) -> Run:
    return Run(datasets.from_folders(pairs / "lr", pairs / "hr", name="own"), tmp_path)


def test_progress_starts_with_the_images_that_are_already_complete(run: Run) -> None:
    run(samples=run.job.samples[:2])
    assert run.progress == [(0, 2, ""), (1, 2, "image0"), (2, 2, "image1")]
    run.progress.clear()
    summary = run()
    assert run.progress == [(2, 4, ""), (3, 4, "image2"), (4, 4, "image3")]
    assert (summary.images, summary.runs, summary.computed, summary.failures) == (4, 2, 2, {})
    run.progress.clear()
    assert run().computed == 0
    assert run.progress == [(4, 4, "")]
    assert run.begun == 2  # `before` is not called if nothing is missing


def test_failed_images_are_not_among_the_computed_ones(run: Run) -> None:
    run.method = Method(ValueError("no luck"), at=1)
    summary = run()
    assert (summary.images, summary.computed, summary.failures) == (4, 3, {"image1": "ValueError: no luck"})
    assert run.progress[-1] == (4, 4, "image3")
    with run.ledger as ledger:
        (session,) = ledger.sessions.values()
    assert session["failures"] == 1


@pytest.mark.parametrize("error", [SystemExit("enough"), MemoryError()])
def test_every_error_of_a_method_affects_its_image_alone(run: Run, error: BaseException) -> None:
    run.method = Method(error, at=2)
    assert list(run().failures) == ["image2"]


def test_an_interrupt_ends_the_job_and_keeps_what_was_computed(run: Run) -> None:
    run.method = Method(KeyboardInterrupt(), at=2)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert run.method.closed == 1
    with run.ledger as ledger:
        assert ledger.image_names() == ["image0", "image1"]
        assert ledger.failures == {}
        (session,) = ledger.sessions.values()
    assert {"started", "finished", "seconds", "peak_memory_mib"} <= session.keys()
    assert run().computed == 2


def test_a_method_is_closed_when_its_job_is_done(run: Run) -> None:
    run()
    assert run.method.closed == 1


def test_two_runs_have_an_l_std_and_one_has_none(run: Run) -> None:
    run(runs=1)
    with run.ledger as ledger:
        assert ledger.l_std(1) == {}
    run(runs=2)
    with run.ledger as ledger:
        assert sorted(ledger.l_std(2)) == ["image0", "image1", "image2", "image3"]


def test_another_base_seed_changes_the_seed_of_every_run(run: Run) -> None:
    run(identity=msgspec.structs.replace(run.job.identity, base_seed=5))
    with run.ledger as ledger:
        assert ledger.identity.base_seed == 5
        seeds = {index: output.seed for index, output in ledger.outputs("image2").items()}
    assert seeds == {index: seed("own", "image2", index, base_seed=5) for index in range(2)}


def test_a_batch_is_never_larger_than_requested(run: Run) -> None:
    method = Method()
    run(runs=5, samples=run.job.samples[:1], source=Generated(lambda: method, batch=2))
    assert method.batches == [2, 2, 1]
    run(runs=5)
    assert run.method.batches == [5, 5, 5]


def test_recorded_seconds_are_per_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 108.0])  # before and after the method
    monkeypatch.setattr("ccsr_bench.running.units.time", Namespace(perf_counter=lambda: next(clock)))
    run(runs=4, samples=run.job.samples[:1])
    with run.ledger as ledger:
        assert [output.seconds for output in ledger.outputs("image0").values()] == [2.0] * 4


def test_images_made_elsewhere_have_no_seconds_and_no_seeds(run: Run, pairs: Path) -> None:
    files = {index: {f"image{n}": pairs / "hr" / f"image{n}.png" for n in range(4)} for index in range(2)}
    run(source=MadeElsewhere(files))
    with run.ledger as ledger:
        outputs = ledger.outputs("image1").values()
        assert [(output.seed, output.seconds) for output in outputs] == [(None, None)] * 2
        assert ledger.scores("psnr")["image1"] == {0: 80.0, 1: 80.0}


def test_other_images_made_elsewhere_are_not_added_to_the_recorded_ones(run: Run, pairs: Path, tmp_path: Path) -> None:
    files = {0: {f"image{n}": pairs / "hr" / f"image{n}.png" for n in range(4)}}
    run(source=MadeElsewhere(files), runs=1)
    write_png(tmp_path / "other.png", picture(9))
    other = {0: {**files[0], "image2": tmp_path / "other.png"}}
    with pytest.raises(BenchError, match=r"other\.png: not the image recorded for that run; give `method` another"):
        run(source=MadeElsewhere(other), runs=1)


@pytest.mark.parametrize(("protocol", "crop"), [("paper", "no crop"), ("ccsr-v1", "4-pixel border left out")])
def test_the_crop_is_in_the_definition_of_l_std(run: Run, protocol: str, crop: str) -> None:
    run(protocol=PROTOCOLS[protocol])
    with run.ledger as ledger:
        assert ledger.definitions["l-std"].endswith(f"x in [0, 1]; {crop}")


def test_the_size_of_the_data_set_is_recorded_whichever_images_are_requested(run: Run) -> None:
    run(samples=run.job.samples[1:3])
    with run.ledger as ledger:
        assert ledger.description.dataset_images == 4
        assert ledger.asked == {"image1": 2, "image2": 2}


def test_settings_of_the_networks_are_in_the_session(run: Run) -> None:
    run(execution=Execution(dtype="float16", batch=3))
    run(runs=3, execution=None)
    with run.ledger as ledger:
        with_networks, without = ledger.sessions.values()
    assert with_networks["execution"] == {"device": "cpu", "dtype": "float16", "batch": 3, "compiled": False}
    assert "execution" not in without
