"""LPIPS and DISTS against three independent implementations, given the same weights."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.metrics import backends, weight_files
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.dists import DISTS, l2_pool
from ccsr_bench.metrics.lpips import LPIPS, read_channel_weights
from ccsr_bench.metrics.networks.alexnet_vgg import bands
from ccsr_bench.metrics.networks.winograd import WinogradConvolution
from ccsr_bench.weights.tensors import tensors_sha256
from tests.support.metrics.layouts_lpips_dists import CHANNELS, write_lpips_dists
from tests.support.metrics.random_weights import install
from tests.support.pictures import noisy, picture

CPU = torch.device("cpu")
SIZES = [(96, 96), (67, 131), (33, 40)]
NAMES = ["lpips-alex", "lpips-vgg", "dists"]
Metric = Any

pytestmark = pytest.mark.usefixtures("inference")


@pytest.fixture
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file of both metrics, written once."""
    folder = tmp_path_factory.mktemp("lpips-dists")
    write_lpips_dists(folder)
    return folder


def link(files: Path, without: str = "") -> Callable[[Path], None]:
    """Return what puts the files into a folder."""

    def write(folder: Path) -> None:
        for file in files.iterdir():
            if file.name != without:
                os.link(file, folder / file.name)

    return write


@pytest.fixture
def installed(files: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(monkeypatch, home, link(files))


@pytest.fixture(scope="module")
def metrics(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric]:
    """Ours, built once."""
    home = tmp_path_factory.mktemp("metrics-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(home))
        install(patch, home, link(files))
        return {
            "lpips-alex": LPIPS(device=CPU),
            "lpips-vgg": LPIPS(device=CPU, net="vgg"),
            "dists": DISTS(device=CPU),
        }


@pytest.fixture(scope="module")
def theirs(files: Path) -> dict[str, torch.nn.Module]:
    """pyiqa's networks, from the same files."""
    pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    models = importlib.import_module("torchvision.models")
    vgg = importlib.import_module("torchvision.models.vgg")

    def build(key: str) -> Callable[..., Any]:
        def network(**_: object) -> Any:
            features = models.AlexNet().features if key == "alexnet" else vgg.make_layers(vgg.cfgs["D"])
            tensors = torch.load(files / weight_files.FILES[key].name, weights_only=True)
            convolutions = {name.removeprefix("features."): value for name, value in tensors.items()}
            features.load_state_dict({name: convolutions[name] for name in features.state_dict()})
            holder = torch.nn.Module()
            holder.features = features
            return holder

        return network

    def path(key: str) -> str:
        return str(files / weight_files.FILES[key].name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "alexnet", build("alexnet"))
        patch.setattr(models, "vgg16", build("vgg16"))
        lpips = importlib.import_module("pyiqa.archs.lpips_arch").LPIPS
        dists = importlib.import_module("pyiqa.archs.dists_arch").DISTS
        return {
            "lpips-alex": lpips(net="alex", pretrained_model_path=path("lpips-alex")),
            "lpips-vgg": lpips(net="vgg", pretrained_model_path=path("lpips-vgg")),
            "dists": dists(pretrained_model_path=path("dists")).eval(),
        }


def images(height: int, width: int, count: int = 3) -> tuple[ImageBatch, ImageBatch]:
    """Return a reference and ever noisier outputs."""
    reference = picture(3, max(height, width))[:height, :width]
    outputs = np.stack([noisy(reference, 2 + 6 * index, index) for index in range(count)])
    return ImageBatch(reference[None], CPU), ImageBatch(outputs, CPU)


def scores(metric: Metric, reference: ImageBatch, outputs: ImageBatch) -> np.ndarray:
    values = metric.score(outputs, metric.prepare(reference))
    assert values.dtype == torch.float64
    assert values.shape == (len(outputs),)
    return np.asarray(values)


def expected(network: torch.nn.Module, reference: Tensor, outputs: Tensor) -> np.ndarray:
    return network(outputs, reference.expand_as(outputs)).flatten().numpy()  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_pyiqa(
    name: str, size: tuple[int, int], metrics: dict[str, Metric], theirs: dict[str, torch.nn.Module]
) -> None:
    reference, outputs = images(*size)
    found = scores(metrics[name], reference, outputs)
    np.testing.assert_allclose(found, expected(theirs[name], reference.rgb, outputs.rgb), rtol=0, atol=1e-6)
    assert 1e-4 < found[0] < found[1] < found[2]


@pytest.mark.skipif(not os.environ.get("CCSR_BENCH_SLOW"), reason="a minute; set CCSR_BENCH_SLOW=1")
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_pyiqa_at_full_size(
    name: str, metrics: dict[str, Metric], theirs: dict[str, torch.nn.Module]
) -> None:
    for size in ((512, 512), (339, 510)):
        reference, outputs = images(*size, count=2)
        found = scores(metrics[name], reference, outputs)
        np.testing.assert_allclose(found, expected(theirs[name], reference.rgb, outputs.rgb), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_is_as_near_to_float64_as_pyiqa(
    name: str, metrics: dict[str, Metric], theirs: dict[str, torch.nn.Module]
) -> None:
    """Of flat, bright images, of which float32 moments cancel the most."""
    reference = np.full((64, 80, 3), 240, np.uint8)
    pair = ImageBatch(noisy(reference, 1, 1)[None], CPU), ImageBatch(noisy(reference, 1.5, 2)[None], CPU)
    network = theirs[name].double()
    try:
        exact = expected(network, pair[0].rgb.double(), pair[1].rgb.double())
    finally:
        network.float()
    np.testing.assert_allclose(scores(metrics[name], *pair), exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_score_is_independent_of_the_batch_to_the_bit(name: str, metrics: dict[str, Metric]) -> None:
    reference, outputs = images(50, 66)
    together = scores(metrics[name], reference, outputs)
    for index in range(3):
        alone = ImageBatch(np.asarray(outputs.levels[index : index + 1].permute(0, 2, 3, 1)), CPU)
        assert scores(metrics[name], reference, alone) == together[index : index + 1]


@pytest.mark.parametrize("name", NAMES)
def test_identical_images_and_repeated_use(name: str, metrics: dict[str, Metric]) -> None:
    """What is prepared serves many calls: nothing overwrites it."""
    reference, outputs = images(70, 50)
    prepared = metrics[name].prepare(reference)
    first = metrics[name].score(outputs, prepared)
    assert metrics[name].score(reference, prepared).item() == pytest.approx(0, abs=1e-12)
    assert torch.equal(metrics[name].score(outputs, prepared), first)


def test_lpips_leaves_out_the_border(installed: Path, metrics: dict[str, Metric]) -> None:
    reference, outputs = images(80, 72)
    inner = (ImageBatch(np.asarray(b.levels[..., 4:-4, 4:-4].permute(0, 2, 3, 1)), CPU) for b in (reference, outputs))
    cropped = LPIPS(device=CPU, crop=4)
    assert scores(cropped, reference, outputs).tolist() == scores(metrics["lpips-alex"], *inner).tolist()
    assert "4-pixel border left out" in cropped.definition


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        (backends.LPIPSPackage, {"net": "alex"}, "lpips-alex"),
        (backends.LPIPSPackage, {"net": "vgg"}, "lpips-vgg"),
        (backends.DISTSPackage, {}, "dists"),
    ],
)
def test_packages_agree(
    kind: Any, options: dict[str, str], name: str, installed: Path, metrics: dict[str, Metric]
) -> None:
    package = pytest.importorskip("lpips" if kind is backends.LPIPSPackage else "piq", reason="needs its extra")
    metric = kind(device=CPU, **options)
    for size in SIZES:
        reference, outputs = images(*size)
        found = scores(metric, reference, outputs)
        np.testing.assert_allclose(found, scores(metrics[name], reference, outputs), rtol=0, atol=1e-6)
    assert f"({package.__name__} " in metric.definition


def test_piqs_own_dists_shrinks_large_images(installed: Path, metrics: dict[str, Metric]) -> None:
    """So it is another number there, by more than the differences that matter; and the same up to 256 pixels."""
    pytest.importorskip("piq", reason="needs its extra")
    resizing = backends.DISTSPackage(device=CPU, resize=True)
    assert "256 pixels on the shorter side" in resizing.definition
    small = images(67, 131, 1)
    np.testing.assert_allclose(scores(resizing, *small), scores(metrics["dists"], *small), rtol=0, atol=1e-6)
    large = images(384, 384, 1)
    found, shrunk = scores(metrics["dists"], *large), scores(resizing, *large)
    assert abs(found - shrunk) > 0.1 * found
    by_hand = [F.interpolate(batch.rgb, size=(256, 256), mode="bilinear") for batch in large]
    metric = metrics["dists"]
    prepared = metric.prepare(type("Batch", (), {"rgb": by_hand[0]}))
    same = metric.score(type("Batch", (), {"rgb": by_hand[1]}), prepared)
    np.testing.assert_allclose(shrunk, same, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kind", "package"), [(backends.LPIPSPackage, "lpips"), (backends.DISTSPackage, "piq")])
def test_missing_package(kind: Any, package: str, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MetricUnavailableError, match=rf"pip install 'ccsr-bench\[{package}\]'"):
        kind(device=CPU)


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (13, 70), (31, 9)])
def test_winograd_is_a_convolution(size: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(24, 40, 3, padding=1).requires_grad_(False)
        inputs = torch.rand(2, 24, *size)
    exact = layer.double()(inputs.double()).relu()
    layer.float()
    found = WinogradConvolution(layer.weight, layer.bias)(inputs)  # type: ignore[arg-type]
    assert found.shape == exact.shape
    assert float((found - exact).square().mean().sqrt() / exact.square().mean().sqrt()) < 5e-6


def test_l2_pool_is_the_root_of_a_weighted_mean_square() -> None:
    features = torch.rand(1, 2, 5, 6, dtype=torch.float64).float()
    padded = np.pad(features[0, 1].double().numpy() ** 2, 1)
    taps = np.outer([1, 2, 1], [1, 2, 1]) / 16
    by_hand = [[(padded[y : y + 3, x : x + 3] * taps).sum() ** 0.5 for x in (0, 2, 4)] for y in (0, 2, 4)]
    np.testing.assert_allclose(l2_pool(features.clone())[0, 1], by_hand, rtol=1e-5)


def test_bands_cover_every_row_once() -> None:
    for shape in ((1, 64, 512, 512), (1, 3, 7, 5), (1, 512, 1, 2**20)):
        rows = [row for band in bands(torch.empty(shape, device="meta")) for row in range(shape[2])[band]]
        assert rows == list(range(shape[2]))


@pytest.mark.parametrize("precision", ["exact", "fast"])
@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_definitions(name: str, precision: Any, installed: Path) -> None:
    """On a CPU, both precisions are the same computation."""
    metric = LPIPS(device=CPU, precision=precision) if name == "lpips" else DISTS(device=CPU, precision=precision)
    keys = ("alexnet", "lpips-alex") if name == "lpips" else ("vgg16", "dists")
    features, layers = (weight_files.FILES[key] for key in keys)
    tensors = {
        name: tensor
        for name, tensor in torch.load(installed / features.name, weights_only=True).items()
        if name.startswith("features.")
    }
    assert f"{features.title}, tensors sha256 {tensors_sha256(tensors)[:12]}" in metric.definition
    assert f"{layers.name} sha256 {layers.sha256[:12]}" in metric.definition
    for part in (name.upper(), "no crop", "float32 network", "(ccsr-bench)"):
        assert part in metric.definition


def test_features_from_a_package_are_the_same_metric(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = images(48, 48)
    published = LPIPS(device=CPU)
    file = weight_files.FILES["alexnet"]
    path = installed / file.name
    tensors = {n: t for n, t in torch.load(path, weights_only=True).items() if n.startswith("features.")}
    path.unlink()
    save_file(tensors, path.with_suffix(".safetensors"))
    known = dataclasses.replace(file, tensors_sha256=tensors_sha256(tensors))
    monkeypatch.setattr(weight_files, "FILES", {**weight_files.FILES, "alexnet": known})
    converted = LPIPS(device=CPU)
    assert converted.definition == published.definition
    np.testing.assert_array_equal(scores(converted, *pair), scores(published, *pair))
    save_file({n: t.half().float() for n, t in tensors.items()}, path.with_suffix(".safetensors"))
    with pytest.raises(BenchError, match=r"wrong tensors: .*; delete it and prepare again"):
        LPIPS(device=CPU)


@pytest.mark.parametrize(("name", "size"), [("lpips-alex", 30), ("lpips-vgg", 15), ("dists", 15)])
def test_too_small(name: str, size: int, metrics: dict[str, Metric]) -> None:
    reference, outputs = images(size, 64)
    message = rf"^{name[:5]}: the image is smaller than the {size + 1} pixels .* choose `metrics` without {name[:5]}"
    with pytest.raises(BenchError, match=message):
        metrics[name].prepare(reference)
    with pytest.raises(BenchError, match=message):
        metrics[name].score(outputs, None)
    scores(metrics[name], *images(size + 1, size + 1))


BUILDS: dict[str, Callable[[], Metric]] = {
    "alexnet": lambda: LPIPS(device=CPU),
    "lpips-alex": lambda: LPIPS(device=CPU),
    "vgg16": lambda: DISTS(device=CPU),
    "dists": lambda: DISTS(device=CPU),
}


@pytest.mark.parametrize("key", BUILDS)
def test_missing_file(key: str, files: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, home, link(files, without=weight_files.FILES[key].name))
    with pytest.raises(MetricUnavailableError, match=r"ccsr-bench prepare --metrics"):
        BUILDS[key]()


def replace(folder: Path, key: str, content: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put something else in a file's place, and its hash with it."""
    path = folder / weight_files.FILES[key].name
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    install(monkeypatch, folder.parent, lambda _: None)


@pytest.mark.parametrize("key", ["alexnet", "lpips-alex", "dists"])
def test_damaged_files(key: str, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = installed / weight_files.FILES[key].name
    content = path.read_bytes()
    tensors = torch.load(path, weights_only=True)
    replace(installed, key, content[: len(content) // 2], monkeypatch)
    with pytest.raises(BenchError, match="no readable weights"):
        BUILDS[key]()
    first = next(iter(tensors))
    for changed, message in (
        ({name: value for name, value in tensors.items() if name != first}, f"lacks {first}"),
        ({**tensors, "other.weight": torch.ones(1)}, "also has other.weight"),
        ({**tensors, first: tensors[first][:, :1]}, f"{first} is "),
    ):
        replace(installed, key, changed, monkeypatch)
        with pytest.raises(BenchError, match=message):
            BUILDS[key]()


def test_wrong_hash(installed: Path) -> None:
    path = installed / weight_files.FILES["dists"].name
    path.unlink()
    torch.save({}, path)
    with pytest.raises(BenchError, match="wrong sha256"):
        DISTS(device=CPU)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_published_channel_weights(net: Any, home: Path) -> None:
    """The package `lpips` carries the published files, so their layout is not assumed."""
    package = pytest.importorskip("lpips", reason="needs the extra `lpips`")
    published = Path(package.__file__).parent / "weights" / "v0.1" / f"{net}.pth"
    file = weight_files.FILES[f"lpips-{net}"]
    assert file_sha256(published) == file.sha256
    (home / "weights").mkdir()
    (home / "weights" / file.name).write_bytes(published.read_bytes())
    stages, cited = read_channel_weights(net, list(CHANNELS[net]))
    assert cited == f"{file.name} sha256 {file.sha256[:12]}"
    assert all(float(stage.min()) >= 0 and float(stage.max()) > 0 for stage in stages)
