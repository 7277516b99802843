"""The results ledger: what was recorded for one (data set, method), and nothing else.

A ledger is a folder: ``ledger.sqlite``, ``images/run-00/<image>.png`` and ``provenance.json``. The folder is the resume
state. One transaction holds everything about one unit of work, so a process killed at any moment leaves a ledger that
opens; records are added, never changed. `ccsr_bench.ledger.writer` adds to it.
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

SCHEMA = 3
"""Version of the tables below and of the records in ``meta``, SQLite's `user_version`. Raise it whenever they change.

2 added `FEATURE_TABLES`; 3 made ``made_by`` of the identity a record and ``same_seed`` a field."""

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
"""What FID compares. A vector is little-endian float32."""

FEATURES_SINCE = 2
"""First schema with `FEATURE_TABLES`."""

IMAGE_TABLES = ("asked", "images", "outputs", "scores", "l_std", "failures", "features", "reference_features")
"""The tables whose rows are about one image."""


_IDENTITY_IN_WORDS = {
    "dataset": "the data set of this ledger is",
    "label": "the method of this ledger is",
    "made_by_text": "the outputs in this ledger were made by",
    "protocol": "the protocol of this ledger is",
    "base_seed": "the base seed of this ledger is",
}


def ledger_folder(out: Path, identity: Identity) -> Path:
    """Return the folder of one ledger in an output folder."""
    return out / identity.dataset / identity.label


def find_ledgers(out: Path) -> list[Path]:
    """Return the folders of every ledger in an output folder, in name order."""
    return sorted(path.parent for path in out.glob("*/*/ledger.sqlite"))


class Ledger:
    """One ledger, opened for reading.

    Args:
        folder: Folder of the ledger, such as ``results/RealSR/bicubic``.

    Raises:
        BenchError: It is not a ledger, or was written by a newer version.
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
            raise BenchError(f"{self.folder / 'ledger.sqlite'}: a database, but not a ccsr-bench ledger; move it away")
        if version > SCHEMA:
            raise BenchError(
                f"{self.folder}: the ledger has schema {version}, this ccsr-bench reads up to {SCHEMA}; update it"
            )

    def _add_missing_tables(self) -> None:
        """Give a reader of a ledger of an older schema the tables that it lacks, empty; nothing is written."""
        if self._integer("PRAGMA user_version") < FEATURES_SINCE:
            self._connection.executescript(FEATURE_TABLES.replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))

    def _check_whole(self) -> None:
        """Read what can be damaged, so that it is found here and named, not half-way through a table."""
        found = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if found != "ok":
            raise sqlite3.DatabaseError(found)
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
            raise sqlite3.DatabaseError(f"{wrong} scores are no numbers")

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
        """Make several reads see one moment, whatever another process writes meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def check_same(self, identity: Identity, definitions: Mapping[str, str], *, equivalent: Sequence[str] = ()) -> None:
        """Check that identity and metric definitions are those of the ledger.

        Args:
            identity: What is to be added is about this.
            definitions: The definition of each metric that is to be added.
            equivalent: Texts of `Identity.made_by` that stand for code with the same outputs.

        Raises:
            BenchError: One of them differs.
        """
        for name, what in _IDENTITY_IN_WORDS.items():
            recorded, asked = getattr(self.identity, name), getattr(identity, name)
            same_code = name == "made_by_text" and recorded in equivalent
            if recorded != asked and not same_code:
                raise BenchError(f"{self.folder}: {what} '{recorded}', not '{asked}'; give another `out`")
        recorded_definitions = self.definitions
        for metric, definition in definitions.items():
            recorded = recorded_definitions.get(metric, definition)
            if recorded != definition:
                raise BenchError(
                    f'{self.folder}: {metric} was recorded as "{recorded}", but is now "{definition}"; '
                    f"definitions are never mixed: give another `out`"
                )

    def image_path(self, image: str, run: int) -> Path:
        """Return where the PNG of one output is."""
        return self.folder / "images" / f"run-{run:02d}" / f"{image}.png"

    def _meta(self, key: str) -> str:
        return str(self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    @property
    def identity(self) -> Identity:
        """What the ledger is about."""
        return decode_identity(self._meta("identity"))

    @property
    def description(self) -> Description:
        """What a table prints beside the numbers."""
        return msgspec.json.decode(self._meta("description"), type=Description)

    @property
    def definitions(self) -> dict[str, str]:
        """The definition of each recorded metric, L-STD among them."""
        return dict(self._connection.execute("SELECT metric, definition FROM definitions ORDER BY metric"))

    @property
    def failures(self) -> dict[str, str]:
        """The reason of the last failure of each image that is not done."""
        return dict(self._connection.execute("SELECT image, reason FROM failures ORDER BY image"))

    @property
    def asked(self) -> dict[str, int]:
        """The most runs that were ever asked for, by image."""
        return dict(self._connection.execute("SELECT image, runs FROM asked ORDER BY image"))

    @property
    def sessions(self) -> dict[str, dict[str, object]]:
        """The provenance of every call that added to the ledger, by its id, oldest first."""
        rows = self._connection.execute("SELECT id, provenance FROM sessions ORDER BY rowid")
        return {row[0]: msgspec.json.decode(row[1]) for row in rows}

    def generating_sessions(self) -> list[dict[str, object]]:
        """Return the provenance of the calls that generated outputs, and so timed them, oldest first."""
        made = {row[0] for row in self._connection.execute("SELECT session FROM outputs WHERE seconds IS NOT NULL")}
        return [provenance for session, provenance in self.sessions.items() if session in made]

    def image_names(self) -> list[str]:
        """Return the images that something is recorded about, in name order."""
        return [row[0] for row in self._connection.execute("SELECT image FROM images ORDER BY image")]

    def image_hashes(self, image: str) -> tuple[str, str] | None:
        """Return the sha256 of an image's pixels and of its files as recorded; None when nothing is."""
        query = "SELECT pixels_sha256, files_sha256 FROM images WHERE image = ?"
        row = self._connection.execute(query, (image,)).fetchone()
        return None if row is None else (row[0], row[1])

    def complete_runs(self) -> dict[str, int]:
        """Return for each image how many runs are recorded, from run 0 on without a gap."""
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
        found: dict[str, dict[int, float]] = {}
        query = "SELECT image, run, value FROM scores WHERE metric = ? ORDER BY image, run"
        for image, run, value in self._connection.execute(query, (metric,)):
            found.setdefault(image, {})[run] = value
        return found

    def score_rows(self) -> Iterator[tuple[str, int, int | None, str, float, float | None]]:
        """Yield (image, run, seed, metric, value, seconds) of every recorded score, in the order of names."""
        yield from self._connection.execute(
            "SELECT image, run, seed, metric, value, seconds FROM scores LEFT JOIN outputs USING (image, run) "
            "ORDER BY image, metric, run"
        )

    def image_scores(self, image: str) -> dict[str, dict[int, float]]:
        """Return every recorded score of an image: metric -> run -> value."""
        found: dict[str, dict[int, float]] = {}
        query = "SELECT metric, run, value FROM scores WHERE image = ? ORDER BY metric, run"
        for metric, run, value in self._connection.execute(query, (image,)):
            found.setdefault(metric, {})[run] = value
        return found

    def features(self, run: int) -> dict[str, bytes]:
        """Return the vectors of all outputs of one run, by image."""
        return dict(self._connection.execute("SELECT image, vector FROM features WHERE run = ? ORDER BY image", (run,)))

    def reference_features(self) -> dict[str, bytes]:
        """Return the vectors of the HR images, by image."""
        return dict(self._connection.execute("SELECT image, vector FROM reference_features ORDER BY image"))

    def image_features(self, image: str) -> tuple[dict[int, bytes], bytes]:
        """Return the vectors of an image's outputs, by run, and of its HR image; nothing where none is recorded."""
        query = "SELECT run, vector FROM features WHERE image = ? ORDER BY run"
        reference = self._connection.execute("SELECT vector FROM reference_features WHERE image = ?", (image,))
        return dict(self._connection.execute(query, (image,))), (reference.fetchone() or (b"",))[0]

    def l_std(self, runs: int) -> dict[str, float]:
        """Return the recorded L-STD over that many runs, by image."""
        return dict(self._connection.execute("SELECT image, value FROM l_std WHERE runs = ? ORDER BY image", (runs,)))

    def image_l_std(self, image: str) -> dict[int, float]:
        """Return the recorded L-STDs of an image, by the number of runs."""
        return dict(self._connection.execute("SELECT runs, value FROM l_std WHERE image = ? ORDER BY runs", (image,)))

    def record(self, image: str) -> UnitRecord:
        """Return everything recorded about one image.

        Raises:
            KeyError: Nothing is.
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
        """Return the rows about one image, table by table, for another ledger to take over."""
        return {
            table: self._connection.execute(f"SELECT * FROM {table} WHERE image = ?", (image,)).fetchall()  # noqa: S608
            for table in IMAGE_TABLES
        }
