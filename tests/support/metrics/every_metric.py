"""Every metric, built by the real code: with published weights where they are at hand, else with random ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccsr_bench.metrics import weight_files
from ccsr_bench.metrics.weight_files import FILES
from tests.support.metrics.layouts_clipiqa import write_clipiqa
from tests.support.metrics.layouts_inception import write_inception
from tests.support.metrics.layouts_lpips_dists import write_lpips_dists
from tests.support.metrics.layouts_maniqa import write_maniqa
from tests.support.metrics.layouts_musiq import write_musiq
from tests.support.metrics.niqe_parameters import write_niqe
from tests.support.metrics.random_weights import install
from tests.support.places import SHARED

WRITERS: tuple[Callable[[Path], None], ...] = (
    write_lpips_dists,
    write_clipiqa,
    write_musiq,
    write_maniqa,
    write_inception,
    write_niqe,
)


def write_all(folder: Path) -> None:
    """Write a random file for every network's, and NIQE's model of natural images."""
    for write in WRITERS:
        write(folder)


def published(key: str) -> bool:
    """Whether the published file is at hand."""
    return (SHARED / "weights" / FILES[key].name).is_file()


@contextmanager
def weights_installed(files: Path, home: Path) -> Iterator[None]:
    """Make files the installed weights, with the hashes that are expected of them.

    Args:
        files: A folder of `write_all`.
        home: An empty folder on the same disk.
    """

    def link(folder: Path) -> None:
        for file in weight_files.FILES.values():
            real, random = SHARED / "weights" / file.name, files / file.name
            if real.is_file():
                shutil.copy(real, folder)
            elif random.is_file():
                (folder / file.name).hardlink_to(random)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(home))
        install(patch, home, link)
        yield
