"""Text embeddings of prompts, by the CLIP tokenizer and text encoder of Stable Diffusion 2.1-base.

Source: ``pipelines/pipeline_ccsr.py`` lines 361 to 393 of the official code: prompts are padded to the model's
length, there is no attention mask, and the embedding is the last hidden state after the final norm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ccsr_bench.errors import BenchError, first_line


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer of a Stable Diffusion folder.

    Only the files whose hashes are recorded are read: ``vocab.json``, ``merges.txt`` and ``special_tokens_map.json``. A
    fourth file, ``tokenizer_config.json``, pads with the end-of-text token, where ``special_tokens_map.json`` pads with
    "!". The library of the official code used ``special_tokens_map.json``, so the model was trained with its padding.

    Raises:
        BenchError: A file is missing or damaged.
    """
    try:
        special = json.loads((folder / "special_tokens_map.json").read_text(encoding="utf-8"))
        vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
        merges = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
        tokens = {name: token["content"] if isinstance(token, dict) else token for name, token in special.items()}
        return CLIPTokenizer(vocab=vocabulary, merges=merges, **tokens)
    except Exception as error:  # the library raises many kinds
        raise BenchError(f"{folder}: no readable tokenizer ({first_line(error)}); prepare the weights again") from error


@torch.inference_mode()
def embed(texts: Iterable[str], tokenizer: CLIPTokenizer, encoder: CLIPTextModel) -> dict[str, Tensor]:
    """Embed prompts, one at a time as the official code does.

    Args:
        texts: Prompts; "" for no prompt.
        tokenizer: Tokenizer that `load_tokenizer` returned.
        encoder: Text encoder of the same folder.

    Returns:
        Prompt -> its embedding, (1, tokens, channels), in the encoder's precision and on its device.
    """
    length = encoder.config.max_position_embeddings
    embeddings = {}
    for text in dict.fromkeys(texts):
        tokens = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        embeddings[text] = encoder(tokens.input_ids.to(encoder.device), attention_mask=None)[0]
    return embeddings
