"""SUPIR's captions by its authors' code, as `test.py` makes them: LLaVA describes what SUPIR's first stage decodes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from llava.llava_agent import LLavaAgent
from llava.model.multimodal_encoder import clip_encoder
from PIL import Image
from SUPIR.util import PIL2Tensor, Tensor2PIL
from transformers import PreTrainedModel

from ccsr_bench.methods.isolated.families.supir import build, read_options
from ccsr_bench.methods.isolated.worker.cuda_only_code import load_tensors_only


def load(source: str, weights: dict[str, str], device: str, options: str = "options/SUPIR_v0.yaml") -> Captioner:
    """Build LLaVA, and the image encoders and the decoder of SUPIR.

    Args:
        source: The checkout of the official repository.
        weights: ``llava``, ``vision`` (its image encoder), ``sdxl`` and ``supir``.
        device: The device to run on: LLaVA in float16 on a GPU, as the official script does, in float32 on a CPU.
        options: Path of an official options file of SUPIR in the checkout.
    """
    settings = read_options(Path(source) / options, weights, device)
    parts = settings.model.params
    parts.network_config = parts.control_stage_config = {"target": "torch.nn.Identity"}
    parts.conditioner_config.params.emb_models = []
    first_stage = build(settings, device)
    on_gpu = torch.device(device).type == "cuda"
    with (
        load_tensors_only(),
        _all_weights(),
        patch.object(clip_encoder, "LLAVA_CLIP_PATH", weights["vision"]),
    ):
        # With an index it stays on one GPU.
        agent = LLavaAgent(weights["llava"], device=f"cuda:{torch.device(device).index or 0}" if on_gpu else device)
    if not on_gpu:
        agent.model.float()
    return Captioner(first_stage, agent, on_gpu)


def _all_weights() -> contextlib.AbstractContextManager[Any]:
    """Refuse models that lack weights; the official code would continue with random ones."""
    original = PreTrainedModel.from_pretrained.__func__

    def checked(cls: Any, folder: str, *arguments: Any, **more: Any) -> Any:
        model, info = original(cls, folder, *arguments, output_loading_info=True, **more)
        parameters = {name for name, _ in model.named_parameters()}
        lost = [name for name in info["missing_keys"] if name in parameters]
        if lost:
            raise ValueError(f"{folder} lacks {len(lost)} weights, such as {lost[0]}")
        return model

    return patch.object(PreTrainedModel, "from_pretrained", classmethod(checked))


class Captioner:
    """Describes one image; LLaVA samples its words from the global random stream."""

    def __init__(self, first_stage: Any, agent: Any, on_gpu: bool) -> None:
        self._first_stage = first_stage
        self._agent = agent
        self._on_gpu = on_gpu

    def caption(self, lr: np.ndarray, seed: int) -> str:  # noqa: ARG002 - the global stream was set from it
        """Describe an image, (h, w, 3) uint8 RGB."""
        image, height, width = PIL2Tensor(Image.fromarray(lr), upsacle=4, min_size=1024, fix_resize=512)
        clean = self._first_stage.batchify_denoise(image[None].to(self._first_stage.device))
        halves = contextlib.nullcontext() if self._on_gpu else patch.object(torch.Tensor, "half", torch.Tensor.float)
        with halves:
            caption: str = self._agent.gen_image_caption([Tensor2PIL(clean[0], height, width)])[0]
        return caption
