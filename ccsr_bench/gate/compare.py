"""Whether results got worse: significantly, and by more than a tolerance.

`docs/concepts/gate.md` says what is tested and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ccsr_bench.errors import BenchError, number_of, some, unknown_name
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
    """The comparison of one quantity."""

    name: str
    """Name of the quantity, such as ``psnr``, ``psnr g-std`` or ``l-std``."""
    label: str
    decimals: int
    """Decimals of the quantity in a table."""
    base: float
    new: float
    kind: Literal["difference", "ratio"]
    """Means are compared by their difference, spreads by their ratio."""
    change: float
    """Difference new - base, or ratio new / base, where 0 / 0 is 1."""
    p_value: float | None
    """p-value of a difference, corrected for the number of metrics; None for a ratio, and for a single run."""
    interval: Interval | None
    """95 % bootstrap interval of a ratio over images; None for a difference."""
    tolerance: float
    """Largest absolute difference that does not count, or largest ratio; for a smaller spread its inverse."""
    verdict: Verdict


@dataclass(frozen=True)
class BaselineComparison:
    """Two results, and the comparison of each of their quantities."""

    base: Baseline
    new: Baseline
    outcomes: tuple[Outcome, ...]

    @property
    def regressions(self) -> tuple[Outcome, ...]:
        """Quantities that got worse."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict == "regression")


def read_pair(base_path: Path, new_path: Path) -> tuple[Baseline, Baseline]:
    """Read two results; of a ledger with more runs than the other has, only as many of its first runs.

    Raises:
        BenchError: The results cannot be read.
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
) -> BaselineComparison:
    """Compare new results with older ones.

    Args:
        base: Older results.
        new: New results on the same images, with the same definitions, over as many runs.
        metrics: Metrics to compare in addition to L-STD; all metrics of `base` when empty.
        tolerances: Extra tolerance by name: a difference for a metric, a ratio for `G_STD` and L-STD. Seed noise and
            changes too small to show in a table are always tolerated.

    Raises:
        BenchError: The results are not comparable, or too few for any change to be significant.
    """
    recorded = [column for column in SCORES if column.name in {*base.scores, *base.distances}]
    for name in metrics:
        if name not in {column.name for column in recorded}:
            raise unknown_name("metric", name, [column.name for column in recorded], hint="in `base`")
    chosen = [column for column in recorded if not metrics or column.name in metrics]
    asked = dict(tolerances or {})
    for name in asked:
        known = [*(column.name for column in chosen), G_STD, L_STD.name]
        if name not in known:
            raise unknown_name("quantity", name, known, hint="in `tolerances`")
    check_comparable(base, new, chosen)
    return BaselineComparison(base, new, (*_means(base, new, chosen, asked), *_spreads(base, new, chosen, asked)))


def check_comparable(base: Baseline, new: Baseline, metrics: Sequence[Quantity]) -> None:
    """Raise a `BenchError` that names the first thing in which two results must not differ, but do."""
    for what, ours, theirs in (
        ("data set", base.dataset, new.dataset),
        ("protocol", base.protocol, new.protocol),
    ):
        if ours != theirs:
            raise BenchError(f"not comparable: the {what} of `base` is '{ours}', of `new` '{theirs}'")
    for what, names in (
        ("`new` lacks", base.pixels_sha256.keys() - new.pixels_sha256.keys()),
        ("`base` lacks", new.pixels_sha256.keys() - base.pixels_sha256.keys()),
    ):
        if names:
            raise BenchError(f"not comparable: {what} {len(names)} of the images: {some(sorted(names))}")
    other = [image for image, pixels in base.pixels_sha256.items() if new.pixels_sha256[image] != pixels]
    if other:
        raise BenchError(
            f"not comparable: {number_of(len(other), 'image')} with other pixels in `new` than in `base`: {some(other)}"
        )
    if base.runs != new.runs:
        fewer, more = sorted([("`base`", base.runs), ("`new`", new.runs)], key=lambda side: side[1])
        raise BenchError(f"not comparable: {fewer[0]} has N = {fewer[1]} and {more[0]} {more[1]}; give both the same N")
    for name in (*(column.name for column in metrics), *([L_STD.name] if base.l_std else [])):
        if name not in new.definitions:
            raise BenchError(
                f"not comparable: `new` has no {name}; run it again with {name} among its metrics, "
                f"or compare other `metrics`"
            )
        if base.definitions[name] != new.definitions[name]:
            raise BenchError(
                f'not comparable: {name} is "{base.definitions[name]}" in `base` and "{new.definitions[name]}" in `new`'
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
            name=column.name,
            label=column.label,
            decimals=column.decimals,
            base=float(old.mean()),
            new=float(fresh.mean()),
            kind="difference",
            change=difference,
            p_value=p_values.get(column),
            interval=None,
            tolerance=tolerance,
            verdict=_verdict(significant, worse=(difference < 0) == column.higher_is_better),
        )


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
    """Return half of a table's last digit: no table shows less, and rounding errors are far smaller."""
    return 0.5 * 10.0**-decimals


def _verdict(significant: bool, *, worse: bool) -> Verdict:
    if not significant:
        return "same"
    return "regression" if worse else "better"


def _check_enough(metric: str, pairs: int, metrics: int) -> None:
    """Raise a `BenchError` if no difference could be significant, however large."""
    if metrics * 2 / 2**pairs > SIGNIFICANCE:
        raise BenchError(
            f"with {number_of(pairs, 'value')} of {metric} no difference is ever significant among "
            f"{number_of(metrics, 'metric')}; give both results more runs, or choose fewer `metrics`"
        )


def _matrix(results: Baseline, metric: str) -> np.ndarray:
    """Return (M, N) scores in the order of image names; those of a metric of sets are a single row."""
    if metric in results.distances:
        return np.array([results.distances[metric]])
    return np.array([runs for _, runs in sorted(results.scores[metric].items())])
