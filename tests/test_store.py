from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.store import SCHEMA, Identity, Ledger, LedgerWriter, Output, Settings, UnitRecord

IDENTITY = Identity(dataset="own", method="m", protocol="paper", base_seed=0)
SETTINGS = Settings(title="M", stochastic=True, paper_dataset="", runs=2, images=2, dataset_images=4)
DEFINITIONS = {"psnr": "PSNR as defined", "l-std": "L-STD as defined"}


def record(image: str = "a", runs: tuple[int, ...] = (0, 1), value: float = 20.0) -> UnitRecord:
    """Return what one unit adds."""
    return UnitRecord(
        image=image,
        pair_sha256=f"pair of {image}",
        outputs={run: Output(seed=2**63 - 1 - run, png_sha256=f"png {run}", seconds=0.5) for run in runs},
        scores={"psnr": {run: value + run for run in runs}},
        l_std={len(runs): 0.01},
    )


def writer(folder: Path, identity: Identity = IDENTITY, settings: Settings = SETTINGS) -> LedgerWriter:
    """Open a ledger for writing."""
    return LedgerWriter(folder, identity, settings, DEFINITIONS)


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    with writer(tmp_path / "m") as ledger:
        ledger.add(record())
    with Ledger(tmp_path / "m") as ledger:
        assert ledger.identity == IDENTITY
        assert ledger.settings == SETTINGS
        assert ledger.definitions == DEFINITIONS
        assert ledger.record("a") == record()
        assert ledger.scores("psnr") == {"a": {0: 20.0, 1: 21.0}}
        assert ledger.l_std(2) == {"a": 0.01}


def test_records_are_added_never_changed(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(runs=(0, 1), value=20))
        ledger.add(record(runs=(0, 1, 2), value=99))
        assert ledger.scores("psnr") == {"a": {0: 20.0, 1: 21.0, 2: 101.0}}


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        bad = UnitRecord("a", "p", {0: Output(1, "h", None)}, {"psnr": {0: None}}, {})  # type: ignore[dict-item]
        with pytest.raises(BenchError, match="cannot be written"):
            ledger.add(bad)
        assert ledger.image_names() == []
        ledger.add(record())


def test_success_clears_a_failure(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add_failure("a", "ValueError: no", "2026-01-01")
        assert ledger.failures == {"a": "ValueError: no"}
        ledger.add(record())
        assert ledger.failures == {}


def test_asking_for_less_later_does_not_make_it_less(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    with writer(tmp_path, settings=msgspec.structs.replace(SETTINGS, runs=1, images=4)) as ledger:
        assert (ledger.settings.runs, ledger.settings.images) == (2, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "other"}, "dataset is 'own', not 'other'"),
        ({"method": "n"}, "method is 'm', not 'n'"),
        ({"protocol": "ccsr-v1"}, "protocol is 'paper', not 'ccsr-v1'"),
        ({"base_seed": 1}, "base seed is '0', not '1'"),
    ],
)
def test_ledger_about_something_else_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record())
    with pytest.raises(BenchError, match=message):
        writer(tmp_path, msgspec.structs.replace(IDENTITY, **change))
    with Ledger(tmp_path) as ledger:
        assert ledger.record("a") == record()


def test_changed_definition_is_refused(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record())
    with pytest.raises(BenchError, match='psnr was recorded as "PSNR as defined", but is now "another"'):
        LedgerWriter(tmp_path, IDENTITY, SETTINGS, {"psnr": "another"})
    with LedgerWriter(tmp_path, IDENTITY, SETTINGS, {"ssim": "SSIM as defined"}) as ledger:
        assert ledger.definitions == DEFINITIONS | {"ssim": "SSIM as defined"}


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    with pytest.raises(BenchError, match=f"schema {SCHEMA + 1}"):
        Ledger(tmp_path)
    with pytest.raises(BenchError, match=f"schema {SCHEMA + 1}"):
        writer(tmp_path)


def test_other_files_are_not_taken_for_ledgers(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no ledger here"):
        Ledger(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(BenchError, match="not a readable ledger"):
        Ledger(tmp_path)
    (tmp_path / "ledger.sqlite").unlink()
    sqlite3.connect(tmp_path / "ledger.sqlite").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(BenchError, match="not a ccsr-bench ledger"):
        Ledger(tmp_path)


def test_one_writer_at_a_time_and_readers_meanwhile(tmp_path: Path) -> None:
    with writer(tmp_path) as first:
        first.add(record())
        with pytest.raises(BenchError, match="another process is writing"):
            writer(tmp_path)
        with Ledger(tmp_path) as reader:
            assert reader.image_names() == ["a"]
        first.add(record("b"))
    with writer(tmp_path) as second:
        assert second.image_names() == ["a", "b"]


def test_provenance_is_written_beside(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record())
        ledger.add_session("2026-01-01", {"started": "2026-01-01", "device": "cpu"})
    provenance = json.loads((tmp_path / "provenance.json").read_text())
    assert provenance["dataset"] == "own"
    assert provenance["definitions"] == DEFINITIONS
    assert len(provenance["images_sha256"]) == 64
    assert provenance["sessions"] == [{"started": "2026-01-01", "device": "cpu"}]


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        path = ledger.image_path("a", 0)
    path.parent.mkdir(parents=True)
    leftover = path.with_name(".a.png.123.tmp")
    leftover.write_bytes(b"half")
    with writer(tmp_path):
        assert not leftover.exists()
