"""Rows from ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.metrics.catalogue import find_protocol
from ccsr_bench.stability import G_STD_DEFINITION, bootstrap_interval, spread
from ccsr_bench.store import Ledger, find_ledgers
from ccsr_bench.tables.paper import paper_rows
from ccsr_bench.tables.rows import COLUMNS, L_STD, Cell, Row, Section


def collect(
    out: Path, *, methods: Sequence[str] = (), datasets: Sequence[str] = (), paper: bool = False
) -> list[Section]:
    """Return one section for each data set of an output folder.

    Args:
        out: The output folder.
        methods: Only these; all when empty.
        datasets: Only these; all when empty.
        paper: Add the rows of the paper's Tables IV-VI.

    Raises:
        BenchError: There is no ledger, a name is not among them, or two ledgers define a metric differently.
    """
    ledgers = [Ledger(folder) for folder in find_ledgers(out)]
    try:
        if not ledgers:
            raise BenchError(f"{out}: no results; `ccsr-bench run --method bicubic --dataset sample` makes some")
        for kind, asked, known in (
            ("method", methods, {ledger.identity.method for ledger in ledgers}),
            ("data set", datasets, {ledger.identity.dataset for ledger in ledgers}),
        ):
            for name in asked:
                if name not in known:
                    raise unknown_name(kind, name, known, hint=f"in {out}")
        grouped: dict[str, list[Ledger]] = {}
        for ledger in ledgers:
            identity = ledger.identity
            if (not methods or identity.method in methods) and (not datasets or identity.dataset in datasets):
                grouped.setdefault(identity.dataset, []).append(ledger)
        return [_section(name, group, paper=paper) for name, group in grouped.items()]
    finally:
        for ledger in ledgers:
            ledger.close()


def _section(dataset: str, ledgers: list[Ledger], *, paper: bool) -> Section:
    definitions = _common_definitions(ledgers)
    rows = [row for ledger in ledgers if (row := _row(ledger)).cells]
    present = {name for row in rows for name in row.cells}
    columns = tuple(column for column in COLUMNS if column.name in present)
    notes = [_protocol_note(ledgers), *(f"{definitions[column.name]}." for column in columns)]
    notes.append(f"After the slash: {G_STD_DEFINITION}.")
    notes += [note for ledger in ledgers for note in _ledger_notes(ledger)]
    if paper:
        name = ledgers[0].settings.paper_dataset
        printed = paper_rows(name, [column.label for column in columns]) if name else []
        rows += printed
        notes.append(
            "Rows marked (paper) are printed in the CCSR paper's Tables IV-VI, not computed here."
            if printed
            else f"The paper has no results on {dataset}."
        )
    return Section(dataset, columns, tuple(rows), tuple(notes))


def _common_definitions(ledgers: list[Ledger]) -> dict[str, str]:
    common: dict[str, tuple[str, Ledger]] = {}
    for ledger in ledgers:
        for metric, definition in ledger.definitions.items():
            first, holder = common.setdefault(metric, (definition, ledger))
            if first != definition:
                raise BenchError(
                    f"{metric} is defined differently in {holder.folder} and {ledger.folder}; "
                    f"definitions are never mixed: choose with --method, or keep them in separate --out folders"
                )
    return {metric: definition for metric, (definition, _) in common.items()}


def _row(ledger: Ledger) -> Row:
    identity, settings = ledger.identity, ledger.settings
    runs = settings.runs
    cells: dict[str, Cell] = {}
    images = 0
    for column in COLUMNS:
        if column is L_STD:
            continue
        scores = _complete(ledger, column.name, runs)
        if scores.size:
            images = max(images, len(scores))
            cells[column.name] = _cell(scores, stochastic=settings.stochastic)
    values = np.array(list(ledger.l_std(runs).values()))
    if values.size:
        cells[L_STD.name] = Cell(float(values.mean()), value_interval=bootstrap_interval(values))
    return Row(identity.method, settings.title, cells, runs=runs, images=images)


def _complete(ledger: Ledger, metric: str, runs: int) -> np.ndarray:
    """Return (M, N) scores of the images that have all N runs, in image order."""
    wanted = range(runs)
    rows = [
        [found[run] for run in wanted] for found in ledger.scores(metric).values() if all(r in found for r in wanted)
    ]
    return np.array(rows).reshape(len(rows), runs)


def _cell(scores: np.ndarray, *, stochastic: bool) -> Cell:
    means = scores.mean(axis=1)
    value, interval = float(means.mean()), bootstrap_interval(means)
    if not stochastic or scores.shape[1] == 1:
        return Cell(value, value_interval=interval)
    spreads = spread(scores)
    return Cell(value, float(spreads.mean()), interval, bootstrap_interval(spreads))


def _protocol_note(ledgers: list[Ledger]) -> str:
    names = sorted({ledger.identity.protocol for ledger in ledgers})
    versions = sorted({_version(ledger) for ledger in ledgers})
    return f"Protocol {', '.join(f'`{name}` ({find_protocol(name).title})' for name in names)}. {'; '.join(versions)}."


def _version(ledger: Ledger) -> str:
    if not ledger.sessions:
        return "no finished session"
    session = ledger.sessions[-1]
    packages, code = session.get("packages"), session.get("code")
    version = packages.get("ccsr-bench", "?") if isinstance(packages, dict) else "?"
    commit = ""
    if isinstance(code, dict) and code:
        commit = f" at {str(code['commit'])[:9]}{' with changes' if code['dirty'] else ''}"
    return f"ccsr-bench {version}{commit}"


def _ledger_notes(ledger: Ledger) -> Iterator[str]:
    settings, method = ledger.settings, ledger.identity.method
    if settings.images < settings.dataset_images:
        yield f"{method}: {settings.images} of the data set's {settings.dataset_images} images were asked for."
    for column in COLUMNS:
        if column.name in ledger.definitions:
            done = (
                len(ledger.l_std(settings.runs))
                if column is L_STD
                else len(_complete(ledger, column.name, settings.runs))
            )
            if 0 < done < settings.images:
                yield f"{method}: {column.label} covers {done} of {settings.images} images; run it again."
    failures = ledger.failures
    if failures:
        image, reason = next(iter(failures.items()))
        yield f"{method}: {len(failures)} images failed, for instance {image}: {reason}"
