"""The results ledger: what was recorded for one (data set, method), and nothing else.

A ledger is a folder: ``ledger.sqlite``, ``images/run-00/<image>.png`` and ``provenance.json``. The folder is the resume
state. One transaction holds everything about one unit of work, so a process killed at any moment leaves a ledger that
opens; records are added, never changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import filelock
import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically

SCHEMA = 1
"""Version of the tables below, SQLite's `user_version`. Raise it whenever they change."""

_APPLICATION = 0x43435352  # "CCSR"

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE definitions (metric TEXT PRIMARY KEY, definition TEXT NOT NULL);
CREATE TABLE images (image TEXT PRIMARY KEY, pair_sha256 TEXT NOT NULL);
CREATE TABLE outputs (
    image TEXT NOT NULL, run INTEGER NOT NULL, seed INTEGER, png_sha256 TEXT NOT NULL, seconds REAL,
    PRIMARY KEY (image, run));
CREATE TABLE scores (
    image TEXT NOT NULL, run INTEGER NOT NULL, metric TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (image, metric, run));
CREATE TABLE l_std (
    image TEXT NOT NULL, runs INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (image, runs));
CREATE TABLE failures (image TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE sessions (started TEXT PRIMARY KEY, provenance TEXT NOT NULL);
"""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger is about; a ledger is only ever opened for the same."""

    dataset: str
    method: str
    protocol: str
    base_seed: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The most that was ever asked for, which tables need to tell a finished ledger from an unfinished one."""

    title: str
    """The method, as tables print it."""
    stochastic: bool
    paper_dataset: str
    """What the paper calls the data set."""
    runs: int
    images: int
    """Images asked for."""
    dataset_images: int
    """Images in the data set."""


@dataclass(frozen=True)
class Output:
    """One recorded output."""

    seed: int | None
    png_sha256: str
    seconds: float | None
    """Wall time of generating it: the call's time divided by the runs it made. None for images made elsewhere."""


@dataclass(frozen=True)
class UnitRecord:
    """Everything that one unit of work adds about one image."""

    image: str
    pair_sha256: str
    outputs: dict[int, Output]
    scores: dict[str, dict[int, float]]
    """Metric -> run -> value."""
    l_std: dict[int, float]
    """Number of runs -> L-STD over that many."""


def ledger_folder(out: Path, dataset: str, method: str) -> Path:
    """Return the folder of one ledger in an output folder."""
    return out / dataset / method


def find_ledgers(out: Path) -> list[Path]:
    """Return the folders of every ledger in an output folder, in name order."""
    return sorted(path.parent for path in out.glob("*/*/ledger.sqlite"))


class Ledger:
    """One ledger, opened for reading; `LedgerWriter` adds to it.

    Raises:
        BenchError: It is not a ledger, or was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "ledger.sqlite"
        if not path.is_file():
            raise BenchError(f"{folder}: no ledger here; `ccsr-bench run` or `score` makes one")
        self._connection = self._connect(path)
        try:
            self._check_schema()
        except sqlite3.DatabaseError as error:
            self.close()
            raise BenchError(f"{path}: not a readable ledger ({error}); restore it from a copy") from error

    def _connect(self, path: Path) -> sqlite3.Connection:
        # Not mode=ro: after a kill SQLite must roll the journal back, which is a write.
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _check_schema(self) -> None:
        application = self._value("PRAGMA application_id")
        version = self._value("PRAGMA user_version")
        if application != _APPLICATION:
            raise BenchError(f"{self.folder / 'ledger.sqlite'}: a database, but not a ccsr-bench ledger; move it away")
        if version > SCHEMA:
            raise BenchError(
                f"{self.folder}: the ledger has schema {version}, this ccsr-bench reads up to {SCHEMA}; update it"
            )

    def _value(self, query: str, *parameters: object) -> int:
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

    def image_path(self, image: str, run: int) -> Path:
        """Return where the PNG of one output is."""
        return self.folder / "images" / f"run-{run:02d}" / f"{image}.png"

    def _meta(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def identity(self) -> Identity:
        """What the ledger is about."""
        return msgspec.json.decode(self._meta("identity") or "", type=Identity)

    @property
    def settings(self) -> Settings:
        """The most that was ever asked for."""
        return msgspec.json.decode(self._meta("settings") or "", type=Settings)

    @property
    def definitions(self) -> dict[str, str]:
        """The definition of each recorded metric, L-STD among them."""
        return dict(self._connection.execute("SELECT metric, definition FROM definitions ORDER BY metric"))

    @property
    def failures(self) -> dict[str, str]:
        """The reason of the last failure of each image that is not done."""
        return dict(self._connection.execute("SELECT image, reason FROM failures ORDER BY image"))

    @property
    def sessions(self) -> list[dict[str, object]]:
        """The provenance of every call that added to the ledger, oldest first."""
        rows = self._connection.execute("SELECT provenance FROM sessions ORDER BY started")
        return [msgspec.json.decode(row[0]) for row in rows]

    def pair_sha256(self, image: str) -> str | None:
        """Return the hash of the (LR, HR) pixels that an image was recorded with."""
        row = self._connection.execute("SELECT pair_sha256 FROM images WHERE image = ?", (image,)).fetchone()
        return None if row is None else str(row[0])

    def outputs(self, image: str) -> dict[int, Output]:
        """Return the recorded outputs of an image, by run."""
        rows = self._connection.execute(
            "SELECT run, seed, png_sha256, seconds FROM outputs WHERE image = ? ORDER BY run", (image,)
        )
        return {run: Output(seed, sha256, seconds) for run, seed, sha256, seconds in rows}

    def scores(self, metric: str) -> dict[str, dict[int, float]]:
        """Return every recorded score of a metric: image -> run -> value."""
        found: dict[str, dict[int, float]] = {}
        rows = self._connection.execute(
            "SELECT image, run, value FROM scores WHERE metric = ? ORDER BY image, run", (metric,)
        )
        for image, run, value in rows:
            found.setdefault(image, {})[run] = value
        return found

    def scored_runs(self, image: str) -> dict[str, set[int]]:
        """Return which runs of an image have a score, by metric."""
        found: dict[str, set[int]] = {}
        for metric, run in self._connection.execute("SELECT metric, run FROM scores WHERE image = ?", (image,)):
            found.setdefault(metric, set()).add(run)
        return found

    def l_std(self, runs: int) -> dict[str, float]:
        """Return the recorded L-STD over that many runs, by image."""
        return dict(self._connection.execute("SELECT image, value FROM l_std WHERE runs = ? ORDER BY image", (runs,)))

    def has_l_std(self, image: str, runs: int) -> bool:
        """Return whether the L-STD over that many runs is recorded for an image."""
        return bool(self._value("SELECT count(*) FROM l_std WHERE image = ? AND runs = ?", image, runs))

    def image_names(self) -> list[str]:
        """Return the images that something is recorded about, in name order."""
        return [row[0] for row in self._connection.execute("SELECT image FROM images ORDER BY image")]

    def record(self, image: str) -> UnitRecord:
        """Return everything recorded about one image."""
        scores: dict[str, dict[int, float]] = {}
        for metric, run, value in self._connection.execute(
            "SELECT metric, run, value FROM scores WHERE image = ? ORDER BY metric, run", (image,)
        ):
            scores.setdefault(metric, {})[run] = value
        spread = dict(self._connection.execute("SELECT runs, value FROM l_std WHERE image = ?", (image,)))
        return UnitRecord(image, self.pair_sha256(image) or "", self.outputs(image), scores, spread)


class LedgerWriter(Ledger):
    """The one process that may add to a ledger.

    Args:
        folder: Where the ledger is, or is to be made.
        identity: What it is about.
        settings: What is asked for now.
        definitions: The definition of each metric that will be recorded.

    Raises:
        BenchError: Another process has it open; it is about something else; a definition differs; or the folder cannot
            be written.
    """

    def __init__(self, folder: Path, identity: Identity, settings: Settings, definitions: dict[str, str]) -> None:
        self._lock = filelock.FileLock(folder / ".lock")
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                raise BenchError(
                    f"{folder}: another process is writing to this ledger; wait for it, or give another --out"
                ) from None
        try:
            with storage_errors(folder):
                self._create(folder / "ledger.sqlite", identity)
                super().__init__(folder)
                self._remove_leftovers()
                self.check_same(identity, definitions)
                self._connection.execute("PRAGMA query_only = OFF")
                self._start(settings, definitions)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _create(path: Path, identity: Identity) -> None:
        """Make an empty ledger under a temporary name, so that one killed half-way leaves none."""
        if path.exists():
            return
        temporary = path.with_name(".ledger.tmp")
        temporary.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(temporary)) as connection:
            connection.executescript(
                f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {SCHEMA}; {_TABLES}"
            )
            connection.execute("INSERT INTO meta VALUES ('identity', ?)", (msgspec.json.encode(identity).decode(),))
            connection.commit()
        temporary.replace(path)

    def check_same(self, identity: Identity, definitions: dict[str, str]) -> None:
        """Raise a `BenchError` unless the ledger is about the same, with the same definitions."""
        for name in Identity.__struct_fields__:
            recorded, asked = getattr(self.identity, name), getattr(identity, name)
            if recorded != asked:
                raise BenchError(
                    f"{self.folder}: its {name.replace('_', ' ')} is '{recorded}', not '{asked}'; give another --out"
                )
        recorded_definitions = self.definitions
        for metric, definition in definitions.items():
            recorded = recorded_definitions.get(metric, definition)
            if recorded != definition:
                raise BenchError(
                    f'{self.folder}: {metric} was recorded as "{recorded}", but is now "{definition}"; '
                    f"definitions are never mixed: give another --out"
                )

    def _start(self, settings: Settings, definitions: dict[str, str]) -> None:
        if self._meta("settings") is not None:
            # Asking for less later does not make what is recorded less.
            settings = msgspec.structs.replace(
                settings,
                runs=max(settings.runs, self.settings.runs),
                images=max(settings.images, self.settings.images),
            )
        with self._transaction():
            encoded = msgspec.json.encode(settings).decode()
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('settings', ?)", (encoded,))
            self._connection.executemany(
                "INSERT INTO definitions VALUES (?, ?) ON CONFLICT DO NOTHING", definitions.items()
            )

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob("images/*/.*.tmp"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with storage_errors(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
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

    def add(self, record: UnitRecord) -> None:
        """Record one unit of work, all of it or nothing; what is recorded already stays as it is.

        Raises:
            BenchError: The ledger cannot be written.
        """
        with self._transaction():
            insert = self._connection.executemany
            insert("INSERT INTO images VALUES (?, ?) ON CONFLICT DO NOTHING", [(record.image, record.pair_sha256)])
            insert(
                "INSERT INTO outputs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(record.image, run, o.seed, o.png_sha256, o.seconds) for run, o in record.outputs.items()],
            )
            insert(
                "INSERT INTO scores VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(record.image, run, m, value) for m, runs in record.scores.items() for run, value in runs.items()],
            )
            insert(
                "INSERT INTO l_std VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(record.image, runs, value) for runs, value in record.l_std.items()],
            )
            insert("DELETE FROM failures WHERE image = ?", [(record.image,)])

    def add_failure(self, image: str, reason: str, at: str) -> None:
        """Record that an image failed; it counts as not done and is tried again by the next call."""
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)", (image, reason, at))

    def _images_sha256(self) -> str:
        """Return one hash of every (LR, HR) pair recorded, by name: the same for the same data set."""
        digest = hashlib.sha256()
        for image in self.image_names():
            digest.update(f"{image} {self.pair_sha256(image)}\n".encode())
        return digest.hexdigest()

    def add_session(self, started: str, provenance: dict[str, object]) -> None:
        """Record how a call ran, and write `provenance.json` anew."""
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?)",
                (started, msgspec.json.encode(provenance).decode()),
            )
        whole = {
            "schema": SCHEMA,
            **msgspec.to_builtins(self.identity),
            "settings": msgspec.to_builtins(self.settings),
            "definitions": self.definitions,
            "images_sha256": self._images_sha256(),
            "seed": 'first 8 bytes of sha256(f"{base_seed}/{dataset}/{image}/{run}"), as a 63-bit integer',
            "sessions": self.sessions,
        }
        with storage_errors(self.folder):
            write_atomically(self.folder / "provenance.json", msgspec.json.format(msgspec.json.encode(whole), indent=2))


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder and the like into one line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise BenchError(f"{folder}: cannot be written ({error}); what was recorded is kept") from error
    except OSError as error:
        raise BenchError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or give another --out; "
            f"what was recorded is kept"
        ) from error
