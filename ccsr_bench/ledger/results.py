"""The results of one ledger over N runs, as the arrays that tables, statistics, reports and gates are computed from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError, number_of, unknown_name
from ccsr_bench.images import decode, read_recorded
from ccsr_bench.ledger.reader import Ledger, find_ledgers
from ccsr_bench.metrics.catalogue import METRICS, entry_point


class Scores(NamedTuple):
    """The scores of one metric, for the images that have all N runs."""

    images: tuple[str, ...]
    values: np.ndarray
    """Scores, (M, N) float64 with run i of image j at [j, i]; for L-STD (M,)."""


class Features(NamedTuple):
    """Feature vectors of M images, from which a distance between sets of images is computed."""

    images: tuple[str, ...]
    runs: list[np.ndarray]
    """Vectors of the outputs of each run, (M, D) float32."""
    references: np.ndarray
    """Vectors of the HR images, (M, D) float32."""


class OutputFile(NamedTuple):
    """The file of a recorded output, which can be read after its ledger is closed."""

    path: Path
    sha256: str
    """The sha256 of the file when it was recorded."""

    def read(self) -> np.ndarray:
        """Return the output, (H, W, 3) uint8 RGB.

        Raises:
            BenchError: The file is missing, or was changed after it was recorded.
        """
        return decode(read_recorded(self.path, self.sha256), str(self.path))


class Results:
    """The results of a ledger over N runs; arrays are read from the ledger by the methods that return them.

    Args:
        ledger: Ledger, which must stay open as long as this object is used.
        runs: Number of runs N, ignored for a method with a single run; the largest number that all images have when
            None.
    """

    def __init__(self, ledger: Ledger, runs: int | None = None) -> None:
        self.ledger = ledger
        self.identity = ledger.identity
        self.label = self.identity.label
        """Name of the method in tables; a suffix marks a ledger whose runs all had the same seed."""
        self.description = ledger.description
        self.definitions = ledger.definitions
        self.asked = ledger.asked
        complete = ledger.complete_runs()
        most = max(complete.values(), default=0)
        self.chosen = runs is not None and most > 1
        """Whether `runs` determined N."""
        self.runs = runs if runs is not None and self.chosen else min(complete.values(), default=0)
        self.images = tuple(image for image, count in complete.items() if count >= self.runs)
        """Names of the images that have all N runs."""

    @property
    def made_by(self) -> str:
        """Origin of the outputs in words, with the roles whose weights are the user's own."""
        own = ", ".join(self.description.own_weights)
        return self.identity.made_by_text + (f"; own weights, not the published ones: {own}" if own else "")

    def scores(self, metric: str) -> Scores | None:
        """Return the scores of the images that have a score for all N runs; None if no image has.

        Args:
            metric: Name of a metric that scores single images.
        """
        complete = {
            image: [scores[run] for run in range(self.runs)]
            for image, scores in self.ledger.scores(metric).items()
            if all(run in scores for run in range(self.runs))
        }
        return _scores(complete) if self.runs else None

    def l_std(self) -> Scores | None:
        """Return L-STD over N runs, (M,), of the images for which it is recorded; None if there is no such image."""
        return _scores(self.ledger.l_std(self.runs))

    def features(self) -> Features | None:
        """Return the feature vectors of the images that have them for all N runs; None for fewer than two images."""
        references = self.ledger.reference_features()
        runs = [self.ledger.features(run) for run in range(self.runs)]
        images = tuple(image for image in references if all(image in vectors for vectors in runs))
        if len(images) < 2 or not runs:
            return None
        stacked = [_matrix(vectors[image] for image in images) for vectors in runs]
        return Features(images, stacked, _matrix(references[image] for image in images))

    def seconds(self) -> Scores | None:
        """Return the recorded seconds of every output, (M, N); None if an output was made elsewhere.

        The seconds are the wall time of the call that made an output, divided by the number of runs in that call.
        """
        outputs = [self.ledger.outputs(image) for image in self.images]
        recorded = [[runs[run].seconds for run in range(self.runs)] for runs in outputs]
        if not self.runs or any(seconds is None for runs in recorded for seconds in runs):
            return None
        return Scores(self.images, np.array(recorded, np.float64))

    def machines(self) -> list[str]:
        """Return the GPUs, and the processors with their number of threads, on which outputs were timed."""
        names = []
        for session in self.ledger.generating_sessions():
            name, threads = str(session.get("processor")), session.get("threads")
            if isinstance(threads, int) and not str(session.get("device")).startswith("cuda"):
                name += f" with {number_of(threads, 'thread')}"
            names.append(name)
        return list(dict.fromkeys(names))

    def version(self) -> str:
        """Return the version of ccsr-bench that made the results, or all versions if it was updated in between."""
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
            BenchError: An output is missing, or was changed after it was recorded.
        """
        return np.stack([file.read() for file in self.output_files(image, runs)])


def on_common_images(scores: Sequence[Scores]) -> list[Scores]:
    """Return each element's scores of the images that all elements have, in the order of the first element.

    Means over different images must not be compared.
    """
    shared = set(scores[0].images).intersection(*(element.images for element in scores[1:]))
    images = tuple(image for image in scores[0].images if image in shared)
    common = []
    for element in scores:
        rows = {image: row for row, image in enumerate(element.images)}
        common.append(Scores(images, element.values[np.array([rows[image] for image in images], np.intp)]))
    return common


def distances(metric: str, features: Features) -> np.ndarray:
    """Return the distance between the outputs and the HR images for each run, (N,)."""
    return np.array([distance_of_sets(metric, outputs, features.references) for outputs in features.runs])


def distance_of_sets(metric: str, outputs: np.ndarray, references: np.ndarray) -> float:
    """Return the distance between two sets of images.

    Args:
        metric: Name of a metric of sets of images, such as ``fid``.
        outputs: Feature vectors of the outputs, (M, D) float32.
        references: Feature vectors of the references, (K, D) float32.
    """
    return float(entry_point(METRICS[metric].entry)(outputs, references))


@contextlib.contextmanager
def open_results(
    out: Path, *, methods: Sequence[str] = (), datasets: Sequence[str] = (), runs: int | None = None
) -> Iterator[list[Results]]:
    """Open the ledgers of an output folder that have results; every ledger is read as a consistent snapshot.

    Args:
        out: Output folder.
        methods: Names of the methods to open; all methods when empty.
        datasets: Names of the data sets to open; all data sets when empty.
        runs: Number of runs N, ignored for methods with a single run; for each method the largest number that all its
            images have when None.

    Raises:
        BenchError: The folder has no results, or none of a named method or data set, or no image has N runs.
    """
    with contextlib.ExitStack() as stack:
        opened = []
        for folder in _choose(find_ledgers(out), out, methods, datasets):
            ledger = stack.enter_context(Ledger(folder))
            if ledger.image_names():
                stack.enter_context(ledger.snapshot())
                opened.append(Results(ledger, runs))
        if not opened:
            raise BenchError(f"{out}: no results; `ccsr-bench run --method bicubic --dataset sample` makes some")
        limited = [results for results in opened if results.chosen]
        if limited and not any(results.images for results in limited):
            names = ", ".join(f"{results.label} on {results.identity.dataset}" for results in limited)
            raise BenchError(f"`runs` {runs}: no image has that many runs of {names}; run more, or ask for fewer")
        yield sorted(opened, key=_order)


def _order(results: Results) -> tuple[str, str, bool]:
    return results.identity.dataset, results.identity.method, results.identity.same_seed


def _choose(folders: Sequence[Path], out: Path, methods: Sequence[str], datasets: Sequence[str]) -> list[Path]:
    """Return the folders of the ledgers of the named methods and data sets."""
    for kind, requested, known in (
        ("method", methods, {folder.name for folder in folders}),
        ("data set", datasets, {folder.parent.name for folder in folders}),
    ):
        for name in requested:
            if folders and name not in known:
                raise unknown_name(kind, name, known, hint=f"in {out}")
    return [
        folder
        for folder in folders
        if (not methods or folder.name in methods) and (not datasets or folder.parent.name in datasets)
    ]


def common_definitions(results: Sequence[Results]) -> dict[str, str]:
    """Return the definition of every metric that at least one ledger has.

    Raises:
        BenchError: Two ledgers define a metric differently.
    """
    common: dict[str, tuple[str, Ledger]] = {}
    for ledger in (element.ledger for element in results):
        for metric, definition in ledger.definitions.items():
            first, first_ledger = common.setdefault(metric, (definition, ledger))
            if first != definition:
                raise BenchError(
                    f"{metric} is defined differently in {first_ledger.folder} and {ledger.folder}; "
                    f"definitions are never mixed: choose `methods`, or keep the ledgers in separate `out` folders"
                )
    return {metric: definition for metric, (definition, _) in common.items()}


def _scores(values: Mapping[str, float | list[float]]) -> Scores | None:
    """Return values by image as arrays; None if there are none."""
    return Scores(tuple(values), np.array(list(values.values()), np.float64)) if values else None


def _matrix(vectors: Iterable[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])
