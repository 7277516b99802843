"""`ccsr-bench doctor`: show what works here."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError, number_of

EXAMPLES = """\
  ccsr-bench doctor
  ccsr-bench doctor --json
"""


@dataclass(frozen=True)
class Component:
    """A part of the installation, and whether it works."""

    what: str
    """Name of the component."""
    works: bool
    detail: str
    """Version or description of the component, or what is missing and how to install it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    shared.add_json(parser, "the components")


def execute(options: argparse.Namespace) -> int:
    """Show which components work here."""
    from ccsr_bench.cli.console import columns, echo_json

    components = [*_machine(), *_metrics(), *_datasets(), *_methods()]
    if options.json:
        echo_json([asdict(component) for component in components])
    else:
        columns([["ok" if part.works else "--", part.what, part.detail] for part in components])
    return EXIT_DONE


def _machine() -> list[Component]:
    import platform

    import torch

    from ccsr_bench.places import home

    place = home()
    existing = next(path for path in (place, *place.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1024**3
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU; everything runs on the CPU"
    return [
        Component("python", True, platform.python_version()),
        Component("torch", True, f"{torch.__version__}, {number_of(torch.get_num_threads(), 'thread')}"),
        Component("gpu", torch.cuda.is_available(), gpu),
        Component(
            "cache", _writable(existing), f"{place}, {free:.0f} GiB free (set CCSR_BENCH_HOME to use another folder)"
        ),
    ]


def _writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)


def _metrics() -> list[Component]:
    from ccsr_bench.metrics.catalogue import METRICS
    from ccsr_bench.metrics.weight_files import FILES, missing_files, wrong_files

    components = []
    for name, info in METRICS.items():
        missing = [FILES[key].name for key in missing_files(info.weights)]
        lacks = [f"no {' and no '.join(missing)}: run `ccsr-bench prepare --metrics {name}`"] if missing else []
        problems = [*lacks, *wrong_files(info.weights).values()]
        components.append(Component(f"metric {name}", not problems, "; ".join(problems) or info.title))
    return components


def _datasets() -> list[Component]:
    from ccsr_bench.datasets.loading import is_ready
    from ccsr_bench.datasets.manifest import manifest_paths, read_manifest

    components = []
    for name in manifest_paths():
        manifest = read_manifest(name)
        ready = is_ready(manifest)
        detail = number_of(manifest.images, "image") if ready else f"run `ccsr-bench prepare --dataset {name}`"
        components.append(Component(f"data set {name}", ready, detail))
    return components


def _methods() -> list[Component]:
    from ccsr_bench.methods import loading
    from ccsr_bench.methods.registry import find_methods

    try:
        specs = find_methods()
    except BenchError as error:
        return [Component("methods", False, str(error))]
    components = []
    for name, spec in specs.items():
        try:
            loading.check_installed(spec)
            components.append(Component(f"method {name}", True, spec.manifest.title))
        except BenchError as error:
            components.append(Component(f"method {name}", False, str(error)))
    return components
