"""The results ledger: everything that is recorded about one method on one data set.

A ledger is a folder: ``ledger.sqlite``, ``images/run-00/<image>.png`` and ``provenance.json``. An interrupted
call is resumed from the folder alone. One transaction holds everything about one unit of work, so a process that is
killed at any moment leaves a readable ledger; records are added, never changed. `ccsr_bench.ledger.writer` adds to it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.records import Description, Identity, Output, UnitRecord, decode_identity
from ccsr_bench.metrics.catalogue import recorded_backend
from ccsr_bench.metrics.definitions import present_form

SCHEMA = 3
"""Version of the tables below and of the records in ``meta``, SQLite's `user_version`.

Increase it whenever they change. Version 2 added `FEATURE_TABLES`; version 3 made ``made_by`` of the identity a record
and ``same_seed`` a field.
"""

APPLICATION = 0x43435352  # "CCSR", SQLite's `application_id`

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE definitions (metric TEXT PRIMARY KEY, definition TEXT NOT NULL);
CREATE TABLE sessions (id TEXT PRIMARY KEY, provenance TEXT NOT NULL);
CREATE TABLE asked (image TEXT PRIMARY KEY, runs INTEGER NOT NULL);
CREATE TABLE images (image TEXT PRIMARY KEY, pixels_sha256 TEXT NOT NULL, files_sha256 TEXT NOT NULL);
CREATE TABLE outputs (
    image TEXT NOT NULL, run INTEGER NOT NULL, seed INTEGER, png_sha256 TEXT NOT NULL, origin_sha256 TEXT,
    seconds REAL, session TEXT NOT NULL, PRIMARY KEY (image, run));
CREATE TABLE scores (
    image TEXT NOT NULL, run INTEGER NOT NULL, metric TEXT NOT NULL, value REAL NOT NULL, session TEXT NOT NULL,
    PRIMARY KEY (image, metric, run));
CREATE TABLE l_std (
    image TEXT NOT NULL, runs INTEGER NOT NULL, value REAL NOT NULL, session TEXT NOT NULL, PRIMARY KEY (image, runs));
CREATE TABLE failures (image TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL);
"""

FEATURE_TABLES = """
CREATE TABLE IF NOT EXISTS features (
    image TEXT NOT NULL, run INTEGER NOT NULL, vector BLOB NOT NULL, session TEXT NOT NULL, PRIMARY KEY (image, run));
CREATE TABLE IF NOT EXISTS reference_features (image TEXT PRIMARY KEY, vector BLOB NOT NULL, session TEXT NOT NULL);
"""
"""Tables of the feature vectors for FID and KID, stored as little-endian float32."""

FEATURES_SINCE = 2
"""First version of the schema with `FEATURE_TABLES`."""

IMAGE_TABLES = ("asked", "images", "outputs", "scores", "l_std", "failures", "features", "reference_features")
"""Tables whose rows each describe one image."""

_IDENTITY_IN_WORDS = {
    "dataset": "the data set of this ledger is",
    "label": "the method of this ledger is",
    "made_by_text": "the outputs in this ledger were made by",
    "protocol": "the protocol of this ledger is",
    "base_seed": "the base seed of this ledger is",
}


def ledger_folder(out: Path, identity: Identity) -> Path:
    """Return the folder of a ledger inside an output folder."""
    return out / identity.dataset / identity.label


def find_ledgers(out: Path) -> list[Path]:
    """Return the folders of all ledgers in an output folder, sorted by name."""
    return sorted(path.parent for path in out.glob("*/*/ledger.sqlite"))


class Ledger:
    """One ledger, opened for reading.

    Args:
        folder: Folder of the ledger, such as ``results/RealSR/bicubic``.

    Raises:
        BenchError: The folder holds no ledger, the ledger is damaged, or a newer version wrote it.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        path = self.folder / "ledger.sqlite"
        if not path.is_file():
            raise BenchError(f"{folder}: no ledger here; `ccsr-bench run` or `score` makes one")
        # Not mode=ro: after a kill SQLite must roll the journal back, which is a write.
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            self._check_schema()
            self._add_missing_tables()
            self._connection.execute("PRAGMA query_only = ON")
            self._check_whole()
        except (sqlite3.DatabaseError, msgspec.MsgspecError, TypeError) as error:
            self._connection.close()
            raise BenchError(f"{path}: not a readable ledger ({error}); restore it from a copy") from error
        except BenchError:
            self._connection.close()
            raise

    def _check_schema(self) -> None:
        application = self._integer("PRAGMA application_id")
        version = self._integer("PRAGMA user_version")
        if application != APPLICATION:
            raise BenchError(
                f"{self.folder / 'ledger.sqlite'}: not a ccsr-bench ledger but another database; move it away"
            )
        if version > SCHEMA:
            raise BenchError(
                f"{self.folder}: the ledger has schema {version}, but this ccsr-bench reads up to {SCHEMA}; "
                f"update ccsr-bench"
            )

    def _add_missing_tables(self) -> None:
        """Add the tables that an older schema lacks as empty temporary tables, without writing to the file."""
        if self._integer("PRAGMA user_version") < FEATURES_SINCE:
            self._connection.executescript(FEATURE_TABLES.replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))

    def _check_whole(self) -> None:
        """Read every part that can be damaged, so that opening the ledger fails and not a later computation."""
        verdict = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for table in (*IMAGE_TABLES, "definitions", "sessions"):
            self._connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608
        _ = self.identity, self.description
        for session, provenance in self.sessions.items():
            code = msgspec.convert(provenance, dict[str, object]).get("code")
            if code and not {"commit", "dirty"} <= msgspec.convert(code, dict[str, object]).keys():
                raise sqlite3.DatabaseError(f"the code of session {session} has no commit")
        unknown = self._integer("SELECT count(*) FROM scores WHERE metric NOT IN (SELECT metric FROM definitions)")
        if unknown:
            raise sqlite3.DatabaseError(f"{unknown} scores have no definition")
        wrong = self._integer("SELECT count(*) FROM scores WHERE typeof(value) <> 'real'")
        if wrong:
            raise sqlite3.DatabaseError(f"{wrong} scores are not numbers")

    def _integer(self, query: str, *parameters: object) -> int:
        return int(self._connection.execute(query, parameters).fetchone()[0])

    def close(self) -> None:
        """Close the ledger."""
        self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let several reads see the same state of the ledger, whatever another process writes meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def check_same(self, identity: Identity, definitions: Mapping[str, str], *, equivalent: Sequence[str] = ()) -> None:
        """Check that results may be added: that their identity and metric definitions are those of the ledger.

        Args:
            identity: Identity of the results to add.
            definitions: Definition of each metric to add.
            equivalent: Values of `Identity.made_by_text` for other code that gives the same outputs.

        Raises:
            BenchError: The identity or a definition differs.
        """
        for name, what in _IDENTITY_IN_WORDS.items():
            recorded, given = getattr(self.identity, name), getattr(identity, name)
            same_code = name == "made_by_text" and recorded in equivalent
            if recorded != given and not same_code:
                raise BenchError(f"{self.folder}: {what} '{recorded}', not '{given}'; give another `out`")
        recorded_definitions = self.definitions
        for metric, definition in definitions.items():
            recorded = recorded_definitions.get(metric, definition)
            if recorded != definition:
                package = recorded_backend(metric, recorded)
                other = package is not None and package != recorded_backend(metric, definition)
                advice = f", or compute {metric} with `backends` {metric}={package}" if other else ""
                raise BenchError(
                    f'{self.folder}: {metric} was recorded as "{recorded}", but is now "{definition}"; '
                    f"definitions are never mixed: give another `out`{advice}"
                )

    def image_path(self, image: str, run: int) -> Path:
        """Return the path of the PNG of an output."""
        return self.folder / "images" / f"run-{run:02d}" / f"{image}.png"

    def _meta(self, key: str) -> str:
        return str(self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    @property
    def identity(self) -> Identity:
        """The properties that all results of the ledger share."""
        return decode_identity(self._meta("identity"))

    @property
    def description(self) -> Description:
        """The properties that a table prints beside the numbers."""
        return msgspec.json.decode(self._meta("description"), type=Description)

    @property
    def definitions(self) -> dict[str, str]:
        """The definition of each recorded metric, including L-STD."""
        rows = self._connection.execute("SELECT metric, definition FROM definitions ORDER BY metric")
        return {metric: present_form(definition) for metric, definition in rows}

    @property
    def failures(self) -> dict[str, str]:
        """The reason of the last failure of each incomplete image."""
        return dict(self._connection.execute("SELECT image, reason FROM failures ORDER BY image"))

    @property
    def asked(self) -> dict[str, int]:
        """The largest number of runs that was ever requested, by image."""
        return dict(self._connection.execute("SELECT image, runs FROM asked ORDER BY image"))

    @property
    def sessions(self) -> dict[str, dict[str, object]]:
        """The provenance of every call that added to the ledger, by session id, oldest first."""
        rows = self._connection.execute("SELECT id, provenance FROM sessions ORDER BY rowid")
        return {row[0]: msgspec.json.decode(row[1]) for row in rows}

    def generating_sessions(self) -> list[dict[str, object]]:
        """Return the provenance of the calls that generated and timed outputs, oldest first."""
        generating = {
            row[0] for row in self._connection.execute("SELECT session FROM outputs WHERE seconds IS NOT NULL")
        }
        return [provenance for session, provenance in self.sessions.items() if session in generating]

    def image_names(self) -> list[str]:
        """Return the names of the images that have records, sorted."""
        return [row[0] for row in self._connection.execute("SELECT image FROM images ORDER BY image")]

    def image_hashes(self, image: str) -> tuple[str, str] | None:
        """Return the recorded sha256 of an image's pixels and of its files; None if the image has no record."""
        query = "SELECT pixels_sha256, files_sha256 FROM images WHERE image = ?"
        row = self._connection.execute(query, (image,)).fetchone()
        return None if row is None else (row[0], row[1])

    def complete_runs(self) -> dict[str, int]:
        """Return for each image the number of recorded runs without a gap, counted from run 0."""
        counts: dict[str, int] = dict.fromkeys(self.image_names(), 0)
        for image, run in self._connection.execute("SELECT image, run FROM outputs ORDER BY image, run"):
            counts[image] += run == counts[image]
        return counts

    def outputs(self, image: str) -> dict[int, Output]:
        """Return the recorded outputs of an image, by run."""
        query = "SELECT run, seed, png_sha256, origin_sha256, seconds FROM outputs WHERE image = ? ORDER BY run"
        return {run: Output(*rest) for run, *rest in self._connection.execute(query, (image,))}

    def scores(self, metric: str) -> dict[str, dict[int, float]]:
        """Return every recorded score of a metric: image -> run -> value."""
        scores: dict[str, dict[int, float]] = {}
        query = "SELECT image, run, value FROM scores WHERE metric = ? ORDER BY image, run"
        for image, run, value in self._connection.execute(query, (metric,)):
            scores.setdefault(image, {})[run] = value
        return scores

    def score_rows(self) -> Iterator[tuple[str, int, int | None, str, float, float | None]]:
        """Yield (image, run, seed, metric, value, seconds) of every recorded score, sorted by image, metric and run."""
        yield from self._connection.execute(
            "SELECT image, run, seed, metric, value, seconds FROM scores LEFT JOIN outputs USING (image, run) "
            "ORDER BY image, metric, run"
        )

    def image_scores(self, image: str) -> dict[str, dict[int, float]]:
        """Return every recorded score of an image: metric -> run -> value."""
        scores: dict[str, dict[int, float]] = {}
        query = "SELECT metric, run, value FROM scores WHERE image = ? ORDER BY metric, run"
        for metric, run, value in self._connection.execute(query, (image,)):
            scores.setdefault(metric, {})[run] = value
        return scores

    def features(self, run: int) -> dict[str, bytes]:
        """Return the feature vectors of all outputs of one run, by image."""
        return dict(self._connection.execute("SELECT image, vector FROM features WHERE run = ? ORDER BY image", (run,)))

    def reference_features(self) -> dict[str, bytes]:
        """Return the feature vectors of the HR images, by image."""
        return dict(self._connection.execute("SELECT image, vector FROM reference_features ORDER BY image"))

    def image_features(self, image: str) -> tuple[dict[int, bytes], bytes]:
        """Return the feature vectors of an image's outputs, by run, and of its HR image; empty if not recorded."""
        query = "SELECT run, vector FROM features WHERE image = ? ORDER BY run"
        reference = self._connection.execute("SELECT vector FROM reference_features WHERE image = ?", (image,))
        return dict(self._connection.execute(query, (image,))), (reference.fetchone() or (b"",))[0]

    def l_std(self, runs: int) -> dict[str, float]:
        """Return the recorded L-STD over a number of runs, by image."""
        return dict(self._connection.execute("SELECT image, value FROM l_std WHERE runs = ? ORDER BY image", (runs,)))

    def image_l_std(self, image: str) -> dict[int, float]:
        """Return the recorded L-STDs of an image, by the number of runs."""
        return dict(self._connection.execute("SELECT runs, value FROM l_std WHERE image = ? ORDER BY runs", (image,)))

    def record(self, image: str) -> UnitRecord:
        """Return everything recorded about one image.

        Raises:
            KeyError: Nothing is recorded about the image.
        """
        hashes = self.image_hashes(image)
        if hashes is None:
            raise KeyError(image)
        failure = self.failures.get(image, "")
        return UnitRecord(
            image,
            *hashes,
            self.outputs(image),
            self.image_scores(image),
            self.image_l_std(image),
            failure,
            *self.image_features(image),
        )

    def rows(self, image: str) -> dict[str, list[tuple[object, ...]]]:
        """Return the rows about one image, by table, in the form that `LedgerWriter.add_rows` takes."""
        return {
            table: self._connection.execute(f"SELECT * FROM {table} WHERE image = ?", (image,)).fetchall()  # noqa: S608
            for table in IMAGE_TABLES
        }
