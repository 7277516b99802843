"""Baselines: a method's results as a small text file that can be committed, and read back for a comparison.

The file is JSON with one line for each image and metric, so that a diff shows what changed. It must not be edited by
hand, which its checksum detects.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from ccsr_bench.errors import BenchError, number_of, some
from ccsr_bench.ledger.reader import Ledger, find_ledgers
from ccsr_bench.ledger.results import Results, distances
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.metrics.definitions import present_form
from ccsr_bench.metrics.quantities import L_STD

SIGNIFICANT_DIGITS = 7
"""Significant digits of each number: for a PSNR around 30 dB that is 5e-6 dB, far below what a table shows."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The results of one method on one data set over N runs."""

    format: Literal[1] = 1
    """Version of the fields; raise it whenever they change."""
    dataset: str
    method: str
    made_by: str
    """Code and parameters of the method, in words."""
    version: str
    """Versions of ccsr-bench that computed the numbers."""
    protocol: str
    base_seed: int
    runs: int
    """Number of runs N."""
    definitions: dict[str, str]
    """Metric -> definition, for every metric below and L-STD."""
    pixels_sha256: dict[str, str]
    """Image -> sha256 of its decoded LR and HR images."""
    l_std: dict[str, float]
    """Image -> L-STD over the N runs; empty for a single run."""
    scores: dict[str, dict[str, list[float]]]
    """Metric -> image -> scores of the N runs."""
    distances: dict[str, list[float]]
    """Metric of sets -> values of the N runs."""


def read(path: Path, runs: int | None = None) -> Baseline:
    """Return the results in a baseline file or in a ledger.

    Args:
        path: Path of the file, or of the ledger's folder such as ``results/sample/bicubic``.
        runs: Number N of the first runs of a ledger; the most that all its images have when None. No effect on a file.

    Raises:
        BenchError: There is no such file or ledger, it is damaged, or it lacks runs or scores of an image.
    """
    if not path.is_dir():
        return _read_file(path)
    inside = [str(folder) for folder in find_ledgers(path)]
    if inside:
        raise BenchError(f"{path}: a folder of results; give one of its ledgers: {some(inside)}")
    with Ledger(path) as ledger, ledger.snapshot():
        return of_results(Results(ledger, runs))


def of_results(results: Results) -> Baseline:
    """Return the baseline of a ledger's results.

    Raises:
        BenchError: An image lacks runs, or a metric lacks images: a baseline needs complete results.
    """
    where, images, asked = results.ledger.folder, results.images, results.asked
    if not results.runs or len(images) < len(asked):
        complete, runs = (len(images), number_of(results.runs, "run")) if results.runs else (0, "any run")
        raise BenchError(
            f"{where}: incomplete: {complete} of {number_of(len(asked), 'image')} over {runs}; finish the run first"
        )
    recorded = [name for name in METRICS if name in results.definitions]
    sets = [name for name in recorded if METRICS[name].kind == "distribution"]
    scores = {name: _image_scores(results, name) for name in recorded if name not in sets}
    return Baseline(
        dataset=results.identity.dataset,
        method=results.label,
        made_by=results.made_by,
        version=results.version(),
        protocol=results.identity.protocol,
        base_seed=results.identity.base_seed,
        runs=results.runs,
        definitions={
            name: text for name, text in results.definitions.items() if name in recorded or name == L_STD.name
        },
        pixels_sha256={image: hashes[0] for image in images if (hashes := results.ledger.image_hashes(image))},
        l_std=_l_std(results),
        scores=scores,
        distances=_distances(results, sets),
    )


def _image_scores(results: Results, metric: str) -> dict[str, list[float]]:
    scores = results.scores(metric)
    _check_covers(results, metric, () if scores is None else scores.images)
    return {} if scores is None else dict(zip(scores.images, map(_round, scores.values), strict=True))


def _l_std(results: Results) -> dict[str, float]:
    if results.runs == 1:
        return {}
    scores = results.l_std()
    _check_covers(results, L_STD.name, () if scores is None else scores.images)
    return {} if scores is None else dict(zip(scores.images, _round(scores.values), strict=True))


def _distances(results: Results, sets: list[str]) -> dict[str, list[float]]:
    features = results.features() if sets else None
    for metric in sets:
        _check_covers(results, metric, () if features is None else features.images)
    return {} if features is None else {metric: _round(distances(metric, features)) for metric in sets}


def _check_covers(results: Results, metric: str, images: tuple[str, ...]) -> None:
    missing = [image for image in results.images if image not in set(images)]
    if missing:
        raise BenchError(
            f"{results.ledger.folder}: no {metric} over {number_of(results.runs, 'run')} for {some(missing)}; "
            f"run it again with `runs` {results.runs}"
        )


def _round(values: Any) -> list[float]:
    return [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values]


def as_text(baseline: Baseline) -> str:
    """Return the text of a baseline file."""
    content = {"checksum": _checksum(baseline), **msgspec.to_builtins(baseline)}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    # The runs of an image go on one line. A string holds no line break, so the pattern matches lists only.
    return re.sub(r"\[\n\s+([^\]]*?)\s*\n\s*\]", lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def _checksum(baseline: Baseline) -> str:
    content = json.dumps(msgspec.to_builtins(baseline), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _read_file(path: Path) -> Baseline:
    again = "restore it, or write it again with `ccsr-bench export`"
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}; give a file that `export` wrote, or a ledger's folder") from error
    except json.JSONDecodeError as error:
        raise BenchError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}; {again}") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:  # not text, or JSON that `export` never writes
        raise BenchError(f"{path}: not a baseline; {again}") from error
    checksum = content.pop("checksum", None) if isinstance(content, dict) else None
    try:
        baseline = msgspec.convert(content, Baseline)
    except msgspec.ValidationError as error:
        raise BenchError(f"{path}: {error}; {again}") from error
    if checksum != _checksum(baseline):
        raise BenchError(f"{path}: its checksum is not that of its content, so it was edited; {again}")
    newer = [name for name in (*baseline.scores, *baseline.distances) if name not in METRICS]
    if newer:
        raise BenchError(f"{path}: made by a newer ccsr-bench, which has {some(newer)}; update ccsr-bench")
    for inconsistency in _inconsistencies(baseline):
        raise BenchError(f"{path}: {inconsistency}; {again}")
    present = {metric: present_form(definition) for metric, definition in baseline.definitions.items()}
    return msgspec.structs.replace(baseline, definitions=present)


def _inconsistencies(baseline: Baseline) -> Iterator[str]:
    """Yield contradictions between fields: a comparison would fail on them, or miss every regression."""
    images = set(baseline.pixels_sha256)
    if baseline.runs < 1:
        yield f"`runs` is {baseline.runs}"
    if not images:
        yield "`pixels_sha256` is empty"
    if not (baseline.scores or baseline.distances):
        yield "`scores` and `distances` are empty"
    if set(baseline.l_std) != (images if baseline.runs > 1 else set()):
        yield "the images of `l_std` are not those of `pixels_sha256`"
    for metric, scores in baseline.scores.items():
        if set(scores) != images:
            yield f"the images of `scores` of {metric} are not those of `pixels_sha256`"
    yield from _wrong_numbers(baseline)
    named = {*baseline.scores, *baseline.distances, *([L_STD.name] if baseline.l_std else [])}
    undefined = named - baseline.definitions.keys()
    if undefined:
        yield f"`definitions` lacks {some(sorted(undefined))}"


def _wrong_numbers(baseline: Baseline) -> Iterator[str]:
    series = [(metric, runs) for metric, scores in baseline.scores.items() for runs in scores.values()]
    series += baseline.distances.items()
    for metric, runs in series:
        if len(runs) != baseline.runs:
            yield f"{metric} has {number_of(len(runs), 'value')} for {number_of(baseline.runs, 'run')}"
    for name, numbers in (("`l_std`", baseline.l_std.values()), *series):
        if not all(map(math.isfinite, numbers)):
            yield f"{name} has a number that is not finite"
