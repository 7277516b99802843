"""Finding the LR and HR images of the data sets that a report shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ccsr_bench.datasets.loading import Dataset, from_folders, load_dataset
from ccsr_bench.datasets.manifest import manifest_paths
from ccsr_bench.errors import BenchError, NotInstalledError


class ImageFinder:
    """Finds the LR and HR images of data sets by the name of the data set.

    Args:
        datasets: Names of data sets, and paths of manifests, to show; all recorded data sets when empty.
        lr: Folder of the LR images of the only data set in `datasets`, where the run was given folders.
        hr: Folder of the HR images of the same data set.
        remark: Function that is called with a line about each data set that is shown without LR and HR images.

    Raises:
        BenchError: Only one of the folders is given, or `datasets` does not name exactly one data set for them.
    """

    def __init__(
        self, datasets: Sequence[str], *, lr: Path | None, hr: Path | None, remark: Callable[[str], None]
    ) -> None:
        if (lr is None) != (hr is None):
            raise BenchError("`lr` and `hr` go together: give both folders")
        if lr is not None and len(datasets) != 1:
            raise BenchError("`lr` and `hr` are the images of one data set: name it with `datasets`")
        given = [load_dataset(name) for name in datasets if name.endswith(".toml")]
        if lr is not None and hr is not None:
            given.append(from_folders(lr, hr, name=datasets[0]))
        self._given = {dataset.name: dataset for dataset in given}
        self._remark = remark
        self.names = list(dict.fromkeys([*self._given, *(name for name in datasets if not name.endswith(".toml"))]))
        """Names of the data sets to show; all recorded data sets when empty."""

    def find(self, name: str) -> Dataset | None:
        """Return a data set with its images, or None where these are not on this machine."""
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
