"""What a comparison says: a table for people, JSON, JUnit XML and GitHub annotations for machines."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

from ccsr_bench.gate.compare import Comparison, Outcome

HEADER = ["", "base", "new", "change", "evidence", "tolerance", "verdict"]

_MORE_DECIMALS = 2
"""Than a table has, so that a small difference shows."""


def rows(comparison: Comparison) -> list[list[str]]:
    """Return a table of every quantity, its header first."""
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


def summary(comparison: Comparison) -> str:
    """Return the last line of the table."""
    worse = [outcome.label for outcome in comparison.regressions]
    return f"regression: {', '.join(worse)}" if worse else f"no regression in {len(comparison.outcomes)} quantities"


def record(comparison: Comparison) -> dict[str, Any]:
    """Return everything for JSON: numbers with full precision, and their definitions; null for an infinite ratio."""
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
    found = {
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
    return {key: None if isinstance(value, float) and math.isinf(value) else value for key, value in found.items()}


def junit(comparison: Comparison) -> str:
    """Return JUnit XML with a test case for every quantity."""
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
    """Return JUnit XML that says why nothing was compared."""
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


def github(comparison: Comparison) -> list[str]:
    """Return GitHub's workflow commands: an error for every regression, a notice for what got better."""
    levels = {"regression": "error", "better": "notice"}
    where = f"{comparison.new.method} on {comparison.base.dataset}"
    return [
        annotation(levels[outcome.verdict], f"{outcome.label} of {where}", sentence(outcome))
        for outcome in comparison.outcomes
        if outcome.verdict in levels
    ]


def annotation(level: str, title: str, message: str) -> str:
    """Return one workflow command, escaped as GitHub reads it.

    Args:
        level: ``error`` or ``notice``.
        title: Its heading.
        message: Its text.
    """
    heading = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={heading}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
