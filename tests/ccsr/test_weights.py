"""Loading weights: what is right loads, and everything else ends in one clear line."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from ccsr_bench.ccsr import architecture
from ccsr_bench.ccsr.model import CCSR
from ccsr_bench.ccsr.settings import Quirks, Settings
from ccsr_bench.ccsr.text import embed, load_tokenizer
from ccsr_bench.ccsr.weights import Placement, WeightFolders, load_text_encoder, load_vae
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.registry import find_method
from tests.support.pictures import picture

CPU = Placement(torch.device("cpu"), torch.float32)
TENSORS = "diffusion_pytorch_model.safetensors"


def load(weights: Path, *, tuned_vae: bool = True) -> CCSR:
    folders = WeightFolders(
        weights / "stable-diffusion-2-1-base", weights / "controlnet", weights / "vae" if tuned_vae else None
    )
    settings = Settings(process_size=64, quirks=Quirks(numerics="clean"))
    return CCSR.load(folders, settings, dtype=torch.float32, batch=1)


def test_weights_load_and_decide_the_result(weights: Path) -> None:
    lr = picture(0, 16)
    tuned, original = (load(weights, tuned_vae=chosen).restore(lr, [0]) for chosen in (True, False))
    assert (tuned != original).any()


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file, or the tensors of a safetensors file."""
    if path.suffix == ".json":
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))
    else:
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)


def missing_file(weights: Path) -> None:
    (weights / "controlnet" / TENSORS).unlink()


def missing_config(weights: Path) -> None:
    (weights / "stable-diffusion-2-1-base" / "unet" / "config.json").unlink()


def cut_short(weights: Path) -> None:
    path = weights / "stable-diffusion-2-1-base" / "unet" / TENSORS
    path.write_bytes(path.read_bytes()[:-1000])


def broken_config(weights: Path) -> None:
    (weights / "vae" / "config.json").write_text("{")


def missing_tensor(weights: Path) -> None:
    edit(weights / "controlnet" / TENSORS, lambda tensors: tensors.pop("condition_conv_in.weight"))


def foreign_tensor(weights: Path) -> None:
    edit(weights / "controlnet" / TENSORS, lambda tensors: tensors.update(extra=torch.zeros(1)))


def wrong_shape(weights: Path) -> None:
    edit(weights / "controlnet" / TENSORS, lambda t: t.update({"conv_in.weight": torch.zeros(32, 4, 1, 1)}))


def wrong_heads(weights: Path) -> None:
    edit(weights / "controlnet" / "config.json", lambda config: config.update(attention_head_dim=[4, 8]))


def stock_controlnet(weights: Path) -> None:
    edit(weights / "controlnet" / "config.json", lambda config: config.pop("use_vae_encode_condition"))


def tuned_encoder(weights: Path) -> None:
    edit(weights / "vae" / TENSORS, lambda tensors: tensors["encoder.conv_in.weight"].add_(0.01))


def other_norms(weights: Path) -> None:
    edit(weights / "vae" / "config.json", lambda config: config.update(norm_num_groups=16))


def other_spacing(weights: Path) -> None:
    path = weights / "stable-diffusion-2-1-base" / "scheduler" / "scheduler_config.json"
    edit(path, lambda config: config.update(timestep_spacing="trailing"))


def flipped_channels(weights: Path) -> None:
    path = weights / "controlnet" / "config.json"
    edit(path, lambda config: config.update(controlnet_conditioning_channel_order="bgr"))


def own_heads(weights: Path) -> None:
    edit(weights / "controlnet" / "config.json", lambda config: config.update(num_attention_heads=[4, 8]))


def broken_text_encoder(weights: Path) -> None:
    path = weights / "stable-diffusion-2-1-base" / "text_encoder" / "config.json"
    edit(path, lambda config: config.update(hidden_size="wide"))


def integer_tensor(weights: Path) -> None:
    edit(weights / "controlnet" / TENSORS, lambda t: t.update({"conv_in.bias": torch.zeros(32, dtype=torch.int32)}))


def wrong_scaling(weights: Path) -> None:
    edit(weights / "vae" / "config.json", lambda config: config.update(scaling_factor=0.13025))


def wrong_scheduler(weights: Path) -> None:
    path = weights / "stable-diffusion-2-1-base" / "scheduler" / "scheduler_config.json"
    edit(path, lambda config: config.update(prediction_type="v_prediction"))


def missing_tokenizer(weights: Path) -> None:
    (weights / "stable-diffusion-2-1-base" / "tokenizer" / "vocab.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            missing_file,
            r"controlnet: holds neither diffusion_pytorch_model.safetensors nor diffusion_pytorch_model.bin",
        ),
        (missing_config, r"unet/config.json: missing"),
        (cut_short, r"unet/diffusion_pytorch_model.safetensors: damaged or truncated"),
        (broken_config, r"vae/config.json: cannot be read"),
        (missing_tensor, r"controlnet: not the weights .*: 1 tensors are missing \(condition_conv_in.weight\)"),
        (foreign_tensor, r"1 do not belong to it \(extra\)"),
        (
            wrong_shape,
            r"another shape than config.json says: conv_in.weight \(32, 4, 1, 1\) instead of \(32, 4, 3, 3\)",
        ),
        (wrong_heads, r"not the UNet's: attention_head_dim is \[4, 8\] instead of \[2, 4\]"),
        (stock_controlnet, r"use_vae_encode_condition is not true: this is not a ControlNet of CCSR-v2"),
        (own_heads, r"not the UNet's: num_attention_heads is \[4, 8\] instead of None"),
        (flipped_channels, r"not CCSR's: controlnet_conditioning_channel_order is 'bgr' instead of 'rgb'"),
        (other_norms, r"vae: the configuration is not the base VAE's: norm_num_groups is 16 instead of 32"),
        (other_spacing, r"scheduler: .* timestep_spacing is 'trailing' instead of 'leading'"),
        (broken_text_encoder, r"text_encoder/config.json: no network can be built from it"),
        (integer_tensor, r"1 tensors are not floating-point numbers: conv_in.bias"),
        (tuned_encoder, r"vae: 1 of \d+ tensors before the decoder are not those .* \(encoder.conv_in.weight\)"),
        (wrong_scaling, r"scaling_factor is 0.13025, CCSR needs 0.18215"),
        (wrong_scheduler, r"scheduler: .* prediction_type is 'v_prediction' instead of 'epsilon'"),
        (missing_tokenizer, r"tokenizer: no readable tokenizer"),
    ],
)
def test_wrong_weights_end_in_one_clear_line(weights: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(weights)
    with pytest.raises(BenchError, match=message) as caught:
        load(weights)
    assert "\n" not in str(caught.value)


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_tokenizer_of_another_text_encoder_is_refused(weights: Path) -> None:
    path = weights / "stable-diffusion-2-1-base" / "tokenizer" / "vocab.json"
    edit(path, lambda vocabulary: vocabulary.update({"k</w>": 1000}))
    with pytest.raises(BenchError, match="the tokenizer has other tokens than the text encoder"):
        load(weights)


def test_files_beside_the_hashed_ones_are_not_read(weights: Path) -> None:
    expected = load(weights).restore(picture(0, 16), [0])
    tokenizer = weights / "stable-diffusion-2-1-base" / "tokenizer"
    (tokenizer / "tokenizer.json").write_text("{}")
    (tokenizer / "added_tokens.json").write_text('{"clean": 3}')
    assert (load(weights).restore(picture(0, 16), [0]) == expected).all()


def test_pickled_code_is_refused_and_not_run(weights: Path, tmp_path: Path) -> None:
    folder = weights / "controlnet"
    tensors = load_file(folder / TENSORS)
    (folder / TENSORS).unlink()
    torch.save({**tensors, "conv_in.weight": Payload(tmp_path / "ran")}, folder / "diffusion_pytorch_model.bin")
    with pytest.raises(BenchError, match=r"controlnet/diffusion_pytorch_model.bin: holds code beside weights"):
        load(weights)
    (folder / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    with pytest.raises(BenchError, match=r"nothing in it was executed"):
        load(weights)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("data", [b"", b"\x80\x02}q\x00", bytes(range(256)) * 9])
def test_damaged_pytorch_file_ends_in_one_clear_line(weights: Path, data: bytes) -> None:
    (weights / "controlnet" / TENSORS).unlink()
    (weights / "controlnet" / "diffusion_pytorch_model.bin").write_bytes(data)
    with pytest.raises(BenchError, match=r"diffusion_pytorch_model.bin: (damaged|holds code)") as caught:
        load(weights)
    assert "\n" not in str(caught.value)


def test_official_numerics_in_another_precision_are_refused(weights: Path) -> None:
    folders = WeightFolders(weights / "stable-diffusion-2-1-base", weights / "controlnet")
    with pytest.raises(ValueError, match=r"official numerics are float16, not torch\.float32"):
        CCSR.load(folders, dtype=torch.float32)


def test_pytorch_files_of_tensors_load(weights: Path) -> None:
    expected = load(weights).restore(picture(0, 16), [0])
    folder = weights / "vae"
    torch.save(load_file(folder / TENSORS), folder / "diffusion_pytorch_model.bin")
    (folder / TENSORS).unlink()
    assert (load(weights).restore(picture(0, 16), [0]) == expected).all()


def test_vae_with_the_names_of_2022_loads(weights: Path) -> None:
    """Stable Diffusion 2.1's VAE was saved before diffusers renamed its attention layers."""
    base = weights / "stable-diffusion-2-1-base" / "vae"
    expected = load_vae(base, None, CPU).state_dict()
    new = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def rename(tensors: dict[str, Any]) -> None:
        for name in [name for name in tensors if ".attentions." in name]:
            old = name
            for current, former in new.items():
                old = old.replace(f".{current}.", f".{former}.")
            tensors[old] = tensors.pop(name)

    edit(base / TENSORS, rename)
    loaded = load_vae(base, weights / "vae", CPU).state_dict()
    encoder = [name for name in expected if not name.startswith("decoder.")]
    assert all(torch.equal(loaded[name], expected[name]) for name in encoder)


def test_vae_saved_in_half_the_precision_is_still_the_base_before_its_decoder(weights: Path) -> None:
    edit(
        weights / "stable-diffusion-2-1-base" / "vae" / TENSORS,
        lambda t: t.update({n: v.float() for n, v in t.items()}),
    )
    base = weights / "stable-diffusion-2-1-base" / "vae"
    encoder = {name: t for name, t in load_file(weights / "vae" / TENSORS).items() if name.startswith("encoder.")}
    loaded = load_vae(base, weights / "vae", CPU).state_dict()
    assert all(torch.equal(loaded[name], tensor.float()) for name, tensor in encoder.items())
    edit(base / TENSORS, lambda tensors: tensors["encoder.conv_in.weight"].mul_(1.01))  # more than rounding
    with pytest.raises(BenchError, match=r"\(encoder.conv_in.weight\)"):
        load_vae(base, weights / "vae", CPU)


def test_text_encoder_and_tokenizer_are_those_of_the_library(weights: Path) -> None:
    base = weights / "stable-diffusion-2-1-base"
    tokenizer = load_tokenizer(base / "tokenizer")
    tokens = tokenizer("clean, 8k", padding="max_length", max_length=77, truncation=True).input_ids
    assert tokenizer.convert_ids_to_tokens(tokens[:2]) == ["<|startoftext|>", "c"]
    assert tokenizer.convert_ids_to_tokens(tokens[-1:]) == ["!"]  # not the end-of-text token
    stock = CLIPTokenizer.from_pretrained(base / "tokenizer", pad_token="!")
    for text in ("clean, 8k", "", "a!b  c", "one two, three " * 20):
        padded = {"padding": "max_length", "max_length": 77, "truncation": True}
        assert tokenizer(text, **padded).input_ids == stock(text, **padded).input_ids
    theirs = CLIPTextModel.from_pretrained(base / "text_encoder", attn_implementation="eager").eval()
    ours = load_text_encoder(base / "text_encoder", CPU).eval()
    with torch.inference_mode():
        expected = theirs(torch.tensor([tokens])).last_hidden_state
    torch.testing.assert_close(embed(["clean, 8k"], tokenizer, ours)["clean, 8k"], expected)


def test_released_model_has_the_published_number_of_parameters() -> None:
    counts = architecture.count_parameters()
    assert counts == {
        "unet": 865_910_724,
        "controlnet": 363_153_600,
        "vae": 83_653_863,
        "text_encoder": 340_387_840,
    }
    assert sum(counts.values()) == 1_653_106_027  # the paper's 1.65 billion


# What the published files hold beside `architecture`: the defaults of the classes of 2022.
_PUBLISHED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "unet/config.json": (
        dict(architecture.UNET),
        {
            "_class_name": "UNet2DConditionModel",
            "_diffusers_version": "0.10.0.dev0",
            "act_fn": "silu",
            "center_input_sample": False,
            "downsample_padding": 1,
            "dual_cross_attention": False,
            "flip_sin_to_cos": True,
            "freq_shift": 0,
            "layers_per_block": 2,
            "mid_block_scale_factor": 1,
            "norm_eps": 1e-05,
            "norm_num_groups": 32,
            "num_class_embeds": None,
            "only_cross_attention": False,
        },
    ),
    "vae/config.json": (
        {name: value for name, value in architecture.VAE.items() if name != "scaling_factor"},
        {
            "_class_name": "AutoencoderKL",
            "_diffusers_version": "0.10.0.dev0",
            "act_fn": "silu",
            "in_channels": 3,
            "norm_num_groups": 32,
            "out_channels": 3,
        },
    ),
    "text_encoder/config.json": (
        dict(architecture.TEXT_ENCODER),
        {
            "_name_or_path": "stabilityai/stable-diffusion-2",
            "architectures": ["CLIPTextModel"],
            "attention_dropout": 0.0,
            "bos_token_id": 0,
            "dropout": 0.0,
            "eos_token_id": 2,
            "initializer_factor": 1.0,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-05,
            "model_type": "clip_text_model",
            "pad_token_id": 1,
            "projection_dim": 512,
            "torch_dtype": "float32",
            "transformers_version": "4.25.0.dev0",
        },
    ),
}


@pytest.mark.parametrize("file", sorted(_PUBLISHED))
def test_architecture_is_that_of_the_published_files_to_the_byte(file: str) -> None:
    ours, defaults = _PUBLISHED[file]
    text = json.dumps({**defaults, **ours}, indent=2, sort_keys=True) + "\n"
    published = find_method("ccsr-s2").manifest.weights["stable-diffusion-2-1-base"].files[file]
    assert hashlib.sha256(text.encode()).hexdigest() == published
