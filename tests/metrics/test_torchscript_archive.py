"""Archives of torch.jit are read as torch reads them, and nothing in them is executed."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.networks.torchscript_archive import is_torchscript_archive, read_torchscript_archive


class Everything(nn.Module):
    """Tensors of many kinds, and attributes of every kind that weights come with."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 1).half()
        self.norm = nn.BatchNorm2d(4)
        self.attention = nn.MultiheadAttention(8, 2).half()
        self.blocks = nn.ModuleDict({"0": nn.Linear(2, 2).bfloat16(), "-1": nn.AvgPool2d(2)})
        whole = torch.arange(12.0, dtype=torch.float64).view(3, 4)
        self.register_buffer("whole", whole)
        self.register_buffer("view", whole.T[1:, ::2])
        self.register_buffer("scalar", torch.tensor(7))
        self.register_buffer("none_at_all", torch.empty(0, 3))
        self.number, self.fraction, self.text, self.flag, self.nothing = 3, 1.5, "text", True, None
        self.numbers, self.fractions, self.flags = [1, 2], [1.5], [True]
        self.texts, self.table, self.pair = ["text"], {"key": 1}, (1, 2.5)
        self.tensors = [torch.ones(2)]

    def forward(self, x: Tensor) -> Tensor:
        """Use them: torch.jit keeps nothing else."""
        x = x + self.number + self.fraction + len(self.text) + len(self.texts) + self.table["key"] + self.pair[1]
        return x + self.numbers[0] + self.fractions[0] + self.tensors[0].sum() + int(self.flags[0])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A module, archived by this torch."""
    path = tmp_path / "archive.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.jit.save(torch.jit.script(Everything().eval()), path)
    return path


def rewrite(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy an archive, its entries changed, or left out where the change is None."""
    target = path.with_name("changed.pt")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = change(name.partition("/")[2], source.read(name))
            if content is not None:
                copy.writestr(name, content)
    return target


def with_table(path: Path, table: bytes) -> Path:
    """Copy an archive with another `data.pkl`."""
    return rewrite(path, lambda name, content: table if name == "data.pkl" else content)


def assert_as_torch_reads_it(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    found = read_torchscript_archive(path)
    assert len(found) == 17
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert tensor.dtype == expected[name].dtype, name
        assert tensor.stride() == expected[name].stride(), name
        assert torch.equal(tensor, expected[name]), name


def test_every_tensor_is_read(archive: Path) -> None:
    assert is_torchscript_archive(archive)
    assert_as_torch_reads_it(archive)


def test_layout_of_torch_1_7_saved_on_a_gpu(archive: Path) -> None:
    def older(name: str, content: bytes) -> bytes | None:
        if name.startswith(".") or name == "byteorder":
            return None
        if name == "data.pkl":
            assert content.count(b"X\x03\0\0\0cpu") == 1  # memoised after its first use
            return content.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
        return content

    assert_as_torch_reads_it(rewrite(archive, older))


class _Call:
    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._call


def test_hostile_archive_is_refused_unexecuted(archive: Path, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    table = pickle.dumps(_Call(os.system, f"touch {mark}"), protocol=2)
    with pytest.raises(BenchError, match=r"it names posix\.system, which no weights need.*prepare again"):
        read_torchscript_archive(with_table(archive, table))
    assert not mark.exists()
    pickle.loads(table)
    assert mark.exists(), "the file was not hostile"


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "builtins getattr",
        "torch load",
        "torch hub.load",
        "torch._utils _rebuild_tensor",
        "__torch__x y",
    ],
)
def test_other_names_are_refused(archive: Path, name: str) -> None:
    table = b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n."
    with pytest.raises(BenchError, match="which no weights need"):
        read_torchscript_archive(with_table(archive, table))


MODULE = b"\x80\x02c__torch__\nM\n)\x81"
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0%sX\x03\0\0\0cpuK%ctQ"
TENSOR = b"}X\x01\0\0\0tctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE + b"K%cK\x02\x85K\x01\x85\x89}tRsb."


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"\x80\x02K\x01.", "holds no module"),
        (MODULE + b"K\x01b.", "not a table of attributes"),
        (MODULE + b"}K\x01K\x01sb.", "not a table of attributes"),
        (MODULE + b"}X\x01\0\0\0aK\x01Qsb.", "no readable weights"),
        (MODULE + TENSOR % (b"x", 3, 0), "no readable weights"),
        (MODULE + TENSOR % (b"0", 3, 0), "data/0 has 8 bytes, not 3"),
        (MODULE + TENSOR % (b"0", 2, 1), "no readable weights"),
        (MODULE, "no readable weights"),
    ],
)
def test_damaged_tables_end_in_one_line(archive: Path, table: bytes, reason: str) -> None:
    def small(name: str, content: bytes) -> bytes:
        return {"data.pkl": table, "data/0": bytes(8)}.get(name, content)

    with pytest.raises(BenchError, match=reason) as caught:
        read_torchscript_archive(rewrite(archive, small))
    assert "\n" not in str(caught.value)


def test_the_damaged_tables_are_otherwise_sound(archive: Path) -> None:
    sound = MODULE + TENSOR % (b"0", 2, 0)
    tensors = read_torchscript_archive(
        rewrite(archive, lambda name, content: {"data.pkl": sound, "data/0": bytes(8)}.get(name, content))
    )
    assert torch.equal(tensors["t"], torch.zeros(2))


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    torch.save({"a": torch.ones(1)}, path)
    assert not is_torchscript_archive(path)
    path.write_bytes(b"something else")
    assert not is_torchscript_archive(path)
    with pytest.raises(BenchError, match="no readable weights"):
        read_torchscript_archive(path)
