"""Adding to a ledger: one process at a time, and one transaction for everything about one image."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import filelock
import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically
from ccsr_bench.ledger.reader import APPLICATION, FEATURE_TABLES, IMAGE_TABLES, SCHEMA, TABLES, Ledger
from ccsr_bench.ledger.records import Description, Identity, UnitRecord


class LedgerWriter(Ledger):
    """A ledger that is open for adding results; only one process at a time can open it in this way.

    Args:
        folder: Folder of the ledger; the ledger is created if it does not exist.
        identity: Identity of the results to add.
        description: Properties that a table prints beside the numbers.
        definitions: Definition of each metric to add.
        equivalent: Values of `Identity.made_by_text` for other code that gives the same outputs.

    Raises:
        BenchError: Another process writes to the ledger, its identity or a definition differs, or the folder cannot be
            written.
    """

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        description: Description,
        definitions: Mapping[str, str],
        *,
        equivalent: Sequence[str] = (),
    ) -> None:
        self._session = ""
        self._lock = filelock.FileLock(folder / ".lock")
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                raise BenchError(
                    f"{folder}: another process is writing to this ledger; wait for it, or give another `out`"
                ) from None
        try:
            with storage_errors(folder):
                _create(folder / "ledger.sqlite", identity, description, definitions)
                super().__init__(folder)
                empty = not self.image_names()
                if not empty:
                    self.check_same(identity, definitions, equivalent=equivalent)
                for path in (*folder.glob(".*.tmp"), *folder.glob("images/*/.*.tmp")):
                    path.unlink(missing_ok=True)
                self._connection.execute("PRAGMA query_only = OFF")
                with self._transaction():
                    if empty:  # no results yet, so the identity may still change
                        _identify(self._connection, identity)
                    _describe(self._connection, _with_counts(description, self.description), definitions)
        except BaseException:
            self.close()
            raise

    def _add_missing_tables(self) -> None:
        """Convert a ledger of an older schema to the present schema, in one transaction."""
        if self._integer("PRAGMA user_version") < SCHEMA:
            self._connection.executescript(f"BEGIN; {FEATURE_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with storage_errors(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:  # on a full disk SQLite has already rolled back
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the ledger and let other processes write to it."""
        if hasattr(self, "_connection"):
            super().close()
        self._lock.release()

    def __enter__(self) -> LedgerWriter:
        return self

    def begin_session(self, provenance: Mapping[str, object]) -> None:
        """Record the provenance of all following results, before the first, so that a killed process leaves it too."""
        self._session = uuid.uuid4().hex[:12]
        self._write_session(provenance)

    def end_session(self, provenance: Mapping[str, object]) -> None:
        """Replace the provenance that `begin_session` recorded by the complete one, and rewrite `provenance.json`."""
        self._write_session(provenance)

    def _write_session(self, provenance: Mapping[str, object]) -> None:
        encoded = msgspec.json.encode(provenance).decode()
        with self._transaction():
            self._connection.execute(
                "INSERT INTO sessions VALUES (?, ?) ON CONFLICT DO UPDATE SET provenance = excluded.provenance",
                (self._session, encoded),
            )
        self.write_provenance()

    def describe(self, description: Description) -> None:
        """Replace the properties that a table prints beside the numbers."""
        with self._transaction():
            _describe(self._connection, description, {})

    def ask(self, images: Iterable[str], runs: int) -> None:
        """Record the requested number of runs, so that a table can report what is incomplete."""
        with self._transaction():
            self._connection.executemany(_UPSERT_ASKED, [(image, runs) for image in images])

    def add(self, record: UnitRecord, at: str) -> None:
        """Add the results of one unit of work, in one transaction; existing records stay unchanged.

        Args:
            record: Results of the unit.
            at: Time of the failure, if the record has one.

        Raises:
            BenchError: The ledger cannot be written.
        """
        image, session = record.image, self._session
        self.add_rows(
            {
                "images": [(image, record.pixels_sha256, record.files_sha256)],
                "outputs": [
                    (image, run, output.seed, output.png_sha256, output.origin_sha256, output.seconds, session)
                    for run, output in record.outputs.items()
                ],
                "scores": [
                    (image, run, metric, value, session)
                    for metric, runs in record.scores.items()
                    for run, value in runs.items()
                ],
                "l_std": [(image, runs, value, session) for runs, value in record.l_std.items()],
                "features": [(image, run, vector, session) for run, vector in record.features.items()],
                "reference_features": (
                    [(image, record.reference_features, session)] if record.reference_features else []
                ),
            },
            failure=(image, record.failure, at),
        )

    def add_failure(self, image: str, reason: str, at: str) -> None:
        """Record that an image failed; it counts as incomplete, and the next call tries it again."""
        self.add_rows({}, failure=(image, reason, at))

    def add_rows(
        self, rows: Mapping[str, list[tuple[object, ...]]], failure: tuple[str, str, str] | None = None
    ) -> None:
        """Add rows in the form that `Ledger.rows` returns, in one transaction.

        Args:
            rows: Table -> rows.
            failure: Image, reason and time; an empty reason means that the image is complete now.
        """
        with self._transaction():
            for table in IMAGE_TABLES:
                for row in rows.get(table, []):
                    marks = ", ".join("?" * len(row))
                    insert = f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
                    self._connection.execute(_UPSERT_ASKED if table == "asked" else insert, row)
            if failure is not None:
                self._connection.execute("DELETE FROM failures WHERE image = ?", failure[:1])
                if failure[1]:
                    self._connection.execute("INSERT INTO failures VALUES (?, ?, ?)", failure)

    def add_sessions(self, sessions: Mapping[str, Mapping[str, object]]) -> None:
        """Add the sessions of another ledger, and rewrite `provenance.json`."""
        rows = [(key, msgspec.json.encode(provenance).decode()) for key, provenance in sessions.items()]
        with self._transaction():
            self._connection.executemany("INSERT INTO sessions VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        self.write_provenance()

    def write_provenance(self) -> None:
        """Write `provenance.json`: the identity of the ledger, and the provenance of each part of it."""
        digest = hashlib.sha256()
        for image in self.image_names():
            pixels_sha256, _ = self.image_hashes(image) or ("", "")
            digest.update(f"{image} {pixels_sha256}\n".encode())
        whole = {
            "schema": SCHEMA,
            **msgspec.to_builtins(self.identity),
            "description": msgspec.to_builtins(self.description),
            "definitions": self.definitions,
            "images_sha256": digest.hexdigest(),
            "seed": 'first 8 bytes of sha256(f"{base_seed}/{dataset}/{image}/{run}"), big-endian, shifted right by 1',
            "sessions": self.sessions,
        }
        with storage_errors(self.folder):
            write_atomically(self.folder / "provenance.json", msgspec.json.format(msgspec.json.encode(whole), indent=2))


_UPSERT_ASKED = "INSERT INTO asked VALUES (?, ?) ON CONFLICT DO UPDATE SET runs = max(runs, excluded.runs)"


def _create(path: Path, identity: Identity, description: Description, definitions: Mapping[str, str]) -> None:
    """Create an empty ledger, first under a temporary name so that a killed process leaves no partial ledger."""
    if path.exists():
        return
    temporary = path.with_name(".ledger.tmp")
    temporary.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(temporary)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; {TABLES} {FEATURE_TABLES}"
        )
        _identify(connection, identity)
        _describe(connection, description, definitions)
        connection.commit()
    temporary.replace(path)


def _with_counts(description: Description, recorded: Description) -> Description:
    """Return a description with the recorded parameter counts if it has none; counting needs the method's code."""
    if description.parameters:
        return description
    return msgspec.structs.replace(description, parameters=recorded.parameters)


def _identify(connection: sqlite3.Connection, identity: Identity) -> None:
    encoded = msgspec.json.encode(identity).decode()
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('identity', ?)", (encoded,))
    connection.execute("DELETE FROM definitions")


def _describe(connection: sqlite3.Connection, description: Description, definitions: Mapping[str, str]) -> None:
    encoded = msgspec.json.encode(description).decode()
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('description', ?)", (encoded,))
    connection.executemany("INSERT INTO definitions VALUES (?, ?) ON CONFLICT DO NOTHING", definitions.items())


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn errors such as a full disk or a read-only folder into a `BenchError`."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        space = "free space or " if "space" in reason or "full" in reason else ""
        raise BenchError(
            f"{folder}: cannot be written ({reason}); {space}give another `out`; what was recorded is kept"
        ) from error
