"""CLIPIQA against pyiqa, on the same random weights."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.clipiqa import CLIPIQA, PROMPTS, prompt_tokens
from ccsr_bench.metrics.networks.clip_resnet import load_clip
from ccsr_bench.metrics.weight_files import FILES
from tests.support.metrics.layouts_clipiqa import clip_tensors, module_tree, save_torchscript, write_clipiqa
from tests.support.metrics.random_weights import install
from tests.support.pictures import picture

CPU = torch.device("cpu")
NAME = FILES["clip-rn50"].name


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, a quarter of a gigabyte."""
    folder = tmp_path_factory.mktemp("clip")
    write_clipiqa(folder)
    return folder / NAME


@pytest.fixture(scope="module")
def metric(file: Path, tmp_path_factory: pytest.TempPathFactory) -> CLIPIQA:
    """Ours."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(home))
        install(patch, home, lambda folder: (folder / NAME).hardlink_to(file))
        return CLIPIQA(device=CPU)


@pytest.fixture(scope="module")
def theirs(file: Path) -> Any:
    """pyiqa's, which reads the file by torch.jit."""
    architecture = pytest.importorskip("pyiqa.archs.clipiqa_arch", reason="needs the extra `pyiqa`")
    model = pytest.importorskip("pyiqa.archs.clip_model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architecture, "load", lambda _name, device: model.load(str(file), device))
        return architecture.CLIPIQA().eval()


def images(height: int, width: int, count: int) -> ImageBatch:
    """Return smooth pictures, every other of them with noise."""
    generator = np.random.default_rng(0)
    clean = np.stack([picture(seed, max(height, width))[:height, :width] for seed in range(count)])
    noise = generator.normal(0, 20, clean.shape) * (np.arange(count) % 2)[:, None, None, None]
    return ImageBatch(np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8), CPU)


def assert_agreement(metric: CLIPIQA, theirs: Any, batch: ImageBatch) -> None:
    with torch.inference_mode():
        scores, expected = metric.score(batch, None), theirs(batch.rgb)[:, 0]
    assert scores.dtype == torch.float64
    assert len(set(scores.tolist())) == len(batch)
    # The network's random answers to different images are some 1e-3 apart.
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("height", "width", "count"), [(131, 97, 3), (64, 190, 1), (31, 31, 2)])
def test_agrees_with_pyiqa(metric: CLIPIQA, theirs: Any, height: int, width: int, count: int) -> None:
    assert_agreement(metric, theirs, images(height, width, count))


@pytest.mark.skipif(not os.environ.get("CCSR_BENCH_SLOW"), reason="takes long; set CCSR_BENCH_SLOW=1")
@pytest.mark.parametrize(("height", "width", "count"), [(512, 512, 2), (513, 767, 1)])
def test_agrees_with_pyiqa_on_large_images(metric: CLIPIQA, theirs: Any, height: int, width: int, count: int) -> None:
    assert_agreement(metric, theirs, images(height, width, count))


def test_scores_do_not_depend_on_the_batch(metric: CLIPIQA) -> None:
    batch = images(80, 96, 3)
    with torch.inference_mode():
        alone = [
            float(metric.score(ImageBatch(one[None].permute(0, 2, 3, 1).numpy(), CPU), None)[0]) for one in batch.levels
        ]
        assert metric.score(batch, None).tolist() == alone


def test_prompts_are_tokenized_as_clip_does() -> None:
    clip = pytest.importorskip("clip", reason="needs the extra `pyiqa`")
    expected = clip.tokenize([prompt for prompt, _ in PROMPTS])
    tokens = prompt_tokens()
    assert tokens.shape == (10, 6)
    assert torch.equal(torch.nn.functional.pad(tokens, (0, 77 - 6)), expected)


def test_prompts_are_those_of_pyiqa(theirs: Any) -> None:
    assert torch.equal(theirs.prompt_pairs[:, :6], prompt_tokens())


def test_definition(metric: CLIPIQA) -> None:
    for part in ("CLIPIQA", "no crop", "RGB", "float32 network", "Good image / bad image", "(ccsr-bench)", NAME):
        assert part in metric.definition


def test_too_small(metric: CLIPIQA) -> None:
    with pytest.raises(
        BenchError, match="clipiqa: the image is smaller than 31 pixels; choose `metrics` without clipiqa"
    ):
        metric.score(images(30, 64, 1), None)


def test_random_numbers_of_others_are_left_alone() -> None:
    before = torch.random.get_rng_state()
    with pytest.raises(BenchError):
        load_clip({}, NAME)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_no_file() -> None:
    with pytest.raises(MetricUnavailableError, match="ccsr-bench prepare --metrics clipiqa"):
        CLIPIQA(device=CPU)


def test_not_the_published_file(home: Path) -> None:
    path = home / "weights" / NAME
    path.parent.mkdir()
    path.write_bytes(b"weights of another origin")
    with pytest.raises(BenchError, match="wrong sha256"):
        CLIPIQA(device=CPU)


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(clip_tensors())


def _all_names() -> dict[str, torch.Tensor]:
    """Return every name with one number: shapes are compared last."""
    return {name: torch.zeros(1) for name in _names()}


def _save_archive(tensors: dict[str, torch.Tensor], path: Path) -> None:
    save_torchscript(module_tree(tensors), path)


def _truncated(path: Path) -> None:
    _save_archive({"more": torch.ones(1)}, path)
    path.write_bytes(path.read_bytes()[:-100])


def _another_shape(path: Path) -> None:
    _save_archive(_all_names(), path)


def _name_missing(path: Path) -> None:
    tensors = _all_names()
    del tensors["logit_scale"]
    _save_archive(tensors, path)


def _name_too_many(path: Path) -> None:
    _save_archive(_all_names() | {"more": torch.ones(1)}, path)


def _plain_tensors(path: Path) -> None:
    torch.save({"more": torch.ones(1)}, path)


def _no_tensors(path: Path) -> None:
    torch.save([1], path)


def _text(path: Path) -> None:
    path.write_text("text")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (_truncated, "no readable weights"),
        (_another_shape, r"positional_embedding is \(1,\), not \(77, 512\)"),
        (_name_missing, r"lacks logit_scale \(1\)"),
        (_name_too_many, r"also has more \(1\)"),
        (_plain_tensors, r"lacks .* also has more \(1\)"),
        (_no_tensors, "holds no named tensors"),
        (_text, "no readable weights"),
    ],
)
def test_unusable_files_end_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], reason: str
) -> None:
    install(monkeypatch, home, lambda folder: write(folder / NAME))
    with pytest.raises(BenchError, match=reason) as caught:
        CLIPIQA(device=CPU)
    assert "\n" not in str(caught.value)
