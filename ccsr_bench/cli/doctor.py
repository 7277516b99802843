"""`ccsr-bench doctor`."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError

EXAMPLES = """\
  ccsr-bench doctor
  ccsr-bench doctor --json
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    works: bool
    detail: str
    """What there is, or what is missing and how to get it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    shared.add_json(parser, "the findings")


def execute(options: argparse.Namespace) -> int:
    """Show what works here."""
    from ccsr_bench.cli.console import columns, echo_json

    findings = [*_machine(), *_metrics(), *_datasets(), *_methods()]
    if options.json:
        echo_json([asdict(finding) for finding in findings])
    else:
        columns([["ok" if f.works else "--", f.what, f.detail] for f in findings])
    return EXIT_DONE


def _machine() -> list[Finding]:
    import platform

    import torch

    from ccsr_bench.places import home

    place = home()
    existing = next(path for path in (place, *place.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1024**3
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU: everything runs on the CPU"
    return [
        Finding("python", True, platform.python_version()),
        Finding("torch", True, f"{torch.__version__}, {torch.get_num_threads()} threads"),
        Finding("gpu", torch.cuda.is_available(), gpu),
        Finding("cache", _writable(existing), f"{place}, {free:.0f} GiB free (set CCSR_BENCH_HOME to move it)"),
    ]


def _writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)


def _metrics() -> list[Finding]:
    import importlib.util

    from ccsr_bench.metrics.catalogue import METRICS
    from ccsr_bench.metrics.weight_files import FILES, missing_files

    findings = []
    for name, info in METRICS.items():
        missing = [FILES[key].name for key in missing_files(info.weights)]
        if missing:
            detail = f"no {' and no '.join(missing)}: run `ccsr-bench prepare --metrics {name}`"
        elif name == "niqe" and importlib.util.find_spec("pyiqa") is None:
            detail = "needs pyiqa: run `pip install 'ccsr-bench[pyiqa]'` (its licence is non-commercial)"
        else:
            findings.append(Finding(f"metric {name}", True, info.title))
            continue
        findings.append(Finding(f"metric {name}", False, detail))
    return findings


def _datasets() -> list[Finding]:
    from ccsr_bench.datasets.loading import is_ready
    from ccsr_bench.datasets.manifest import manifest_paths, read_manifest

    findings = []
    for name in manifest_paths():
        manifest = read_manifest(name)
        ready = is_ready(manifest)
        detail = f"{manifest.images} images" if ready else f"run `ccsr-bench prepare --dataset {name}`"
        findings.append(Finding(f"data set {name}", ready, detail))
    return findings


def _methods() -> list[Finding]:
    from ccsr_bench.methods import loading
    from ccsr_bench.methods.registry import find_methods

    try:
        specs = find_methods()
    except BenchError as error:
        return [Finding("methods", False, str(error))]
    findings = []
    for name, spec in specs.items():
        try:
            loading.check_installed(spec)
            findings.append(Finding(f"method {name}", True, spec.manifest.title))
        except BenchError as error:
            findings.append(Finding(f"method {name}", False, str(error)))
    return findings
