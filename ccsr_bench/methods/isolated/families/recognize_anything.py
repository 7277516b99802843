"""The tagger RAM with SeeSR's fine-tuned weights DAPE, whose code SeeSR, AddSR and OSEDiff include as ``ram``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from ram.models import ram_lora


class _NoTokenizer:
    """Replaces BERT's tokenizer, which is on an author's machine and of which the tagger uses only two lengths."""

    def __len__(self) -> int:
        return 30524

    def __call__(self, text: str) -> Namespace:
        return Namespace(input_ids=[0] * (len(text.split()) + 2))


def build_tagger(ram: Path, dape: Path) -> torch.nn.Module:
    """Build the tagger, and check that the file contains every weight that tags depend on.

    The official code loads with strict=False and ignores missing weights.

    Args:
        ram: Folder of ``ram_swin_large_14m.pth``.
        dape: Folder of ``DAPE.pth``.

    Raises:
        ValueError: Weights are missing.
    """
    missing: list[str] = []
    load_checkpoint = ram_lora.load_checkpoint_swinlarge

    def remember(*arguments: Any) -> Any:
        model, result = load_checkpoint(*arguments)
        missing.extend(result.missing_keys)
        return model, result

    with (
        patch.object(ram_lora, "init_tokenizer", _NoTokenizer),
        patch.object(ram_lora, "load_checkpoint_swinlarge", remember),
    ):
        tagger: torch.nn.Module = ram_lora.ram(
            pretrained=str(ram / "ram_swin_large_14m.pth"),
            pretrained_condition=str(dape / "DAPE.pth"),
            image_size=384,
            vit="swin_l",
        )
    used = ("visual_encoder.", "image_proj.", "tagging_head.", "label_embed", "wordvec_proj.", "fc.")
    elsewhere = ("lora", "relative_position_index", "attn_mask")  # weights that are in DAPE or are computed
    lost = [name for name in missing if name.startswith(used) and not any(part in name for part in elsewhere)]
    if lost:
        raise ValueError(f"{ram / 'ram_swin_large_14m.pth'} lacks {len(lost)} weights, such as {lost[0]}")
    return tagger
