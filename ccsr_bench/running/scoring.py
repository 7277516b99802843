"""What outputs are scored with: the metrics that can be computed here, checked on a published image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ccsr_bench.devices.selection import find_device
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import (
    DEFAULT_PROTOCOL,
    METRICS,
    MetricProtocol,
    build_metrics,
    find_metric,
    find_protocol,
)
from ccsr_bench.metrics.networks.precision import Precision
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.metrics.weight_files import missing_files
from ccsr_bench.published import canary


@dataclass(frozen=True)
class Scoring:
    """What outputs are scored with."""

    scorer: Scorer
    protocol: MetricProtocol
    device: str
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Default metric that cannot be computed here -> reason."""

    def skipped_lines(self) -> list[str]:
        """Return one line for all metrics that only lack their weights, and one for each of the other skipped ones."""
        without = [name for name in self.skipped if missing_files(METRICS[name].weights)]
        lines = [reason for name, reason in self.skipped.items() if name not in without]
        if without:
            lines.append(
                f"{', '.join(without)}: no weights here; `ccsr-bench prepare --metrics {' '.join(without)}` "
                f"fetches them"
            )
        return lines

    def check_canary(self) -> tuple[list[str], list[str]]:
        """Score one published image and compare with its published scores.

        Returns:
            The metrics that agree, and those with weights that there is nothing to check with.

        Raises:
            BenchError: A metric gives another number than the published one.
        """
        checked = canary.check(self.scorer, self.protocol)
        return checked, [name for name in self.scorer.metrics if name not in checked and METRICS[name].weights]


def build_scoring(
    metrics: Sequence[str] | None = None,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    device: str = "auto",
    precision: Precision = "exact",
    backends: Mapping[str, str] | None = None,
) -> Scoring:
    """Build the metrics that are asked for; names are checked before anything heavy is loaded.

    Args:
        metrics: Names of metrics; every default metric that can be computed here when None.
        protocol: Name of the protocol whose definitions are used.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``exact`` (float32), or ``fast`` (TF32 and bfloat16 where the effect is small).
        backends: Metric -> another package that computes it.

    Raises:
        BenchError: A name does not exist, a metric that is asked for cannot be computed here, or the device cannot be
            used.
    """
    chosen = find_protocol(protocol)
    backends = backends or {}
    for name in (*(metrics or ()), *backends):
        find_metric(name)
    place = find_device(device)
    names = None if metrics is None else list(dict.fromkeys(metrics))
    built, skipped = build_metrics(names, chosen, place, precision=precision, backends=backends)
    for name in backends:
        if name not in built:
            raise BenchError(f"`backends` names {name}, which is not computed; name it in `metrics` too")
    return Scoring(Scorer(built, place, precision), chosen, str(place), skipped)
