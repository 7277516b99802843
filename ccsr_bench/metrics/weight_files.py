"""The files of weights that metrics need: their sources, and their places on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.install.hashing import unchanged_file_sha256
from ccsr_bench.install.sources import PublishedFile, Url
from ccsr_bench.places import weights_home

_PYIQA = Url("https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main")
_PYIQA_GITHUB = Url("https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights")
_TORCHVISION = Url("https://download.pytorch.org/models")
_CLIP = Url(
    "https://openaipublic.azureedge.net/clip/models/afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"
)


@dataclass(frozen=True)
class WeightFile:
    """One published file of weights."""

    name: str
    sha256: str
    size: int
    """Size in bytes."""
    sources: tuple[Url, ...]
    """Folders to download it from, in order of preference."""
    licence: str

    @property
    def addresses(self) -> list[str]:
        """Addresses of the file itself, for a browser."""
        return [f"{source.address}/{self.name}" for source in self.sources]

    @property
    def published(self) -> PublishedFile:
        """The file as it is downloaded."""
        return PublishedFile(self.name, self.sources, self.sha256)


def _of_pyiqa(name: str, sha256: str, size: int, licence: str) -> WeightFile:
    return WeightFile(name, sha256, size, (_PYIQA, _PYIQA_GITHUB), licence)


FILES: Mapping[str, WeightFile] = {
    "niqe": _of_pyiqa(
        "niqe_modelparameters.mat",
        "df16a821ebd0856ef4894baa0bb810feb2d442e06e23ed339458aa3d5e4f922d",
        10_928,
        "not stated (University of Texas at Austin, free for research)",
    ),
    "alexnet": WeightFile(
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        244_408_911,
        (_TORCHVISION,),
        "BSD-3-Clause (torchvision)",
    ),
    "vgg16": WeightFile(
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
        (_TORCHVISION,),
        "BSD-3-Clause (torchvision)",
    ),
    "lpips-alex": _of_pyiqa(
        "LPIPS_v0.1_alex-df73285e.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        6_009,
        "BSD-2-Clause (lpips)",
    ),
    "lpips-vgg": _of_pyiqa(
        "LPIPS_v0.1_vgg-a78928a0.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        7_289,
        "BSD-2-Clause (lpips)",
    ),
    "dists": _of_pyiqa(
        "DISTS_weights-f5e65c96.pth",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        12_288,
        "MIT (DISTS)",
    ),
    "clip-rn50": WeightFile(
        "RN50.pt",
        "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
        255_827_503,
        (_CLIP,),
        "MIT (CLIP)",
    ),
    "musiq-koniq": _of_pyiqa(
        "musiq_koniq_ckpt-e95806b9.pth",
        "e95806b9eae5f3814c410f574ba8e552362bd5bc63d758ed5b97860f5d6185aa",
        108_610_983,
        "Apache-2.0 (MUSIQ)",
    ),
    "maniqa-pipal": _of_pyiqa(
        "MANIQA_PIPAL-ae6d356b.pth",
        "ae6d356bcd583ae3c1ca81d84817cf96d662073896c7e40fceddb305ddc2f155",
        543_335_435,
        "Apache-2.0 (MANIQA)",
    ),
    "maniqa-koniq": _of_pyiqa(
        "ckpt_koniq10k.pt",
        "a207f8ab57322e6be38ff5c8d019301dc032b454bef21c3c9f9dbf7974eebff6",
        543_335_435,
        "Apache-2.0 (MANIQA)",
    ),
    "inception": _of_pyiqa(
        "pt_inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        95_628_359,
        "Apache-2.0 (pytorch-fid)",
    ),
}
"""Every file, by the key that metrics use."""


def missing_files(keys: Sequence[str]) -> list[str]:
    """Return the keys of the files that are missing on this machine."""
    return [key for key in keys if _place(key) is None]


def find_weights(metric: str, key: str) -> Path:
    """Return the path of a file of weights, in our cache or in that of torch, pyiqa or CLIP.

    Raises:
        MetricUnavailableError: The file is in none of them.
    """
    path = _place(key)
    if path is None:
        raise MetricUnavailableError(
            f"{metric}: no {FILES[key].name} in {weights_home()}: run `ccsr-bench prepare --metrics {metric}`"
        )
    return path


def _place(key: str) -> Path | None:
    import torch  # takes a second to import; torch knows the place of its own cache

    hub = Path(torch.hub.get_dir())
    folders = (weights_home(), hub / "pyiqa", hub / "checkpoints", hub / "clip")
    return next((path for folder in folders if (path := folder / FILES[key].name).is_file()), None)


def verified_weights(metric: str, key: str) -> tuple[Path, str]:
    """Return a file of weights and its sha256.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file is not the published one.
    """
    path = find_weights(metric, key)
    sha256 = unchanged_file_sha256(path)
    if sha256 != FILES[key].sha256:
        raise BenchError(f"{path}: wrong sha256: it is not the published file; delete it and prepare again")
    return path, sha256
