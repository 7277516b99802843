"""Loading the networks' weights: every name and shape is checked, and no code in the files is executed.

The folders are of the kind that ``save_pretrained`` of diffusers writes: ``config.json`` and
``diffusion_pytorch_model.safetensors`` or ``.bin``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from ccsr_bench.ccsr.networks import build_controlnet, official_controlnet_name
from ccsr_bench.ccsr.schedule import BETA_END, BETA_START, TRAIN_TIMESTEPS
from ccsr_bench.errors import BenchError, first_line, some
from ccsr_bench.weights.formats import accepted_names, find_file
from ccsr_bench.weights.tensors import compare_tensors, read_tensors

SCALING_FACTOR = 0.18215

_SCHEDULER = {
    "num_train_timesteps": TRAIN_TIMESTEPS,
    "beta_start": BETA_START,
    "beta_end": BETA_END,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "steps_offset": 1,
    "clip_sample": False,
}
_SCHEDULER_DEFAULTS = {
    "timestep_spacing": "leading",
    "trained_betas": None,
    "thresholding": False,
    "variance_type": "fixed_small",
    "rescale_betas_zero_snr": False,
}
"""Values that a configuration may omit."""

_SAME_IN_UNET_AND_CONTROLNET = (
    "in_channels",
    "block_out_channels",
    "down_block_types",
    "layers_per_block",
    "cross_attention_dim",
    "attention_head_dim",
    "num_attention_heads",
    "transformer_layers_per_block",
    "only_cross_attention",
    "upcast_attention",
    "downsample_padding",
    "mid_block_scale_factor",
    "resnet_time_scale_shift",
    "use_linear_projection",
    "norm_num_groups",
    "norm_eps",
    "act_fn",
    "flip_sin_to_cos",
    "freq_shift",
)
_ALWAYS_IN_CONTROLNET = {"controlnet_conditioning_channel_order": "rgb", "global_pool_conditions": False}
_SAME_IN_BOTH_VAES = (
    "in_channels",
    "out_channels",
    "block_out_channels",
    "layers_per_block",
    "latent_channels",
    "norm_num_groups",
    "act_fn",
    "mid_block_add_attention",
    "use_quant_conv",
    "use_post_quant_conv",
)
_FROZEN_PARTS = ("encoder.", "quant_conv.", "post_quant_conv.")
"""Parts of the VAE that fine-tuning left unchanged (``train_ccsr_stage2.py`` lines 757 to 767)."""

_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names that diffusers gave the VAE's attention layers when Stable Diffusion 2.1 was published."""


class Placement(NamedTuple):
    """The device and the precision of networks."""

    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class WeightFolders:
    """The folders of the weights."""

    base: Path
    """Stable Diffusion 2.1-base: folders ``scheduler``, ``text_encoder``, ``tokenizer``, ``unet`` and ``vae``."""
    controlnet: Path
    """CCSR's ControlNet."""
    vae: Path | None = None
    """CCSR's VAE; None for the VAE of the base."""


def load_unet(folder: Path, place: Placement) -> UNet2DConditionModel:
    """Load the UNet; raises `BenchError` where its folder is incomplete or wrong."""
    config = read_config(folder)
    return _load(folder, lambda: UNet2DConditionModel.from_config(config), read_weights(folder), place)


def load_controlnet(folder: Path, place: Placement, unet: Mapping[str, Any]) -> ControlNetModel:
    """Load CCSR's ControlNet.

    Args:
        folder: Folder of the ControlNet.
        place: Device and precision.
        unet: Configuration of the UNet. A ControlNet with another configuration would run, but give other images.

    Raises:
        BenchError: The ControlNet is not CCSR's, or does not fit this UNet.
    """
    config = read_config(folder)
    tensors = read_weights(folder)
    network = _load(folder, lambda: build_controlnet(config), tensors, place, name_in_file=official_controlnet_name)
    _check_equal(folder, "the UNet's", _SAME_IN_UNET_AND_CONTROLNET, network.config, unet)
    _check_equal(folder, "CCSR's", tuple(_ALWAYS_IN_CONTROLNET), network.config, _ALWAYS_IN_CONTROLNET)
    return network


def load_vae(base: Path, tuned: Path | None, place: Placement) -> AutoencoderKL:
    """Load the VAE.

    Args:
        base: Folder of Stable Diffusion's VAE.
        tuned: Folder of CCSR's VAE, which must differ in the decoder only; None to load the VAE of `base`.
        place: Device and precision.

    Raises:
        BenchError: A folder is incomplete or wrong, or more than the decoder differs.
    """
    folder = tuned or base
    config = read_config(folder)
    tensors = _read_vae(folder)
    network = _load(folder, lambda: AutoencoderKL.from_config(config), tensors, place)
    if tuned is not None:
        with torch.device("meta"):
            original = AutoencoderKL.from_config(read_config(base)).config
        _check_equal(folder, "the base VAE's", _SAME_IN_BOTH_VAES, network.config, original)
        _check_frozen(folder, tensors, _read_vae(base))
    if network.config["scaling_factor"] != SCALING_FACTOR:
        raise BenchError(f"{folder}: scaling_factor is {network.config['scaling_factor']}, CCSR needs {SCALING_FACTOR}")
    return network


def load_text_encoder(folder: Path, place: Placement) -> CLIPTextModel:
    """Load the text encoder; raises `BenchError` where its folder is incomplete or wrong."""
    config = {**read_config(folder), "attn_implementation": "eager"}
    # Older libraries saved the position ids, which are 0, 1, 2 and so on.
    tensors = {
        _text_name(name): tensor
        for name, tensor in read_weights(folder, "model.safetensors").items()
        if not name.endswith("embeddings.position_ids")
    }
    network = _load(folder, lambda: CLIPTextModel(CLIPTextConfig(**config)), tensors, place, name_in_file=_text_name)
    positions = torch.arange(network.config.max_position_embeddings, device=place.device)[None]
    getattr(network, "text_model", network).embeddings.position_ids = positions
    return network


def _text_name(name: str) -> str:
    """Return a tensor's published name; libraries and files differ in whether it starts with ``text_model``."""
    return name if name.startswith("text_model.") else f"text_model.{name}"


def check_scheduler(folder: Path) -> None:
    """Raise a `BenchError` unless a scheduler has the configuration that CCSR was trained with."""
    config = read_config(folder, "scheduler_config.json")
    wanted = {**_SCHEDULER_DEFAULTS, **_SCHEDULER}
    _check_equal(folder, "Stable Diffusion 2.1-base's", tuple(wanted), {**_SCHEDULER_DEFAULTS, **config}, wanted)


def read_config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """Read a network's configuration.

    Raises:
        BenchError: The configuration is missing, or not JSON.
    """
    path = folder / name
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchError(f"{path}: missing; prepare the weights again, or give the folder that holds it") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BenchError(f"{path}: cannot be read ({error}); prepare the weights again") from error
    if not isinstance(config, dict):
        raise BenchError(f"{path}: not a configuration; prepare the weights again")
    return config


def read_weights(folder: Path, file: str = "diffusion_pytorch_model.safetensors") -> dict[str, Tensor]:
    """Read a network's tensors; no code in the file is executed.

    Args:
        folder: Folder of the network.
        file: Name of the safetensors file; where it is missing, a file in PyTorch's own format is read.

    Raises:
        BenchError: There is no such file, it is damaged, or it holds more than tensors.
    """
    path = find_file(folder / file)
    if path is None:
        names = " nor ".join(name.name for name in accepted_names(Path(file)))
        raise BenchError(f"{folder}: holds neither {names}; prepare the weights again")
    return read_tensors(path)


def _read_vae(folder: Path) -> dict[str, Tensor]:
    def rename(name: str) -> str:
        if ".attentions." not in name:
            return name
        return ".".join(_OLD_ATTENTION.get(part, part) for part in name.split("."))

    return {rename(name): tensor for name, tensor in read_weights(folder).items()}


def _load(
    folder: Path,
    build: Callable[[], Any],
    tensors: dict[str, Tensor],
    place: Placement,
    *,
    name_in_file: Callable[[str], str] = str,
) -> Any:
    """Build a network and load exactly these tensors; `name_in_file` maps the network's names to the tensors' names."""
    try:
        with torch.device("meta"):
            network = build()
    except Exception as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise BenchError(
            f"{folder / 'config.json'}: no network can be built from it ({reason}); prepare the weights again"
        ) from error
    names = {name_in_file(name): name for name in network.state_dict()}
    wanted = {name: network.state_dict()[ours] for name, ours in names.items()}
    _check_tensors(folder, wanted, tensors)
    placed = {ours: tensors[name].to(*place) for name, ours in names.items()}
    network.load_state_dict(placed, strict=True, assign=True)
    return network


def _check_tensors(folder: Path, wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Raise a `BenchError` unless a file has exactly the tensors of a network."""
    missing, foreign, reshaped = map(sorted, compare_tensors(wanted, given))
    if missing or foreign:
        parts = [f"{len(missing)} tensors are missing ({some(missing)})"] if missing else []
        parts += [f"{len(foreign)} do not belong to it ({some(foreign)})"] if foreign else []
        raise BenchError(f"{folder}: not the weights of its config.json: {', '.join(parts)}")
    if reshaped:
        wrong = [f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}" for name in reshaped]
        raise BenchError(f"{folder}: {len(wrong)} tensors have another shape than config.json says: {some(wrong)}")
    integers = sorted(name for name in wanted if not given[name].is_floating_point())
    if integers:
        raise BenchError(f"{folder}: {len(integers)} tensors are not floating-point numbers: {some(integers)}")


def _check_equal(
    folder: Path, whose: str, names: tuple[str, ...], given: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    def plain(value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value or False  # None stands for False

    different = [
        f"{name} is {given.get(name)!r} instead of {wanted.get(name)!r}"
        for name in names
        if plain(given.get(name)) != plain(wanted.get(name))
    ]
    if different:
        raise BenchError(f"{folder}: the configuration is not {whose}: {some(different)}")


def _check_frozen(folder: Path, tuned: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> None:
    """Raise a `BenchError` unless everything before the decoder is the base's."""

    def differs(name: str) -> bool:
        if name not in tuned or tuned[name].shape != base[name].shape:
            return True
        # One of the two may have been saved in half precision.
        narrow = min(tuned[name].dtype, base[name].dtype, key=lambda dtype: dtype.itemsize)
        return not torch.equal(tuned[name].to(narrow), base[name].to(narrow))

    frozen = sorted(name for name in base if name.startswith(_FROZEN_PARTS))
    different = [name for name in frozen if differs(name)]
    if different:
        raise BenchError(
            f"{folder}: {len(different)} of {len(frozen)} tensors before the decoder are not those of the base VAE "
            f"({some(different)}); it was not made from this base"
        )
