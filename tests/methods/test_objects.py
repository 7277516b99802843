"""Finding methods that a Python caller gives by name, as a folder, as a class or as an object."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.interpolation import DitheredBicubic
from ccsr_bench.methods.loading import load_method
from ccsr_bench.methods.objects import find_specs, from_object
from ccsr_bench.methods.registry import find_method, find_methods
from tests.support.methods import write_method

LR = np.full((3, 2, 3), 9, np.uint8)


class FlatImage:
    stochastic = False

    def __init__(self, level: int = 7) -> None:
        self.parameters = {"level": level}

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        return np.full((len(seeds), 4 * lr.shape[0], 4 * lr.shape[1], 3), self.parameters["level"], np.uint8)

    def close(self) -> None:
        """Fail: only the owner of the object may close it."""


class Magnifier:
    scale = 2

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        return np.stack([lr.repeat(self.scale, 0).repeat(self.scale, 1)] * len(seeds))


def test_a_class_is_a_method_of_its_name() -> None:
    (spec,) = find_specs(Magnifier)
    assert (spec.name, spec.variant.title) == ("magnifier", "magnifier")
    assert (spec.stochastic, spec.manifest.scale) == (True, 2)
    assert load_method(spec).restore(LR, [1, 2]).shape == (2, 6, 4, 3)
    assert not spec.manifest.isolated
    assert not spec.manifest.in_process_networks


def test_an_object_is_a_method_that_only_its_owner_closes() -> None:
    method = FlatImage(5)
    (spec,) = find_specs(method, name="flat-5")
    assert (spec.name, spec.stochastic, spec.manifest.scale) == ("flat-5", False, 4)
    loaded = load_method(spec)
    assert loaded.restore(LR, [1]).max() == 5
    assert not hasattr(loaded, "close")  # the runner closes every method that can be closed


def test_a_class_is_identified_by_its_file_and_its_settings() -> None:
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    assert from_object(Magnifier).origins()[0].text() == f"{__name__}:Magnifier sha256 {version} {{}}"
    assert from_object(FlatImage(5)).origins()[0].text() == f'{__name__}:FlatImage sha256 {version} {{"level": 5}}'
    assert from_object(Magnifier()).origins()[1:] == []


def test_a_class_without_a_file_is_identified_by_its_name() -> None:
    names: dict[str, Any] = {"__name__": "typed_at_a_prompt"}
    exec("class HTTPModel2:\n    def restore(self, lr, seeds): ...", names)
    spec = from_object(names["HTTPModel2"])
    assert (spec.name, spec.origins()[0].text()) == ("http-model2", "typed_at_a_prompt:HTTPModel2 {}")


def test_a_class_of_a_notebook_is_identified_by_its_functions() -> None:
    """As in IPython, `inspect` finds the source of a cell under a name that is not a file."""
    seen = []
    for level in (1, 2, 1):
        source = f"class Cell:\n    def restore(self, lr, seeds):\n        return {level}\n"
        linecache.cache["<cell>"] = len(source), None, source.splitlines(keepends=True), "<cell>"
        names: dict[str, Any] = {"__name__": "notebook"}
        exec(compile(source, "<cell>", "exec"), names)
        seen.append(from_object(names["Cell"]).origins()[0].text())
    del linecache.cache["<cell>"]
    assert seen[0] == seen[2] != seen[1]
    assert seen[0].startswith("notebook:Cell sha256 ")


def test_a_name_of_a_method_precedes_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_method(tmp_path / "bicubic")
    monkeypatch.chdir(tmp_path)
    assert find_specs("bicubic") == [find_method("bicubic")]
    assert [spec.name for spec in find_specs("bicubic/constant")] == ["constant"]
    assert [spec.name for spec in find_specs(Path("bicubic"))] == ["constant"]
    assert [spec.name for spec in find_specs("constant", methods_dir="bicubic")] == ["constant"]
    assert find_specs(find_method("lanczos")) == [find_method("lanczos")]


def test_a_folder_gives_all_variants_that_it_defines(tmp_path: Path) -> None:
    write_method(tmp_path, "second")
    write_method(tmp_path, "first")
    specs = find_specs(str(tmp_path))
    assert [spec.name for spec in specs] == ["first", "second"]
    assert load_method(specs[0]).restore(LR, [0]).max() == 7


@pytest.mark.parametrize(
    ("method", "name", "message"),
    [
        (3, None, "^3 is not a method: give a name, a folder"),
        ("bicubc", None, "unknown method 'bicubc': did you mean bicubic"),
        ("bicubic", "mine", "^`name` is for a class or an object"),
        (Magnifier, "a name", r"Magnifier: Expected `str` matching regex .* at `\$.id`"),
        (DitheredBicubic(sigma=1), None, "several methods have this class; give the `name`"),
    ],
)
def test_other_objects_are_refused_in_one_line(method: object, name: str | None, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        find_specs(method, name=name)


@pytest.mark.parametrize(("attribute", "value"), [("scale", "4"), ("stochastic", 1), ("parameters", {"a": object()})])
def test_a_wrong_attribute_is_named(attribute: str, value: object) -> None:
    method = Magnifier()
    setattr(method, attribute, value)
    with pytest.raises(BenchError, match=r"Magnifier: .*; correct the attribute"):
        from_object(method)


def test_a_class_that_needs_arguments_is_named() -> None:
    class Demanding(Magnifier):
        def __init__(self, strength: int) -> None:
            self.strength = strength

    with pytest.raises(BenchError, match=r"^method 'demanding' .*Demanding\) cannot be loaded: TypeError"):
        load_method(from_object(Demanding))


def test_folders_of_methods_are_paths_or_strings_one_or_several(tmp_path: Path) -> None:
    write_method(tmp_path)
    for folders in (tmp_path, str(tmp_path), [tmp_path], [str(tmp_path)]):
        assert "constant" in find_methods(folders)
    with pytest.raises(BenchError, match=r"^3: not a folder of methods; give the path of one$"):
        find_methods([3])  # type: ignore[list-item]
