"""Installing data sets, methods and weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ccsr_bench.errors import BenchError
from ccsr_bench.preparation import installation


def prepare(
    *,
    dataset: str | Sequence[str] = (),
    method: str | Sequence[str] = (),
    metrics: str | Sequence[str] | None = None,
    methods_dir: str | Path | Sequence[str | Path] = (),
    local: str | Path | None = None,
    source: str | Path | None = None,
) -> list[str]:
    """Install data sets, methods and weights of metrics, and verify them; what is there and right is kept.

    Args:
        dataset: Name of a data set or path of a manifest, or several.
        method: Name of a method, or several.
        metrics: Name of a metric, or several; an empty list for all default metrics, None for no metric.
        methods_dir: Folder of your own methods, or several.
        local: Folder to take the files from instead of the network.
        source: Your checkout of a method's official repository, instead of a clone.

    Returns:
        One line for everything that was installed.

    Raises:
        BenchError: There is no such name, or something cannot be installed.
    """
    if local is not None and not Path(local).is_dir():
        raise BenchError(f"`local` {local}: no such folder")
    folders = [methods_dir] if isinstance(methods_dir, str | Path) else methods_dir
    return installation.prepare(
        datasets=_several(dataset),
        methods=_several(method),
        metrics=None if metrics is None else _several(metrics),
        methods_dirs=[Path(folder) for folder in folders],
        local=None if local is None else Path(local),
        source=None if source is None else Path(source),
    )


def _several(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
