"""RRDBNet in ncnn's format: the right network gives its tensors, and any other is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.errors import BenchError
from ccsr_bench.weights.layouts import find_layout
from tests.support.ncnn_networks import Network, rrdbnet


@pytest.fixture
def network() -> Network:
    return rrdbnet()


def read(files: dict[str, Path]) -> dict[str, torch.Tensor]:
    return find_layout("rrdbnet-ncnn").read(files)


def test_every_tensor_is_read_by_its_official_name(network: Network, tmp_path: Path) -> None:
    tensors = read(network.write(tmp_path))
    assert len(network.names) == 351
    assert sum(tensor.numel() for tensor in tensors.values()) == 16_697_987
    assert set(tensors) == set(network.tensors)
    assert all(np.array_equal(tensors[name].numpy(), values) for name, values in network.tensors.items())


def test_spandrel_recognises_the_network(network: Network, tmp_path: Path) -> None:
    import_torchvision()
    spandrel = pytest.importorskip("spandrel", reason="needs the extra `spandrel`")
    found = spandrel.ModelLoader().load_from_state_dict(read(network.write(tmp_path)))
    assert (found.architecture.id, found.scale, found.input_channels, found.output_channels) == ("ESRGAN", 4, 3, 3)
    assert sum(parameter.numel() for parameter in found.model.parameters()) == 16_697_987


Change = Callable[[list[str], Network], None]


def replaced(kind: str, occurrence: int, old: str, new: str) -> Change:
    def change(lines: list[str], network: Network) -> None:
        index = network.index(kind, occurrence)
        assert old in lines[index]
        lines[index] = lines[index].replace(old, new)

    return change


def removed(kind: str, occurrence: int) -> Change:
    def change(lines: list[str], network: Network) -> None:
        del lines[network.index(kind, occurrence)]

    return change


def swapped_inputs(kind: str, occurrence: int) -> Change:
    def change(lines: list[str], network: Network) -> None:
        index = network.index(kind, occurrence)
        words = lines[index].split()
        words[4], words[5] = words[5], words[4]
        lines[index] = " ".join(words)

    return change


def added_layer(lines: list[str], network: Network) -> None:
    lines.append(f"ReLU relu 1 1 {lines[-1].split()[5]} end")


@pytest.mark.parametrize(
    "change",
    [
        replaced("Convolution", 1, "-23310=1,2.000000e-01", "-23310=1,1.000000e-01"),
        replaced("Convolution", 1, " 9=2 -23310=1,2.000000e-01", ""),
        replaced("Convolution", 5, "5=1 6", "5=1 9=2 -23310=1,2.000000e-01 6"),
        replaced("Convolution", 1, "4=1", "4=0"),
        replaced("Convolution", 1, "1=3", "1=3 2=2"),
        replaced("Convolution", 1, "5=1", "5=0"),
        replaced("Convolution", 1, "1=3 ", ""),
        replaced("Eltwise", 0, "2.000000e-01", "1.000000e+00"),
        replaced("Eltwise", 3, " -23301=2,2.000000e-01,1.000000e+00", ""),
        replaced("Interp", 0, "0=1", "0=2"),
        replaced("Interp", 1, "1=2.0", "1=4.0"),
        replaced("BinaryOp", 0, "BinaryOp", "Eltwise"),
        swapped_inputs("Concat", 2),
        swapped_inputs("Eltwise", 3),
        removed("Concat", 0),
        removed("Convolution", 350),
        added_layer,
    ],
)
def test_another_graph_is_refused(network: Network, tmp_path: Path, change: Change) -> None:
    change(network.lines, network)
    with pytest.raises(BenchError) as error:
        read(network.write(tmp_path))
    assert "\n" not in str(error.value)
    assert "network.param: " in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda content: content + b"\0\0\0\0", "4 bytes are left after the last layer"),
        (lambda content: content[:-4], "ends after .* bytes, too early"),
        (lambda content: b"\0\0\0\1" + content[4:], "stores weights by tag"),
        (lambda content: content[:4] + b"\x00\x7e" + content[6:], "not finite"),
    ],
)
def test_other_weights_are_refused(
    network: Network, tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    files = network.write(tmp_path)
    files[".bin"].write_bytes(spoil(files[".bin"].read_bytes()))
    with pytest.raises(BenchError, match=reason):
        read(files)


@pytest.mark.parametrize(
    "text", ["", "7767517\n", "1\n1 1\nInput a 0 1 a\n", "7767517\n2 1\nInput a 0 1 a\n", "\x00\xff"]
)
def test_other_text_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.param").write_text(text)
    (tmp_path / "a.bin").write_bytes(b"")
    with pytest.raises(BenchError, match="not a network in ncnn's text format"):
        read({".param": tmp_path / "a.param", ".bin": tmp_path / "a.bin"})
