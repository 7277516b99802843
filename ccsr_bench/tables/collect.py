"""Rows from ledgers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.metrics.catalogue import METRICS, entry_point, find_protocol
from ccsr_bench.stability import G_STD_DEFINITION, bootstrap_interval, spread
from ccsr_bench.store import Ledger, find_ledgers
from ccsr_bench.tables.paper import paper_rows
from ccsr_bench.tables.rows import COLUMNS, L_STD, Cell, Column, Row, Section

SET_DIMENSIONS = 2048
"""Of Inception's vectors: with fewer images their covariance has no full rank."""


def collect(
    out: Path,
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
    paper: bool = False,
) -> list[Section]:
    """Return one section for each data set of an output folder.

    Args:
        out: The output folder.
        methods: Only these; all when empty.
        datasets: Only these; all when empty.
        runs: N, for methods with more than one run; for each method the most runs that all its images have when None.
        paper: Add the rows of the paper's Tables IV-VI.

    Raises:
        BenchError: There is no ledger, a name is not among them, or two ledgers define a metric differently.
    """
    with contextlib.ExitStack() as stack:
        ledgers = [stack.enter_context(Ledger(folder)) for folder in find_ledgers(out)]
        ledgers = [ledger for ledger in ledgers if ledger.image_names()]
        if not ledgers:
            raise BenchError(f"{out}: no results; `ccsr-bench run --method bicubic --dataset sample` makes some")
        for kind, asked, known in (
            ("method", methods, {ledger.identity.method for ledger in ledgers}),
            ("data set", datasets, {ledger.identity.dataset for ledger in ledgers}),
        ):
            for name in asked:
                if name not in known:
                    raise unknown_name(kind, name, known, hint=f"in {out}")
        grouped: dict[str, list[_Results]] = {}
        for ledger in ledgers:
            identity = ledger.identity
            if (not methods or identity.method in methods) and (not datasets or identity.dataset in datasets):
                stack.enter_context(ledger.snapshot())
                grouped.setdefault(identity.dataset, []).append(_Results(ledger, runs))
        return [_section(name, results, paper=paper) for name, results in grouped.items()]


class _Results:
    """What a ledger has over N runs."""

    def __init__(self, ledger: Ledger, runs: int | None) -> None:
        self.ledger = ledger
        self.identity = ledger.identity
        self.description = ledger.description
        self.definitions = ledger.definitions
        self.asked = ledger.asked
        complete = ledger.complete_runs()
        self.most = max(complete.values(), default=0)
        self.runs = min(complete.values(), default=0)
        self.chosen = runs is not None and self.most > 1
        if runs is not None and self.chosen:
            self.runs = runs
        self.images = sum(count >= self.runs for count in complete.values())
        self.cells = {column.name: cell for column in COLUMNS if (cell := self._cell(column)) is not None}

    def _cell(self, column: Column) -> Cell | None:
        if column is L_STD:
            values = np.array(list(self.ledger.l_std(self.runs).values()))
            if not values.size:
                return None
            return Cell(float(values.mean()), images=len(values), value_interval=bootstrap_interval(values))
        if column.name in METRICS and METRICS[column.name].kind == "distribution":
            return self._set_cell(column.name)
        wanted = range(self.runs)
        per_image = self.ledger.scores(column.name).values()
        scores = np.array([[runs[run] for run in wanted] for runs in per_image if all(run in runs for run in wanted)])
        if not scores.size:
            return None
        means = scores.mean(axis=1)
        value, interval = float(means.mean()), bootstrap_interval(means)
        if self.runs == 1:
            return Cell(value, images=len(scores), value_interval=interval)
        spreads = spread(scores)
        return Cell(value, float(spreads.mean()), len(scores), interval, bootstrap_interval(spreads))

    def _set_cell(self, metric: str) -> Cell | None:
        """Return the mean over runs of a distance of sets, and its standard deviation over runs."""
        if metric not in self.definitions:
            return None
        reference = self.ledger.reference_features()
        runs = [self.ledger.features(run) for run in range(self.runs)]
        images = [image for image in reference if all(image in vectors for vectors in runs)]
        if len(images) < 2 or not runs:
            return None
        distance = entry_point(METRICS[metric].entry)
        references = _matrix(reference[image] for image in images)
        values = np.array([distance(_matrix(vectors[image] for image in images), references) for vectors in runs])
        return Cell(float(values.mean()), float(values.std()) if self.runs > 1 else None, len(images))

    def notes(self) -> Iterator[str]:
        """Yield what a reader must know about the method's row beside the definitions."""
        method, total = self.identity.method, self.description.dataset_images
        yield f"{method}: {self.identity.made_by}."
        if len(self.asked) < total:
            yield f"{method}: {len(self.asked)} of the data set's {total} images were asked for."
        if self.images < len(self.asked):
            yield f"{method}: {self.images} of the {len(self.asked)} images asked for have {self.runs} runs."
        most_asked = max(self.asked.values(), default=0)
        if most_asked > self.runs and not self.chosen:
            yield f"{method}: {most_asked} runs were asked for; N is what all recorded images have (--runs chooses)."
        for column in COLUMNS:
            expected = column.name in self.definitions and (column is not L_STD or self.runs > 1)
            covered = self.cells[column.name].images if column.name in self.cells else 0
            if expected and covered != self.images:
                yield (
                    f"{method}: {column.label} covers {covered} of {self.images} images; "
                    f"run it again with --runs {self.runs}."
                )
        failures = self.ledger.failures
        if failures:
            image, reason = next(iter(failures.items()))
            yield f"{method}: {len(failures)} images failed, for instance {image}: {reason}"

    def set_notes(self) -> Iterator[str]:
        """Yield how many images a distance of sets is of, without which it means little."""
        for name, cell in self.cells.items():
            if name in METRICS and METRICS[name].kind == "distribution":
                few = f", fewer than its vectors' {SET_DIMENSIONS} dimensions: compare it at equal M only"
                spread = "; after the slash its standard deviation over the runs" if cell.g_std is not None else ""
                images = cell.images or 0
                yield (
                    f"{self.identity.method}: {METRICS[name].label} of M = {images} images against {images}"
                    f"{few if images < SET_DIMENSIONS else ''}{spread}."
                )

    def version(self) -> str:
        """Return which ccsr-bench made the numbers; several when it was updated in between."""
        names = []
        for session in self.ledger.sessions.values():
            packages, code = session.get("packages"), session.get("code")
            name = f"ccsr-bench {packages.get('ccsr-bench', '?')}" if isinstance(packages, dict) else "ccsr-bench"
            if isinstance(code, dict) and code:
                name += f" at {str(code['commit'])[:9]}{' with changes' if code['dirty'] else ''}"
            names.append(name)
        return ", ".join(dict.fromkeys(names))


def _matrix(vectors: Iterable[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])


def _section(dataset: str, results: list[_Results], *, paper: bool) -> Section:
    definitions = _common_definitions(results)
    rows = [
        Row(one.identity.method, one.description.title, one.cells, runs=one.runs, images=one.images)
        for one in results
        if one.cells
    ]
    present = {name for row in rows for name in row.cells}
    columns = tuple(column for column in COLUMNS if column.name in present)
    notes = [_protocol_note(results), *(f"{definitions[column.name]}." for column in columns)]
    if present & METRICS.keys():
        notes.append(f"After the slash: {G_STD_DEFINITION}.")
    notes += [note for one in results for note in one.set_notes()]
    notes += [note for one in results for note in one.notes()]
    if paper:
        name = results[0].description.paper_dataset
        printed = paper_rows(name, [column.label for column in columns]) if name else []
        rows += printed
        notes.append(
            "Rows marked (paper) are printed in the CCSR paper's Tables IV-VI, not computed here."
            if printed
            else f"The paper has no results on {dataset}."
        )
    return Section(dataset, columns, tuple(rows), tuple(notes))


def _common_definitions(results: list[_Results]) -> dict[str, str]:
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


def _protocol_note(results: list[_Results]) -> str:
    names = sorted({one.identity.protocol for one in results})
    versions = sorted({version for one in results if (version := one.version())})
    return f"Protocol {', '.join(f'`{name}` ({find_protocol(name).title})' for name in names)}. {'; '.join(versions)}."
