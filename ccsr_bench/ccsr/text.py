"""Prompts to embeddings: CLIP's tokenizer and text encoder, as Stable Diffusion 2.1-base ships them.

Source: ``pipelines/pipeline_ccsr.py`` lines 361 to 393 of the official code: padded to the model's length, no
attention mask, the last hidden state after the final norm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ccsr_bench.errors import BenchError


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer of a Stable Diffusion folder.

    Its two configuration files contradict each other: ``tokenizer_config.json`` pads with the end-of-text token,
    ``special_tokens_map.json`` with "!". The official code's library followed the second, so the model was trained and
    run with it; newer libraries may not, so it is named here.

    Raises:
        BenchError: A file is missing or damaged.
    """
    try:
        special = json.loads((folder / "special_tokens_map.json").read_text(encoding="utf-8"))
        pad = special["pad_token"]
        pad = pad["content"] if isinstance(pad, dict) else pad
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True, pad_token=pad)
    except Exception as error:  # the library raises many kinds
        raise BenchError(
            f"{folder}: no readable tokenizer ({_first_line(error)}); prepare the weights again"
        ) from error
    if tokenizer.pad_token != pad:
        raise BenchError(f"{folder}: the tokenizer pads with {tokenizer.pad_token!r}, its files say {pad!r}")
    return tokenizer


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@torch.inference_mode()
def embed(texts: Iterable[str], tokenizer: CLIPTokenizer, encoder: CLIPTextModel) -> dict[str, Tensor]:
    """Embed prompts, one at a time as the official code does.

    Args:
        texts: Prompts; "" for none.
        tokenizer: As `load_tokenizer` loads it.
        encoder: The text encoder.

    Returns:
        Text -> (1, tokens, channels) in the encoder's precision, on its device.
    """
    length = encoder.config.max_position_embeddings
    embeddings = {}
    for text in dict.fromkeys(texts):
        tokens = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        embeddings[text] = encoder(tokens.input_ids.to(encoder.device), attention_mask=None)[0]
    return embeddings
