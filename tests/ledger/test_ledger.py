from __future__ import annotations

import dataclasses
import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.reader import SCHEMA, Ledger
from ccsr_bench.ledger.records import Description, Identity, Output, UnitRecord
from ccsr_bench.ledger.writer import LedgerWriter

IDENTITY = Identity(dataset="own", method="m", made_by="code {}", protocol="paper", base_seed=0)
DESCRIPTION = Description(title="M", paper_dataset="", dataset_images=4)
NOW = "2026-01-01"
DEFINITIONS = {"psnr": "PSNR as defined", "l-std": "L-STD as defined"}


def record(image: str = "a", runs: tuple[int, ...] = (0, 1), value: float = 20.0) -> UnitRecord:
    """Return the results of one unit of work."""
    return UnitRecord(
        image=image,
        pixels_sha256=f"pixels of {image}",
        files_sha256=f"files of {image}",
        outputs={run: Output(seed=2**63 - 1 - run, png_sha256=f"png {run}", seconds=0.5) for run in runs},
        scores={"psnr": {run: value + run for run in runs}},
        l_std={len(runs): 0.01},
        features={run: bytes([run, 1, 2, 3]) for run in runs},
        reference_features=b"HR..",
    )


def writer(folder: Path, identity: Identity = IDENTITY) -> LedgerWriter:
    """Open a ledger for writing."""
    return LedgerWriter(folder, identity, DESCRIPTION, DEFINITIONS)


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    with writer(tmp_path / "m") as ledger:
        ledger.add(record(), NOW)
    with Ledger(tmp_path / "m") as ledger:
        assert ledger.identity == IDENTITY
        assert ledger.description == DESCRIPTION
        assert ledger.definitions == DEFINITIONS
        assert ledger.record("a") == record()
        assert ledger.scores("psnr") == {"a": {0: 20.0, 1: 21.0}}
        assert ledger.l_std(2) == {"a": 0.01}
        assert ledger.features(1) == {"a": bytes([1, 1, 2, 3])}
        assert ledger.reference_features() == {"a": b"HR.."}


def test_ledger_of_the_first_schema_is_read_and_added_to(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(), NOW)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.executescript("DROP TABLE features; DROP TABLE reference_features; PRAGMA user_version = 1")
    connection.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with Ledger(tmp_path) as ledger:
        assert dataclasses.replace(ledger.record("a"), features=record().features) == dataclasses.replace(
            record(), reference_features=b""
        )
        assert ledger.rows("a")["features"] == []
    assert (tmp_path / "ledger.sqlite").read_bytes() == before
    with writer(tmp_path) as ledger:
        ledger.add(record(), NOW)
    with Ledger(tmp_path) as ledger:
        assert ledger.record("a") == record()


def test_records_are_added_never_changed(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(runs=(0, 1), value=20), NOW)
        ledger.add(record(runs=(0, 1, 2), value=99), NOW)
        assert ledger.scores("psnr") == {"a": {0: 20.0, 1: 21.0, 2: 101.0}}


def test_a_record_is_written_completely_or_not_at_all(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        bad = UnitRecord("a", "p", "f", {0: Output(1, "h")}, {"psnr": {0: None}}, {})  # type: ignore[dict-item]
        with pytest.raises(BenchError, match="cannot be written"):
            ledger.add(bad, NOW)
        assert ledger.image_names() == []
        ledger.add(record(), NOW)


def test_success_clears_a_failure(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add_failure("a", "ValueError: no", "2026-01-01")
        assert ledger.failures == {"a": "ValueError: no"}
        ledger.add(record(), NOW)
        assert ledger.failures == {}


def test_a_later_request_for_fewer_runs_does_not_reduce_the_requested_number(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.ask(["a", "b"], 10)
        ledger.ask(["a"], 4)
        assert ledger.asked == {"a": 10, "b": 10}


def test_complete_runs_are_those_without_a_gap(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record("a", runs=(0, 1, 2)), NOW)
        ledger.add(record("b", runs=(0, 2)), NOW)
        ledger.add(record("c", runs=()), NOW)
        assert ledger.complete_runs() == {"a": 3, "b": 1, "c": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "other"}, "the data set of this ledger is 'own', not 'other'"),
        ({"method": "n"}, "the method of this ledger is 'm', not 'n'"),
        ({"protocol": "ccsr-v1"}, "the protocol of this ledger is 'paper', not 'ccsr-v1'"),
        ({"made_by": "code {sigma: 2}"}, "outputs in this ledger were made by 'code {}', not 'code {sigma: 2}'"),
        ({"base_seed": 1}, "the base seed of this ledger is '0', not '1'"),
    ],
)
def test_ledger_about_something_else_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(), NOW)
    with pytest.raises(BenchError, match=message):
        writer(tmp_path, msgspec.structs.replace(IDENTITY, **change))
    with Ledger(tmp_path) as ledger:
        assert ledger.record("a") == record()


def test_changed_definition_is_refused(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(), NOW)
    with pytest.raises(BenchError, match='psnr was recorded as "PSNR as defined", but is now "another"'):
        LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, {"psnr": "another"})
    with LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, {"ssim": "SSIM as defined"}) as ledger:
        assert ledger.definitions == DEFINITIONS | {"ssim": "SSIM as defined"}


def test_a_definition_of_another_package_names_the_backend_that_resumes_it(tmp_path: Path) -> None:
    """Until NIQE had our own code, every ledger had pyiqa's."""
    recorded = DEFINITIONS | {"niqe": "NIQE by pyiqa 0.1.16 on Y of full-range YIQ"}
    with LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, recorded) as ledger:
        ledger.add(record(), NOW)
    with pytest.raises(BenchError, match=r"give another `out`, or compute niqe with `backends` niqe=pyiqa$"):
        LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, {"niqe": "NIQE on Y of full-range YIQ (ccsr-bench)"})
    with pytest.raises(BenchError, match=r"give another `out`$"):
        LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, {"niqe": "NIQE by pyiqa 0.2.0 on Y of full-range YIQ"})
    LedgerWriter(tmp_path, IDENTITY, DESCRIPTION, recorded).close()


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


def test_other_files_are_refused_as_ledgers(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no ledger here"):
        Ledger(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(BenchError, match="not a readable ledger"):
        Ledger(tmp_path)
    (tmp_path / "ledger.sqlite").unlink()
    sqlite3.connect(tmp_path / "ledger.sqlite").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(BenchError, match="not a ccsr-bench ledger"):
        Ledger(tmp_path)


def test_one_writer_and_several_readers_at_a_time(tmp_path: Path) -> None:
    with writer(tmp_path) as first:
        first.add(record(), NOW)
        with pytest.raises(BenchError, match="another process is writing"):
            writer(tmp_path)
        with Ledger(tmp_path) as reader:
            assert reader.image_names() == ["a"]
        first.add(record("b"), NOW)
    with writer(tmp_path) as second:
        assert second.image_names() == ["a", "b"]


def test_provenance_is_written_before_and_after(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        ledger.begin_session({"started": "now", "device": "cpu"})
        before = json.loads((tmp_path / "provenance.json").read_text())
        ledger.add(record(), NOW)
        ledger.end_session({"started": "now", "device": "cpu", "finished": "later"})
    (session,) = before["sessions"]
    assert before["sessions"] == {session: {"started": "now", "device": "cpu"}}
    after = json.loads((tmp_path / "provenance.json").read_text())
    assert after["sessions"] == {session: {"started": "now", "device": "cpu", "finished": "later"}}
    assert after["dataset"] == "own"
    assert after["definitions"] == DEFINITIONS
    assert after["images_sha256"] != before["images_sha256"]
    with Ledger(tmp_path) as ledger:  # every row names the session that made it
        rows = ledger.rows("a")
    for table in ("outputs", "scores", "l_std"):
        assert {row[-1] for row in rows[table]} == {session}


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        path = ledger.image_path("a", 0)
    path.parent.mkdir(parents=True)
    leftover = path.with_name(".a.png.123.tmp")
    leftover.write_bytes(b"half")
    another = tmp_path / ".provenance.json.123.tmp"
    another.write_bytes(b"half")
    with writer(tmp_path):
        assert not leftover.exists()
        assert not another.exists()


def test_identity_may_change_while_a_ledger_has_no_results(tmp_path: Path) -> None:
    """A method that fails on every image can be corrected and run again."""
    with writer(tmp_path) as ledger:
        ledger.add_failure("a", "TypeError: no", NOW)
    corrected = msgspec.structs.replace(IDENTITY, made_by="better code {}")
    with LedgerWriter(tmp_path, corrected, DESCRIPTION, {"ssim": "SSIM as defined"}) as ledger:
        assert ledger.identity == corrected
        assert ledger.definitions == {"ssim": "SSIM as defined"}


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE scores",
        "DELETE FROM meta",
        "UPDATE meta SET value = '{'",
        "DELETE FROM definitions",
        "UPDATE scores SET value = 'x'",
        "INSERT INTO sessions VALUES ('s', '{\"code\": {\"dirty\": false}}')",
        "INSERT INTO sessions VALUES ('s', '[]')",
        "UPDATE meta SET value = ''",
    ],
)
def test_damaged_ledger_is_named(tmp_path: Path, damage: str) -> None:
    with writer(tmp_path) as ledger:
        ledger.add(record(), NOW)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute(damage)
    connection.commit()
    connection.close()
    with pytest.raises(BenchError, match=r"ledger\.sqlite: not a readable ledger .* restore it from a copy"):
        Ledger(tmp_path)


def test_overwritten_pages_are_detected(tmp_path: Path) -> None:
    with writer(tmp_path) as ledger:
        for index in range(200):
            ledger.add(record(f"image{index}"), NOW)
    data = bytearray((tmp_path / "ledger.sqlite").read_bytes())
    data[8192:16384] = b"\xa5" * 8192
    (tmp_path / "ledger.sqlite").write_bytes(data)
    with pytest.raises(BenchError, match="not a readable ledger"):
        Ledger(tmp_path)
