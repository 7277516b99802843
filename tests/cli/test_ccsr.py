"""CCSR as a user runs it: from a folder of weights in the official layout to a table. The networks are tiny."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs the extra `ccsr`")

from tests.support.cli import Capture, done, mistake
from tests.support.pictures import write_pairs
from tests.support.tiny_ccsr import write_narrow_weights

TENSORS = "diffusion_pytorch_model.safetensors"

MANIFEST = """
id = "mine"
title = "CCSR with weights of one's own"
licence = "none"
scale = 4
stochastic = true
[environment]
kind = "in-process"
entry = "ccsr_bench.ccsr.method:build"
networks = true
[variants.mine-s1]
title = "Mine"
parameters = { num_inference_steps = 1, t_max = 0.6666, t_min = 0.0, guidance_scale = 1.0 }
weights = { base = "my-base", controlnet = "my-controlnet" }
[weights.my-base]
licence = "none"
folder = "stable-diffusion-2-1-base"
sources = [{ kind = "hugging-face", repository = "nobody/nothing" }]
[weights.my-base.files]
"scheduler/scheduler_config.json" = ""
"text_encoder/config.json" = ""
"text_encoder/model.safetensors" = ""
"tokenizer/merges.txt" = ""
"tokenizer/special_tokens_map.json" = ""
"tokenizer/vocab.json" = ""
"unet/config.json" = ""
"unet/diffusion_pytorch_model.safetensors" = ""
"vae/config.json" = ""
"vae/diffusion_pytorch_model.safetensors" = ""
[weights.my-controlnet]
licence = "none"
folder = "controlnet"
sources = [{ kind = "google-drive", folder = "nothing" }]
files = { "config.json" = "", "diffusion_pytorch_model.safetensors" = "" }
"""


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_narrow_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def weights(narrow: Path, tmp_path: Path) -> Path:
    """A copy of the narrow weights, which a test may damage."""
    return Path(shutil.copytree(narrow, tmp_path / "weights"))


@pytest.fixture
def own(tmp_path: Path) -> list[object]:
    """Options for two pairs of the user's own, and a precision that is fast on any CPU."""
    write_pairs(tmp_path, ["image0", "image1"], size=128)
    pairs = ["--lr", tmp_path / "lr", "--hr", tmp_path / "hr", "--dataset", "own"]
    return [*pairs, "--metrics", "psnr", "--dtype", "float32"]


def pngs(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.png"))}


def test_ten_runs_of_both_variants_on_sample_and_their_table(narrow: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    chosen = ["--method", "ccsr-s1", "ccsr-s2", "--dataset", "sample", "--limit", "2", "--weights", narrow]
    done(["run", *chosen, "--dtype", "float32", "--metrics", "psnr", "ssim", "--out", out])
    printed = capsys.readouterr().out
    assert "ccsr-s1: 2 images x 10 runs, 2 images computed now" in printed
    assert "ccsr-s2: 2 images x 10 runs, 2 images computed now" in printed
    assert len(pngs(out)) == 2 * 2 * 10
    provenance = json.loads((out / "sample" / "ccsr-s2" / "provenance.json").read_text())
    assert '"execution": {"device": "cpu", "dtype": "float32", "batch": null, "compiled": false}' in json.dumps(
        provenance
    )
    assert sorted(provenance["made_by"]["weights"]) == ["base", "controlnet", "vae"]
    done(["table", "--out", out])
    table = capsys.readouterr().out
    assert re.search(
        r"- ccsr-s2: ccsr_bench\.ccsr\.method:build .*vae weights sha256 [0-9a-f]{16}, float32; "
        r"own weights, not the published ones: base, controlnet, vae\.",
        table,
    )
    for title in ("CCSR-S1", "CCSR-S2"):
        row = next(line for line in table.splitlines() if line.startswith(f"| {title} "))
        assert re.search(
            r"\(own weights\) \| +10 \| 2 of 6 \| +\d+\.\d\d/\d\.\d{4} \| +\d\.\d{4}/\d\.\d{4} \| +0\.\d{4} \|", row
        )


def test_pictures_do_not_depend_on_order_subset_resume_or_number_of_runs(
    weights: Path, own: list[object], tmp_path: Path
) -> None:
    common = ["run", "--method", "ccsr-s2", *own, "--weights", weights]
    at_once, in_parts = tmp_path / "at-once", tmp_path / "in-parts"
    done([*common, "--runs", "3", "--out", at_once])
    done([*common, "--runs", "1", "--limit", "1", "--out", in_parts])
    done([*common, "--runs", "2", "--shard", "1/2", "--out", in_parts])
    done([*common, "--runs", "3", "--out", in_parts])
    assert pngs(at_once) == pngs(in_parts)
    assert len(pngs(at_once)) == 6
    assert len(set(pngs(at_once).values())) == 6


def test_batch_of_one_and_of_ten_agree(weights: Path, own: list[object], tmp_path: Path) -> None:
    from ccsr_bench.images import read_image

    common = ["run", "--method", "ccsr-s1", *own, "--weights", weights, "--limit", "1", "--runs", "10"]
    for batch in ("1", "10"):
        done([*common, "--batch", batch, "--out", tmp_path / batch])
    one, ten = (
        np.stack([read_image(tmp_path / batch / name) for name in sorted(pngs(tmp_path / batch))]).astype(int)
        for batch in ("1", "10")
    )
    assert (one != ten).mean() < 0.01
    assert np.abs(one - ten).max() <= 8  # one level before AdaIN, which stretches these nearly flat outputs


def test_prepared_weights_are_found_and_results_name_them(
    weights: Path, own: list[object], tmp_path: Path, home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = mistake(capsys, "run", "--method", "ccsr-s1", *own, "--out", tmp_path / "out")
    assert "method 'ccsr-s1': no weights stable-diffusion-2-1-base in" in text
    assert "run `ccsr-bench prepare --method ccsr-s1`" in text
    text = mistake(capsys, "prepare", "--method", "ccsr-s1", "--from", weights)
    assert re.search(r"scheduler_config.json: wrong sha256: it is not the published file", text)
    assert not (tmp_path / "out").exists()

    # The same with a manifest that does not know the hashes, as for weights that only their authors have.
    methods = tmp_path / "methods" / "mine"
    methods.mkdir(parents=True)
    (methods / "method.toml").write_text(MANIFEST)
    done(["prepare", "--method", "mine-s1", "--methods-dir", methods.parent, "--from", weights])
    run = ["run", "--method", "mine-s1", "--methods-dir", methods.parent, *own, "--runs", "1", "--limit", "1"]
    done([*run, "--out", tmp_path / "out"])
    done([*run, "--out", tmp_path / "out"])  # nothing to do
    path = home / "weights" / "my-controlnet" / TENSORS
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path}: wrong sha256" in mistake(capsys, *run, "--out", tmp_path / "out")


def test_results_of_other_weights_or_another_precision_are_not_mixed_in(
    weights: Path, own: list[object], tmp_path: Path, capsys: Capture
) -> None:
    run = ["run", "--method", "ccsr-s1", *own, "--runs", "1", "--limit", "1", "--out", tmp_path / "out"]
    done([*run, "--weights", weights])
    config = weights / "vae" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert "the outputs in this ledger were made by" in mistake(capsys, *run, "--weights", weights, "--runs", "2")
    config.write_text(config.read_text()[:-1])
    assert "float32" in mistake(capsys, *run, "--weights", weights, "--runs", "2", "--dtype", "bfloat16")


class Payload:
    """An object that a hostile file runs code with."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("ran"),))


def pickled(weights: Path) -> None:
    (weights / "vae" / TENSORS).unlink()
    (weights / "vae" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({"weight": Payload()}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            pickled,
            "diffusion_pytorch_model.bin: holds code beside weights, or is damaged: no readable weights; nothing in it",
        ),
        (
            lambda w: shutil.rmtree(w / "vae"),
            "holds no config.json, diffusion_pytorch_model.safetensors of the weights ccsr-vae",
        ),
        (lambda w: (w / "controlnet" / TENSORS).unlink(), "safetensors is missing"),
        (lambda w: (w / "vae" / TENSORS).write_bytes(b"cut"), "damaged or truncated"),
        (lambda w: shutil.copy(w / "vae" / TENSORS, w / "controlnet" / TENSORS), "not the weights of its config.json"),
    ],
)
def test_wrong_weights_end_in_one_line_before_any_work(
    damage: Callable[[Path], None],
    message: str,
    weights: Path,
    own: list[object],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(weights)
    monkeypatch.chdir(tmp_path)
    text = mistake(capsys, "run", "--method", "ccsr-s1", *own, "--weights", weights, "--out", tmp_path / "out")
    assert message in text
    assert not Path("ran").exists()


@pytest.mark.parametrize("option", [["--dtype", "float32"], ["--compile"]])
def test_options_of_networks_are_refused_where_there_are_none(option: list[str], capsys: Capture) -> None:
    text = mistake(capsys, "run", "--method", "bicubic", "--dataset", "sample", *option)
    assert f"{option[0]}: method 'bicubic' runs no networks" in text
    assert "--weights: method 'bicubic' has no weights" in mistake(
        capsys, "run", "--method", "bicubic", "--dataset", "sample", "--weights", "."
    )


def test_profile_gives_the_columns_of_table_vii(weights: Path, capsys: Capture) -> None:
    done(["profile", "--method", "ccsr-s2", "--json"])
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["steps"] == 2
    assert sum(figures["parameters"].values()) == 1_653_106_027
    assert figures["seconds_one_run"] is None
    assert "`ccsr-bench prepare --method ccsr-s2`" in figures["missing"]
    quick = ["--dtype", "float32", "--size", "16", "--runs", "2", "--repeats", "1"]
    done(["profile", "--method", "ccsr-s1", "--weights", weights, *quick])
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"CCSR-S1 +1 +\d+\.\d{3} +\d+\.\d{3} +\d+\.\d{3} +- +\d+$", lines[1])
    assert re.match(r"CCSR-S1 \(paper\) +1 +0\.11 +- +- +1\.65 billion +-$", lines[2])
