"""The metrics that score outputs: those that are available on this machine, checked on a published image."""

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
    """The metrics that score outputs."""

    scorer: Scorer
    protocol: MetricProtocol
    device: str
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Default metric that is not available on this machine -> reason."""

    def skipped_lines(self) -> list[str]:
        """Return one line for all metrics that only lack their weights, and one line for each other skipped metric."""
        without = [name for name in self.skipped if missing_files(METRICS[name].weights)]
        lines = [reason for name, reason in self.skipped.items() if name not in without]
        if without:
            lines.append(
                f"{', '.join(without)}: no weights here; `ccsr-bench prepare --metrics {' '.join(without)}` "
                f"fetches them"
            )
        return lines

    def check_canary(self) -> tuple[list[str], list[str]]:
        """Score one published image and compare the scores with the published ones.

        Returns:
            Names of the metrics that agree, and names of the metrics with weights that have no published score.

        Raises:
            BenchError: A score differs from the published score.
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
    """Build the requested metrics; names are checked before heavy libraries are loaded.

    Args:
        metrics: Names of the requested metrics; every default metric that is available on this machine when None.
        protocol: Name of the protocol that determines the definitions.
        device: Device of the metrics: ``auto``, ``cpu`` or ``cuda``.
        precision: Precision of the metrics: ``exact`` (float32), or ``fast`` (TF32 and bfloat16 where the effect is
            small).
        backends: Metric -> other package that computes it.

    Raises:
        BenchError: A name does not exist, or a requested metric or the device is not available.
    """
    definitions = find_protocol(protocol)
    backends = backends or {}
    for name in (*(metrics or ()), *backends):
        find_metric(name)
    torch_device = find_device(device)
    names = None if metrics is None else list(dict.fromkeys(metrics))
    built, skipped = build_metrics(names, definitions, torch_device, precision=precision, backends=backends)
    for name in backends:
        if name not in built:
            raise BenchError(f"`backends` names {name}, which is not computed; name it in `metrics` too")
    return Scoring(Scorer(built, torch_device, precision), definitions, str(torch_device), skipped)
