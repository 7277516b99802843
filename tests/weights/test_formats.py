from __future__ import annotations

from pathlib import Path

from ccsr_bench.weights.formats import accepted_names, find_file


def test_pytorch_format_stands_for_safetensors_and_for_nothing_else() -> None:
    assert accepted_names(Path("vae/diffusion_pytorch_model.safetensors"))[1:] == (
        Path("vae/diffusion_pytorch_model.bin"),
    )
    assert accepted_names(Path("text_encoder/model.safetensors"))[1:] == (Path("text_encoder/pytorch_model.bin"),)
    assert accepted_names(Path("config.json")) == (Path("config.json"),)


def test_safetensors_come_first(tmp_path: Path) -> None:
    wanted = tmp_path / "model.safetensors"
    assert find_file(wanted) is None
    (tmp_path / "pytorch_model.bin").touch()
    assert find_file(wanted) == tmp_path / "pytorch_model.bin"
    wanted.touch()
    assert find_file(wanted) == wanted
