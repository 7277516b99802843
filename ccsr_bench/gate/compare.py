"""Whether results got worse: by more than chance explains, and by more than anybody cares about.

`docs/concepts/gate.md` says what is tested and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ccsr_bench.errors import BenchError, some, unknown_name
from ccsr_bench.gate.baseline import Baseline, read
from ccsr_bench.gate.seed_noise import difference_tolerance, g_std_tolerance, l_std_tolerance, swap_p_value
from ccsr_bench.metrics.quantities import G_STD_DECIMALS, L_STD, SCORES, Quantity
from ccsr_bench.stability import spread
from ccsr_bench.statistics.bootstrap import Interval, ratio_interval
from ccsr_bench.statistics.paired import SIGNIFICANCE, holm

G_STD = "g-std"

Verdict = Literal["same", "better", "regression"]


@dataclass(frozen=True)
class Outcome:
    """What was found about one quantity."""

    name: str
    """``psnr``, ``psnr g-std``, ``l-std``."""
    label: str
    decimals: int
    """Of the quantity in a table."""
    base: float
    new: float
    kind: Literal["difference", "ratio"]
    """A mean is judged by its difference, a spread by its ratio."""
    change: float
    """new - base, or new / base, where 0 / 0 is 1."""
    p_value: float | None
    """Of a difference, corrected for the number of metrics; None for a ratio, and for a single run."""
    interval: Interval | None
    """95 % bootstrap interval of a ratio over images; None for a difference."""
    tolerance: float
    """The least difference, either way, or ratio that counts."""
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """Two results, and what was found about every quantity."""

    base: Baseline
    new: Baseline
    outcomes: tuple[Outcome, ...]

    @property
    def regressions(self) -> tuple[Outcome, ...]:
        """What got worse."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict == "regression")


def read_pair(base_path: Path, new_path: Path) -> tuple[Baseline, Baseline]:
    """Read two results, a ledger over as many of its first runs as the other has.

    Raises:
        BenchError: One cannot be read.
    """
    base, new = read(base_path), read(new_path)
    if 1 < base.runs < new.runs:
        new = read(new_path, base.runs)
    elif 1 < new.runs < base.runs:
        base = read(base_path, new.runs)
    return base, new


def compare_baselines(
    base: Baseline,
    new: Baseline,
    *,
    metrics: Sequence[str] = (),
    tolerances: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare new results with older ones.

    Args:
        base: The older ones.
        new: Of the same images, by the same definitions, over as many runs.
        metrics: Compare only these, and L-STD; all of base when empty.
        tolerances: Metric -> a difference, or `G_STD` or L-STD -> a ratio, up to which nothing counts; seed noise and
            what a table cannot show are tolerated anyway.

    Raises:
        BenchError: They are not comparable, or so few that nothing could be found.
    """
    recorded = [column for column in SCORES if column.name in {*base.scores, *base.distances}]
    for name in metrics:
        if name not in {column.name for column in recorded}:
            raise unknown_name("metric", name, [column.name for column in recorded], hint="in BASE")
    chosen = [column for column in recorded if not metrics or column.name in metrics]
    asked = dict(tolerances or {})
    for name in asked:
        known = [*(column.name for column in chosen), G_STD, L_STD.name]
        if name not in known:
            raise unknown_name("--tolerance", name, known)
    check_comparable(base, new, chosen)
    return Comparison(base, new, (*_means(base, new, chosen, asked), *_spreads(base, new, chosen, asked)))


def check_comparable(base: Baseline, new: Baseline, metrics: Sequence[Quantity]) -> None:
    """Raise a `BenchError` that names the first thing in which two results differ and must not."""
    for what, ours, theirs in (
        ("data set", base.dataset, new.dataset),
        ("protocol", base.protocol, new.protocol),
    ):
        if ours != theirs:
            raise BenchError(f"not comparable: the {what} of BASE is '{ours}', of NEW '{theirs}'")
    for what, names in (
        ("NEW lacks", base.pixels_sha256.keys() - new.pixels_sha256.keys()),
        ("BASE lacks", new.pixels_sha256.keys() - base.pixels_sha256.keys()),
    ):
        if names:
            raise BenchError(f"not comparable: {what} {len(names)} of the images: {some(sorted(names))}")
    other = [image for image, pixels in base.pixels_sha256.items() if new.pixels_sha256[image] != pixels]
    if other:
        raise BenchError(f"not comparable: {len(other)} images have other pixels in NEW than in BASE: {some(other)}")
    if base.runs != new.runs:
        fewer, more = sorted([("BASE", base.runs), ("NEW", new.runs)], key=lambda side: side[1])
        raise BenchError(f"not comparable: {fewer[0]} has N = {fewer[1]} and {more[0]} {more[1]}; give both the same N")
    for name in (*(column.name for column in metrics), *([L_STD.name] if base.l_std else [])):
        if name not in new.definitions:
            raise BenchError(f"not comparable: NEW has no {name}; run it with --metrics {name} too, or leave it out")
        if base.definitions[name] != new.definitions[name]:
            raise BenchError(
                f'not comparable: {name} is "{base.definitions[name]}" in BASE and "{new.definitions[name]}" in NEW'
            )


def _means(base: Baseline, new: Baseline, metrics: Sequence[Quantity], asked: Mapping[str, float]) -> Iterator[Outcome]:
    pairs = {column: (_matrix(base, column.name), _matrix(new, column.name)) for column in metrics}
    p_values: dict[Quantity, float] = {}
    if base.runs > 1:
        for column, (old, fresh) in pairs.items():
            _check_enough(column.name, old.size, len(pairs))
            p_values[column] = swap_p_value(old, fresh)
    p_values = holm(p_values)
    for column, (old, fresh) in pairs.items():
        difference = float(fresh.mean() - old.mean())
        noise = difference_tolerance(old, fresh) if base.runs > 1 else 0.0
        tolerance = max(noise, half_a_digit(column.decimals), asked.get(column.name, 0.0))
        significant = p_values.get(column, 0.0) <= SIGNIFICANCE and abs(difference) > tolerance
        yield Outcome(
            column.name, column.label, column.decimals, float(old.mean()), float(fresh.mean()), "difference",
            difference, p_values.get(column), None, tolerance,
            _verdict(significant, worse=(difference < 0) == column.higher_is_better),
        )  # fmt: skip


def _spreads(
    base: Baseline, new: Baseline, metrics: Sequence[Quantity], asked: Mapping[str, float]
) -> Iterator[Outcome]:
    if base.runs == 1:
        return
    for column in metrics:
        if column.name in base.scores:
            old, fresh = _matrix(base, column.name), _matrix(new, column.name)
            tolerance = max(g_std_tolerance(old, fresh), asked.get(G_STD, 1.0))
            name, label = f"{column.name} {G_STD}", f"{column.label} G-STD"
            yield _ratio(name, label, G_STD_DECIMALS, spread(old), spread(fresh), tolerance)
    if base.l_std:
        old = np.array(list(base.l_std.values()))
        fresh = np.array([new.l_std[image] for image in base.l_std])
        tolerance = max(l_std_tolerance(old, fresh, base.runs), asked.get(L_STD.name, 1.0))
        yield _ratio(L_STD.name, L_STD.label, L_STD.decimals, old, fresh, tolerance)


def _ratio(name: str, label: str, decimals: int, old: np.ndarray, fresh: np.ndarray, tolerance: float) -> Outcome:
    base, new = float(old.mean()), float(fresh.mean())
    ratio = new / base if base else (math.inf if new else 1.0)
    interval = ratio_interval(old, fresh)
    beyond = not 1 / tolerance <= ratio <= tolerance and abs(new - base) > half_a_digit(decimals)
    significant = beyond and not interval.low <= 1 <= interval.high
    verdict = _verdict(significant, worse=ratio > 1)
    return Outcome(name, label, decimals, base, new, "ratio", ratio, None, interval, tolerance, verdict)


def half_a_digit(decimals: int) -> float:
    """Return half of a table's last digit: what it cannot show, and other libraries' rounding stays far below."""
    return 0.5 * 10.0**-decimals


def _verdict(significant: bool, *, worse: bool) -> Verdict:
    if not significant:
        return "same"
    return "regression" if worse else "better"


def _check_enough(metric: str, pairs: int, metrics: int) -> None:
    """Refuse a comparison that would stay silent whatever happened."""
    if metrics * 2 / 2**pairs > SIGNIFICANCE:
        raise BenchError(
            f"{pairs} values of {metric} can never differ significantly among {metrics} metrics; "
            f"give both more runs, or choose fewer with --metrics"
        )


def _matrix(results: Baseline, metric: str) -> np.ndarray:
    """Return (M, N) scores in the order of image names; a distance of sets is one row."""
    if metric in results.distances:
        return np.array([results.distances[metric]])
    return np.array([runs for _, runs in sorted(results.scores[metric].items())])
