"""Preparing by name, in one call."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import silent
from ccsr_bench.preparation.installation import install_all, plan
from ccsr_bench.preparation.selection import select

Names = str | Path | Iterable[str | Path]
"""One name or path, or several."""


def prepare(
    *,
    dataset: Names = (),
    method: Names = (),
    metrics: Names | None = None,
    methods_dir: Names = (),
    local: str | Path | None = None,
    source: str | Path | None = None,
) -> list[str]:
    """Install data sets, methods and weights of metrics, and verify them; what is there and right is kept.

    Args:
        dataset: Names of data sets, or paths of ``.toml`` manifests.
        method: Names of methods.
        metrics: Names of metrics; an empty list for all that are computed by default, None for no metric.
        methods_dir: Folders of the user's own methods.
        local: Folder to take the files from instead of the network.
        source: The user's checkout of a method's official repository, instead of a clone.

    Returns:
        One line for everything that was installed.

    Raises:
        BenchError: There is no such name, or something cannot be installed.
    """
    if local is not None and not Path(local).is_dir():
        raise BenchError(f"`local` {local}: no such folder")
    selection = select(
        datasets=_listed(dataset),
        methods=_listed(method),
        metrics=None if metrics is None else _listed(metrics),
        methods_dirs=map(Path, _listed(methods_dir)),
    )
    lines: list[str] = []
    installations = plan(
        selection,
        local=None if local is None else Path(local),
        source=None if source is None else Path(source),
    )
    failures = install_all(installations, lambda one: lines.append(one.install(silent)))
    if failures:
        raise BenchError("; ".join(failures))
    return lines


def _listed(names: Names) -> list[str]:
    return [str(names)] if isinstance(names, str | Path) else [str(name) for name in names]
