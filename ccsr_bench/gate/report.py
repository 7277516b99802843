"""A comparison as text: a table for people; JSON, JUnit XML and GitHub annotations for machines."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

from ccsr_bench.gate.compare import BaselineComparison, Outcome

HEADER = ["", "base", "new", "change", "evidence", "tolerance", "verdict"]

_MORE_DECIMALS = 2
"""Decimals more than a table has, so that small differences show."""


def rows(comparison: BaselineComparison) -> list[list[str]]:
    """Return a table with a row for each quantity, the header first."""
    return [HEADER, *(_row(outcome) for outcome in comparison.outcomes)]


def _row(outcome: Outcome) -> list[str]:
    decimals = outcome.decimals + _MORE_DECIMALS
    verdict = outcome.verdict.upper() if outcome.verdict == "regression" else outcome.verdict
    values = [f"{outcome.base:.{decimals}f}", f"{outcome.new:.{decimals}f}"]
    return [outcome.label, *values, _change(outcome), _evidence(outcome), _tolerance(outcome), verdict]


def _change(outcome: Outcome) -> str:
    if outcome.kind == "ratio":
        return f"x {outcome.change:.4f}"
    return f"{outcome.change:+.{outcome.decimals + _MORE_DECIMALS}f}"


def _evidence(outcome: Outcome) -> str:
    if outcome.interval is not None:
        return f"95 % in x {outcome.interval.low:.4f} to {outcome.interval.high:.4f}"
    return "one run" if outcome.p_value is None else f"p = {outcome.p_value:.2g}"


def _tolerance(outcome: Outcome) -> str:
    if outcome.kind == "ratio":
        return f"x {outcome.tolerance:.4f}"
    return f"{outcome.tolerance:.{outcome.decimals + _MORE_DECIMALS}f}"


def sentence(outcome: Outcome) -> str:
    """Return one line about a quantity."""
    _, base, new, change, evidence, tolerance, verdict = _row(outcome)
    return f"{verdict}: {base} -> {new} ({change}, tolerance {tolerance}, {evidence})"


def summary(comparison: BaselineComparison) -> str:
    """Return the line below the table: the quantities that got worse."""
    worse = [outcome.label for outcome in comparison.regressions]
    if worse:
        return f"regression: {', '.join(worse)}"
    count = len(comparison.outcomes)
    return f"no regression in {count} {'quantity' if count == 1 else 'quantities'}"


def record(comparison: BaselineComparison) -> dict[str, Any]:
    """Return a comparison for JSON: numbers with full precision and definitions; null for an infinite ratio."""
    base, new = comparison.base, comparison.new
    return {
        "dataset": base.dataset,
        "protocol": base.protocol,
        "images": len(base.pixels_sha256),
        "runs": base.runs,
        **{
            side: {"method": r.method, "made_by": r.made_by, "version": r.version, "base_seed": r.base_seed}
            for side, r in (("base", base), ("new", new))
        },
        "outcomes": [_outcome_record(outcome) for outcome in comparison.outcomes],
        "regressions": [outcome.name for outcome in comparison.regressions],
        "definitions": base.definitions,
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    low, high = outcome.interval or (None, None)
    record = {
        "quantity": outcome.name,
        "base": outcome.base,
        "new": outcome.new,
        outcome.kind: outcome.change,
        "low": low,
        "high": high,
        "p_value": outcome.p_value,
        "tolerance": outcome.tolerance,
        "verdict": outcome.verdict,
    }
    return {key: None if isinstance(value, float) and math.isinf(value) else value for key, value in record.items()}


def junit(comparison: BaselineComparison) -> str:
    """Return JUnit XML with a test case for each quantity."""
    base, new = comparison.base, comparison.new
    suite = _suite(f"{new.method} on {base.dataset}", tests=len(comparison.outcomes), failures=comparison.regressions)
    for outcome in comparison.outcomes:
        case = _case(suite, f"{base.dataset}.{new.method}", outcome.label)
        if outcome.verdict == "regression":
            ElementTree.SubElement(case, "failure", message=sentence(outcome))
        else:
            ElementTree.SubElement(case, "system-out").text = sentence(outcome)
    return _xml(suite)


def junit_error(message: str) -> str:
    """Return JUnit XML with the error that prevented the comparison."""
    suite = _suite("comparison", tests=1, failures=(), errors=1)
    ElementTree.SubElement(_case(suite, "ccsr-bench", "compare"), "error", message=message)
    return _xml(suite)


def _suite(name: str, *, tests: int, failures: tuple[Outcome, ...], errors: int = 0) -> ElementTree.Element:
    counts = {"tests": tests, "failures": len(failures), "errors": errors}
    return ElementTree.Element("testsuite", {"name": name, **{key: str(count) for key, count in counts.items()}})


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=group, name=name)


def _xml(suite: ElementTree.Element) -> str:
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def github(comparison: BaselineComparison) -> list[str]:
    """Return workflow commands for GitHub: an error for each regression, a notice for each improvement."""
    levels = {"regression": "error", "better": "notice"}
    where = f"{comparison.new.method} on {comparison.base.dataset}"
    return [
        annotation(levels[outcome.verdict], f"{outcome.label} of {where}", sentence(outcome))
        for outcome in comparison.outcomes
        if outcome.verdict in levels
    ]


def annotation(level: str, title: str, message: str) -> str:
    """Return a workflow command, escaped for GitHub.

    Args:
        level: ``error`` or ``notice``.
        title: Heading of the annotation.
        message: Text of the annotation.
    """
    heading = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={heading}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
