"""SUPIR's adapter and captioner: the inputs that they give to the official code, as in `test.py`."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.official_code import Network, Node, OmegaConf, Recorder, load_module, pillow
from tests.support.paper_settings import paper_settings
from tests.support.pictures import picture

CALL = paper_settings().families["supir"].call
SEED = 7_000_000_000_000_000_001
WEIGHTS = {role: f"/weights/{role}" for role in ("sdxl", "supir", "clip", "llava", "vision")}
EMBEDDERS = [{"input_key": "txt", "params": {"device": "cuda"}}, {"input_key": "control", "params": {}}]
PARTS = {
    "first_stage_config": {"params": {"ddconfig": {"attn_type": "vanilla-xformers", "ch": 128}}},
    "sampler_config": {"params": {"device": "cuda"}},
    "conditioner_config": {"params": {"emb_models": EMBEDDERS}},
}
FILES = {
    "SUPIR_v0.yaml": {"SDXL_CKPT": "/sdxl", "SUPIR_CKPT_Q": "/q", "SUPIR_CKPT_F": "/f", "model": {"params": PARTS}}
}


class Omega(OmegaConf):
    """Substitute for OmegaConf that writes JSON, a subset of YAML."""

    def to_yaml(self, config: Any) -> str:
        return json.dumps(config)


class Denoiser(Network):
    """Substitute for the official network that is called in every step."""

    dtype: str


class Model(Network):
    """Substitute for the official model, whose sample is the image's negative."""

    device = "cpu"
    ae_dtype: str

    def __init__(self) -> None:
        super().__init__()
        self.model = Denoiser()
        self.batchify_sample = Recorder(self._sample)
        self.batchify_denoise = Recorder(self._denoise)

    def _sample(self, image: torch.Tensor, captions: list[str], **_: Any) -> torch.Tensor:
        return -image

    def _denoise(self, image: torch.Tensor) -> torch.Tensor:
        return image / 2


class Official:
    """Substitutes for the official modules, and records of their arguments."""

    def __init__(self) -> None:
        self.model = Model()
        self.to_tensor = Recorder(self._to_tensor)
        self.to_picture = Recorder(self._to_picture)
        self.create = Recorder(self._create)
        self.in_files = ["weight", "model.weight"]
        """Names of the parameters in the files of weights."""
        self.omega = Omega(FILES)
        self.options: Any = None
        """Options that the model was built with."""
        self.clip: tuple[str, str] = ("", "")
        self.helper: dict[str, Any] = {}
        """Global names of the module that builds the model."""

    def modules(self) -> dict[str, dict[str, Any]]:
        """Return the names that are imported from them."""
        return {
            "omegaconf": {"OmegaConf": self.omega},
            "sgm.modules.encoders.modules": {"SDXL_CLIP1_PATH": "/authors", "SDXL_CLIP2_CKPT_PTH": "/authors"},
            "SUPIR.util": {
                "PIL2Tensor": self.to_tensor,
                "Tensor2PIL": self.to_picture,
                "create_SUPIR_model": self.create,
                "load_state_dict": dict.fromkeys,
                "convert_dtype": str,
            },
            "transformers": {"PreTrainedModel": None},
            "llava.llava_agent": {"LLavaAgent": None},
            "llava.model.multimodal_encoder.clip_encoder": {"LLAVA_CLIP_PATH": "/authors"},
        }

    def _to_tensor(
        self, image: Image.Image, upsacle: int = 1, min_size: int = 1024, fix_resize: int | None = None
    ) -> tuple[torch.Tensor, int, int]:
        factor = max(upsacle, (fix_resize or min_size) / min(image.size))
        width, height = (round(side * factor / 64) * 64 for side in image.size)
        levels = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
        tensor = torch.from_numpy(levels / 127.5 - 1).permute(2, 0, 1).float()
        return tensor, image.height * upsacle, image.width * upsacle

    def _to_picture(self, image: torch.Tensor, height: int, width: int) -> Image.Image:
        levels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return pillow(levels, width, height, Image.Resampling.NEAREST)

    def _create(self, options: Any, *, SUPIR_sign: str) -> Model:  # noqa: N803 - the official name
        self.options = json.load(options)
        encoders = self.helper["encoders"]
        self.clip = encoders.SDXL_CLIP1_PATH, encoders.SDXL_CLIP2_CKPT_PTH
        self.helper["official"].load_state_dict(self.in_files)
        return self.model

    def load(self) -> Any:
        """Return the adapter's model."""
        adapter = load_module("supir", self.modules())
        self.helper = adapter.build.__globals__
        return adapter.load(source="/source", weights=WEIGHTS, device="cpu", steps=50)


def negative(lr: np.ndarray, width: int, height: int) -> Image.Image:
    """Return the negative of an image resized by the bicubic filter."""
    return Image.fromarray(255 - np.asarray(pillow(lr, width, height, Image.Resampling.BICUBIC)))


@pytest.mark.parametrize(("size", "sides"), [((128, 128), (1024, 1024)), ((260, 300), (1024, 1216))])
def test_supir_receives_the_image_with_at_least_1024_pixels(size: tuple[int, int], sides: tuple[int, int]) -> None:
    official = Official()
    model = official.load()
    lr = picture(1, 320)[: size[0], : size[1]]
    output = model.restore(lr, SEED, "a lamp")
    call = official.to_tensor.only
    np.testing.assert_array_equal(call.arguments[0], lr)
    assert (call.upsacle, call.min_size) == (4, 1024)
    (height, width), (tall, wide) = size, sides
    sampled = official.model.batchify_sample.only
    expected = np.asarray(negative(lr, wide, tall)) / 127.5 - 1
    image, captions = sampled.arguments
    torch.testing.assert_close(-image[0].permute(1, 2, 0), torch.from_numpy(expected).float())
    assert captions == ["a lamp"]
    assert official.to_picture.only.arguments[1:] == (4 * height, 4 * width)
    shown = pillow(np.asarray(negative(lr, wide, tall)), 4 * width, 4 * height, Image.Resampling.NEAREST)
    np.testing.assert_array_equal(output, shown)


def test_supir_samples_with_the_defaults_of_its_script_when_the_paper_was_written() -> None:
    """The prompts are those of the options file, which apply to a call without prompts."""
    official = Official()
    model = official.load()
    model.restore(picture(1, 128), SEED)
    sampled = vars(official.model.batchify_sample.only)
    _, captions = sampled.pop("arguments")
    assert captions == [""]
    assert sampled == {**CALL, "num_steps": 50, "seed": SEED % 2**32}
    assert model.network is official.model.model


def test_the_options_are_the_official_ones_with_our_paths_and_device() -> None:
    official = Official()
    official.load()
    options = official.options
    assert official.omega.read == ["/source/options/SUPIR_v0.yaml"]
    assert options["SDXL_CKPT"] == "/weights/sdxl/sd_xl_base_1.0_0.9vae.safetensors"
    assert options["SUPIR_CKPT_Q"] == "/weights/supir/SUPIR-v0Q.ckpt"
    parts = options["model"]["params"]
    assert parts["first_stage_config"]["params"]["ddconfig"] == {"attn_type": "vanilla", "ch": 128}
    assert parts["sampler_config"]["params"] == {"device": "cpu"}
    assert [embedder["params"] for embedder in parts["conditioner_config"]["params"]["emb_models"]] == [
        {"device": "cpu"},
        {},
    ]
    assert official.create.only.SUPIR_sign == "Q"
    assert official.clip == ("/weights/clip", "")
    assert (official.model.ae_dtype, official.model.model.dtype) == ("fp32", "fp32")


def test_files_that_lack_weights_are_refused() -> None:
    official = Official()
    official.in_files = ["weight"]
    with pytest.raises(ValueError, match=r"SUPIR-v0Q\.ckpt lack 1 weights, such as model\.weight"):
        official.load()


class LLaVA:
    """Substitute for LLaVA that describes an image by its size."""

    def __init__(self) -> None:
        self.gen_image_caption = Recorder(self._caption)

    def _caption(self, images: list[Image.Image]) -> list[str]:
        return [f"a picture of {image.width}x{image.height}" for image in images]


@pytest.mark.parametrize(("size", "sides"), [((128, 128), (512, 512)), ((130, 160), (512, 640))])
def test_the_captioner_describes_what_the_first_stage_decodes(size: tuple[int, int], sides: tuple[int, int]) -> None:
    official, llava = Official(), LLaVA()
    captioner = load_module("supir", official.modules(), "captioner.py").Captioner(official.model, llava, False)
    lr = picture(1, 320)[: size[0], : size[1]]
    (height, width), (tall, wide) = size, sides
    assert captioner.caption(lr, SEED) == f"a picture of {4 * width}x{4 * height}"
    call = official.to_tensor.only
    np.testing.assert_array_equal(call.arguments[0], lr)
    assert (call.upsacle, call.min_size, call.fix_resize) == (4, 1024, 512)
    (image,) = official.model.batchify_denoise.only.arguments
    assert image.shape == (1, 3, tall, wide)
    decoded, *shape = official.to_picture.only.arguments
    torch.testing.assert_close(decoded, image[0] / 2)
    assert shape == [4 * height, 4 * width]
    ((shown,),) = llava.gen_image_caption.only.arguments
    assert isinstance(shown, Image.Image)


class PreTrainedModel:
    """Substitute for the class that loads LLaVA and its image encoder."""

    @classmethod
    def from_pretrained(cls, folder: str) -> None:
        """Load a model."""


def test_the_captioner_is_built_of_the_autoencoder_and_llava() -> None:
    official = Official()
    module = load_module("supir", official.modules(), "captioner.py")
    official.helper = module.build.__globals__
    vision: list[str] = []

    def llava(path: str, device: str) -> Any:
        vision.append(module.clip_encoder.LLAVA_CLIP_PATH)
        return Node(model=Network())

    loaded = Recorder(llava)
    with patch.object(module, "LLavaAgent", loaded), patch.object(module, "PreTrainedModel", PreTrainedModel):
        module.load(source="/source", weights=WEIGHTS, device="cpu")
    parts = official.options["model"]["params"]
    assert parts["network_config"] == parts["control_stage_config"] == {"target": "torch.nn.Identity"}
    assert parts["conditioner_config"]["params"]["emb_models"] == []
    call = loaded.only
    assert (call.arguments, call.device, vision) == (("/weights/llava",), "cpu", ["/weights/vision"])
