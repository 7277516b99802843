"""What one ledger has over N runs: the arrays that tables, statistics, reports and gates are computed from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.images import decode, read_recorded
from ccsr_bench.ledger.reader import Ledger, find_ledgers
from ccsr_bench.metrics.catalogue import METRICS, entry_point


class Scores(NamedTuple):
    """A metric's scores of the images that have all N runs."""

    images: tuple[str, ...]
    values: np.ndarray
    """(M, N) float64, the score of run i on image j at [j, i]; for L-STD (M,)."""


class Features(NamedTuple):
    """What a distance of sets compares."""

    images: tuple[str, ...]
    runs: list[np.ndarray]
    """Each run's (M, D) float32."""
    references: np.ndarray
    """(M, D) float32."""


class OutputFile(NamedTuple):
    """The file of a recorded output, which can be read after its ledger is closed."""

    path: Path
    sha256: str
    """Hash of the file when it was recorded."""

    def read(self) -> np.ndarray:
        """Return the output, (H, W, 3) uint8 RGB; raises a `BenchError` where it is missing or was changed."""
        return decode(read_recorded(self.path, self.sha256), str(self.path))


class Results:
    """A ledger over N runs; arrays are read when they are asked for.

    Args:
        ledger: Open for as long as this is used.
        runs: N, for methods with more than one run; the most runs that all images have when None.
    """

    def __init__(self, ledger: Ledger, runs: int | None = None) -> None:
        self.ledger = ledger
        self.identity = ledger.identity
        self.label = self.identity.label
        """Name of the method in tables, which tells a noise floor from the method itself."""
        self.description = ledger.description
        self.definitions = ledger.definitions
        self.asked = ledger.asked
        complete = ledger.complete_runs()
        most = max(complete.values(), default=0)
        self.chosen = runs is not None and most > 1
        """Whether N was asked for."""
        self.runs = runs if runs is not None and self.chosen else min(complete.values(), default=0)
        self.images = tuple(image for image, count in complete.items() if count >= self.runs)
        """Those that have all N runs."""

    def scores(self, metric: str) -> Scores | None:
        """Return a metric's scores of the images that have one for all N runs; None when none has.

        Args:
            metric: One that scores images.
        """
        wanted = range(self.runs)
        found = {
            image: [scores[run] for run in wanted]
            for image, scores in self.ledger.scores(metric).items()
            if all(run in scores for run in wanted)
        }
        return Scores(tuple(found), np.array(list(found.values()), np.float64)) if found and self.runs else None

    def l_std(self) -> Scores | None:
        """Return L-STD over N runs, (M,), of the images that have it; None when none has."""
        found = self.ledger.l_std(self.runs)
        return Scores(tuple(found), np.array(list(found.values()), np.float64)) if found else None

    def features(self) -> Features | None:
        """Return the features of the images that have them for all N runs; None for fewer than two."""
        references = self.ledger.reference_features()
        runs = [self.ledger.features(run) for run in range(self.runs)]
        images = tuple(image for image in references if all(image in vectors for vectors in runs))
        if len(images) < 2 or not runs:
            return None
        stacked = [_matrix(vectors[image] for image in images) for vectors in runs]
        return Features(images, stacked, _matrix(references[image] for image in images))

    def seconds(self) -> Scores | None:
        """Return the recorded seconds of every output, (M, N); None where outputs were made elsewhere.

        They are the wall time of the call that made an output, divided by the runs that the call made.
        """
        outputs = [self.ledger.outputs(image) for image in self.images]
        recorded = [[runs[run].seconds for run in range(self.runs)] for runs in outputs]
        if not self.runs or any(seconds is None for runs in recorded for seconds in runs):
            return None
        return Scores(self.images, np.array(recorded, np.float64))

    def machines(self) -> list[str]:
        """Return the processors or GPUs, with the number of threads, that outputs were timed on."""
        names = []
        for session in self.ledger.generating_sessions():
            threads = "" if str(session.get("device")).startswith("cuda") else f" with {session.get('threads')} threads"
            names.append(f"{session.get('processor')}{threads}")
        return list(dict.fromkeys(names))

    def version(self) -> str:
        """Return which ccsr-bench made the numbers; several when it was updated in between."""
        names = []
        for session in self.ledger.sessions.values():
            packages, code = session.get("packages"), session.get("code")
            name = f"ccsr-bench {packages.get('ccsr-bench', '?')}" if isinstance(packages, dict) else "ccsr-bench"
            if isinstance(code, dict) and code:
                name += f" at {str(code.get('commit'))[:9]}{' with changes' if code.get('dirty') else ''}"
            names.append(name)
        return ", ".join(dict.fromkeys(names))

    def output_files(self, image: str, runs: Iterable[int]) -> list[OutputFile]:
        """Return the files of recorded outputs of one image, in the order of the runs."""
        recorded = self.ledger.outputs(image)
        return [OutputFile(self.ledger.image_path(image, run), recorded[run].png_sha256) for run in runs]

    def outputs(self, image: str, runs: Iterable[int]) -> np.ndarray:
        """Return recorded outputs of one image, (N, H, W, 3) uint8 RGB.

        Raises:
            BenchError: One is missing or was changed after it was recorded.
        """
        return np.stack([file.read() for file in self.output_files(image, runs)])


def on_common_images(scores: Sequence[Scores]) -> list[Scores]:
    """Return scores of only the images that all have, in the first one's order; numbers of others do not compare."""
    shared = set(scores[0].images).intersection(*(one.images for one in scores[1:]))
    images = tuple(image for image in scores[0].images if image in shared)
    kept = []
    for one in scores:
        place = {image: index for index, image in enumerate(one.images)}
        kept.append(Scores(images, one.values[np.array([place[image] for image in images], np.intp)]))
    return kept


def distances(metric: str, features: Features) -> np.ndarray:
    """Return a distance of sets for each run, (N,)."""
    return np.array([distance_of_sets(metric, outputs, features.references) for outputs in features.runs])


def distance_of_sets(metric: str, outputs: np.ndarray, references: np.ndarray) -> float:
    """Return a distance of two sets of images.

    Args:
        metric: A metric that scores sets, such as ``fid``.
        outputs: (M, D) float32, the features of the outputs.
        references: (K, D) float32, the features of the references.
    """
    return float(entry_point(METRICS[metric].entry)(outputs, references))


@contextlib.contextmanager
def open_results(
    out: Path, *, methods: Sequence[str] = (), datasets: Sequence[str] = (), runs: int | None = None
) -> Iterator[list[Results]]:
    """Open the ledgers of an output folder that have results, each at one moment.

    Args:
        out: The output folder.
        methods: Only these; all when empty.
        datasets: Only these; all when empty.
        runs: N, for methods with more than one run; for each method the most runs that all its images have when None.

    Raises:
        BenchError: There is no ledger, or a name is not among them.
    """
    with contextlib.ExitStack() as stack:
        chosen = []
        for folder in _choose(find_ledgers(out), out, methods, datasets):
            ledger = stack.enter_context(Ledger(folder))
            if ledger.image_names():
                stack.enter_context(ledger.snapshot())
                chosen.append(Results(ledger, runs))
        if not chosen:
            raise BenchError(f"{out}: no results; `ccsr-bench run --method bicubic --dataset sample` makes some")
        cut = [one for one in chosen if one.chosen]
        if cut and not any(one.images for one in cut):
            names = ", ".join(f"{one.label} on {one.identity.dataset}" for one in cut)
            raise BenchError(f"--runs {runs}: no image has that many runs of {names}; run more, or ask for fewer")
        yield sorted(chosen, key=lambda one: (one.identity.dataset, one.identity.method, one.identity.same_seed))


def _choose(folders: Sequence[Path], out: Path, methods: Sequence[str], datasets: Sequence[str]) -> list[Path]:
    """Return the folders of the ledgers that are asked for by name."""
    for kind, asked, known in (
        ("method", methods, {folder.name for folder in folders}),
        ("data set", datasets, {folder.parent.name for folder in folders}),
    ):
        for name in asked:
            if folders and name not in known:
                raise unknown_name(kind, name, known, hint=f"in {out}")
    return [
        folder
        for folder in folders
        if (not methods or folder.name in methods) and (not datasets or folder.parent.name in datasets)
    ]


def common_definitions(results: Sequence[Results]) -> dict[str, str]:
    """Return the definition of every metric that any of them has.

    Raises:
        BenchError: Two of them define a metric differently.
    """
    common: dict[str, tuple[str, Ledger]] = {}
    for one in results:
        for metric, definition in one.definitions.items():
            first, holder = common.setdefault(metric, (definition, one.ledger))
            if first != definition:
                raise BenchError(
                    f"{metric} is defined differently in {holder.folder} and {one.ledger.folder}; "
                    f"definitions are never mixed: choose with --method, or keep them in separate --out folders"
                )
    return {metric: definition for metric, (definition, _) in common.items()}


def _matrix(vectors: Iterable[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])
