"""Where a report finds the LR and HR images of the data sets that it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ccsr_bench.datasets.loading import Dataset, from_folders, load_dataset
from ccsr_bench.datasets.manifest import manifest_paths
from ccsr_bench.errors import BenchError, NotInstalledError


class ImageFinder:
    """Finds the images of data sets by name.

    Args:
        datasets: Names of data sets and paths of manifests that are asked for; all recorded ones when empty.
        lr: Folder of the LR images of the one data set that is asked for, where the run was given folders.
        hr: Folder of its HR images.
        remark: Called with a line about each data set that is shown without LR and HR images.

    Raises:
        BenchError: One folder is missing, or the folders are not of one data set.
    """

    def __init__(
        self, datasets: Sequence[str], *, lr: Path | None, hr: Path | None, remark: Callable[[str], None]
    ) -> None:
        if (lr is None) != (hr is None):
            raise BenchError("`lr` and `hr` go together: give both folders")
        if lr is not None and len(datasets) != 1:
            raise BenchError("`lr` and `hr` are the images of one data set: name it with `dataset`")
        given = [load_dataset(name) for name in datasets if name.endswith(".toml")]
        if lr is not None and hr is not None:
            given.append(from_folders(lr, hr, name=datasets[0]))
        self._given = {dataset.name: dataset for dataset in given}
        self._remark = remark
        self.names = list(dict.fromkeys([*self._given, *(name for name in datasets if not name.endswith(".toml"))]))
        """Names of the data sets that are asked for."""

    def find(self, name: str) -> Dataset | None:
        """Return a data set with its images; None where they are not on this machine."""
        if name in self._given:
            return self._given[name]
        if name not in manifest_paths():
            self._remark(
                f"{name}: shown without LR and HR images; give its folders with `lr` and `hr`, or its manifest"
            )
            return None
        try:
            return load_dataset(name)
        except NotInstalledError as error:
            self._remark(f"{name}: shown without LR and HR images: {error}")
            return None
