"""FID and KID through the ledger, which records feature vectors; the distances are computed from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from ccsr_bench.ledger.merge import merge_folders
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.metrics.base import SetMetric
from ccsr_bench.metrics.frechet import frechet_distance, kernel_distance
from ccsr_bench.metrics.quantities import SCORES
from ccsr_bench.metrics.scorer import VECTORS, Scorer
from ccsr_bench.tables.render.cells import cell_text
from ccsr_bench.tables.render.markdown import markdown
from ccsr_bench.tables.rows import Table
from tests.support.jobs import TileMeans, run, set_scorer
from tests.support.ledgers import everything
from tests.support.tables import collect

CPU = torch.device("cpu")


def test_distances_are_those_of_the_files(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, scoring=set_scorer())
    scorer = set_scorer()
    references = scorer.features(np.stack([sample.read().hr for sample in own.samples]))
    with Ledger(tmp_path / "own" / "m") as ledger:
        paths = [[ledger.image_path(sample.name, run) for sample in own.samples] for run in range(4)]
    vectors = [scorer.features(np.stack([read_image(path) for path in run_paths])) for run_paths in paths]
    (section,) = collect(tmp_path)
    for name, distance in (("fid", frechet_distance), ("kid", kernel_distance)):
        values = [distance(run_vectors, references) for run_vectors in vectors]
        cell = section.rows[0].cells[name]
        assert cell.value == pytest.approx(np.mean(values), rel=1e-6)
        assert cell.g_std == pytest.approx(np.std(values), rel=1e-6)
        assert cell.images == 4
    notes = [note for note in section.notes if note.startswith("m: FID of M = 4 images against 4, fewer than")]
    assert len(notes) == 1
    assert "standard deviation over the runs" in notes[0]
    fid = next(column for column in SCORES if column.name == "fid")
    assert cell_text(section.rows[0].cells["fid"], fid) in markdown([Table("own", (section,))])


def test_vectors_of_outputs_and_hr_images_are_computed_once(own: Dataset, tmp_path: Path) -> None:
    extractor = TileMeans()
    run(own, tmp_path, scoring=set_scorer(extractor), runs=2)
    assert extractor.seen == 4 * (2 + 1)
    run(own, tmp_path, scoring=set_scorer(extractor), runs=2)
    assert extractor.seen == 12
    run(own, tmp_path, scoring=set_scorer(extractor), runs=3)
    assert extractor.seen == 12 + 4


def test_set_metrics_are_added_later(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "whole", scoring=set_scorer())
    run(own, tmp_path / "out", metrics=["psnr"])
    run(own, tmp_path / "out", scoring=set_scorer())
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")


def test_shards_give_the_results_of_one_process(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "whole", scoring=set_scorer())
    run(own, tmp_path / "a", scoring=set_scorer(), names=["image0", "image2"])
    run(own, tmp_path / "b", scoring=set_scorer(), names=["image3", "image1"])
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    assert collect(tmp_path / "out")[0].rows == collect(tmp_path / "whole")[0].rows


def test_vectors_of_another_extractor_are_refused(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, scoring=set_scorer(), runs=2)
    other = TileMeans()
    other.definition = "other means"
    only_kid = Scorer({"kid": SetMetric("kid of means of quarters", other)}, CPU)
    with pytest.raises(BenchError, match=f'{VECTORS} was recorded as "means of quarters", but is now "other means"'):
        run(own, tmp_path, scoring=only_kid)


def test_vectors_that_fail_do_not_affect_scores(own: Dataset, tmp_path: Path) -> None:
    summary = run(own, tmp_path, scoring=set_scorer(TileMeans(broken=True)))
    assert set(summary.failures) == {sample.name for sample in own.samples}
    assert "the vectors are not finite" in next(iter(summary.failures.values()))
    (section,) = collect(tmp_path)
    assert section.rows[0].cells.keys() == {"psnr", "l-std"}
    assert run(own, tmp_path, scoring=set_scorer()).failures == {}
    assert "fid" in collect(tmp_path)[0].rows[0].cells


def test_one_run_has_no_spread_and_one_image_no_distance(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "one-run", scoring=set_scorer(), runs=1)
    assert collect(tmp_path / "one-run")[0].rows[0].cells["fid"].g_std is None
    run(own, tmp_path / "one-image", scoring=set_scorer(), names=["image0"])
    assert "fid" not in collect(tmp_path / "one-image")[0].rows[0].cells
